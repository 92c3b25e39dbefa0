"""A snapshot's data in the place of a database's: what is replaced, kept, gone on with, taken back."""

from __future__ import annotations

import contextlib
from pathlib import Path

import pytest
from fakes.account import FakeCloud
from fakes.line import Line
from fakes.world import World

from autodeploy.errors import ApprovalError, DeploymentError, InfrastructureError, StateError
from autodeploy.model import DeploymentState
from autodeploy.safekeeping import Safekeeping


@pytest.fixture
def line(tmp_path: Path) -> Line:
    return Line(tmp_path / "home")


@pytest.fixture
def state(line: Line) -> DeploymentState:
    return line.ledger(line.deploy())


@pytest.fixture
def taken(line: Line, state: DeploymentState) -> str:
    """A snapshot of "precious" rows, which are "spoilt" by now."""
    rows(line, state, "precious")
    keeper = Safekeeping(FakeCloud(line.world, line.bundle), line.ui, line.clock, line.store)
    name = keeper.backup(state.deployment_id).name
    rows(line, state, "spoilt")
    line.clock.sleep(60)
    return name


def rows(line: Line, state: DeploymentState, now: str | None = None) -> str:
    """Return what the deployment's database holds; with `now`, write that first."""
    name = f"{state.deployment_id}-db"
    line.world.databases[name] = now or line.world.databases[name]
    return line.world.databases[name]


def kept(line: Line, but: str) -> list[str]:
    """Return what the snapshots hold, the oldest first, without that of a name."""
    return [line.world.kept[name] for name in line.world.snapshots if name != but]


def is_stopped(line: Line, state: DeploymentState) -> bool:
    return line.world.machines[state.deployment_id].stopped


def database(line: Line, state: DeploymentState) -> tuple[str, int]:
    """Return what the stack's database was made from, and how many came before it."""
    plan = line.world.stacks[state.deployment_id].database
    assert plan is not None
    return plan.snapshot, plan.generation


def test_the_rows_are_back_and_those_of_before_are_kept(line: Line, state: DeploymentState, taken: str) -> None:
    result = line.conductor().restore(state.deployment_id, taken)
    assert (result.status, rows(line, state), kept(line, taken)) == ("complete", "precious", ["spoilt"])
    assert not is_stopped(line, state)
    now = line.ledger(result)
    assert now.standing == line.world.stacks[state.deployment_id] and now.standing.database
    assert now.standing.database.deletion_protection and now.approval is None
    assert now.commit == state.commit and now.build_artifact == state.build_artifact


def test_later_deployments_leave_what_was_restored(line: Line, state: DeploymentState, taken: str) -> None:
    line.conductor().restore(state.deployment_id, taken)
    rows(line, state, "newer")
    line.world.commit = "b" * 40
    assert line.deploy().status == "complete"
    assert (rows(line, state), database(line, state)) == ("newer", (taken, 1))


def test_the_same_snapshot_twice(line: Line, state: DeploymentState, taken: str) -> None:
    line.conductor().restore(state.deployment_id, taken)
    rows(line, state, "spoilt again")
    line.clock.sleep(60)
    line.conductor().restore(state.deployment_id, taken)
    assert (rows(line, state), database(line, state)) == ("precious", (taken, 2))
    assert kept(line, taken) == ["spoilt", "spoilt again"]


def test_is_no_older_and_no_smaller_than_the_snapshot(line: Line, state: DeploymentState, taken: str) -> None:
    line.world.snapshots[taken] = line.world.snapshots[taken].but(engine_version="15.9", size_gb=40)
    for _ in range(2):
        line.conductor().restore(state.deployment_id, taken)
        plan = line.world.stacks[state.deployment_id].database
        assert plan and (plan.engine_version, plan.storage_gb) == ("15.9", 40)


def test_of_a_snapshot_that_is_not_there_touches_nothing(line: Line, state: DeploymentState) -> None:
    with pytest.raises(InfrastructureError, match="no snapshot nowhere"):
        line.conductor().restore(state.deployment_id, "nowhere")
    assert (line.world.snapshots, line.store.load(state.deployment_id).status) == ({}, "complete")
    assert not is_stopped(line, state)


def test_of_a_deployment_without_a_database_or_that_is_gone(tmp_path: Path) -> None:
    line = Line(tmp_path, World("fastapi-plain"))
    identifier = line.deploy().deployment_id
    with pytest.raises(StateError, match="no database of its own"):
        line.conductor().restore(identifier, "any")
    line.conductor().rollback(identifier)
    with pytest.raises(StateError, match="rolled back"):
        line.conductor().restore(identifier, "any")


def test_that_is_not_approved_changes_nothing_now_or_later(line: Line, state: DeploymentState, taken: str) -> None:
    line.ui.answer = False
    with pytest.raises(ApprovalError):
        line.conductor(yes=False).restore(state.deployment_id, taken)
    assert line.store.load(state.deployment_id).status == "complete"
    assert (rows(line, state), kept(line, taken), is_stopped(line, state)) == ("spoilt", [], False)
    assert line.deploy().status == "complete"
    assert (rows(line, state), database(line, state)) == ("spoilt", ("", 0))


@pytest.mark.parametrize("at", ["snapshot", "up"])
def test_that_fails_leaves_the_service_running_and_is_gone_on_with(
    line: Line, state: DeploymentState, taken: str, at: str
) -> None:
    line.world.broken[at].append(InfrastructureError("the quota is used up", "Make room."))
    result = line.conductor().restore(state.deployment_id, taken)
    assert (result.status, rows(line, state), is_stopped(line, state)) == ("failed", "spoilt", False)
    rows(line, state, "written meanwhile")
    line.clock.sleep(60)
    assert line.deploy().status == "complete"
    assert rows(line, state) == "precious"
    assert kept(line, taken)[-1] == "written meanwhile"


@pytest.mark.parametrize("at", ["snapshot", "after snapshot", "up", "after up", "await instance", "converge"])
@pytest.mark.parametrize("end", [KeyboardInterrupt(), SystemExit()], ids=["interrupted", "killed"])
def test_that_was_stopped_is_gone_on_with_unasked(
    line: Line, state: DeploymentState, taken: str, at: str, end: BaseException
) -> None:
    line.world.broken[at].append(end)
    with contextlib.suppress(SystemExit):
        assert line.conductor().restore(state.deployment_id, taken).status == "failed"
    line.clock.sleep(60)
    line.ui.answer = False
    assert line.deploy(yes=False).status == "complete"
    assert (rows(line, state), database(line, state)) == ("precious", (taken, 1))
    assert set(kept(line, taken)) == {"spoilt"}
    assert not is_stopped(line, state)


def test_another_one_waits_for_one_that_was_cut_and_has_made_its_database(
    line: Line, state: DeploymentState, taken: str
) -> None:
    for at, refused in (("up", False), ("await instance", True)):
        line.world.broken[at].append(SystemExit())
        with pytest.raises(SystemExit):
            line.conductor().restore(state.deployment_id, taken)
        line.clock.sleep(60)
        if refused:
            with pytest.raises(StateError, match="between two databases") as caught:
                line.conductor().restore(state.deployment_id, taken)
            assert caught.value.remediation.endswith(f"--name {state.name}")
    assert line.deploy().status == "complete"
    assert (rows(line, state), database(line, state)) == ("precious", (taken, 2))
    assert line.conductor().restore(state.deployment_id, taken).status == "complete"


@pytest.mark.parametrize("at", ["snapshot", "up", "after up", "await instance", "converge"])
def test_that_was_cut_can_be_destroyed_at_once(line: Line, state: DeploymentState, taken: str, at: str) -> None:
    line.world.broken[at].append(SystemExit())
    with pytest.raises(SystemExit):
        line.conductor().restore(state.deployment_id, taken)
    line.clock.sleep(60)
    rows(line, state, "at last")
    result = line.conductor().rollback(state.deployment_id)
    assert (result.status, line.world.stacks, line.world.databases) == ("rolled_back", {}, {})
    assert line.world.kept[result.snapshots[0]] == "at last"


def test_a_service_that_cannot_be_started_again_does_not_hide_why(
    line: Line, state: DeploymentState, taken: str
) -> None:
    line.world.broken["up"] += [InfrastructureError("the quota is used up", "Make room.")] * 2
    line.world.broken["connect"] += [DeploymentError("nobody answers", "Wait.")] * 9
    result = line.conductor().restore(state.deployment_id, taken)
    assert result.errors[-1].message == "the quota is used up"
    assert any("could not be started again: nobody answers" in said for said in line.ui.lines)


def test_nothing_else_is_lost_with_it(line: Line, state: DeploymentState, taken: str) -> None:
    """Another engine is another database: its rows go only where that is asked for by name."""
    line.world.broken["up"].append(InfrastructureError("the quota is used up", "Make room."))
    line.conductor().restore(state.deployment_id, taken)
    result = line.deploy(overrides={"database_type": "mysql"})
    assert result.errors[-1].error_type == "PlanError" and "would lose data" in result.errors[-1].message
    assert rows(line, state) == "spoilt"
