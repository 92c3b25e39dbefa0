"""Several machines: released and hardened one after the other; what stops half-way is told, and the next run goes on."""

from __future__ import annotations

from pathlib import Path

import pytest
from fakes.line import Line
from fakes.world import Machine, World

from autodeploy.errors import DeploymentError
from autodeploy.model import DeploymentResult, InfrastructureSpec
from autodeploy.releaser import EVIDENCE


@pytest.fixture
def line(tmp_path: Path) -> Line:
    return Line(tmp_path / "home")


def fleet(line: Line, result: DeploymentResult) -> list[Machine]:
    return line.world.fleet(result.deployment_id)


def changed_environment(line: Line) -> DeploymentResult:
    """Deploy what makes another release of the same commit."""
    return line.deploy(environment={"GREETING": "hello"})


class TestReleasing:
    def test_every_machine_serves_the_one_release(self, line: Line) -> None:
        result = line.deploy(instances=3)
        assert result.status == "complete"
        config = line.ledger(result).deployment_config
        assert config and [machine.release for machine in fleet(line, result)] == [config.release_id] * 3
        said = [text for text in line.ui.lines if text.startswith("machine app")]
        identifier = result.deployment_id
        places = (f"app at publicIp-of-{identifier}", f"app-2 at {identifier}/app-2", f"app-3 at {identifier}/app-3")
        numbered = [f"machine {place}, {number} of 3" for number, place in enumerate(places, 1)]
        assert said == [*numbered, *numbered]  # released, then hardened

    def test_one_machine_is_named_nowhere(self, line: Line) -> None:
        line.deploy()
        assert not any(text.startswith("machine app") for text in line.ui.lines)

    def test_the_database_is_migrated_once(self, tmp_path: Path) -> None:
        line = Line(tmp_path / "home", World("django-postgres"))
        first, second = fleet(line, line.deploy(instances=2))
        assert "migration" in first.applied and "migration" not in second.applied
        assert first.applied.keys() - {"migration"} == second.applied.keys()

    def test_a_later_run_keeps_the_number_until_another_is_said(self, line: Line) -> None:
        result = line.deploy(instances=2)
        assert len(fleet(line, line.deploy())) == 2
        assert len(fleet(line, line.deploy(instances=3))) == 3
        state = line.ledger(line.deploy(instances=1))
        assert state.infrastructure and state.infrastructure.more_machines == ()
        (last,) = fleet(line, result)
        assert state.deployment_config and last.release == state.deployment_config.release_id

    def test_a_machine_is_touched_only_when_the_one_before_it_serves_and_is_healthy(self, line: Line) -> None:
        result = line.deploy(instances=2)
        first, second = fleet(line, result)
        before, first.is_out = second.release, True
        failed = changed_environment(line)
        assert failed.status == "failed"
        assert failed.errors[-1].message.startswith("app: the balancer does not find it healthy: ")
        assert second.release == before != first.release
        assert f"Now app runs release {first.release}, app-2 runs release {before}." in failed.errors[-1].remediation

    def test_the_balancer_is_given_time(self, line: Line) -> None:
        result = line.deploy(instances=2)
        first, second = fleet(line, result)
        first.is_out = True
        slept = line.clock.sleep

        def recovering(seconds: float) -> None:
            slept(seconds)
            first.is_out = False

        line.clock.sleep = recovering  # type: ignore[method-assign]
        assert changed_environment(line).status == "complete"
        assert first.release == second.release

    def test_what_fails_on_one_machine_stops_and_the_next_run_goes_on(self, line: Line) -> None:
        result = line.deploy(instances=3)
        first, second, third = fleet(line, result)
        old = first.release
        second.stubborn.add("switch")
        failed = changed_environment(line)
        error = failed.errors[-1]
        assert failed.status == "failed"
        assert error.message == "app-2: the step 'switch' failed"
        assert (first.release != old, second.release, third.release) == (True, old, old)
        told = f"Now app runs release {first.release}, app-2 runs release {old}, app-3 runs release {old}."
        assert told in error.remediation
        second.stubborn.clear()
        assert line.deploy().status == "complete"
        assert first.release == second.release == third.release != old

    def test_a_machine_that_cannot_be_asked_does_not_hide_the_failure(self, line: Line) -> None:
        result = line.deploy(instances=2)
        line.world.broken["connect"].append(DeploymentError("nobody answers", "Wait."))
        line.world.broken["reach"].append(DeploymentError("nobody answers", "Wait."))
        failed = changed_environment(line)
        assert failed.errors[-1].message == "app: nobody answers"
        release = fleet(line, result)[1].release
        assert f"Now app does not answer, app-2 runs release {release}." in failed.errors[-1].remediation

    def test_a_first_release_that_fails_leaves_the_others_without_one(self, line: Line) -> None:
        line.break_at("deploy", DeploymentError("no", "Wait."))
        failed = line.deploy(instances=2)
        assert "Now app runs none, app-2 runs none." in failed.errors[-1].remediation

    def test_killed_between_two_machines_the_next_run_goes_on(self, line: Line) -> None:
        line.deploy(instances=2)
        line.world.broken["target health"].append(KeyboardInterrupt())
        stopped = changed_environment(line)
        first, second = fleet(line, stopped)
        assert first.release != second.release
        assert line.deploy().status == "complete"
        assert first.release == second.release


class TestResizing:
    def test_one_machine_after_the_other_is_stopped_for_another_type(self, line: Line) -> None:
        result = line.deploy(instances=3)
        resized = line.deploy(instance_type="t3.large")
        assert resized.status == "complete"
        assert line.world.serving == [2, 2, 2]
        assert set(line.world.kinds.values()) == {"t3.large"}
        assert "making the machines t3.large, one after the other" in line.ui.lines
        assert line.ledger(result).standing == line.world.stacks[result.deployment_id]

    def test_the_only_machine_is_stopped_with_all_else(self, line: Line) -> None:
        line.deploy()
        assert line.deploy(instance_type="t3.large").status == "complete"
        assert line.world.serving == [0]
        assert not any("one after the other" in text for text in line.ui.lines)

    def test_one_that_does_not_come_back_ends_it_and_the_next_run_goes_on(self, line: Line) -> None:
        result = line.deploy(instances=2)
        first, _ = fleet(line, result)
        first.slowness = 1000
        failed = line.deploy(instance_type="t3.large")
        assert failed.errors[-1].message.startswith("app: the balancer does not find it healthy")
        assert line.world.serving == [1]
        first.boots = 0
        assert line.deploy().status == "complete"
        assert line.world.serving == [1, 1]
        assert set(line.world.kinds.values()) == {"t3.large"}

    def test_one_that_did_not_serve_before_need_not_after(self, line: Line) -> None:
        result = line.deploy(instances=2)
        first, second = fleet(line, result)
        first.is_out = second.is_out = True
        line.deploy(instance_type="t3.large")
        assert set(line.world.kinds.values()) == {"t3.large"}

    def test_what_is_approved_besides_is_done_after(self, line: Line) -> None:
        result = line.deploy(instances=3)
        changed = line.deploy(instance_type="t3.large", instances=2)
        assert changed.status == "complete"
        assert len(fleet(line, result)) == 2
        assert line.world.serving == [2, 2]


class TestHardening:
    def test_the_score_is_the_lowest_and_findings_name_the_machine(self, line: Line) -> None:
        result = line.deploy(instances=2)
        whole = line.ledger(result).security_config
        assert whole and whole.security_score == 100
        fleet(line, result)[1].applied.clear()
        fleet(line, result)[1].stubborn.add("security-updates")
        security = line.ledger(line.deploy()).security_config
        assert security and security.security_score < 100
        assert [each.name for each in security.findings if each.status == "fail"] == ["app-2: security-updates"]
        assert security.recommendations[0].startswith("app-2: security-updates: ")
        assert {each.name.partition(": ")[0] for each in security.findings} == {"app", "app-2"}
        scan = security.vulnerability_scan_results
        assert scan and [each.name for each in scan.findings[-2:]] == [
            "app: ports open from outside",
            "app-2: ports open from outside",
        ]
        assert f"score {security.security_score}/100: the lowest of 2 machines" in line.ui.lines

    def test_one_machine_that_does_not_hold_fails_all_and_is_named(self, line: Line) -> None:
        result = line.deploy(instances=2)
        first, second = fleet(line, result)
        second.open_ports.add(5432)
        failed = line.deploy()
        assert failed.errors[-1].message.startswith("app-2: these controls do not hold: port 5432")
        assert "undo-hardening" in second.applied and "undo-hardening" not in first.applied

    def test_what_cut_the_service_off_is_taken_back_everywhere(self, line: Line) -> None:
        result = line.deploy(instances=2)
        state = line.ledger(result)
        assert state.infrastructure
        line.world.broken["connect"].append(DeploymentError("nobody answers", "Wait."))
        told = line.agents(line.settings()).sheriff.undo(state.infrastructure)
        assert told == (
            "app: The hardening could not be taken back: nobody answers. app-2: The hardening was taken back."
        )
        assert ["undo-hardening" in machine.applied for machine in fleet(line, result)] == [False, True]


class TestLooking:
    def test_at_the_log_of_each(self, line: Line) -> None:
        result = line.deploy(instances=2)
        fleet(line, result)[1].log = "other\n"
        logs = line.agents(line.settings()).deployer.logs(line.ledger(result), 1)
        assert logs == "==> app <==\nthree\n==> app-2 <==\nother\n"

    def test_a_failure_keeps_what_each_said(self, line: Line) -> None:
        line.break_at("deploy", DeploymentError("no", "Wait."))
        result = line.deploy(instances=2)
        folder = line.store.folder(result.deployment_id) / "dossier"
        kept = {path.name for path in folder.iterdir()}
        assert kept >= {f"{name}-{file}" for name in ("app", "app-2") for file in (*EVIDENCE, "console.txt")}
        assert not kept & set(EVIDENCE)
        assert (folder / "app-2-console.txt").read_text() == f"{result.deployment_id}/app-2 login:"

    def test_a_machine_that_does_not_answer_is_named(self, line: Line) -> None:
        line.break_at("deploy", DeploymentError("no", "Wait."))
        # Two looks at what they run, then what the first and the second have to say.
        gone = DeploymentError("nobody answers", "Wait.")
        line.world.broken["reach"].extend([gone, gone, gone])
        result = line.deploy(instances=2)
        contents = (line.store.folder(result.deployment_id) / "dossier" / "contents.txt").read_text()
        assert "what app says could not be had: nobody answers" in contents


class TestStopping:
    def test_stops_and_starts_each(self, line: Line) -> None:
        result = line.deploy(instances=2)
        state, deployer = line.ledger(result), line.agents(line.settings()).deployer
        line.world.broken["reach"].append(DeploymentError("nobody answers", "Wait."))
        deployer.stop(state)
        assert [machine.stopped for machine in fleet(line, result)] == [False, True]
        deployer.stop(state)
        deployer.start(state)
        assert [machine.stopped for machine in fleet(line, result)] == [False, False]

    def test_destroy_stops_each_and_leaves_nothing(self, line: Line) -> None:
        result = line.deploy(instances=2)
        rolled = line.conductor().rollback(result.deployment_id)
        assert rolled.status == "rolled_back"
        assert fleet(line, result) == [] and line.world.stacks == {}
        assert line.ui.lines.count("the service is stopped") == 2


class TestHostKeys:
    def test_of_machines_that_went_are_forgotten_and_of_others_kept(self, line: Line) -> None:
        result = line.deploy(instances=3)
        identifier = result.deployment_id
        pins = line.store.folder(identifier) / "known_hosts"
        state = line.ledger(result)
        assert state.infrastructure
        first, second, third = (machine.public_ip for machine in state.infrastructure.machines)
        pins.write_text(f"{first} ssh-ed25519 A\n{second} ssh-ed25519 B\n{third} ssh-ed25519 C\n")
        line.deploy(instances=2)
        assert pins.read_text() == f"{first} ssh-ed25519 A\n{second} ssh-ed25519 B\n"

    def test_stay_where_nothing_went(self, line: Line) -> None:
        result = line.deploy(instances=2)
        pins = line.store.folder(result.deployment_id) / "known_hosts"
        pins.write_text("anything\n")
        line.deploy(tags={"Team": "shop"})
        assert pins.read_text() == "anything\n"


class TestLedger:
    def test_of_one_machine_reads_as_it_did_before_there_were_several(self, line: Line) -> None:
        spec = line.ledger(line.deploy()).infrastructure
        assert spec and "more_machines" not in spec.to_json()
        assert InfrastructureSpec.model_validate_json(spec.to_json()) == spec
        (only,) = spec.machines
        assert (only.name, only.instance_id, only.public_ip) == ("app", spec.ec2_instance_id, spec.ec2_public_ip)
        assert spec.alone(only) == spec

    def test_of_several_comes_back(self, line: Line) -> None:
        spec = line.ledger(line.deploy(instances=2)).infrastructure
        assert spec and InfrastructureSpec.model_validate_json(spec.to_json()) == spec
        second = spec.alone(spec.machines[1])
        assert second.ec2_instance_id == spec.more_machines[0].instance_id
        assert second.load_balancer_dns == spec.load_balancer_dns
