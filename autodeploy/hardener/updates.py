"""Debian's security updates are applied now, and by themselves from now on."""

from __future__ import annotations

from autodeploy.model import Step, Upload
from autodeploy.templating import render

_REFERENCE = "https://www.debian.org/doc/manuals/securing-debian-manual/security-update.en.html"
_STAMP = "/var/lib/apt/autodeploy-updated"
APT = "DEBIAN_FRONTEND=noninteractive NEEDRESTART_MODE=a apt-get -q -o DPkg::Lock::Timeout=180 -o Acquire::Retries=2"
UPDATE_SECONDS = 900


def steps() -> tuple[Step, ...]:
    """Return the controls of updates."""
    periodic = Upload(path="/etc/apt/apt.conf.d/20auto-upgrades", content=render("harden/auto-upgrades.j2"))
    timers = "apt-daily.timer apt-daily-upgrade.timer"
    return (
        Step(
            name="security-updates",
            why="apply Debian's security updates",
            # Old lists know of no update: they count only when they are younger than a day.
            observe=(
                f"find {_STAMP} -mmin -1440 2>/dev/null; "
                "apt-get -s -o Debug::NoLocking=1 upgrade | grep -c '^Inst .*Debian-Security'"
            ),
            want=f"{_STAMP}\n0",
            fix=(
                f"set -e\n{APT} update\n"
                f"{APT} -y -o Dpkg::Options::=--force-confdef -o Dpkg::Options::=--force-confold upgrade\n"
                f"touch {_STAMP}\n"
            ),
            transaction=True,
            timeout_seconds=UPDATE_SECONDS,
            weight=15,
            reference=_REFERENCE,
        ),
        Step(
            name="automatic-updates",
            why="let security updates come by themselves",
            observe=f"{periodic.observation}; dpkg-query -W -f='${{db:Status-Status}}\\n' unattended-upgrades; "
            f"systemctl is-enabled {timers}; systemctl is-active {timers}",
            want=f"{periodic.wanted}\ninstalled\nenabled\nenabled\nactive\nactive",
            uploads=(periodic,),
            fix=(
                f"set -e\ndpkg-query -W unattended-upgrades >/dev/null 2>&1 || {APT} install -y unattended-upgrades\n"
                f"systemctl enable --quiet --now {timers}\n"
            ),
            timeout_seconds=300,
            weight=5,
            reference=_REFERENCE,
        ),
    )
