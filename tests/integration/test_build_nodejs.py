"""Real builds and trials of Node.js applications: the runtime is brought, a change of source alone leaves it be."""

from __future__ import annotations

import json
import random
import shutil
import subprocess
from pathlib import Path

import pytest
from fixtures.sources import EXPECTED, SAMPLES
from integration.building import World

from autodeploy.adapters.git import GitRepo
from autodeploy.analyser import analyse
from autodeploy.model import BuildArtifact, TechStack, scratch_database
from autodeploy.releaser import trial_environment

pytestmark = pytest.mark.local


def brought(world: World, name: str) -> Path:
    shutil.rmtree(world.root, ignore_errors=True)
    shutil.copytree(SAMPLES / name, world.root, ignore=shutil.ignore_patterns(*EXPECTED))
    return world.root


def built(world: World, root: Path) -> tuple[BuildArtifact, TechStack]:
    world.said.clear()
    stack = analyse(GitRepo(world.folder / "cache").checkout(str(root), None, ".", world.folder / "into"))
    return world.build(root, stack), stack


def listed(artifact: BuildArtifact) -> set[str]:
    done = subprocess.run(["tar", "--zstd", "-tf", artifact.path], capture_output=True, text=True, check=True)
    return set(done.stdout.split())


def answer(world: World, artifact: BuildArtifact, stack: TechStack) -> str:
    given = {variable.name: "a secret" for variable in stack.environment if variable.generated}
    environment = trial_environment(stack, given, scratch_database(stack))
    return str(world.builder.trial(artifact, stack, environment, world.said.append))


WITH_A_DATABASE = {"express-postgres": "/healthz", "express-mysql": "/status"}


def reaches_its_database(world: World, name: str) -> None:
    """Build an application and see it answer from its database."""
    artifact, stack = built(world, brought(world, name))
    assert answer(world, artifact, stack).startswith(f"HTTP 200 on {WITH_A_DATABASE[name]}")


@pytest.mark.nightly
@pytest.mark.parametrize("name", list(WITH_A_DATABASE))
def test_an_application_with_a_database_is_built_and_reaches_it(world: World, name: str) -> None:
    reaches_its_database(world, name)


SQLITE = """
const { Database } = require("sqlite3")
const database = new Database(":memory:")
require("http").createServer((_, answer) => database.get("select 7 as n", (_, row) => answer.end(`${row.n}`)))
  .listen(process.env.PORT || 3000)
"""


@pytest.mark.nightly
def test_what_is_compiled_finds_the_headers_of_the_runtime_and_runs(world: World) -> None:
    shutil.rmtree(world.root, ignore_errors=True)
    world.root.mkdir()
    package = {"name": "lite", "scripts": {"start": "node server.js"}, "dependencies": {"sqlite3": "5.1.7"}}
    (world.root / "package.json").write_text(json.dumps(package))
    (world.root / "server.js").write_text(SQLITE)
    artifact, stack = built(world, world.root)
    assert any(name.endswith("node_sqlite3.node") for name in listed(artifact))
    assert not any(name.startswith("runtime/include/") for name in listed(artifact))
    assert answer(world, artifact, stack).startswith("HTTP 200 on /")


def test_an_application_with_one_of_the_databases_reaches_it(world: World, chance: random.Random) -> None:
    reaches_its_database(world, chance.choice(list(WITH_A_DATABASE)))


def test_typescript_is_compiled_and_what_compiled_it_stays_behind(world: World) -> None:
    artifact, stack = built(world, brought(world, "nest-typescript"))
    assert answer(world, artifact, stack).startswith("HTTP 200 on /api/status/health")
    files = listed(artifact)
    assert {"src/dist/main.js", "src/node_modules/@nestjs/core/index.js", "runtime/bin/node"} <= files
    assert not any(file.startswith(("src/node_modules/typescript/", "runtime/include/")) for file in files)


def test_a_change_of_source_alone_reuses_runtime_and_dependencies(world: World) -> None:
    root = brought(world, "express-plain")
    first, stack = built(world, root)
    assert "Installing dependencies" in world.said
    (root / "server.js").write_text((root / "server.js").read_text().replace("status: 'ok'", "status: 'fine'"))
    second, _ = built(world, root)
    assert "Installing dependencies" not in world.said
    assert second.checksum != first.checksum
    assert listed(second) == listed(first)
    assert answer(world, second, stack).startswith("HTTP 200 on /health")
