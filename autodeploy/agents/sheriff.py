"""HiveMind SecOps: hardens the host, then proves from the host and from outside what holds."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from typing import Literal, NamedTuple

from autodeploy.agents.agent import HiveMindAgent
from autodeploy.agents.choices import settings_for
from autodeploy.agents.machines import Connect, Converge, of, one_by_one
from autodeploy.errors import AgentError, HardeningError
from autodeploy.hardener import controls, firewall_rules, report, undo
from autodeploy.model import (
    DeploymentConfig,
    DeploymentState,
    Finding,
    FirewallRule,
    InfrastructureSpec,
    Machine,
    Plan,
    ScanResults,
    SecurityConfig,
    StepResult,
)
from autodeploy.ports import UI, Clock, Outside, Store
from autodeploy.releaser import HOST_FACTS_SCRIPT, host_facts
from autodeploy.settings import Settings

ESSENTIAL = ("ssh-keys-only", "ssh-algorithms", "firewall")
"""Controls without which a machine must not stay as it is; any other that fails lowers the score."""

SCANNED_PORTS = (21, 22, 23, 25, 80, 111, 443, 3000, 3306, 5000, 5432, 8000, 8001, 8080, 27017)
"""Ports tried from outside: what the host may serve, and what is most often left open by mistake."""


class Hardened(NamedTuple):
    """What was seen of one machine. `ports` is the finding about what is open from outside."""

    score: int
    findings: tuple[Finding, ...]
    recommendations: tuple[str, ...]
    open_ports: tuple[int, ...]
    ports: Finding
    rules: tuple[FirewallRule, ...]


class HiveMindSheriff(HiveMindAgent):
    """Applies and verifies security controls."""

    name = "HiveMind SecOps"

    def __init__(
        self,
        connect: Connect,
        converge: Converge,
        outside: Outside,
        ui: UI,
        clock: Clock,
        store: Store,
        settings: Settings,
    ) -> None:
        super().__init__(ui, clock, store)
        self._connect = connect
        self._converge = converge
        self._outside = outside
        self._settings = settings

    def harden_deployment(
        self, infrastructure: InfrastructureSpec, deployment_config: DeploymentConfig
    ) -> SecurityConfig:
        """Harden the machine of a deployment and return what was verified; raise HardeningError."""
        state = self._store.load(infrastructure.deployment_id)
        assert state.plan is not None
        plan, settings = state.plan, settings_for(state, self._settings, self._store)

        def harden(machine: Machine, alone: InfrastructureSpec) -> Hardened:
            return self._harden(alone, plan, settings, of(machine, infrastructure))

        with self._attempting("Hardening the host"):
            seen = one_by_one(infrastructure, self.say, harden)
        score = min(each.score for each in seen)
        if len(seen) > 1:
            self.say(f"score {score}/100: the lowest of {len(seen)} machines")
        findings = tuple(finding for each in seen for finding in each.findings)
        return SecurityConfig(
            ssl_enabled=bool(deployment_config.url and deployment_config.url.startswith("https://")),
            certificate_arn=infrastructure.certificate_arn,
            firewall_rules=(*group_rules(plan), *seen[0].rules),
            open_ports=tuple(sorted({port for each in seen for port in each.open_ports})),
            vulnerability_scan_results=ScanResults(
                scanner="controls observed on the host, ports tried from outside",
                findings=(*findings, *(each.ports for each in seen)),
            ),
            security_score=score,
            recommendations=tuple(advice for each in seen for advice in each.recommendations),
            findings=findings,
        )

    def _harden(self, alone: InfrastructureSpec, plan: Plan, settings: Settings, named: str) -> Hardened:
        """Harden one machine and look at it; `named` stands before what is found there."""
        with closing(self._connect(alone, self.say)) as host:
            facts = host_facts(host.run(HOST_FACTS_SCRIPT).stdout)
            wanted = controls(plan, facts, settings)
            results = self._converge(host, wanted, self.say, keep_going=True)
            open_ports = self._outside.open_ports(alone.ec2_public_ip, SCANNED_PORTS)
            unexpected = sorted(set(open_ports) - _allowed(plan))
            failed = [result for result in results if result.status == "failed"]
            broken = [result for result in failed if result.name in ESSENTIAL]
            if unexpected or broken:
                self._converge(host, [undo()], self.say, keep_going=True)
                raise self._broken(broken, unexpected)
            for result in failed:
                self.say(f"{result.name} does not hold; it costs score", "WARNING")
        score, findings, recommendations = report(wanted, results)
        self.say(f"score {score}/100; open from outside: {', '.join(map(str, open_ports)) or 'none'}")
        ports = _ports_finding(open_ports, unexpected)
        return Hardened(
            score,
            tuple(finding.but(name=f"{named}{finding.name}") for finding in findings),
            tuple(f"{named}{advice}" for advice in recommendations),
            open_ports,
            ports.but(name=f"{named}{ports.name}"),
            firewall_rules(plan, facts, settings),
        )

    def undo(self, infrastructure: InfrastructureSpec) -> str:
        """Take the hardening back from a service that it cut off; return what came of it, as a sentence a machine."""

        def take_back(machine: Machine, alone: InfrastructureSpec) -> str:
            try:
                with closing(self._connect(alone, self.say)) as host:
                    self._converge(host, [undo()], self.say)
            except AgentError as err:
                told = f"The hardening could not be taken back: {err.message}."
            else:
                told = "The hardening was taken back."
            self.say(told, "WARNING")
            return f"{of(machine, infrastructure)}{told}"

        with self._working_on(self._store.load(infrastructure.deployment_id)):
            return " ".join(one_by_one(infrastructure, self.say, take_back))

    def run(self, state: DeploymentState) -> DeploymentState:
        """Harden what the state says is deployed."""
        assert state.infrastructure is not None and state.deployment_config is not None
        with self._working_on(state):
            security = self.harden_deployment(state.infrastructure, state.deployment_config)
            return self._logged(state, security_config=security)

    def _broken(self, failed: Sequence[StepResult], ports: Sequence[int]) -> HardeningError:
        what = [f"{result.name} (found: {result.observed[:80]!r})" for result in failed]
        what += [f"port {port} is open to the outside" for port in ports]
        return HardeningError(
            f"these controls do not hold: {'; '.join(what)}",
            "The service keeps running, the hardening was taken back. Look at the events (autodeploy events), "
            "then retry: autodeploy retry --stage harden",
            recoverable=False,
            agent=self.name,
            output="\n".join(result.output for result in failed),
        )


def group_rules(plan: Plan) -> tuple[FirewallRule, ...]:
    """Return the ways in that the security groups of machine, balancer and database leave open."""
    infra = plan.infra
    operator = "SSH from the operator, by the security group"
    ssh = FirewallRule(port=22, protocol="tcp", source=infra.admin_cidr, description=operator)
    rules = [ssh] if infra.access == "ssh" else []
    if infra.web:
        rules += [
            FirewallRule(port=443, protocol="tcp", source="0.0.0.0/0", description="HTTPS to the balancer"),
            FirewallRule(port=80, protocol="tcp", source="0.0.0.0/0", description="redirect to HTTPS at the balancer"),
        ]
    if infra.database:
        port = infra.database.port
        rules.append(FirewallRule(port=port, protocol="tcp", source="app", description="application to its database"))
    return tuple(rules)


def _allowed(plan: Plan) -> set[int]:
    """Return the ports that may be open to the operator at the host's public address."""
    infra = plan.infra
    ssh = {22} if infra.access == "ssh" else set()
    # On AWS the proxy's port is the balancer's alone; the local balancer comes from where the operator does.
    return {*ssh, infra.web.host_port} if infra.web and infra.target == "local" else ssh


def _ports_finding(ports: Sequence[int], unexpected: Sequence[int]) -> Finding:
    status: Literal["pass", "fail"] = "fail" if unexpected else "pass"
    return Finding(name="ports open from outside", status=status, detail=", ".join(map(str, ports)) or "none")
