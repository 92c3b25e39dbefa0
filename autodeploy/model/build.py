"""Recipe: what to run to build, and what to keep. BuildArtifact: what came out."""

from __future__ import annotations

from typing import Literal

from autodeploy.model.noun import Noun

BaseImage = Literal["debian-12", "debian-13"]

APP_PATH = "/app"
"""Where an application lives while it is built and while it runs (bound there from its release folder)."""


class BuildStep(Noun):
    """One shell command in the builder, run in /app/src; `what` is shown to people."""

    what: str
    command: str


class Recipe(Noun):
    """How to build one TechStack. `keep`: paths below /app that the artifact takes, less what `exclude` matches."""

    base_image: BaseImage
    steps: tuple[BuildStep, ...]
    keep: tuple[str, ...]
    exclude: tuple[str, ...] = (".git", "__pycache__")
    packages: tuple[str, ...] = ()
    environment: dict[str, str] = {}


class BuildArtifact(Noun):
    """A deployable archive. `path` is a tar.zst whose root is the content of /app; `checksum` is its SHA-256 in hex."""

    path: str
    type: Literal["directory", "archive", "binary"]
    size_bytes: int
    checksum: str
    build_command: str
    build_duration_seconds: float
    commit: str = ""
    base_image: BaseImage = "debian-12"
    start_command: str = ""
    run_packages: tuple[str, ...] = ()
    runtime_version: str = ""
