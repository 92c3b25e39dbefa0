"""A line whose runs are struck at their n-th effect: killed, after which nothing more happens, or interrupted."""

from __future__ import annotations

import signal
from pathlib import Path
from typing import Any

from interrupted import ports
from interrupted.effects import Effects

from autodeploy.errors import AgentError
from fakes.line import Line
from fakes.memory import MemoryStore
from fakes.person import FakeUI
from fakes.world import World


class Killed(BaseException):
    """kill -9, as far as one process can play it."""


class Moments(Effects):
    """Counts moments, the one before an effect and the one after it; strikes at number `at`, counted from 0."""

    def __init__(self, at: int | None = None, strike: str = "KILL") -> None:
        super().__init__(None, None, lambda point: None)
        self.at = at
        self.seen: list[str] = []
        self._kills = strike == "KILL"
        self._dead = False

    @property
    def struck(self) -> bool:
        """Say whether it has come to the moment."""
        return self.at is not None and len(self.seen) > self.at

    def _moment(self, moment: str, effect: str) -> None:
        if self._dead:
            raise Killed
        self.seen.append(f"{moment} {effect}")
        if len(self.seen) - 1 == self.at:
            if self._kills:
                self._dead = True
                raise Killed
            signal.raise_signal(signal.SIGINT)


class MortalWorld(World):
    """What happens in it can be the last that a run did."""

    moments = Moments()

    def happens(self, operation: str) -> None:
        self.moments.said(operation)
        super().happens(operation)


class MortalUI(FakeUI):
    """A person whose answer can be the last that a run heard."""

    def __init__(self, world: MortalWorld) -> None:
        super().__init__()
        self._world = world
        self.questions = 0

    def confirm(self, question: str) -> bool:
        self.questions += 1
        return bool(self._world.moments.around("ui.confirm", lambda: True))


class MortalLine(Line):
    """Each `run` is a process of its own: what it held in memory is gone when it ends, its locks are free."""

    def __init__(self, home: Path, sample: str = "flask-postgres") -> None:
        self.mortal = MortalWorld(sample)
        self.kept = MemoryStore(home / "deployments")
        super().__init__(home, self.mortal, self.kept)
        self.person = MortalUI(self.mortal)
        self.ui = self.person

    def run(self, command: str, moments: Moments) -> Any:
        """Deploy without --yes, or destroy the one deployment; return the result, None when the run was struck."""
        self.mortal.moments = moments
        self.store = ports.store(self.kept, moments)
        try:
            if command == "deploy":
                return self.deploy(yes=False)
            return self.conductor().rollback(self.states()[0].deployment_id)
        except (Killed, KeyboardInterrupt):
            return None
        except AgentError:
            if moments.struck:
                return None
            raise
        finally:
            self.mortal.moments, self.store = Moments(), self.kept

    def states(self) -> list[Any]:
        """Return all ledgers."""
        return list(self.kept.list())
