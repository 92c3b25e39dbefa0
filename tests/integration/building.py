"""The real builder in real containers, with a place for the repositories that the tests make."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
from pathlib import Path

from autodeploy.adapters.build import ContainerBuilder, Limits, operator_registries
from autodeploy.adapters.git import GitRepo
from autodeploy.builder import recipe
from autodeploy.local.containers import container_engine
from autodeploy.local.packages import ensure_packages
from autodeploy.model import BuildArtifact, TechStack, scratch_database
from autodeploy.releaser import trial_environment

BARE = TechStack(
    language="python", runtime_version="3.11", build_tool="pip", start_command="/app/venv/bin/python app.py"
)


class World:
    """The real builder with a cache of its own."""

    def __init__(self, folder: Path, root: Path, limits: Limits | None = None) -> None:
        engine = container_engine()
        self.folder = folder
        self.root = root
        self.said: list[str] = []
        self.program = engine.program
        self.builder = ContainerBuilder(
            engine.command("run", "--rm", *engine.limits),
            ensure_packages,
            folder / "cache",
            operator_registries(os.environ, Path.home()),
            limits,
        )

    def write(self, **files: str) -> Path:
        shutil.rmtree(self.root, ignore_errors=True)
        self.root.mkdir()
        for name, content in files.items():
            (self.root / name).write_text(content)
        return self.root

    def build(self, root: Path, stack: TechStack) -> BuildArtifact:
        source = GitRepo(self.folder / "cache").checkout(str(root), None, ".", self.folder / "into")
        return self.builder.build(source, stack, recipe(stack, source), self.folder / "out", self.said.append)

    def trial(self, artifact: BuildArtifact, stack: TechStack) -> str:
        environment = trial_environment(stack, {}, scratch_database(stack))
        return str(self.builder.trial(artifact, stack, environment, self.said.append))

    def running(self) -> str:
        """Return the containers that build this repository; those of other tests are at work beside it."""
        own = ["--filter", "label=autodeploy.kind=build", "--filter", f"volume={self._volume()}"]
        command = [self.program, "ps", "--quiet", *own]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout

    def forget(self) -> None:
        """Remove what earlier builds of the repository left in the engine's volume."""
        command = [self.program, "volume", "rm", "--force", self._volume()]
        subprocess.run(command, capture_output=True, check=True)

    def _volume(self) -> str:
        owner = hashlib.sha256(f"{self.root}\0.".encode()).hexdigest()[:16]
        return f"autodeploy-cache-{owner}"
