"""A base image and today's date -> until when Debian mends it. Data and a comparison; changes no plan."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from typing import NamedTuple

from autodeploy.model import BaseImage, Check

NOTICE = timedelta(days=183)
"""Half a year is enough to move an application to another release."""


class Support(NamedTuple):
    """Both ends of a release: of its security team's work, and of the long-term team's after it."""

    regular: date
    long_term: date


# https://www.debian.org/releases/ and https://wiki.debian.org/LTS; both teams' updates come from the same archive.
SUPPORT: Mapping[BaseImage, Support] = {
    "debian-12": Support(date(2026, 6, 10), date(2028, 6, 30)),
    "debian-13": Support(date(2028, 8, 9), date(2030, 6, 30)),
}


def check(target: str, image: BaseImage, today: date, is_made: bool) -> Check:
    """Return what is left of the image's support; its end is a problem only where a machine is made of it."""
    what, end = f"support of {image}", SUPPORT[image].long_term
    team = "security team" if today <= SUPPORT[image].regular else "long-term support"
    if today + NOTICE < end:
        return Check(target, what, f"by Debian's {team}, in the end until {end}")
    remedy = "Choose a newer --runtime-version, whose image is newer; a machine that stands is replaced then."
    if today <= end:
        return Check(target, what, f"until {end}", warning=f"security updates end on {end}", remedy=remedy)
    over = f"security updates ended on {end}"
    return Check(target, what, "", over, remedy) if is_made else Check(target, what, "", "", remedy, over)
