"""UFW denies what no rule admits: SSH (locally from the operator alone), the proxy's port from the balancer.

What the machine says to itself always passes, so a machine that is reached by sessions needs no rule for SSH.
"""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import ip_address, ip_network

from autodeploy.model import FirewallRule, HostFacts, Plan, Step
from autodeploy.settings import Settings
from autodeploy.templating import render

UNDO_SECONDS = 60
ANYWHERE = "0.0.0.0/0"
_UNDO_UNIT = "autodeploy-undo-firewall"


def operators(plan: Plan, facts: HostFacts, settings: Settings) -> tuple[str, ...]:
    """Return the networks the operator comes from; the address that the host sees right now is always among them.

    By sessions nobody comes from a network: their agent speaks to sshd on the machine itself.
    """
    if plan.infra.access == "ssm":
        return ()
    networks = [settings.admin_cidr or plan.infra.admin_cidr]
    # Behind NAT or on a bridge the host sees another address than the operator knows of.
    if facts.client_address and not any(
        ip_address(facts.client_address) in ip_network(network, strict=False) for network in networks
    ):
        networks.append(str(ip_network(facts.client_address)))
    return tuple(networks)


def firewall_rules(plan: Plan, facts: HostFacts, settings: Settings) -> tuple[FirewallRule, ...]:
    """Return what may come in."""
    rules = list(_ssh_rules(plan, facts, settings))
    if plan.infra.web is not None:
        sources = [plan.infra.vpc_cidr]
        if plan.infra.target == "local" and facts.client_address:
            # The local balancer is a process beside the machines, not in their network.
            sources.append(str(ip_network(facts.client_address)))
        rules += [
            FirewallRule(
                port=plan.infra.web.host_port, protocol="tcp", source=source, description="HTTP from the balancer"
            )
            for source in sources
        ]
    return tuple(rules)


def _ssh_rules(plan: Plan, facts: HostFacts, settings: Settings) -> Iterator[FirewallRule]:
    if plan.infra.access == "ssm":
        return
    if plan.infra.target == "aws":
        # The security group admits the operator alone, and can be changed from outside when the operator's address
        # does; a rule on the host could then be reached by nobody, for ever. Not `ufw limit`: it refuses the sixth
        # connection within 30 s, and a release with its hardening opens about as many. fail2ban bans who guesses.
        described = "SSH; the security group admits the operator alone"
        yield FirewallRule(port=22, protocol="tcp", source=ANYWHERE, description=described)
        return
    for network in operators(plan, facts, settings):
        yield FirewallRule(port=22, protocol="tcp", source=network, description="SSH from the operator")


def steps(plan: Plan, facts: HostFacts, settings: Settings) -> tuple[Step, ...]:
    """Return the firewall's control."""
    rules = firewall_rules(plan, facts, settings)
    shown = sorted(f"{rule.port}/{rule.protocol} ALLOW IN {_shown(rule.source)}" for rule in rules)
    return (
        Step(
            name="firewall",
            why=f"deny all incoming traffic but {_admitted(plan)}",
            # The timer first: once nothing is left that undoes it, what is seen will stay.
            observe=(
                f"systemctl is-active {_UNDO_UNIT}.timer {_UNDO_UNIT}.service; "
                "ufw status verbose | grep -E '^(Status|Default):' | cut -d, -f1; "
                "ufw status verbose | grep -E ' (ALLOW|DENY|LIMIT|REJECT) ' | sed -E 's/ +# .*//; s/ +/ /g; s/ $//'"
                " | LC_ALL=C sort; "
                "systemctl is-enabled ufw"
            ),
            want="\n".join(
                ["inactive", "inactive", "Status: active", "Default: deny (incoming)", *shown, "enabled"],
            ),
            fix=render("harden/firewall.sh.j2", rules=rules, undo_unit=_UNDO_UNIT, undo_seconds=UNDO_SECONDS),
            transaction=True,
            confirm=f"systemctl stop {_UNDO_UNIT}.timer",
            weight=20,
            reference="CIS Debian Linux 12 Benchmark 4.2 (Configure UncomplicatedFirewall)",
        ),
    )


def _admitted(plan: Plan) -> str:
    return "HTTP from the balancer" if plan.infra.access == "ssm" else "SSH and HTTP from the balancer"


def _shown(source: str) -> str:
    """Return a network as UFW prints it: a single address without its length, everything as Anywhere."""
    network = ip_network(source, strict=False)
    if network.prefixlen == 0:
        return "Anywhere" if network.version == 4 else "Anywhere (v6)"
    return str(network.network_address) if network.num_addresses == 1 else str(network)
