"""HiveMind SecOps: what may be open from outside on each target, and a hardening that cuts the service off."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path

import pytest
from fakes.line import Line
from fakes.world import Machine, World
from fixtures.planned import FACTS, LOCAL, planned
from fixtures.released import STACK, WORKER

from autodeploy.agents.sheriff import group_rules
from autodeploy.errors import DeploymentError
from autodeploy.model import CloudFacts


class CutOff(Machine):
    """A machine whose firewall leaves the balancer out."""

    class Applied(dict[str, str]):
        machine: CutOff

        def __setitem__(self, name: str, value: str) -> None:
            super().__setitem__(name, value)
            if name in ("firewall", "undo-hardening"):
                self.machine.stopped = name == "firewall"

    def __init__(self) -> None:
        super().__init__()
        self.applied = CutOff.Applied()
        self.applied.machine = self


@pytest.mark.parametrize(
    ("facts", "open_ports", "complaint"),
    [
        (FACTS, {22}, ""),
        (FACTS, {22, 80}, "port 80 is open to the outside"),
        (LOCAL, {22, 80}, ""),
        (LOCAL, {22, 80, 443}, "port 443 is open to the outside"),
    ],
)
def test_the_proxy_s_port_is_the_balancer_s_alone_on_aws(
    tmp_path: Path, facts: CloudFacts, open_ports: set[int], complaint: str
) -> None:
    line = Line(tmp_path / "home", World("fastapi-plain", facts))
    line.world.machines = defaultdict(lambda: machine_with(open_ports))
    state = line.ledger(line.deploy())
    assert [complaint in error.message for error in state.errors] == [True] * bool(complaint)
    if not complaint:
        scan = state.security_config and state.security_config.vulnerability_scan_results
        assert scan and scan.findings[-1].status == "pass"


@pytest.mark.parametrize("open_ports", [set(), {22}])
def test_by_sessions_ssh_is_seen_to_be_closed(tmp_path: Path, open_ports: set[int]) -> None:
    line = Line(tmp_path / "home", World("fastapi-plain", FACTS))
    line.world.machines = defaultdict(lambda: machine_with(open_ports))
    state = line.ledger(line.deploy(access="ssm"))
    assert [error.message for error in state.errors] == (
        ["these controls do not hold: port 22 is open to the outside"] if open_ports else []
    )
    if not open_ports:
        assert state.security_config and state.infrastructure and state.infrastructure.access == "ssm"
        assert not [rule for rule in state.security_config.firewall_rules if rule.port == 22]


@pytest.mark.parametrize("stubborn", [set(), {"log-shipping"}])
def test_a_log_that_does_not_reach_cloudwatch_stops_nothing_and_is_told(tmp_path: Path, stubborn: set[str]) -> None:
    line = Line(tmp_path / "home", World("fastapi-plain", FACTS))
    machine = machine_with({22})
    machine.stubborn = stubborn
    line.world.machines = defaultdict(lambda: machine)
    state = line.ledger(line.deploy())
    assert state.status == "complete" and state.security_config
    found = {finding.name: finding.status for finding in state.security_config.findings}
    assert found["log-shipping"] == ("fail" if stubborn else "pass")
    assert ("log-shipping does not hold; it costs score" in line.ui.lines) is bool(stubborn)
    assert (state.security_config.security_score == 100) is not bool(stubborn)


def machine_with(open_ports: set[int]) -> Machine:
    machine = Machine()
    machine.open_ports = open_ports
    return machine


@pytest.mark.parametrize("stack", [STACK, WORKER])
def test_the_group_that_admits_the_operator_is_told(stack: object) -> None:
    rules = group_rules(planned(stack))  # type: ignore[arg-type]
    assert (rules[0].port, rules[0].source) == (22, "203.0.113.7/32")


def test_a_hardening_that_cuts_the_service_off_is_taken_back_and_said_so(tmp_path: Path) -> None:
    line = Line(tmp_path / "home", World("fastapi-plain"))
    line.world.machines = defaultdict(CutOff)
    state = line.ledger(line.deploy(keep=True))
    assert (state.status, state.failed_stage) == ("failed", "harden")
    assert "does not answer" in state.errors[-1].message
    assert state.errors[-1].remediation.startswith("The hardening was taken back. ")
    assert line.world.machines[state.deployment_id].stopped is False
    assert "The hardening was taken back." in [entry.message for entry in line.store.load(state.deployment_id).logs]


def test_a_host_that_lets_nobody_in_is_told_beside_the_first_error(tmp_path: Path) -> None:
    line = Line(tmp_path / "home", World("fastapi-plain"))
    state = line.ledger(line.deploy())
    assert state.infrastructure
    line.world.broken["connect"].append(DeploymentError("no answer on port 22", "Wait."))
    told = line.agents(line.settings()).sheriff.undo(state.infrastructure)
    assert told == "The hardening could not be taken back: no answer on port 22."
