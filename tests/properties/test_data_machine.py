"""A database and its snapshots under deploys, restores and destructions that fail, are interrupted or killed."""

from __future__ import annotations

import itertools
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from fakes.account import FakeCloud
from fakes.line import Line
from fakes.memory import MemoryStore
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from autodeploy.agents.restoring import is_under_way
from autodeploy.errors import AgentError
from autodeploy.model import DeploymentState
from autodeploy.safekeeping import Safekeeping
from tests.properties.generators import errors
from tests.properties.test_conductor_machine import Killed

OPERATIONS = (
    *("preview", "up", "after up", "await instance", "connect", "converge", "get", "snapshot", "after snapshot"),
    *("resources", "destroy", "after destroy"),
)
blows = st.one_of(errors(), st.builds(KeyboardInterrupt), st.builds(Killed))
faults = st.lists(st.tuples(st.sampled_from(OPERATIONS), blows), max_size=2)


class DataMachine(RuleBasedStateMachine):
    """One deployment with a database, whose rows are one word. What it held when a run began is never lost."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp())
        self.store = MemoryStore(self.folder)
        self.line = Line(self.folder, store=self.store)
        self.words = (f"word {number}" for number in itertools.count(1))
        self.precious: set[str] = set()
        self.identifier = self.line.deploy().deployment_id

    def teardown(self) -> None:
        shutil.rmtree(self.folder)

    @property
    def state(self) -> DeploymentState:
        return self.store.load(self.identifier)

    @property
    def rows(self) -> str | None:
        return self.line.world.databases.get(f"{self.identifier}-db")

    def lives(self) -> bool:
        return self.state.status != "rolled_back"

    def run(self, fault: Any, command: Callable[[], Any]) -> Any:
        """Run a command against the fault; None where it was killed or refused."""
        self.precious |= {self.rows} if self.rows else set()
        self.line.clock.sleep(60)
        for operation, blow in fault:
            self.line.world.broken[operation].append(blow)
        try:
            return command()
        except (Killed, AgentError, KeyboardInterrupt):
            return None
        finally:
            self.line.world.broken.clear()

    @precondition(lambda self: self.lives() and self.rows)
    @rule()
    def write(self) -> None:
        """A word that no backup holds may be written over: that is the application's own doing."""
        backups = [word for name, word in self.line.world.kept.items() if "-backup-" in name]
        if self.rows not in backups:
            self.precious.discard(str(self.rows))
        self.line.world.databases[f"{self.identifier}-db"] = next(self.words)

    @precondition(lambda self: not self.lives())
    @rule()
    def begin_again(self) -> None:
        self.identifier = self.line.deploy().deployment_id

    @precondition(lambda self: self.lives())
    @rule(fault=faults)
    def deploy(self, fault: Any) -> None:
        was_cut, before = is_under_way(self.state), self.rows
        result = self.run(fault, self.line.deploy)
        if not fault:
            assert result.status == "complete" and not is_under_way(self.state)
        if result and result.status == "complete" and before and not was_cut:
            assert self.rows == before

    @precondition(lambda self: self.lives() and self.rows)
    @rule(fault=faults)
    def backup(self, fault: Any) -> None:
        keeper = Safekeeping(FakeCloud(self.line.world, self.line.bundle), self.line.ui, self.line.clock, self.store)
        self.run(fault, lambda: keeper.backup(self.identifier))

    @precondition(lambda self: self.lives() and self.line.world.kept)
    @rule(fault=faults, data=st.data())
    def restore(self, fault: Any, data: st.DataObject) -> None:
        name = data.draw(st.sampled_from(sorted(self.line.world.kept)))
        was_whole = self.state.status == "complete"
        result = self.run(fault, lambda: self.line.conductor().restore(self.identifier, name))
        assert fault or not was_whole or result.status == "complete"
        if result and result.status == "complete":
            assert self.rows == self.line.world.kept[name]
            assert not is_under_way(self.state)

    @precondition(lambda self: self.lives())
    @rule(fault=faults)
    def destroy(self, fault: Any) -> None:
        result = self.run(fault, lambda: self.line.conductor().rollback(self.identifier))
        assert fault or result.status == "rolled_back"
        if result and result.status == "rolled_back":
            assert self.rows is None and self.line.world.stacks == {}

    @invariant()
    def nothing_precious_is_lost(self) -> None:
        assert self.precious <= {*self.line.world.kept.values(), self.rows}

    @invariant()
    def what_is_complete_is_protected(self) -> None:
        if self.state.status == "complete" and not self.state.destroying:
            plan = self.line.world.stacks[self.identifier].database
            assert plan and plan.deletion_protection


DataMachine.TestCase.settings = settings(
    max_examples=60,
    stateful_step_count=10,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much],
)
TestData = DataMachine.TestCase
