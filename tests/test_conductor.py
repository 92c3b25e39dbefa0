"""The line from end to end over a world of fakes: order, digests, approval, failures at every stage."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from fakes.line import DESCRIPTION, URL, Line
from fakes.world import World

from autodeploy.agents.graph import walk
from autodeploy.errors import (
    AgentError,
    ApprovalError,
    BuildError,
    DeploymentError,
    HardeningError,
    InfrastructureError,
    Interrupted,
    SourceError,
)
from autodeploy.model import STAGES, Stage

AGENTS = ("HiveMind DevOps", "HiveMind SysEng", "HiveMind Release-Engineer", "HiveMind SecOps")


@pytest.fixture
def line(tmp_path: Path) -> Line:
    return Line(tmp_path / "home")


class TestDeploying:
    def test_ends_complete_with_the_outputs_of_all_agents(self, line: Line) -> None:
        result = line.deploy()
        assert (result.status, result.errors) == ("complete", ())
        assert result.url == "https://localhost:8443"
        assert tuple(result.summary) == AGENTS
        state = line.ledger(result)
        assert result.summary["HiveMind DevOps"] == {
            "tech_stack": state.tech_stack,
            "build_artifact": state.build_artifact,
        }
        assert state.tech_stack and state.tech_stack.framework == "flask"
        assert result.summary["HiveMind SysEng"] == state.infrastructure
        assert result.summary["HiveMind Release-Engineer"] == state.deployment_config
        assert result.summary["HiveMind SecOps"] == state.security_config
        assert (state.deployment_config and state.deployment_config.pid) == 4242

    def test_leaves_a_ledger_that_tells_all(self, line: Line) -> None:
        state = line.ledger(line.deploy())
        assert (state.repo_url, state.description, state.name) == (URL, DESCRIPTION, "guestbook")
        assert tuple(state.stages) == STAGES
        assert state.completed_at is not None
        assert state.commit == "a" * 40
        assert {entry.agent for entry in state.logs} == set(AGENTS)
        assert [entry.timestamp for entry in state.logs] == sorted(entry.timestamp for entry in state.logs)

    def test_the_same_again_builds_and_changes_nothing(self, line: Line) -> None:
        before = line.ledger(line.deploy())
        result = line.deploy()
        after = line.ledger(result)
        assert result.status == "complete"
        assert after.build_artifact == before.build_artifact
        assert after.infrastructure == before.infrastructure
        assert after.deployment_config == before.deployment_config
        assert len(line.world.history[after.deployment_id]) == 1
        assert "done: Building and trying the application: unchanged" in line.ui.lines
        assert "done: Creating the infrastructure: unchanged" in line.ui.lines
        assert any(re.fullmatch(r"release \w+: 0 of \d+ steps changed the host", said) for said in line.ui.lines)

    def test_a_new_commit_is_released_on_the_same_machine(self, line: Line) -> None:
        before = line.ledger(line.deploy())
        line.world.commit = "b" * 40
        after = line.ledger(line.deploy())
        assert after.deployment_id == before.deployment_id
        assert after.build_artifact and before.build_artifact
        assert after.build_artifact.build_duration_seconds == before.build_artifact.build_duration_seconds + 1
        assert after.deployment_config and before.deployment_config
        assert after.deployment_config.release_id != before.deployment_config.release_id
        assert after.infrastructure == before.infrastructure
        assert len(line.world.history[after.deployment_id]) == 1

    def test_another_description_is_kept_and_none_leaves_the_last(self, line: Line) -> None:
        line.deploy(description="first")
        assert line.ledger(line.deploy(description="")).description == "first"
        assert line.ledger(line.deploy(description="second")).description == "second"

    def test_new_makes_another_beside_it(self, line: Line) -> None:
        first, second = line.deploy(), line.deploy(new=True)
        assert first.deployment_id != second.deployment_id
        assert (first.url, second.url) == ("https://localhost:8443", "https://localhost:8444")
        assert {state.status for state in line.store.list()} == {"complete"}

    def test_another_name_is_another_deployment(self, line: Line) -> None:
        line.deploy()
        assert line.deploy(name="shop").deployment_id.startswith("shop-")

    def test_an_application_without_a_database_gets_none(self, tmp_path: Path) -> None:
        state = Line(tmp_path, World("fastapi-plain")).deploy().summary["HiveMind SysEng"]
        assert getattr(state, "database_endpoint", "none") is None


class TestApproval:
    def test_refused_is_an_error_and_nothing_is_created(self, line: Line) -> None:
        line.ui.answer = False
        result = line.deploy(yes=False)
        assert result.status == "failed"
        assert (result.errors[-1].error_type, ApprovalError.exit_code) == ("ApprovalError", 3)
        assert line.world.stacks == {}
        assert not any("destroy" in option for option in result.options)

    def test_granted_goes_on(self, line: Line) -> None:
        assert line.deploy(yes=False).status == "complete"
        assert "Apply this plan?" in line.ui.lines

    def test_is_not_asked_for_when_nothing_changes(self, line: Line) -> None:
        line.deploy()
        line.ui.answer = False
        assert line.deploy(yes=False).status == "complete"

    def test_is_asked_for_again_when_the_plan_changes(self, line: Line) -> None:
        before = line.ledger(line.deploy())
        line.ui.answer = False
        line.world.commit = "f" * 40
        with pytest.raises(ApprovalError, match="the plan was not approved"):
            line.deploy("https://example.org/guestbook", "another", yes=False, instance_type="t3.medium")
        after = line.store.load(before.deployment_id)
        assert after.but(logs=(), updated_at=before.updated_at) == before.but(logs=())
        assert after.logs[-1].message.startswith("all stays as it was: the plan was not approved")
        assert line.world.stacks[before.deployment_id].instance_type == "t3.small"
        assert line.ledger(line.deploy(yes=False)).commit == "f" * 40

    def test_refused_to_what_is_not_complete_leaves_it_failed(self, line: Line) -> None:
        line.break_at("deploy", DeploymentError("it does not start", "Mend it."))
        assert line.deploy().status == "failed"
        line.ui.answer = False
        again = line.deploy(yes=False, instance_type="t3.medium")
        assert (again.status, again.errors[-1].error_type) == ("failed", "ApprovalError")

    @pytest.mark.parametrize("yes", [True, False])
    def test_of_data_that_would_be_lost_is_given_by_its_name_alone(self, line: Line, yes: bool) -> None:
        own = {"DATABASE_URL": "postgresql://db.example.org/shop"}
        first = line.deploy()
        result = line.deploy(yes=yes, environment=own)
        assert (result.status, result.errors[-1].error_type) == ("failed", "PlanError")
        assert "delete aws:rds:Instance database loses the rows" in result.errors[-1].message
        assert line.world.stacks[first.deployment_id].database is not None
        retried = line.conductor(yes=yes).retry_stage(first.deployment_id, "plan")
        assert retried.status == "failed"
        assert line.deploy(yes=yes, allow_data_loss=("database",)).status == "complete"
        assert line.world.stacks[first.deployment_id].database is None


ERRORS: dict[Stage, AgentError] = {
    "analyze": SourceError("the repository is gone", "Give another URL."),
    "build": BuildError("pip failed", "Correct the requirements.", output="no such package"),
    "plan": InfrastructureError("the preview failed", "Try again."),
    "provision": InfrastructureError("no capacity", "Try later."),
    "deploy": DeploymentError("the service does not start", "Read its log."),
    "harden": HardeningError("the scan failed", "Try again."),
}
OWNERS: dict[Stage, str] = dict(zip(STAGES, (AGENTS[0], AGENTS[0], AGENTS[1], *AGENTS[1:]), strict=True))


class TestFailing:
    @pytest.mark.parametrize("stage", STAGES)
    def test_at_any_stage_is_recorded_and_can_be_retried(self, line: Line, stage: Stage) -> None:
        line.break_at(stage, ERRORS[stage])
        result = line.deploy(keep=True)
        state = line.ledger(result)
        assert (result.status, state.status, state.failed_stage) == ("failed", "failed", stage)
        assert state.completed_at is not None
        (entry,) = result.errors
        assert entry.message == ERRORS[stage].message
        assert entry.error_type == type(ERRORS[stage]).__name__
        assert entry.remediation.startswith(ERRORS[stage].remediation) and entry.context
        assert entry.agent == OWNERS[stage]
        assert "Traceback" in (entry.stack_trace or "")
        assert f"autodeploy retry {result.deployment_id} --stage {stage}" in result.options
        stands = stage in STAGES[STAGES.index("provision") :]
        assert (f"autodeploy destroy {result.deployment_id}" in result.options) == stands
        assert STAGES[: STAGES.index(stage)] == tuple(state.stages)

        again = line.conductor().retry_stage(result.deployment_id, stage)
        assert again.deployment_id == result.deployment_id
        assert again.status == "complete"
        assert line.ledger(again).failed_stage is None
        assert set(line.ledger(again).stages) == set(STAGES)

    def test_a_failed_trial_leaves_nothing_in_the_account(self, line: Line) -> None:
        line.world.broken["trial"].append(BuildError("it does not boot", "Mend it."))
        assert line.deploy().status == "failed"
        assert line.world.stacks == {}

    def test_half_way_through_the_infrastructure_goes_on_from_there(self, line: Line) -> None:
        line.world.broken["after up"].append(InfrastructureError("the line was lost", "Again."))
        failed = line.deploy()
        assert any("destroy" in option for option in failed.options)
        assert line.deploy().status == "complete"

    def test_the_public_url_without_the_release_is_no_success(self, line: Line) -> None:
        errors = [DeploymentError("refused", "Wait.") for _ in range(500)]
        line.world.broken["get"].extend(errors)
        (entry,) = line.deploy().errors
        assert "does not answer with release" in entry.message
        assert (entry.agent, entry.context) == (AGENTS[2], "Asking the public URL")

    def test_a_fault_of_ours_is_four_lines_with_its_traceback_in_the_ledger(self, line: Line) -> None:
        line.break_at("build", ZeroDivisionError("division by zero"))
        (entry,) = line.deploy().errors
        assert entry.message == "ZeroDivisionError: division by zero"
        assert entry.context == "Running the deployment"
        assert "happens" in (entry.stack_trace or "")
        assert "ZeroDivisionError" in (entry.stack_trace or "")

    def test_an_invalid_address_makes_no_deployment(self, line: Line) -> None:
        with pytest.raises(SourceError):
            line.deploy("word")
        assert list(line.store.list()) == []

    def test_killed_half_way_it_goes_on(self, line: Line) -> None:
        state = line.ledger(line.deploy())
        line.store.save(state.but(status="provisioning", completed_at=None))
        result = line.deploy()
        assert (result.status, result.deployment_id) == ("complete", state.deployment_id)

    @pytest.mark.parametrize("stage", STAGES)
    def test_interrupted_it_says_what_stands_and_can_go_on(self, line: Line, stage: Stage) -> None:
        line.break_at(stage, KeyboardInterrupt())
        result = line.deploy()
        state = line.ledger(result)
        assert (state.status, state.failed_stage) == ("failed", stage)
        assert state.completed_at is not None
        (entry,) = result.errors
        assert (entry.error_type, Interrupted.exit_code) == ("Interrupted", 130)
        assert entry.message.startswith("interrupted while ")
        assert ("Nothing was created" in entry.remediation) == (STAGES.index(stage) < STAGES.index("provision"))
        assert f"autodeploy deploy {URL} --name guestbook" in entry.remediation
        assert "Traceback" in (entry.stack_trace or "")
        assert f"autodeploy retry {result.deployment_id} --stage {stage}" in result.options
        assert line.conductor().retry_stage(result.deployment_id, stage).status == "complete"


def test_no_steps_are_no_walk() -> None:
    assert walk([]).finished == []


def test_what_was_chosen_once_holds_for_later_runs(line: Line) -> None:
    chosen = {"overrides": {"health_check_path": "/docs"}, "instance_type": "t3.large", "environment": {"MODE": "live"}}
    first = line.ledger(line.deploy(**chosen))
    again = line.ledger(line.deploy())
    assert again.request == first.request
    assert again.tech_stack == first.tech_stack
    assert again.plan and again.plan.infra.instance_type == "t3.large"
    assert again.deployment_config == first.deployment_config
    changed = line.ledger(line.deploy(instance_type="t3.medium"))
    assert changed.plan and changed.plan.infra.instance_type == "t3.medium"
    assert changed.tech_stack and changed.tech_stack.health_check_path == "/docs"
