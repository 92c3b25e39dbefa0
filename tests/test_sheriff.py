"""HiveMind SecOps: controls applied, verified from the host and from outside, and taken back when they do not hold."""

from __future__ import annotations

from pathlib import Path

import pytest
from fakes.line import Line
from fakes.world import World

from autodeploy.agents.sheriff import HiveMindSheriff
from autodeploy.errors import HardeningError, InfrastructureError
from autodeploy.model import DeploymentState, SecurityConfig


@pytest.fixture
def line(tmp_path: Path) -> Line:
    return Line(tmp_path / "home")


def sheriff(line: Line) -> HiveMindSheriff:
    return line.agents(line.settings()).sheriff


def released(line: Line) -> DeploymentState:
    """Return a deployment that stands before its hardening."""
    line.break_at("harden", InfrastructureError("not yet", "Wait."))
    state = line.ledger(line.deploy(keep=True))
    line.world.machines[state.deployment_id].applied.clear()
    return state


def harden(line: Line, state: DeploymentState) -> SecurityConfig:
    assert state.infrastructure and state.deployment_config
    return sheriff(line).harden_deployment(state.infrastructure, state.deployment_config)


def test_a_hardened_host_scores_what_was_verified(line: Line) -> None:
    config = harden(line, released(line))
    assert (config.security_score, config.open_ports, config.ssl_enabled) == (100, (22, 80), True)
    assert {finding.status for finding in config.findings} <= {"pass", "not_applicable"}
    assert config.recommendations == ()
    assert config.certificate_arn == f"certificateArn-of-{line.store.list()[0].deployment_id}"


def test_the_rules_of_groups_and_firewall_are_told(line: Line) -> None:
    rules = {(rule.port, rule.source) for rule in harden(line, released(line)).firewall_rules}
    assert {(443, "0.0.0.0/0"), (80, "0.0.0.0/0"), (5432, "app"), (80, "10.0.0.0/16")} <= rules
    assert not any(port == 22 and source == "0.0.0.0/0" for port, source in rules)


def test_without_a_database_no_rule_is_made_for_one(tmp_path: Path) -> None:
    line = Line(tmp_path, World("fastapi-plain"))
    assert 5432 not in {rule.port for rule in harden(line, released(line)).firewall_rules}


def test_what_was_scanned_is_part_of_the_report(line: Line) -> None:
    scan = harden(line, released(line)).vulnerability_scan_results
    assert scan and "outside" in scan.scanner
    assert (scan.findings[-1].name, scan.findings[-1].detail) == ("ports open from outside", "22, 80")


def test_nothing_open_is_told_as_none(line: Line) -> None:
    state = released(line)
    line.world.machines[state.deployment_id].open_ports = set()
    scan = harden(line, state).vulnerability_scan_results
    assert scan and scan.findings[-1].detail == "none"
    assert line.ui.lines[-1].endswith("open from outside: none")


def test_an_unexpected_port_takes_the_hardening_back(line: Line) -> None:
    state = released(line)
    machine = line.world.machines[state.deployment_id]
    machine.open_ports.add(5432)
    with pytest.raises(HardeningError, match="port 5432 is open to the outside") as caught:
        harden(line, state)
    assert "undo-hardening" in machine.applied
    assert caught.value.agent == "HiveMind SecOps"
    assert caught.value.context == "Hardening the host"
    assert "autodeploy retry --stage harden" in caught.value.remediation


def test_a_control_that_does_not_hold_takes_the_hardening_back(line: Line) -> None:
    state = released(line)
    machine = line.world.machines[state.deployment_id]
    machine.stubborn.add("firewall")
    with pytest.raises(HardeningError) as caught:
        harden(line, state)
    assert "firewall (found: 'as before')" in caught.value.message
    assert caught.value.output == "no"
    assert "undo-hardening" in machine.applied


def test_a_control_that_is_not_essential_costs_score_and_is_told(line: Line) -> None:
    state = released(line)
    machine = line.world.machines[state.deployment_id]
    machine.stubborn.add("security-updates")
    config = harden(line, state)
    assert config.security_score < 100
    assert [finding.name for finding in config.findings if finding.status == "fail"] == ["security-updates"]
    assert config.recommendations[0].startswith("security-updates: ")
    assert "undo-hardening" not in machine.applied
    assert "security-updates does not hold; it costs score" in line.ui.lines


def test_a_worker_may_have_nothing_open_but_ssh(line: Line) -> None:
    state = released(line)
    assert state.plan and state.deployment_config
    worker = state.plan.but(infra=state.plan.infra.but(web=None, database=None))
    state = state.but(plan=worker, deployment_config=state.deployment_config.but(url=None))
    line.store.save(state)
    machine = line.world.machines[state.deployment_id]
    machine.open_ports = {22}
    config = harden(line, state)
    assert {rule.port for rule in config.firewall_rules} == {22}
    assert not config.ssl_enabled
    machine.open_ports.add(80)
    with pytest.raises(HardeningError, match="port 80 is open"):
        harden(line, state)


def test_run_returns_the_state_with_the_report_and_what_was_said(line: Line) -> None:
    before = released(line)
    after = sheriff(line).run(before)
    assert after.security_config
    assert after.but(security_config=None, logs=before.logs) == before
    assert after.logs[-1].message == "score 100/100; open from outside: 22, 80"
    assert after.logs[-1].agent == "HiveMind SecOps"
