"""The real wiring of a run, with every port counted and a person who answers at most one question."""

from __future__ import annotations

from functools import cached_property
from typing import Any

from autodeploy import certifying, wiring
from autodeploy.adapters.git import GitRepo
from autodeploy.adapters.keys import generate
from autodeploy.adapters.outside import OutsideWorld
from autodeploy.agents.compiler import HiveMindCompiler
from autodeploy.agents.deployer import HiveMindDeployer
from autodeploy.agents.keyring import Keyring
from autodeploy.agents.provisioner import HiveMindProvisioner
from autodeploy.agents.sheriff import HiveMindSheriff
from autodeploy.converger import converge
from autodeploy.errors import ApprovalError
from autodeploy.settings import Settings
from interrupted import ports
from interrupted.effects import Effects


class Person:
    """The terminal, with somebody before it who says yes, or who is not there (`answers` is False)."""

    def __init__(self, terminal: Any, answers: bool, effects: Effects) -> None:
        self._terminal = terminal
        self._answers = answers
        self._effects = effects

    def __getattr__(self, name: str) -> Any:
        return getattr(self._terminal, name)

    def confirm(self, question: str) -> bool:
        if not self._answers:
            raise ApprovalError(f"asked again: {question}", "It was answered before.", context="Asking")
        return bool(self._effects.around("ui.confirm", lambda: True))


class InterruptedWiring(wiring.Wiring):
    """Hands the agents counted ports."""

    def __init__(self, settings: Settings, answers: bool, effects: Effects) -> None:
        super().__init__(settings)
        self._answers = answers
        self._effects = effects
        self.store: Any = ports.store(self.store, effects)
        self._hands = ports.Hands(wiring.connect, converge, effects)

    @property
    def ui(self) -> Any:
        return Person(super().ui, self._answers, self._effects)

    @cached_property
    def cloud(self) -> Any:
        return ports.cloud(super().cloud, self._effects)

    @cached_property
    def engine(self) -> Any:
        return ports.EnginePort(super().engine, self._effects)

    @cached_property
    def builder(self) -> Any:
        return ports.BuilderPort(super().builder, self._effects)

    @cached_property
    def compiler(self) -> HiveMindCompiler:
        repo = ports.repo(GitRepo(self.settings.cache, self.ui.say), self._effects)
        return HiveMindCompiler(repo, self.builder, *self._voice, self.settings)

    @cached_property
    def provisioner(self) -> HiveMindProvisioner:
        def new_key() -> tuple[str, str]:
            pair: tuple[str, str] = self._effects.around("keys", generate)
            return pair

        def certify(*given: Any) -> Any:
            return self._effects.around("certify", lambda: certifying.certify(*given))

        keys = Keyring(self.store, self.clock, new_key, certify)
        return HiveMindProvisioner(self.engine, self.cloud, keys, *self._voice, self.settings)

    @cached_property
    def deployer(self) -> HiveMindDeployer:
        return HiveMindDeployer(self._hands.connect, self._hands.converge, self.cloud, self._outside, *self._voice)

    @cached_property
    def sheriff(self) -> HiveMindSheriff:
        return HiveMindSheriff(self._hands.connect, self._hands.converge, self._outside, *self._voice, self.settings)

    @property
    def _voice(self) -> tuple[Any, Any, Any]:
        return self.ui, self.clock, self.store

    @cached_property
    def _outside(self) -> Any:
        return ports.outside(OutsideWorld(), self._effects)
