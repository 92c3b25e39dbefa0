"""The conductor against the transition table: runs that go well, fail, are interrupted or killed, in any order."""

from __future__ import annotations

import itertools
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from fakes.line import Line
from fakes.memory import MemoryStore
from fakes.world import World
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from autodeploy.errors import AgentError, ApprovalError, Interrupted, StateError
from autodeploy.model import ENDS, STAGES, TRANSITIONS, DeploymentResult, DeploymentState, Stage
from tests.properties.generators import errors

QUESTION = "Apply this plan?"
OPERATIONS = (
    *("checkout", "build", "trial", "preview", "up", "after up", "await instance", "connect", "converge", "get"),
    *("open ports", "reach", "console", "resources", "destroy", "after destroy"),
)


class Killed(SystemExit):
    """Stands for kill -9: nothing of ours is asked before the process is gone."""


blows = st.one_of(errors(), st.builds(ZeroDivisionError), st.builds(KeyboardInterrupt), st.builds(Killed))
faults = st.none() | st.lists(st.tuples(st.sampled_from(OPERATIONS), blows), min_size=1, max_size=3)
"""What the run meets: nothing, or at up to three operations an error, a fault of ours, Ctrl-C, kill -9."""


def stands(state: DeploymentState) -> DeploymentState:
    """Return all of a ledger but what tells of its runs."""
    return state.but(logs=(), updated_at=state.created_at)


class ConductorMachine(RuleBasedStateMachine):
    """One operator, one repository, one account; every rule is one run of the command."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp())
        self.store = MemoryStore(self.folder)
        self.line = Line(self.folder, World("fastapi-plain"), self.store)
        self.commits = itertools.count(1)

    def teardown(self) -> None:
        shutil.rmtree(self.folder)

    def newest(self) -> DeploymentState | None:
        return next(iter(self.store.list()), None)

    def standing(self) -> DeploymentState | None:
        state = self.newest()
        return state if state and state.status != "rolled_back" else None

    def serving(self) -> DeploymentState | None:
        state = self.standing()
        return state if state and state.status == "complete" and not state.destroying else None

    def run(self, fault: Any, command: Callable[[], Any]) -> Any:
        """Run a command against the fault; return its result, None where it was killed or refused."""
        for operation, blow in fault or ():
            self.line.world.broken[operation].append(blow)
        try:
            return command()
        except Killed:
            return None
        finally:
            self.line.world.broken.clear()

    def work(self, fault: Any, command: Callable[[], DeploymentResult]) -> DeploymentResult | None:
        """Run what goes through the stages; None also where nobody approved of it, and what serves stands as before."""
        before = self.serving()
        try:
            result: DeploymentResult | None = self.run(fault, command)
            return result
        except ApprovalError:
            assert before and stands(self.store.load(before.deployment_id)) == stands(before)
            return None

    @rule(fault=faults, keep=st.booleans())
    def deploy(self, fault: Any, keep: bool) -> None:
        before, asked = self.standing(), self.line.ui.lines.count(QUESTION)
        result = self.work(fault, lambda: self.line.deploy(yes=False, keep=keep))
        if before and before.approval:
            assert self.line.ui.lines.count(QUESTION) == asked, "an approved plan is asked for once"
        if result is None:
            return
        assert before is None or result.deployment_id == before.deployment_id
        self.ended(result.deployment_id, result.status)
        if not fault:
            assert result.status == "complete"
        if result.status == "failed" and result.deployment_id in self.line.world.stacks:
            assert [option.split()[1] for option in result.options] == ["retry", "destroy"]

    @precondition(lambda self: self.serving() is not None)
    @rule(size=st.sampled_from(("t3.medium", "t3.large")))
    def decline(self, size: str) -> None:
        self.line.ui.answer = False
        assert self.work(None, lambda: self.line.deploy(yes=False, instance_type=size)) is None
        self.line.ui.answer = True

    @precondition(lambda self: self.newest() is not None)
    @rule(stage=st.sampled_from(STAGES), fault=faults)
    def retry(self, stage: Stage, fault: Any) -> None:
        before = self.newest()
        assert before is not None
        earlier = STAGES[: STAGES.index(stage)]
        allowed = before.status != "rolled_back" and all(name in before.stages for name in earlier)
        if before.status == "complete" and not before.destroying:
            allowed = stage == "analyze"
        try:
            result = self.work(fault, lambda: self.line.conductor(yes=False).retry_stage(before.deployment_id, stage))
        except StateError:
            assert not allowed
            assert self.newest() == before
            return
        assert allowed
        if result is not None:
            self.ended(result.deployment_id, result.status)
            assert fault or result.status == "complete"

    @precondition(lambda self: self.newest() is not None)
    @rule(fault=faults)
    def rollback(self, fault: Any) -> None:
        state = self.newest()
        assert state is not None
        try:
            result = self.run(fault, lambda: self.line.conductor().rollback(state.deployment_id))
        except (AgentError, ZeroDivisionError) as err:
            now = self.store.load(state.deployment_id)
            assert fault
            assert isinstance(err, ZeroDivisionError) or now.status == "failed"
            assert not isinstance(err, Interrupted) or now.errors[-1].error_type == "Interrupted"
            return
        except KeyboardInterrupt:
            return  # while the dossier was gathered: nothing had been touched
        if result is not None:
            self.ended(result.deployment_id, "rolled_back")

    @rule()
    def commit(self) -> None:
        self.line.world.commit = f"{next(self.commits):040x}"

    def ended(self, identifier: str, status: str) -> None:
        state = self.store.load(identifier)
        assert state.status == status in ENDS
        assert state.destroying is False

    @invariant()
    def every_move_is_in_the_table(self) -> None:
        for saved in self.store.versions.values():
            assert saved[0].status == "pending"
            for number, (before, after) in enumerate(itertools.pairwise(saved), 1):
                legal = after.status in (before.status, *TRANSITIONS[before.status])
                # What nobody approved is no move: all is as it was.
                assert legal or (after.status == "complete" and stands(after) in map(stands, saved[:number]))

    @invariant()
    def an_end_has_its_time_and_nothing_else_has(self) -> None:
        for saved in self.store.versions.values():
            assert all((state.completed_at is not None) == (state.status in ENDS) for state in saved)

    @invariant()
    def errors_are_whole_and_never_lost(self) -> None:
        for saved in self.store.versions.values():
            for error in saved[-1].errors:
                assert error.agent and error.context and error.remediation
                assert "Traceback" in (error.stack_trace or "")
            messages = [[error.message for error in state.errors] for state in saved]
            assert all(later[: len(earlier)] == earlier for earlier, later in itertools.pairwise(messages))
            moments = [error.timestamp for error in saved[-1].errors]
            assert moments == sorted(moments)

    @invariant()
    def logs_are_in_order_of_time(self) -> None:
        for identifier in self.store.versions:
            moments = [entry.timestamp for entry in self.store.load(identifier).logs]
            assert moments == sorted(moments)

    @invariant()
    def what_is_rolled_back_left_nothing(self) -> None:
        for state in self.store.list():
            if state.status == "rolled_back":
                assert state.deployment_id not in self.line.world.stacks
                assert not self.store.secrets(state.deployment_id)
                assert not list(self.store.folder(state.deployment_id).glob("id_ed25519*"))

    @invariant()
    def what_is_complete_serves_what_it_says(self) -> None:
        for state in self.store.list():
            if state.status == "complete" and not state.destroying:
                machine = self.line.world.machines[state.deployment_id]
                assert state.deployment_config and machine.release == state.deployment_config.release_id
                assert not machine.stopped
                assert state.approval is None and state.failed_stage is None


ConductorMachine.TestCase.settings = settings(
    max_examples=100,
    stateful_step_count=8,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much],
)
TestConductor = ConductorMachine.TestCase
