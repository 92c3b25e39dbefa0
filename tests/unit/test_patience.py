"""What passes by itself, how often it is tried and how long is waited: the design document's numbers."""

from __future__ import annotations

from typing import Any, NamedTuple

import pytest

from autodeploy.errors import InfrastructureError, Transience
from autodeploy.patience import ATTEMPTS, Patience, transience_of
from autodeploy.stages import attempts


class Http(NamedTuple):
    status_code: int


def answer(status: int, code: str = "") -> Any:
    return Http(status), {"Error": {"Code": code}} if code else {}


def test_the_documents_numbers() -> None:
    assert ATTEMPTS == {"network": 3, "throttling": 5, "deployment": 2}


@pytest.mark.parametrize(
    ("code", "status", "kind"),
    [
        ("Throttling", 400, "throttling"),
        ("RequestLimitExceeded", 503, "throttling"),
        ("ServiceUnavailable", 503, "throttling"),
        ("", 429, "throttling"),
        ("InternalFailure", 500, "network"),
        ("Unavailable", 503, "network"),
        ("502", 502, "network"),
        ("RequestTimeout", 408, "network"),
        ("VpcLimitExceeded", 400, None),
        ("LimitExceeded", 409, None),
        ("AccessDenied", 403, None),
        ("", 0, None),
    ],
)
def test_what_passes_by_itself(code: str, status: int, kind: Transience | None) -> None:
    assert transience_of(code, status) == kind


@pytest.mark.parametrize(
    ("said", "waits"),
    [(answer(400, "Throttling"), [2.0, 4.0, 8.0, 16.0]), (answer(500), [2.0, 4.0]), (answer(403, "AccessDenied"), [])],
)
def test_waits_two_seconds_and_doubles(said: Any, waits: list[float]) -> None:
    slept: list[float] = []
    patience = Patience(sleep=slept.append, chance=lambda: 0.0)
    tried = 1
    while patience(attempts=tried, response=said, caught_exception=None, operation="any") is not None:
        tried += 1
    assert slept == waits


def test_chance_keeps_many_from_coming_back_together() -> None:
    slept: list[float] = []
    for chance in (0.0, 0.5, 1.0):
        Patience(sleep=slept.append, chance=lambda chance=chance: chance)(1, answer(429))  # type: ignore[misc]
        Patience(sleep=slept.append, first_seconds=0.2, chance=lambda chance=chance: chance)(1, answer(429))  # type: ignore[misc]
    assert slept == pytest.approx([2.0, 0.2, 2.45, 0.245, 2.9, 0.29])


def test_a_lost_line_is_what_the_client_calls_one() -> None:
    patience = Patience((ConnectionError,), sleep=lambda seconds: None)
    assert patience(1, None, ConnectionResetError()) == 0
    assert patience(1, None, ValueError()) is None
    assert patience(3, None, ConnectionResetError()) is None
    assert Patience(sleep=lambda seconds: None)(1, None, ConnectionResetError()) is None


def test_an_answer_stands() -> None:
    assert Patience(sleep=lambda seconds: None)(1, answer(200), None) is None


def test_what_was_tried_enough_is_not_tried_as_often_again() -> None:
    once = InfrastructureError("no", "Wait.", True, transience="throttling")
    enough = InfrastructureError("no", "Wait.", True, transience="throttling", persistent=True)
    assert (attempts(once), attempts(enough)) == (5, 1)
