"""Fixtures of the local target's unit tests: a fake container engine on PATH, certificates, an upstream."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from fixtures.ports import free_port

from autodeploy.local import balancer
from autodeploy.local.containers import container_engine

from . import fake_engine

Install = Callable[..., Path]


@pytest.fixture(autouse=True)
def own_ports(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let balancers look for ports where no other process does, which would take what a test has just let go."""
    monkeypatch.setattr(balancer, "FIRST", {scheme: free_port() for scheme in balancer.FIRST})


@pytest.fixture
def engine_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Install]:
    """Return a function that makes a fake engine the only one on PATH and returns its state file."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for tool in ("sh", "runc"):
        (folder / tool).symlink_to("/bin/sh")
    monkeypatch.setenv("PATH", str(folder))
    container_engine.cache_clear()
    yield lambda program="podman", **settings: fake_engine.install(folder, program, **settings)
    container_engine.cache_clear()


@pytest.fixture
def podman(engine_path: Install) -> Path:
    """Install a fake podman, return its state file."""
    return engine_path("podman")


def containers(state: Path) -> dict[str, dict]:
    """Return the fake engine's containers."""
    return dict(json.loads(state.read_text())["containers"])
