"""Until when an image is mended, and what that stops."""

from __future__ import annotations

from datetime import date, timedelta
from typing import get_args

import pytest

from autodeploy.model import BaseImage
from autodeploy.planner.support import NOTICE, SUPPORT, check

END = SUPPORT["debian-12"].long_term


def test_every_base_image_has_its_dates() -> None:
    assert set(SUPPORT) == set(get_args(BaseImage)), "add the new image's dates to autodeploy/planner/support.py"
    assert all(support.regular < support.long_term for support in SUPPORT.values())


@pytest.mark.parametrize(
    ("today", "team"), [(date(2026, 6, 10), "security team"), (date(2026, 6, 11), "long-term support")]
)
def test_says_who_mends_it(today: date, team: str) -> None:
    found = check("aws", "debian-12", today, is_made=True)
    assert (found.target, found.what, found.problem, found.warning) == ("aws", "support of debian-12", "", "")
    assert team in found.found


@pytest.mark.parametrize(("left", "warned"), [(NOTICE + timedelta(1), False), (NOTICE, True), (timedelta(0), True)])
def test_warns_before_the_end(left: timedelta, warned: bool) -> None:
    found = check("local", "debian-12", END - left, is_made=True)
    assert bool(found.warning) == warned
    assert not found.problem
    assert ("--runtime-version" in found.remedy) == warned


def test_after_the_end_no_machine_is_made_but_one_that_stands_stays() -> None:
    later = END + timedelta(1)
    assert "security updates ended on" in check("aws", "debian-12", later, is_made=True).problem
    standing = check("aws", "debian-12", later, is_made=False)
    assert (standing.problem, bool(standing.warning)) == ("", True)
