"""HiveMind Release-Engineer: a release on the host, seen to answer at the public URL."""

from __future__ import annotations

from pathlib import Path

import pytest
from fakes.account import FakeCloud
from fakes.host import FakeOutside, Hands
from fakes.line import Line
from fakes.world import World
from fixtures.planned import FACTS

from autodeploy.agents.deployer import HiveMindDeployer
from autodeploy.errors import DeploymentError, StateError
from autodeploy.model import DeploymentConfig, DeploymentState, HostedZone


@pytest.fixture
def line(tmp_path: Path) -> Line:
    return Line(tmp_path / "home")


def deployer(line: Line) -> HiveMindDeployer:
    return line.agents(line.settings()).deployer


def provisioned(line: Line) -> DeploymentState:
    """Return a deployment that stands before its first release."""
    line.break_at("deploy", DeploymentError("not yet", "Wait."))
    return line.ledger(line.deploy())


def release(line: Line, state: DeploymentState) -> DeploymentConfig:
    assert state.infrastructure and state.build_artifact and state.tech_stack
    return deployer(line).deploy_application(state.infrastructure, state.build_artifact, state.tech_stack)


class TestReleasing:
    def test_returns_the_service_as_it_runs(self, line: Line) -> None:
        state = provisioned(line)
        config = release(line, state)
        machine = line.world.machines[state.deployment_id]
        assert config.release_id == machine.release
        assert config.service_name == f"app-{machine.release}.service"
        assert (config.service_status, config.pid, config.app_port) == ("running", 4242, 8001)
        assert config.url == "https://localhost:8443"
        assert config.environment_variables["DATABASE_URL"] == "<secret>"

    def test_a_domain_is_asked_by_its_name_at_the_balancer_of_an_emulated_account(self, line: Line) -> None:
        line.world.zones["shop.example.com"] = HostedZone(zone_id="ZSHOP", name="example.com")
        line.world.public_authority = line.home / "acm-ca.pem"
        result = line.deploy(domain="shop.example.com")
        assert result.url == "https://shop.example.com:8443"
        url, authority, at = line.world.asked[-1]
        assert url.startswith("https://shop.example.com:8443/")
        assert (authority, at) == (line.home / "acm-ca.pem", "localhost:8443")

    def test_a_domain_at_aws_is_asked_as_everybody_does(self, tmp_path: Path) -> None:
        line = Line(tmp_path / "home", World(facts=FACTS))
        line.world.zones["shop.example.com"] = HostedZone(zone_id="ZSHOP", name="example.com")
        line.deploy(domain="shop.example.com")
        url, authority, at = line.world.asked[-1]
        assert (url.rpartition("/")[0], authority, at) == ("https://shop.example.com:8443", None, None)

    def test_a_domain_that_the_account_does_not_serve_leaves_the_balancer_s_name(self, line: Line) -> None:
        result = line.deploy(domain="shop.example.com")
        assert result.url == "https://localhost:8443"
        assert line.world.asked[-1][1:] == (line.store.folder(result.deployment_id) / "ca.pem", None)

    def test_a_service_that_died_is_told_so(self, line: Line) -> None:
        state = provisioned(line)
        line.world.machines[state.deployment_id].stubborn.add("switch")
        with pytest.raises(DeploymentError, match="switch") as caught:
            release(line, state)
        assert (caught.value.agent, caught.value.context) == (
            "HiveMind Release-Engineer",
            "Releasing the application on the host",
        )

    def test_the_same_release_again_changes_nothing(self, line: Line) -> None:
        state = provisioned(line)
        assert release(line, state) == release(line, state)
        assert line.ui.lines[-2].split(": ")[1].startswith("0 of")

    def test_a_worker_has_no_url_and_no_port_and_need_only_stay_up(self, tmp_path: Path) -> None:
        line = Line(tmp_path / "home", World("python-worker"))
        config = release(line, provisioned(line))
        assert (config.url, config.app_port, config.service_status) == (None, 0, "running")
        assert line.ui.lines[-1].endswith(f"the worker runs release {config.release_id}, without a restart for 3 s")

    @pytest.mark.parametrize("trouble", ["is_restless", "stopped"])
    def test_a_worker_that_does_not_stay_up_is_no_release(self, tmp_path: Path, trouble: str) -> None:
        line = Line(tmp_path / "home", World("python-worker"))
        state = provisioned(line)
        config = release(line, state)
        setattr(line.world.machines[state.deployment_id], trouble, True)
        assert state.infrastructure
        with pytest.raises(DeploymentError, match="does not stay up") as caught:
            deployer(line).confirm(config, state.infrastructure)
        assert caught.value.recoverable

    def test_without_a_certificate_of_the_database_nothing_is_released(self, line: Line) -> None:
        state = provisioned(line)
        hands, outside = Hands(line.world), FakeOutside(line.world)
        cloud = FakeCloud(line.world, None)
        agent = HiveMindDeployer(hands.connect, hands.converge, cloud, outside, line.ui, line.clock, line.store)
        assert state.infrastructure and state.build_artifact and state.tech_stack
        with pytest.raises(DeploymentError, match="no certificate to verify the database"):
            agent.deploy_application(state.infrastructure, state.build_artifact, state.tech_stack)

    def test_without_a_database_none_is_asked_for(self, tmp_path: Path) -> None:
        config = release(line := Line(tmp_path, World("fastapi-plain")), provisioned(line))
        assert "DATABASE_URL" not in config.environment_variables


class TestConfirming:
    def test_waits_for_the_balancer_to_find_its_target(self, line: Line) -> None:
        state = provisioned(line)
        line.world.broken["get"].extend(DeploymentError("refused", "Wait.") for _ in range(20))
        assert release(line, state).url

    @pytest.mark.parametrize(
        ("fault", "told"), [("another", "abc"), ("stopped", "HTTP 502 from no release"), ("closed", "refused")]
    )
    def test_what_answers_instead_is_told(self, line: Line, fault: str, told: str) -> None:
        state = provisioned(line)
        config = release(line, state)
        machine = line.world.machines[state.deployment_id]
        if fault == "another":
            machine.release = "abc"
        elif fault == "stopped":
            machine.stopped = True
        else:
            line.world.broken["get"].extend(DeploymentError("refused", "Wait.") for _ in range(200))
        assert state.infrastructure
        with pytest.raises(DeploymentError) as caught:
            deployer(line).confirm(config, state.infrastructure)
        assert caught.value.message.endswith(f": {told}")
        assert caught.value.recoverable


class TestLooking:
    def test_at_the_last_lines_of_the_log(self, line: Line) -> None:
        assert deployer(line).logs(line.ledger(line.deploy()), 2) == "two\nthree\n"

    def test_of_a_release_that_did_not_come_up(self, line: Line) -> None:
        assert deployer(line).logs(provisioned(line), 2) == "two\nthree\n"

    def test_before_there_is_a_machine_there_is_none(self, line: Line) -> None:
        state = provisioned(line).but(infrastructure=None)
        with pytest.raises(StateError, match="no machine yet") as caught:
            deployer(line).logs(state, 2)
        assert f"autodeploy events {state.deployment_id}" in caught.value.remediation


class TestStopping:
    def test_stops_the_service(self, line: Line) -> None:
        state = line.ledger(line.deploy())
        deployer(line).stop(state)
        assert line.world.machines[state.deployment_id].stopped

    def test_before_the_first_release_there_is_nothing_to_stop(self, line: Line) -> None:
        state = provisioned(line)
        deployer(line).stop(state)
        assert not line.world.machines[state.deployment_id].stopped
