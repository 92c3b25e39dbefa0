"""Taking up a deployment again, taking it back, and what is refused, over a world of fakes."""

from __future__ import annotations

from pathlib import Path

import pytest
from botocore.exceptions import ClientError
from fakes.line import URL, Line
from fakes.world import World

from autodeploy.adapters.aws.failures import translated
from autodeploy.errors import (
    DeploymentError,
    InfrastructureError,
    Interrupted,
    LockedError,
    SourceError,
    StateError,
)
from autodeploy.model import STAGES, Stage


@pytest.fixture
def line(tmp_path: Path) -> Line:
    return Line(tmp_path / "home")


class TestRetrying:
    @pytest.mark.parametrize("stage", ["", "deployed", "PLAN"])
    def test_an_unknown_stage_names_the_known_ones(self, line: Line, stage: str) -> None:
        identifier = line.deploy().deployment_id
        with pytest.raises(StateError, match="no stage") as caught:
            line.conductor().retry_stage(identifier, stage)
        assert ", ".join(STAGES) in caught.value.remediation

    def test_an_unknown_deployment(self, line: Line) -> None:
        with pytest.raises(StateError, match="no deployment"):
            line.conductor().retry_stage("nobody-20000101-abcdef", "build")

    def test_from_the_build_builds_again(self, line: Line) -> None:
        line.break_at("deploy", DeploymentError("it does not start", "Mend it."))
        first = line.ledger(line.deploy())
        again = line.ledger(line.conductor().retry_stage(first.deployment_id, "build"))
        assert first.build_artifact and again.build_artifact
        assert again.build_artifact.build_duration_seconds == first.build_artifact.build_duration_seconds + 1

    @pytest.mark.parametrize("stage", STAGES[1:])
    def test_a_stage_after_one_that_was_never_done_is_refused(self, line: Line, stage: Stage) -> None:
        line.break_at("analyze", SourceError("gone", "Give another."))
        identifier = line.deploy().deployment_id
        with pytest.raises(StateError, match=f"{stage} cannot be retried: analyze before it was never done") as caught:
            line.conductor().retry_stage(identifier, stage)
        assert caught.value.remediation == f"Begin there: autodeploy retry {identifier} --stage analyze"
        assert line.store.load(identifier).status == "failed"

    @pytest.mark.parametrize("stage", STAGES[1:])
    def test_what_is_complete_has_nothing_to_retry(self, line: Line, stage: Stage) -> None:
        before = line.ledger(line.deploy())
        with pytest.raises(StateError, match="is complete") as caught:
            line.conductor().retry_stage(before.deployment_id, stage)
        assert f"autodeploy deploy {URL}" in caught.value.remediation
        assert line.store.load(before.deployment_id) == before

    def test_begins_there_and_runs_on_to_the_end(self, line: Line) -> None:
        line.break_at("deploy", DeploymentError("it does not start", "Mend it."))
        identifier = line.deploy().deployment_id
        line.ui.lines.clear()
        assert line.conductor().retry_stage(identifier, "deploy").status == "complete"
        begun = [said for said in line.ui.lines if said.startswith("[")]
        assert begun == [
            "[HiveMind Release-Engineer] Releasing on the host",
            "[HiveMind SecOps] Hardening and verifying",
        ]

    def test_what_is_rolled_back_is_deployed_anew(self, line: Line) -> None:
        identifier = line.deploy().deployment_id
        line.conductor().rollback(identifier)
        with pytest.raises(StateError, match="rolled back") as caught:
            line.conductor().retry_stage(identifier, "deploy")
        assert caught.value.remediation == f"Deploy it anew: autodeploy deploy {URL}"
        assert line.deploy().deployment_id != identifier


class TestRollingBack:
    def test_leaves_nothing_and_says_so_again(self, line: Line) -> None:
        identifier = line.deploy().deployment_id
        result = line.conductor().rollback(identifier)
        assert (result.status, result.remaining) == ("rolled_back", ())
        assert line.conductor().get_status(identifier).status == "rolled_back"
        assert line.world.stacks == {}
        assert dict(line.store.secrets(identifier)) == {}
        assert not list(line.store.folder(identifier).glob("id_ed25519*"))
        again = line.conductor().rollback(identifier)
        kept = f"what was kept of its database: autodeploy db backups {identifier}"
        assert (again.status, again.message) == ("rolled_back", f"Nothing is left of it already; {kept}")

    def test_of_what_had_no_database_speaks_of_none(self, tmp_path: Path) -> None:
        line = Line(tmp_path, World("fastapi-plain"))
        identifier = line.deploy().deployment_id
        assert line.conductor().rollback(identifier).message == "Nothing is left."
        assert line.conductor().rollback(identifier).message == "Nothing is left of it already."

    def test_what_cannot_be_deleted_is_named_and_recorded(self, line: Line) -> None:
        identifier = line.deploy().deployment_id
        line.world.undeletable = ("vpc-1", "eni-2")
        result = line.conductor().rollback(identifier)
        assert (result.status, result.remaining) == ("failed", ("vpc-1", "eni-2"))
        assert "2 resources are left" in result.message
        state = line.conductor().get_status(identifier)
        assert (state.status, state.errors[-1].message) == ("failed", "not everything could be deleted: vpc-1, eni-2")
        line.world.undeletable = ()
        assert line.conductor().rollback(identifier).status == "rolled_back"

    def test_a_deployment_that_never_stood(self, line: Line) -> None:
        line.break_at("analyze", SourceError("gone", "Give another."))
        identifier = line.deploy().deployment_id
        assert line.conductor().rollback(identifier).status == "rolled_back"

    @pytest.mark.parametrize("status", ["pending", "building", "hardening"])
    def test_a_deployment_whose_run_was_killed(self, line: Line, status: str) -> None:
        state = line.ledger(line.deploy())
        line.store.save(state.but(status=status))
        assert line.conductor().rollback(state.deployment_id).status == "rolled_back"

    def test_that_fails_is_recorded_and_can_be_repeated(self, line: Line) -> None:
        identifier = line.deploy().deployment_id
        line.world.broken["destroy"].append(InfrastructureError("a dependency is in the way", "Again."))
        with pytest.raises(InfrastructureError, match="dependency"):
            line.conductor().rollback(identifier)
        state = line.conductor().get_status(identifier)
        assert (state.status, state.errors[-1].context) == ("failed", "Deleting the infrastructure")
        assert line.conductor().rollback(identifier).status == "rolled_back"

    def test_that_is_interrupted_says_what_stands_and_can_be_repeated(self, line: Line) -> None:
        identifier = line.deploy().deployment_id
        line.world.broken["destroy"].append(KeyboardInterrupt())
        with pytest.raises(Interrupted) as caught:
            line.conductor().rollback(identifier)
        assert caught.value.remediation.endswith(f"autodeploy destroy {identifier}")
        state = line.conductor().get_status(identifier)
        assert (state.status, state.errors[-1].error_type, state.destroying) == ("failed", "Interrupted", False)
        assert line.conductor().rollback(identifier).status == "rolled_back"

    def test_that_was_killed_is_noticed_by_the_next_run(self, line: Line) -> None:
        identifier = line.deploy().deployment_id
        line.world.broken["destroy"].append(SystemExit())
        with pytest.raises(SystemExit):
            line.conductor().rollback(identifier)
        assert line.conductor().get_status(identifier).destroying
        line.ui.lines.clear()
        assert line.deploy().status == "complete"
        assert any("was killed while the deployment was being destroyed" in said for said in line.ui.lines)

    def test_that_stopped_half_way_proves_nothing_to_the_next_deploy(self, line: Line) -> None:
        first = line.deploy()
        line.world.undeletable = ("vpc-1",)
        line.conductor().rollback(first.deployment_id)
        line.world.undeletable = ()
        again = line.deploy()
        assert (again.status, again.deployment_id) == ("complete", first.deployment_id)
        assert first.deployment_id in line.world.stacks

    def test_a_machine_that_is_gone_does_not_keep_it(self, line: Line) -> None:
        identifier = line.deploy().deployment_id
        line.world.broken["reach"].append(DeploymentError("no answer", "Wait."))
        assert line.conductor().rollback(identifier).status == "rolled_back"
        said = [entry.message for entry in line.store.load(identifier).logs if entry.level == "WARNING"]
        assert said == ["the service could not be stopped first: no answer"]


class TestRefusing:
    def test_a_ledger_of_an_account_that_ended(self, line: Line) -> None:
        identifier = line.deploy().deployment_id
        line.world.epoch = "epoch-2"
        conductor = line.conductor()
        for attempt in (
            lambda: conductor.deploy(URL, ""),
            lambda: conductor.retry_stage(identifier, "deploy"),
            lambda: conductor.rollback(identifier),
            lambda: conductor.preview(identifier),
        ):
            with pytest.raises(StateError) as caught:
                attempt()
            assert "autodeploy local reset" in caught.value.remediation
        assert line.store.load(identifier).status == "complete"

    def test_a_second_run_on_the_same_deployment(self, line: Line) -> None:
        identifier = line.deploy().deployment_id
        with line.store.lock(identifier, "deploy"):
            for attempt in (
                line.deploy,
                lambda: line.conductor().retry_stage(identifier, "deploy"),
                lambda: line.conductor().rollback(identifier),
            ):
                with pytest.raises(LockedError, match="deploy"):
                    attempt()


class TestExpiredCredentials:
    @pytest.mark.parametrize("operation", ["after up", "await instance"])
    def test_half_way_leave_a_ledger_that_goes_on(self, line: Line, operation: str) -> None:
        refusal = ClientError({"Error": {"Code": "ExpiredToken", "Message": "expired"}}, "DescribeInstanceStatus")
        with pytest.raises(InfrastructureError) as expired, translated("Waiting for the instance"):
            raise refusal
        line.world.broken[operation].append(expired.value)
        result = line.deploy(yes=False)
        state = line.ledger(result)
        assert (state.status, state.failed_stage) == ("failed", "provision")
        assert "aws sso login" in result.errors[-1].remediation
        assert line.deploy(yes=False).status == "complete"
        assert line.ui.lines.count("Apply this plan?") == 1


class TestPreviewing:
    def test_what_stands_as_planned(self, line: Line) -> None:
        found = line.conductor().preview(line.deploy().deployment_id)
        assert (found.changes, found.unchanged) == ((), 4)

    def test_what_somebody_removed(self, line: Line) -> None:
        identifier = line.deploy().deployment_id
        del line.world.stacks[identifier]
        assert {change.operation for change in line.conductor().preview(identifier).changes} == {"create"}

    def test_without_a_plan(self, line: Line) -> None:
        line.break_at("build", SourceError("gone", "Give another."))
        identifier = line.deploy().deployment_id
        with pytest.raises(StateError, match="no plan"):
            line.conductor().preview(identifier)
