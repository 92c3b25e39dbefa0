"""Names: legal, of bounded length, and different where they must be."""

from __future__ import annotations

import re
from datetime import datetime, timezone

import pytest

from autodeploy.naming import name_in, new_deployment_id, physical, slug

NOW = datetime(2026, 11, 22, tzinfo=timezone.utc)


@pytest.mark.parametrize(
    ("text", "expected"),
    [("Guest Book", "guest-book"), ("a__b--c", "a-b-c"), ("123", "app-123"), ("", "app"), ("ÜÜ", "app"), ("-x-", "x")],
)
def test_slug(text: str, expected: str) -> None:
    assert slug(text) == expected


def test_a_slug_that_is_cut_says_so_by_a_hash_of_the_whole() -> None:
    first, second = slug("a" * 30 + "1"), slug("a" * 30 + "2")
    assert first != second
    assert {len(first), len(second)} == {24}


def test_a_deployment_id() -> None:
    assert new_deployment_id("Guest Book", NOW, "7f3a9c") == "guest-book-20261122-7f3a9c"
    assert len(new_deployment_id("x" * 100, NOW, "7f3a9c")) <= 40
    for name in ("Guest Book", "shop-500", "x" * 100, "3"):
        assert name_in(new_deployment_id(name, NOW, "7f3a9c")) == slug(name)


@pytest.mark.parametrize("token", ["", "7f3a9", "7F3A9C", "7f3a9g", "7f3a9c\n"])
def test_a_deployment_id_needs_a_whole_token(token: str) -> None:
    with pytest.raises(ValueError, match="six hex digits"):
        new_deployment_id("a", NOW, token)


def test_a_physical_name_changes_with_all_that_forces_a_replacement() -> None:
    names = {
        physical("guestbook", "id-1", "web"),
        physical("guestbook", "id-2", "web"),
        physical("guestbook", "id-1", "web", "80"),
        physical("guestbook", "id-1", "web", "8", "0"),
    }
    assert len(names) == 4
    assert all(re.fullmatch(r"[a-z][a-z0-9-]{1,31}", name) for name in names)
