"""The command line over a world of fakes: what is typed, what is shown on either stream, and the exit code."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from fakes.account import FakeCloud, FakeEngine
from fakes.host import FakeOutside, Hands
from fakes.line import Line
from fakes.source import FakeBuilder, FakeRepo
from fakes.world import World

from autodeploy import wiring
from autodeploy.agents.compiler import HiveMindCompiler
from autodeploy.agents.deployer import HiveMindDeployer
from autodeploy.agents.sheriff import HiveMindSheriff
from autodeploy.cli.app import app
from autodeploy.cli.outcome import run
from autodeploy.settings import Settings
from autodeploy.wiring import Wiring


class Terminal(io.StringIO):
    """A screen."""

    def isatty(self) -> bool:
        return True


class FakeLocal:
    """The embedded target's daemon: running or not."""

    def __init__(self) -> None:
        self.running = True
        self.machines = ["i-1 10.88.0.2 running"]

    def status(self) -> dict[str, object]:
        return {"daemon": "running" if self.running else "not running", "machines": self.machines, "databases": []}

    def down(self) -> None:
        self.running = False

    def reset(self) -> None:
        self.running, self.machines = False, []

    def ensure(self) -> None:
        self.running = True


class FakeWiring(Wiring):
    """The real wiring with the world's fakes as adapters; keys and certificates are real."""

    def __init__(self, settings: Settings, desk: Desk) -> None:
        super().__init__(settings)
        self.clock: Any = desk.line.clock
        self._desk = desk
        self._world = desk.line.world
        self._voice: Any = (self.ui, self.clock, self.store)

    @cached_property
    def local(self) -> Any:
        return self._desk.local

    @cached_property
    def cloud(self) -> Any:
        return FakeCloud(self._world, self._desk.line.bundle)

    @cached_property
    def engine(self) -> Any:
        if self.settings.target == "local":
            self.local.ensure()
        return FakeEngine(self._world)

    @cached_property
    def repo(self) -> Any:
        return FakeRepo(self._world)

    @cached_property
    def compiler(self) -> HiveMindCompiler:
        return HiveMindCompiler(self.repo, FakeBuilder(self._world), *self._voice, self.settings)

    @cached_property
    def deployer(self) -> HiveMindDeployer:
        hands = Hands(self._world)
        return HiveMindDeployer(hands.connect, hands.converge, self.cloud, FakeOutside(self._world), *self._voice)

    @cached_property
    def sheriff(self) -> HiveMindSheriff:
        hands = Hands(self._world)
        return HiveMindSheriff(hands.connect, hands.converge, FakeOutside(self._world), *self._voice, self.settings)


class Shown(NamedTuple):
    """What one command left."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


class Desk:
    """Somebody who types commands."""

    def __init__(self, home: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.line = Line(home, World())
        self.local = FakeLocal()
        self._capsys = capsys

    def type(self, *arguments: str) -> Shown:
        self._capsys.readouterr()
        code = run(app, arguments, lambda settings: FakeWiring(settings, self))
        return Shown(code, *self._capsys.readouterr())

    def deploy(self, *arguments: str) -> Any:
        """Deploy and return the ledger."""
        shown = self.type("deploy", "https://example.org/guestbook.git", "a guestbook", "--yes", "--json", *arguments)
        return self.line.store.load(shown.json["deployment_id"])

    def states(self) -> list[Any]:
        return list(self.line.store.list())


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Iterator[Desk]:
    for name in ("AUTODEPLOY_REGION", "AWS_REGION", "AWS_DEFAULT_REGION", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AUTODEPLOY_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("AUTODEPLOY_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("AUTODEPLOY_TARGET", "local")
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    wiring.terminal.cache_clear()  # it keeps the stderr of the test that opened it
    yield Desk(tmp_path / "home", capsys)
    wiring.terminal.cache_clear()
