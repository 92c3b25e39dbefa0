"""What several test files share: the account of a killed engine, and the builder with its repositories."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator
from datetime import datetime, timezone
from pathlib import Path

import pytest
from integration.building import World
from integration.killing import Place, account, running_loop

from autodeploy.adapters import tls
from autodeploy.local.provider import amis_file


@pytest.fixture(scope="module")
def loop() -> Iterator[asyncio.AbstractEventLoop]:
    with running_loop() as made:
        yield made


@pytest.fixture(scope="module")
def endpoint(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    amis = tmp_path_factory.mktemp("moto") / "amis.json"
    amis_file(amis)
    os.environ["MOTO_AMIS_PATH"] = str(amis)
    with account() as made:
        yield made


@pytest.fixture(scope="module")
def pair() -> tuple[str, str]:
    """A balancer's certificate and its key."""
    now = datetime.now(timezone.utc)
    return tls.issue(tls.make_authority("Test", now), ["localhost"], now)


@pytest.fixture
def place(
    tmp_path: Path, engine_binary: Path, endpoint: str, loop: asyncio.AbstractEventLoop, pair: tuple[str, str]
) -> Iterator[Place]:
    made = Place(tmp_path / "home", engine_binary, endpoint, loop, pair[1])
    yield made
    made.close()


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """One place for all repositories of a file, so that they share one cache and one virtual environment."""
    place = tmp_path_factory.mktemp("repository") / "repository"
    yield place
    World(place.parent, place).forget()


@pytest.fixture
def world(tmp_path: Path, repository: Path) -> World:
    return World(tmp_path, repository)
