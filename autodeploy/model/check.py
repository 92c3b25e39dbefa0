"""Check: one thing that was looked at before anything is made, by `doctor` or before an apply."""

from __future__ import annotations

from typing import NamedTuple


class Check(NamedTuple):
    """`problem` is empty when all is well; `warning` stops nothing; `remedy` says what to do about either."""

    target: str
    what: str
    found: str
    problem: str = ""
    remedy: str = ""
    warning: str = ""
