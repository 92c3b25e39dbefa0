"""How often a stage is tried, what a retry takes up, and two runs at once, over a world of fakes."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

import pytest
from fakes.line import BREAKS, URL, Line

from autodeploy.adapters.store import FileStore
from autodeploy.approval import approve
from autodeploy.errors import (
    AgentError,
    ApprovalError,
    BuildError,
    DeploymentError,
    InfrastructureError,
    LockedError,
    SourceError,
    Transience,
)
from autodeploy.model import STAGES, Approval, DeploymentState, Preview, Stage

KINDS: dict[str, tuple[type[AgentError], bool, Transience | None, int]] = {
    "throttling": (InfrastructureError, True, "throttling", 5),
    "network": (InfrastructureError, True, "network", 3),
    "network, where no adapter knew": (SourceError, True, None, 3),
    "a host's own trouble": (DeploymentError, True, None, 2),
    "a connection to a host": (DeploymentError, True, "network", 3),
    "a build": (BuildError, True, None, 1),
    "what stays wrong": (InfrastructureError, False, "throttling", 1),
}
"""Errors by their kind, and how often in all a stage that meets them is tried."""


@pytest.fixture
def line(tmp_path: Path) -> Line:
    return Line(tmp_path / "home")


def numbered(kind: str, number: int) -> AgentError:
    error, recoverable, transience, _ = KINDS[kind]
    return error(f"{kind}, call {number}", "Wait.", recoverable, transience=transience)


def throttled(number: int) -> AgentError:
    return numbered("throttling", number)


class TestTrying:
    @pytest.mark.parametrize("stage", STAGES)
    @pytest.mark.parametrize("kind", KINDS)
    def test_as_often_as_the_kind_of_error_is_worth(self, line: Line, stage: Stage, kind: str) -> None:
        allowed = KINDS[kind][3]
        for number in range(allowed - 1):
            line.break_at(stage, numbered(kind, number))
        result = line.deploy()
        assert (result.status, result.errors) == ("complete", ())
        warned = [entry for entry in line.ledger(result).logs if entry.level == "WARNING"]
        assert [entry.message for entry in warned] == [
            f"attempt {number + 1} of {allowed}; again in {2 ** (number + 1)} s: {kind}, call {number}"
            for number in range(allowed - 1)
        ]
        assert {entry.message for entry in warned} <= set(line.ui.lines)
        assert not line.world.broken[BREAKS[stage]]

    @pytest.mark.parametrize("stage", STAGES)
    @pytest.mark.parametrize("kind", KINDS)
    def test_not_once_more_and_the_last_error_is_the_one(self, line: Line, stage: Stage, kind: str) -> None:
        allowed = KINDS[kind][3]
        for number in range(7):
            line.break_at(stage, numbered(kind, number))
        (entry,) = line.deploy(keep=True).errors
        assert entry.message == f"{kind}, call {allowed - 1}"
        assert len(line.world.broken[BREAKS[stage]]) == 7 - allowed

    def test_the_last_error_s_kind_counts_all_attempts(self, line: Line) -> None:
        for number in range(3):
            line.break_at("provision", throttled(number))
        line.break_at("provision", numbered("network", 3))
        (entry,) = line.deploy().errors
        assert entry.message == "network, call 3"

    def test_waits_by_the_clock_and_a_little_more(self, line: Line) -> None:
        slept: list[float] = []
        line.clock.sleep = slept.append  # type: ignore[method-assign]
        for number in range(4):
            line.break_at("provision", throttled(number))
        line.deploy()
        assert [int(seconds) for seconds in slept] == [2, 4, 8, 16]
        assert len({seconds % 1 for seconds in slept}) == 4

    def test_a_fault_of_ours_is_not_tried_again(self, line: Line) -> None:
        line.break_at("provision", ZeroDivisionError("division by zero"))
        assert line.deploy().status == "failed"

    def test_nobody_is_asked_twice(self, line: Line) -> None:
        line.ui.answer = False
        line.deploy(yes=False)
        assert line.ui.lines.count("Apply this plan?") == 1


class TestTakingUp:
    @pytest.mark.parametrize("stage", STAGES[1:])
    def test_a_later_stage_releases_the_commit_that_was_analysed(self, line: Line, stage: Stage) -> None:
        line.break_at(stage, SourceError("broken", "Mend it."))
        before = line.ledger(line.deploy(keep=True))
        line.world.commit = "b" * 40
        after = line.ledger(line.conductor().retry_stage(before.deployment_id, stage))
        assert (after.status, after.commit) == ("complete", "a" * 40)
        assert after.build_artifact and after.build_artifact.commit == "a" * 40

    def test_the_analysis_itself_checks_out_anew(self, line: Line) -> None:
        identifier = line.deploy().deployment_id
        line.world.commit = "b" * 40
        assert line.ledger(line.conductor().retry_stage(identifier, "analyze")).commit == "b" * 40

    def test_a_checkout_that_is_gone_names_the_stage_that_makes_it(self, line: Line) -> None:
        line.break_at("build", BuildError("no", "Mend it."))
        identifier = line.deploy().deployment_id
        line.break_at("analyze", SourceError("it cannot be checked out into itself", "Name another."))
        entry = line.conductor().retry_stage(identifier, "build").errors[-1]
        assert entry.message == "what was checked out of the repository is gone"
        assert "autodeploy retry --stage analyze" in entry.remediation
        assert entry.context == "Building the python application"


class TestAskingOnce:
    def test_an_approval_outlives_a_killed_run(self, line: Line) -> None:
        for operation in ("up", "after up", "await instance"):
            line.world.broken[operation].append(KeyboardInterrupt())
        for _ in range(3):
            assert line.deploy(yes=False).status == "failed"
        assert line.deploy(yes=False).status == "complete"
        assert line.ui.lines.count("Apply this plan?") == 1
        assert "this plan was approved before, and is not applied to its end yet" in line.ui.lines

    def test_it_ends_with_the_plan_it_was_given_for(self, line: Line) -> None:
        identifier = line.deploy(yes=False).deployment_id
        assert line.store.load(identifier).approval is None
        del line.world.stacks[identifier]
        line.store.save(line.store.load(identifier).but(stages={}))
        line.deploy(yes=False)
        assert line.ui.lines.count("Apply this plan?") == 2

    def test_it_is_of_one_plan_alone(self, line: Line) -> None:
        line.break_at("provision", InfrastructureError("no capacity", "Try later."))
        line.deploy(yes=False)
        line.deploy(yes=False, instance_type="t3.medium")
        assert line.ui.lines.count("Apply this plan?") == 2

    @pytest.mark.parametrize(
        ("agreed", "now", "asked"),
        [
            ("create", "create", False),
            ("create", "update", False),
            ("update", "update", False),
            ("update", "replace", True),
            ("create", "replace", True),
            ("create", "delete", True),
            ("delete", "delete", False),
            ("", "create", True),
        ],
    )
    def test_it_covers_nothing_worse(self, line: Line, agreed: str, now: str, asked: bool) -> None:
        state = line.ledger(line.deploy())
        assert state.plan
        changes = {"changes": [{"urn": "a", "type": "t", "name": "n", "operation": now}]}
        given = Approval(infra=state.plan.infra.digest(), operations={"a": agreed} if agreed else {})
        line.ui.lines.clear()
        approve(state.but(approval=given), Preview.model_validate(changes), line.ui, yes=False)
        assert ("Apply this plan?" in line.ui.lines) == asked

    @pytest.mark.parametrize(("operation", "told"), [("replace", True), ("delete", True), ("update", False)])
    def test_it_says_what_goes_with_a_machine(self, line: Line, operation: str, told: bool) -> None:
        state = line.ledger(line.deploy())
        changes = {"changes": [{"urn": "a", "type": "aws:ec2:Instance", "name": "app", "operation": operation}]}
        approve(state, Preview.model_validate(changes), line.ui, yes=True)
        assert any("/var/lib/app" in said for said in line.ui.lines) == told

    def test_variables_are_kept_before_the_first_stage(self, line: Line) -> None:
        line.break_at("analyze", KeyboardInterrupt())
        identifier = line.deploy(environment={"MODE": "live"}).deployment_id
        assert line.store.secrets(identifier)["env:MODE"] == "live"
        assert line.deploy().status == "complete"
        assert line.store.secrets(identifier)["env:MODE"] == "live"


class SlowStore(FileStore):
    """Lets two runs look for their deployment at the same moment, where nothing keeps them apart."""

    both = threading.Barrier(2)

    def list(self, name: str | None = None) -> Iterable[DeploymentState]:
        found = super().list(name)
        with suppress(threading.BrokenBarrierError):
            self.both.wait(0.3)
        return found


class TestAtOnce:
    def test_two_first_deploys_make_one_deployment(self, tmp_path: Path) -> None:
        line = Line(tmp_path / "home", store=SlowStore(tmp_path / "home"))

        def deploy() -> None:
            with suppress(LockedError):
                line.deploy()

        runs = [threading.Thread(target=deploy) for _ in range(2)]
        for run in runs:
            run.start()
        for run in runs:
            run.join()
        (state,) = FileStore(tmp_path / "home").list()
        assert state.status == "complete"
        assert [path.name for path in (tmp_path / "home" / "deployments").iterdir()] == [state.deployment_id]

    def test_a_preview_waits_for_the_deploy_that_runs(self, line: Line) -> None:
        identifier = line.deploy().deployment_id
        with line.store.lock(identifier, "deploy"), pytest.raises(LockedError, match="deploy"):
            line.conductor().preview(identifier)


class TestAnotherRepository:
    OTHER = "https://example.com/another/guestbook"

    def test_of_the_same_name_is_asked_for(self, line: Line) -> None:
        before = line.ledger(line.deploy())
        line.ui.answer = False
        with pytest.raises(ApprovalError) as caught:
            line.deploy(self.OTHER, yes=False)
        assert all(word in caught.value.remediation for word in ("--new", "--name", "--yes"))
        assert line.store.load(before.deployment_id) == before
        line.ui.answer = True
        after = line.ledger(line.deploy(self.OTHER, yes=False))
        assert (after.deployment_id, after.repo_url) == (before.deployment_id, self.OTHER)
        assert f"{before.deployment_id} is of {URL}. Replace it by {self.OTHER}?" in line.ui.lines

    @pytest.mark.parametrize("same", [URL, URL.removesuffix(".git"), f"{URL.removesuffix('.git')}/"])
    def test_is_not_the_same_one_written_otherwise(self, line: Line, same: str) -> None:
        line.deploy()
        line.ui.answer = False
        assert line.deploy(same, yes=False, name="guestbook").status == "complete"

    def test_in_place_of_one_that_was_never_read_is_no_question(self, line: Line) -> None:
        line.break_at("analyze", SourceError("no such repository", "Give another."))
        identifier = line.deploy("https://example.com/typo/guestbook").deployment_id
        line.ui.lines.clear()
        assert line.deploy().deployment_id == identifier
        assert not [said for said in line.ui.lines if "becomes" in said]
