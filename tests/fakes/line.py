"""The real agents and the real conductor over one world of fakes."""

from __future__ import annotations

import itertools
from datetime import datetime
from pathlib import Path
from typing import Any

from autodeploy.adapters.store import FileStore
from autodeploy.agents.choices import request_of
from autodeploy.agents.compiler import HiveMindCompiler
from autodeploy.agents.deployer import HiveMindDeployer
from autodeploy.agents.keyring import Certificate, Keyring
from autodeploy.agents.provisioner import HiveMindProvisioner
from autodeploy.agents.sheriff import HiveMindSheriff
from autodeploy.conductor import Agents, HiveMindConductor, Wish
from autodeploy.model import CloudFacts, DeploymentResult, DeploymentState, Stage
from autodeploy.ports import Store
from autodeploy.settings import Settings
from fakes.account import FakeCloud, FakeEngine
from fakes.host import FakeOutside, Hands
from fakes.person import FakeClock, FakeUI
from fakes.source import FakeBuilder, FakeRepo
from fakes.world import World

URL = "https://example.org/guestbook.git"
DESCRIPTION = "a guestbook"
CERTIFICATE_KEY = "-----BEGIN PRIVATE KEY-----\nthe-leaf-of-the-balancer\n-----END PRIVATE KEY-----\n"
SSH_KEY = "-----BEGIN OPENSSH PRIVATE KEY-----\nof-the-machine\n-----END OPENSSH PRIVATE KEY-----\n"

BREAKS: dict[Stage, str] = {
    "analyze": "checkout",
    "build": "build",
    "plan": "preview",
    "provision": "up",
    "deploy": "converge",
    "harden": "open ports",
}
"""For each stage one operation of the world that it cannot do without."""


def certify(deployment_id: str, facts: CloudFacts, domain: str | None, kept: Certificate, now: datetime) -> Certificate:
    """Return texts in the shape of a certificate."""
    return (
        kept
        if kept.leaf and kept.key
        else Certificate("leaf\n", CERTIFICATE_KEY, "authority\n", "key of the authority\n")
    )


class Line:
    """One operator's AutoDeploy over a world; each `conductor()` is a new run of the command."""

    def __init__(self, home: Path, world: World | None = None, store: Store | None = None) -> None:
        self.home = home
        self.world = world or World()
        self.store: Any = store or FileStore(home)
        self.clock = FakeClock()
        self.ui = FakeUI()
        self.bundle = home / "rds-ca.pem"
        home.mkdir(parents=True, exist_ok=True)
        self.bundle.write_text("authority of the databases\n")
        self._tokens = (f"{number:06x}" for number in itertools.count(1))

    def settings(self, **chosen: Any) -> Settings:
        """Return the settings of one run."""
        return Settings.model_validate(
            {"home": self.home, "cache": self.home / "cache", "target": self.world.facts.target, "yes": True, **chosen}
        )

    def agents(self, settings: Settings) -> Agents:
        """Return the real agents over the fakes."""
        world, voice = self.world, (self.ui, self.clock, self.store)
        hands, outside, cloud = Hands(world), FakeOutside(world), FakeCloud(world, self.bundle)

        def new_key() -> tuple[str, str]:
            return SSH_KEY, "ssh-ed25519 AAAA autodeploy"

        keys = Keyring(self.store, self.clock, new_key, certify)
        return Agents(
            HiveMindCompiler(FakeRepo(world), FakeBuilder(world), *voice, settings),
            HiveMindProvisioner(FakeEngine(world), cloud, keys, *voice, settings),
            HiveMindDeployer(hands.connect, hands.converge, cloud, outside, *voice),
            HiveMindSheriff(hands.connect, hands.converge, outside, *voice, settings),
        )

    def conductor(self, **chosen: Any) -> HiveMindConductor:
        """Return the conductor of one run."""
        settings = self.settings(**chosen)
        wish = Wish(
            target=self.world.facts.target,
            name=settings.name,
            request=request_of(settings),
            new=settings.new,
            approve=settings.yes,
            keep=settings.keep,
            run_tests=settings.run_tests,
            repair_drift=settings.repair_drift,
        )
        cloud = FakeCloud(self.world, self.bundle)
        agents = self.agents(settings)
        return HiveMindConductor(agents, cloud, self.store, self.ui, self.clock, wish, lambda: next(self._tokens))

    def deploy(self, url: str = URL, description: str = DESCRIPTION, **chosen: Any) -> DeploymentResult:
        """Run `deploy` once."""
        return self.conductor(**chosen).deploy(url, description)

    def ledger(self, result: DeploymentResult) -> DeploymentState:
        """Return the ledger behind a result."""
        state: DeploymentState = self.store.load(result.deployment_id)
        return state

    def break_at(self, stage: Stage, error: BaseException) -> None:
        """Let the stage meet `error` once."""
        self.world.broken[BREAKS[stage]].append(error)
