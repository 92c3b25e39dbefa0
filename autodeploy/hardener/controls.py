"""The order of hardening: what could lock us out last, each with its own undoing. Never runs any of it."""

from __future__ import annotations

from autodeploy.hardener import fail2ban, firewall, kernel, logs, permissions, services, ssh, updates
from autodeploy.hardener.firewall import firewall_rules
from autodeploy.model import HostFacts, Plan, Step
from autodeploy.settings import Settings

__all__ = ["controls", "firewall_rules", "undo"]


def controls(plan: Plan, facts: HostFacts, settings: Settings) -> tuple[Step, ...]:
    """Return the controls in the order in which they are applied; `settings.admin_cidr` wins over the plan's."""
    return (
        *updates.steps(),
        *services.steps(),
        *kernel.steps(facts),
        *permissions.steps(),
        *logs.steps(plan),
        *fail2ban.steps(plan, facts, settings),
        *ssh.steps(),
        *firewall.steps(plan, facts, settings),
    )


def undo() -> Step:
    """Return the step that takes back what could keep people or traffic out; for a hardening that failed."""
    files = " ".join((ssh.ACCESS_PATH, ssh.CRYPTO_PATH, fail2ban.JAIL_PATH, kernel.NETWORK_PATH, kernel.CORE_PATH))
    return Step(
        name="undo-hardening",
        why="take the hardening back",
        observe=f"ls {files} 2>/dev/null; ufw status | head -n 1",
        want="Status: inactive",
        fix=(
            f"ufw --force disable; rm -f {files}; systemctl reload ssh; "
            "systemctl restart fail2ban; sysctl --system -q; true"
        ),
    )
