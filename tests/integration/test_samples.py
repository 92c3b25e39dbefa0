"""Each folder of sample_repos/ is built and booted in a trial: `make test-samples`, one of them with `-k NAME`.

Archives and package caches are kept between runs; a sample that did not change is not built again.
"""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from fixtures.sources import SAMPLES, sample

from autodeploy import settings
from autodeploy.adapters.build import ContainerBuilder, operator_registries
from autodeploy.analyser import analyse
from autodeploy.builder import recipe
from autodeploy.local.containers import container_engine
from autodeploy.local.packages import ensure_packages
from autodeploy.model import Source, TechStack, scratch_database
from autodeploy.releaser import trial_environment

REPRESENTATIVE = frozenset(
    {
        "django-postgres",
        "express-berry",
        "express-mysql",
        "fastapi-plain",
        "flask-factory",
        "go-postgres",
        "go-vendor",
        "hono-bun",
        "nest-typescript",
        "python-worker",
        "uv-starlette",
        "vite-static",
    }
)
"""Those that every `make test` builds and boots."""

OURS = frozenset({"DATABASE_URL", "PORT"})


def _marked(name: str) -> object:
    return pytest.param(name, marks=[pytest.mark.local] if name in REPRESENTATIVE else [], id=name)


NAMES = sorted(path.name for path in SAMPLES.iterdir() if path.is_dir())


def committed(source: Source) -> Source:
    """Return the source under a commit that its content decides; all samples of one cache share the packages."""
    total = hashlib.sha256()
    for path in source.paths:
        full = source.root / path
        content = str(full.readlink()).encode() if full.is_symlink() else full.read_bytes()
        total.update(f"{path}\0{full.lstat().st_mode & stat.S_IXUSR}\0{len(content)}\0".encode() + content)
    return replace(source, url="file:///samples", commit=total.hexdigest()[:40])


def given(stack: TechStack, filled: Sequence[str]) -> dict[str, str]:
    """Return a value for each variable that a person would be asked for, or that would be generated."""
    wanted = [v for v in stack.environment if v.default is None and (v.required or v.generated)]
    return {v.name: _value(v.name) for v in wanted if v.name not in {*OURS, *filled}}


def _value(name: str) -> str:
    if "REDIS" in name or "CELERY" in name:
        return "redis://127.0.0.1:6379/0"
    if name.endswith(("_URL", "_URI", "_ORIGIN", "_ENDPOINT")):
        return "https://service.example.org"
    numeric = name.endswith(("_PORT", "_COUNT", "_SECONDS", "_MS", "_SIZE", "_LIMIT"))
    return "5000" if numeric else "a-secret-of-the-sample" * 2


@pytest.mark.samples
@pytest.mark.parametrize("name", [_marked(name) for name in NAMES])
def test_the_sample_is_built_and_boots(name: str, tmp_path: Path) -> None:
    engine = container_engine()
    builder = ContainerBuilder(
        engine.command("run", "--rm", *engine.limits),
        ensure_packages,
        settings.load({}, folder=tmp_path).cache / "samples" / name,
        operator_registries(os.environ, Path.home()),
    )
    source = committed(sample(name))
    stack = analyse(source)
    artifact = builder.build(source, stack, recipe(stack, source), tmp_path, print)
    environment = trial_environment(stack, given(stack, stack.facts("database_variable")), scratch_database(stack))
    seen = builder.trial(artifact, stack, environment, print)
    if stack.is_web_service:
        assert (seen.outcome, seen.port, seen.path) == ("answered", stack.port, stack.health_check_path), seen
        assert 200 <= seen.status < 400, seen
    else:
        assert seen.outcome == "running", seen


def test_those_of_every_day_are_there() -> None:
    assert set(NAMES) >= REPRESENTATIVE
