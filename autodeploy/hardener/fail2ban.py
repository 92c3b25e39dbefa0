"""fail2ban bans who guesses at SSH, and never the operator."""

from __future__ import annotations

from autodeploy.hardener.firewall import operators
from autodeploy.model import HostFacts, Plan, Step, Upload
from autodeploy.settings import Settings
from autodeploy.templating import render

JAIL_PATH = "/etc/fail2ban/jail.d/zz-autodeploy.local"
"""After Debian's defaults-debian.conf; the last file read wins."""


def steps(plan: Plan, facts: HostFacts, settings: Settings) -> tuple[Step, ...]:
    """Return the control. Aggressive, because with passwords off the plain mode counts nothing."""
    jail = Upload(path=JAIL_PATH, content=render("harden/jail.local.j2", ignored=operators(plan, facts, settings)))
    return (
        Step(
            name="fail2ban",
            why="ban addresses that guess at SSH",
            observe=(
                f"{jail.observation}; systemctl is-enabled fail2ban; systemctl is-active fail2ban; "
                "fail2ban-client status sshd | grep -c 'Journal matches'"
            ),
            want=f"{jail.wanted}\nenabled\nactive\n1",
            uploads=(jail,),
            fix="""\
systemctl enable --quiet fail2ban && systemctl restart fail2ban || exit 1
tries=0
until fail2ban-client status sshd >/dev/null 2>&1; do
  tries=$((tries + 1)); [ "$tries" -lt 100 ] || { fail2ban-client status; exit 1; }; sleep 0.1
done
""",
            weight=10,
            reference="https://www.debian.org/doc/manuals/securing-debian-manual/",
        ),
    )
