"""A closed question on the terminal: by number, by itself, or the likely one by doing nothing."""

from __future__ import annotations

import io

import pytest

from autodeploy.adapters.terminal import PlainTerminal, RichTerminal
from autodeploy.errors import ApprovalError
from tests.unit.adapters.terminal.test_plain_terminal import Typed

CHOICES = ("postgresql", "mysql", "\x1b[31mmongodb")


@pytest.mark.parametrize("kind", [PlainTerminal, RichTerminal])
@pytest.mark.parametrize(
    ("typed", "answer"),
    [
        ("\n", CHOICES[0]),
        ("2\n", CHOICES[1]),
        ("mysql\n", CHOICES[1]),
        (" 3 \n", CHOICES[2]),
        ("mongodb\n", CHOICES[2]),
    ],
)
def test_an_answer(kind: type[PlainTerminal], typed: str, answer: str) -> None:
    assert kind(Typed(), Typed(typed)).choose("Which database?", CHOICES) == answer


@pytest.mark.parametrize("typed", ["0\n2\n", "4\n2\n", "sqlite\n2\n", "²\n2\n"])
def test_what_is_no_answer_is_asked_again(typed: str) -> None:
    stream = Typed()
    assert PlainTerminal(stream, Typed(typed)).choose("Which?", CHOICES) == "mysql"
    assert stream.getvalue().count("Which?") == 2


@pytest.mark.parametrize(
    ("stream", "answers"), [(Typed(), Typed("")), (Typed(), Typed("2")), (io.StringIO(), Typed("2\n"))]
)
def test_where_nobody_answers(stream: io.StringIO, answers: io.StringIO) -> None:
    with pytest.raises(ApprovalError):
        PlainTerminal(stream, answers).choose("Which?", CHOICES)


def test_all_choices_are_shown_and_none_rules_the_terminal() -> None:
    stream = Typed()
    PlainTerminal(stream, Typed("\n")).choose("Which\ndatabase?", CHOICES)
    assert stream.getvalue() == "Which database?\n  1  postgresql\n  2  mysql\n  3  mongodb\n1 to 3 [1] "
