"""A builder over a container engine that is played: what the tests of builds share."""

from __future__ import annotations

from pathlib import Path

from unit.adapters.fake_container_engine import FakeEngine

from autodeploy.adapters.build import ContainerBuilder, Limits, RegistrySettings
from autodeploy.model import BuildArtifact, BuildStep, Recipe, Source, TechStack

STACK = TechStack(
    language="python",
    runtime_version="3.11",
    build_tool="pip",
    start_command="gunicorn app:app",
    run_packages=("libpq5",),
)
RECIPE = Recipe(
    base_image="debian-12",
    steps=(
        BuildStep(what="Creating the virtual environment", command="python3 -m venv /app/venv", inputs=()),
        BuildStep(
            what="Installing dependencies", command="/app/venv/bin/python -m pip install -r r.txt", inputs=("r.txt",)
        ),
        BuildStep(what="Building the application", command="/app/venv/bin/python manage.py collectstatic --noinput"),
    ),
    keep=("src", "venv"),
    environment={"FLAG": "it's"},
)


class World:
    """A builder, its engine, a source, and what was said."""

    def __init__(self, folder: Path, limits: Limits | None = None) -> None:
        self.folder = folder
        self.engine = FakeEngine(folder / "engine")
        self.said: list[str] = []
        registries = RegistrySettings({"PIP_INDEX_URL": "https://index.example/simple"}, "PEM")
        self.builder = ContainerBuilder(
            self.engine.command, lambda kind, base, names, _: "-".join((kind, base, *names)),
            folder / "cache", registries, limits,
        )  # fmt: skip
        self.root = folder / "source"
        self.root.mkdir()
        (self.root / "r.txt").write_text("flask\n")
        (self.root / "run.sh").write_text("#!/bin/sh\n")
        (self.root / "run.sh").chmod(0o755)
        (self.root / "link").symlink_to("r.txt")
        self.source = Source("https://host/x", "c0ffee" * 6, self.root, ("link", "r.txt", "run.sh"))

    def build(self, source: Source | None = None, recipe: Recipe = RECIPE) -> BuildArtifact:
        return self.builder.build(source or self.source, STACK, recipe, self.folder / "out", self.said.append)
