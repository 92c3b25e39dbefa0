"""The design document's performance targets on the local target, and what cloning costs beside git itself."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from fixtures.large import MEGABYTE, large_repository
from integration.world import World, world
from performance.conftest import Figure

from autodeploy.adapters.git import GitRepo
from autodeploy.settings import load

MINUTE = 60.0

pytestmark = [pytest.mark.performance, pytest.mark.local]


def seconds(action: Callable[[], object]) -> float:
    began = time.monotonic()
    action()
    return time.monotonic() - began


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return large_repository(tmp_path_factory.mktemp("large") / "large.git")


def test_a_repository_of_500_mb_is_cloned_within_two_minutes(repository: Path, tmp_path: Path, figure: Figure) -> None:
    url, repo = f"file://{repository}", GitRepo(tmp_path / "cache")
    plain = ["git", "clone", "--quiet", "--depth", "1", url, str(tmp_path / "plain")]
    theirs = seconds(lambda: subprocess.run(plain, check=True))
    ours = seconds(lambda: repo.checkout(url, None, ".", tmp_path / "source"))
    again = seconds(lambda: repo.checkout(url, None, ".", tmp_path / "source"))
    taken = sum(path.stat().st_size for path in (tmp_path / "source").rglob("*") if path.is_file())
    assert taken >= 500 * MEGABYTE
    figure("cloning 500 MB", ours, 2 * MINUTE, "s")
    figure("cloning 500 MB / git clone --depth 1", ours / theirs, 2, "times")
    figure("cloning 500 MB again / the first time", again / ours, 1, "times")


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """Open a world whose cache holds the engine and nothing else, so that the build is a first one."""
    folder = tmp_path_factory.mktemp("targets")
    (folder / "cache").mkdir()
    (folder / "cache" / "engine").symlink_to(load({}).cache / "engine")
    with world(folder) as made:
        made.environment["AUTODEPLOY_CACHE"] = str(folder / "cache")
        yield made


def test_a_deployment_with_a_database_keeps_the_documents_targets(place: World, figure: Figure) -> None:
    deploy = ("deploy", str(place.repository("flask-postgres")), "a guestbook", "--target", "local", "--yes")
    first: list[Any] = []
    whole = seconds(lambda: first.append(place.run(*deploy)))
    assert first[0].returncode == 0, first[0].stderr
    state = place.json("status")
    took = state["performance"]
    figure("build and trial of Flask with PostgreSQL", took["stage_seconds"]["build"], 10 * MINUTE, "s")
    figure("network, machine, database and balancer", took["provisioning_seconds"], 5 * MINUTE, "s")
    figure("start-up of the application", took["startup_seconds"], 30, "s")
    figure("a whole deployment", whole, 20 * MINUTE, "s")
    figure("a whole deployment / its stages", whole / took["total_seconds"], 1.5, "times")
    assert took["startup_seconds"] > 0
    assert took["artifact_bytes"] == Path(state["build_artifact"]["path"]).stat().st_size
    again = seconds(lambda: first.append(place.run(*deploy)))
    assert first[1].returncode == 0, first[1].stderr
    figure("an unchanged deployment / the first", again / whole, 0.5, "times")
    assert place.json("status")["performance"]["startup_seconds"] == took["startup_seconds"]
