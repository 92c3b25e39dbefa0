"""HiveMind SecOps: hardens the host, then proves from the host and from outside what holds."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, Protocol

from autodeploy.agents.agent import HiveMindAgent
from autodeploy.agents.choices import settings_for
from autodeploy.errors import AgentError, HardeningError
from autodeploy.hardener import controls, firewall_rules, report, undo
from autodeploy.model import (
    DeploymentConfig,
    DeploymentState,
    Finding,
    FirewallRule,
    InfrastructureSpec,
    Plan,
    ScanResults,
    SecurityConfig,
    Step,
    StepResult,
)
from autodeploy.ports import UI, Clock, Host, Outside, Say, Store
from autodeploy.releaser import HOST_FACTS_SCRIPT, host_facts
from autodeploy.settings import Settings

ESSENTIAL = ("ssh-keys-only", "ssh-algorithms", "firewall")
"""Controls without which a machine must not stay as it is; any other that fails lowers the score."""

SCANNED_PORTS = (21, 22, 23, 25, 80, 111, 443, 3000, 3306, 5000, 5432, 8000, 8001, 8080, 27017)
"""Ports tried from outside: what the host may serve, and what is most often left open by mistake."""


class Connect(Protocol):
    """Opens a deployment's machine over SSH, waiting at most `deadline` seconds."""

    def __call__(self, infrastructure: InfrastructureSpec, say: Say, deadline: float = 180.0) -> Host: ...


class Converge(Protocol):
    """Makes a host agree with steps; the converger."""

    def __call__(
        self, host: Host, steps: Sequence[Step], say: Say, *, keep_going: bool = False
    ) -> tuple[StepResult, ...]: ...


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
        with self._attempting("Hardening the host"):
            host = self._connect(infrastructure, self.say)
            try:
                facts = host_facts(host.run(HOST_FACTS_SCRIPT).stdout)
                settings = settings_for(state, self._settings, self._store)
                wanted = controls(state.plan, facts, settings)
                results = self._converge(host, wanted, self.say, keep_going=True)
                open_ports = self._outside.open_ports(infrastructure.ec2_public_ip, SCANNED_PORTS)
                unexpected = sorted(set(open_ports) - _allowed(state.plan))
                failed = [result for result in results if result.status == "failed"]
                broken = [result for result in failed if result.name in ESSENTIAL]
                if unexpected or broken:
                    self._converge(host, [undo()], self.say, keep_going=True)
                    raise self._broken(broken, unexpected)
                for result in failed:
                    self.say(f"{result.name} does not hold; it costs score", "WARNING")
            finally:
                host.close()
            score, findings, recommendations = report(wanted, results)
        self.say(f"score {score}/100; open from outside: {', '.join(map(str, open_ports)) or 'none'}")
        return SecurityConfig(
            ssl_enabled=bool(deployment_config.url and deployment_config.url.startswith("https://")),
            certificate_arn=infrastructure.certificate_arn,
            firewall_rules=(*group_rules(state.plan), *firewall_rules(state.plan, facts, settings)),
            open_ports=open_ports,
            vulnerability_scan_results=ScanResults(
                scanner="controls observed on the host, ports tried from outside",
                findings=(*findings, _ports_finding(open_ports, unexpected)),
            ),
            security_score=score,
            recommendations=recommendations,
            findings=findings,
        )

    def undo(self, infrastructure: InfrastructureSpec) -> str:
        """Take the hardening back from a service that it cut off; return what came of it, as a sentence."""
        with self._working_on(self._store.load(infrastructure.deployment_id)):
            try:
                host = self._connect(infrastructure, self.say)
                try:
                    self._converge(host, [undo()], self.say)
                finally:
                    host.close()
            except AgentError as err:
                told = f"The hardening could not be taken back: {err.message}."
            else:
                told = "The hardening was taken back."
            self.say(told, "WARNING")
        return told

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
    rules = [FirewallRule(port=22, protocol="tcp", source=infra.admin_cidr, description=operator)]
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
    # On AWS the proxy's port is the balancer's alone; the local balancer comes from where the operator does.
    return {22, plan.infra.web.host_port} if plan.infra.web and plan.infra.target == "local" else {22}


def _ports_finding(ports: Sequence[int], unexpected: Sequence[int]) -> Finding:
    status: Literal["pass", "fail"] = "fail" if unexpected else "pass"
    return Finding(name="ports open from outside", status=status, detail=", ".join(map(str, ports)) or "none")
