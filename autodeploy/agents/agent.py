"""What the agents share: a name, a voice, and a trace of what was said that ends in the ledger."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Literal

from autodeploy.errors import AgentError, StateError
from autodeploy.model import DeploymentState, LogEntry
from autodeploy.ports import UI, Clock, Store


class HiveMindAgent:
    """An agent of the line. `name` is what people read."""

    name = "HiveMind"

    def __init__(self, ui: UI, clock: Clock, store: Store) -> None:
        self._ui = ui
        self._clock = clock
        self._store = store
        self._deployment_id: str | None = None
        self._entries: list[LogEntry] = []

    def say(self, message: str, level: Literal["INFO", "WARNING", "ERROR"] = "INFO") -> None:
        """Show one line of progress, and write it to the ledger of the deployment in work."""
        entry = LogEntry(timestamp=self._clock.now(), agent=self.name, level=level, message=message)
        self._entries.append(entry)
        self._ui.say(message)
        if self._deployment_id:
            # What cannot be written now comes with the ledger at the stage's end; work is not cut short for a line.
            with suppress(StateError):
                self._store.append_log(self._deployment_id, entry)

    def warn(self, state: DeploymentState, message: str) -> None:
        """Show and log, between two attempts, why the first one is repeated."""
        with self._working_on(state):
            self.say(message, "WARNING")

    @contextmanager
    def _working_on(self, state: DeploymentState) -> Iterator[None]:
        """Tie what is said to one deployment."""
        self._deployment_id, self._entries = state.deployment_id, []
        try:
            yield
        finally:
            self._deployment_id = None

    @contextmanager
    def _attempting(self, context: str) -> Iterator[None]:
        """Name this agent and what it attempts in every error that passes."""
        try:
            yield
        except AgentError as err:
            if not err.context:
                err.agent, err.context = self.name, context
            raise

    def _logged(self, state: DeploymentState, **outputs: object) -> DeploymentState:
        """Return the state with this agent's outputs and all that it said."""
        new: DeploymentState = state.but(logs=state.logs + tuple(self._entries), **outputs)
        return new
