"""Repo and Builder: a sample repository on disk, and an archive that is a small file."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Mapping
from pathlib import Path

from fixtures.sources import EXPECTED, SAMPLES

from autodeploy.model import BuildArtifact, Recipe, Sighting, Source, TechStack
from autodeploy.ports import Say
from fakes.world import World


class FakeRepo:
    """Every address holds the world's sample at the world's commit."""

    def __init__(self, world: World) -> None:
        self._world = world

    def checkout(self, url: str, ref: str | None, subdirectory: str, into: Path) -> Source:
        self._world.happens("checkout")
        if Path(url) == into:
            return self._world.checkouts[into]
        shutil.rmtree(into, ignore_errors=True)
        shutil.copytree(SAMPLES / self._world.sample, into, ignore=shutil.ignore_patterns("__pycache__", *EXPECTED))
        for path, text in self._world.texts.items():
            (into / path).write_text(text)
        root = into / subdirectory
        paths = sorted(path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_file())
        self._world.checkouts[into] = Source(url, self._world.commit, root, tuple(paths), subdirectory, ref)
        return self._world.checkouts[into]


class FakeBuilder:
    """Leaves a small file; its duration is the number of builds so far, so that a second build shows."""

    def __init__(self, world: World) -> None:
        self._world = world

    def build(self, source: Source, stack: TechStack, recipe: Recipe, into: Path, say: Say) -> BuildArtifact:
        self._world.happens("build")
        self._world.builds += 1
        content = "\0".join((source.commit, recipe.to_json(), *map(source.read, source.paths)))
        into.mkdir(parents=True, exist_ok=True)
        archive = into / "app.tar.zst"
        archive.write_text(content)
        say(f"packing {len(source.paths)} files")
        return BuildArtifact(
            path=str(archive),
            type="archive",
            size_bytes=len(content),
            checksum=hashlib.sha256(content.encode()).hexdigest(),
            build_command=recipe.steps[0].command,
            build_duration_seconds=float(self._world.builds),
            commit=source.commit,
            base_image=recipe.base_image,
            start_command=stack.start_command,
        )

    def trial(self, artifact: BuildArtifact, stack: TechStack, environment: Mapping[str, str], say: Say) -> Sighting:
        self._world.happens("trial")
        if not stack.is_web_service:
            return Sighting(outcome="running", seconds=0.1)
        path = stack.health_check_path
        return Sighting(outcome="answered", port=stack.port, path=path, status=200, seconds=0.1)
