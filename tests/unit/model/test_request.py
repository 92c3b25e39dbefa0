"""What was chosen earlier, and what is chosen now."""

from __future__ import annotations

from autodeploy.model import Request

EARLIER = Request(ref="release", subdirectory="web", overrides={"port": "5000", "app": "a:b"}, tags={"owner": "me"})


def test_what_is_not_said_stays() -> None:
    assert Request().over(EARLIER) == EARLIER


def test_what_is_said_takes_the_place_of_its_own_entry_alone() -> None:
    now = Request(ref="main", overrides={"port": "8000"}).over(EARLIER)
    assert now == EARLIER.but(ref="main", overrides={"port": "8000", "app": "a:b"})


def test_an_empty_choice_takes_an_earlier_one_back() -> None:
    now = Request(ref="", subdirectory="", overrides={"port": ""}).over(EARLIER)
    assert now == EARLIER.but(ref=None, subdirectory=None, overrides={"app": "a:b"})


def test_an_empty_choice_is_none_where_there_was_none() -> None:
    assert Request(ref="", overrides={"app": ""}).over(Request()) == Request()
