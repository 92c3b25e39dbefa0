"""kill -9 of the engine while real machines boot and go: each is there once afterwards, or not at all."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import boto3
import pytest
from integration.killing import ID, REGION, kill_engine, standing
from integration.test_engine_kills import WHOLE, plan

from autodeploy import settings
from autodeploy.adapters import keys, tls
from autodeploy.adapters.aws import AwsCloud
from autodeploy.adapters.pulumi import PulumiEngine
from autodeploy.errors import InfrastructureError
from autodeploy.local.client import LocalTarget
from autodeploy.local.containers import container_engine
from autodeploy.local.fleet import Fleet, Member
from stacks.program import program

pytestmark = [pytest.mark.local, pytest.mark.nightly]


class Place:
    """A home with its daemon, machines and engine."""

    def __init__(self, home: Path, executable: Path) -> None:
        self.home = home
        self.target = LocalTarget(home, settings.load({}).cache)
        self.daemon = self.target.ensure()
        self.cloud = AwsCloud("local", REGION, endpoint_url=self.daemon.aws_endpoint, settled=self.target.settle)
        environment = {
            "PULUMI_DEBUG_PROVIDERS": f"aws:{self.daemon.provider_port}",
            "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
        }
        self.engine = PulumiEngine(
            program, home, home, environment, refresh=True, orphans=self.cloud, executable=lambda say: executable
        )

    def aws(self, service: str) -> Any:
        """Return a client of the account."""
        keys = {"aws_access_key_id": "test", "aws_secret_access_key": "test"}
        return boto3.client(service, region_name=REGION, endpoint_url=self.daemon.aws_endpoint, **keys)

    def members(self) -> list[Member]:
        """Return the home's containers."""
        return asyncio.run(Fleet(container_engine(), self.home, "").members())

    def kinds(self) -> list[str]:
        """Return what the home's containers are."""
        return sorted(member.kind for member in self.members())

    @contextmanager
    def killing_when(self, due: Callable[[list[str]], bool]) -> Iterator[list[int]]:
        """Kill the engine as soon as the home's containers are so."""
        killed: list[int] = []

        def watch() -> None:
            deadline = time.monotonic() + 120
            while time.monotonic() < deadline:
                if due(self.kinds()):
                    killed.append(kill_engine(self.home))
                    return
                time.sleep(0.1)

        watcher = threading.Thread(target=watch)
        watcher.start()
        yield killed
        watcher.join()


@pytest.fixture
def place(tmp_path: Path, engine_binary: Path) -> Iterator[Place]:
    made = Place(tmp_path / "home", engine_binary)
    yield made
    made.target.reset()


@pytest.mark.parametrize("kind", ["machine", "database"])
def test_an_engine_killed_while_a_machine_boots_and_while_it_goes(place: Place, kind: str) -> None:
    now = datetime.now(timezone.utc)
    certificate, key = tls.issue(tls.make_authority("Test", now), ["localhost"], now)
    wanted = plan(certificate)
    assert wanted.database and wanted.web
    wanted = wanted.but(
        ssh_public_key=keys.generate()[1],
        web=wanted.web.but(deletion_protection=False),
        database=wanted.database.but(deletion_protection=False),
    )
    secrets, before = {"certificateKey": key}, standing(place.aws)
    said: list[str] = []

    with place.killing_when(lambda kinds: kind in kinds) as killed, pytest.raises(InfrastructureError, match="killed"):
        place.engine.up(wanted, secrets, None, said.append)
    assert killed
    outputs = place.engine.up(wanted, secrets, None, said.append)
    assert standing(place.aws) - before == WHOLE, said
    assert place.kinds() == ["database", "machine"]
    addresses = {member.kind: member.address for member in place.members()}
    assert outputs["publicIp"] == addresses["machine"] and outputs["databaseEndpoint"] == addresses["database"]
    assert place.engine.preview(wanted, secrets, None, said.append).changes == ()

    with (
        place.killing_when(lambda kinds: kind not in kinds) as killed,
        pytest.raises(InfrastructureError, match="killed"),
    ):
        place.engine.destroy(ID, said.append)
    assert killed
    place.engine.destroy(ID, said.append)
    assert place.engine.resources(ID) == [] and place.kinds() == []
    assert standing(place.aws) == before, said
    assert place.cloud.leftovers(ID) == []
