"""The cache of archives: a digest of everything that goes into a build names it; what is damaged counts as missing."""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pydantic import ValidationError

from autodeploy.adapters.build import archive
from autodeploy.model import BuildArtifact, Recipe, Source, TechStack, manifest

KEPT = 20
ARCHIVE = "archive.tar.zst"


def key(source: Source, recipe: Recipe, image: str) -> str:
    """Return the name of a build: the same commit, folder, recipe and image give the same archive."""
    parts = (source.commit, source.subdirectory, recipe.digest(), image)
    return hashlib.sha256("\0".join(parts).encode("utf-8", "surrogateescape")).hexdigest()


def layer_key(source: Source, recipe: Recipe, image: str) -> tuple[str, int]:
    """Return a name for what the first steps leave behind, and how many they are; "" and 0 where none can be kept.

    Those are the steps whose inputs are known: a change elsewhere in the source does not change what they do.
    """
    total = hashlib.sha256(f"{image}\0{recipe.environment}".encode())
    count = 0
    for step in recipe.steps:
        if step.inputs is None:
            break
        count += 1
        total.update(f"\0{step.command}".encode())
        for path in step.inputs:
            total.update(f"\0{path}\0".encode() + (source.root / path).read_bytes())
    return (total.hexdigest()[:32], count) if count else ("", 0)


def checksum(path: Path) -> str:
    """Return a file's SHA-256 in hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@contextmanager
def named(place: Path) -> Iterator[None]:
    """Let the system's errors name `place` where they name no file, as those of a write do not."""
    try:
        yield
    except OSError as err:
        err.filename = err.filename or str(place)
        raise


class ArtifactCache:
    """Archives under <cache>/artifacts/<key>/, each beside its artifact.json."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @contextmanager
    def held(self, name: str) -> Iterator[None]:
        """Hold one build for this process, so that two of the same do not run side by side."""
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        with (self._folder / f"{name}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    @contextmanager
    def running(self, name: str, container: str) -> Iterator[str]:
        """Note which container builds, while it is held; yield the one that a killed run left at it, "" for none."""
        note = self._folder / f"{name}.running"
        orphan = note.read_text("utf-8") if note.exists() else ""
        with named(note):
            note.write_text(container, "utf-8")
        try:
            yield orphan
        finally:
            note.unlink()

    def find(self, name: str) -> BuildArtifact | None:
        """Return the archive of an earlier build as it was kept, None when there is none."""
        folder = self._folder / name
        try:
            artifact = BuildArtifact.model_validate_json((folder / "artifact.json").read_bytes())
            os.utime(folder)
        except (OSError, ValidationError):
            return None
        return artifact

    def keep(self, name: str, tree: Path, artifact: BuildArtifact) -> None:
        """Take an archive over, and drop those that were not asked for longest."""
        folder = self._folder / name
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        with named(folder):
            shutil.move(tree, folder / ARCHIVE)  # home and cache may be on two file systems
            (folder / "artifact.json").write_text(artifact.to_json(), "utf-8")
        others = sorted(
            (path for path in self._folder.iterdir() if path.is_dir()), key=lambda path: path.stat().st_mtime
        )
        for old in others[:-KEPT]:
            shutil.rmtree(old, ignore_errors=True)

    def bring(self, name: str, kept: BuildArtifact, stack: TechStack, into: Path) -> BuildArtifact | None:
        """Leave the archive with its manifest in `into`, under its checksum; None when it was damaged since."""
        into.mkdir(parents=True, exist_ok=True)
        partial = into / f".{name[:16]}.assembled.partial"
        try:
            with named(partial):
                done = archive.assemble(self._folder / name / ARCHIVE, manifest(kept, stack), partial)
            if done.body != kept.checksum:
                return None
            place = into / f"{done.checksum[:16]}.tar.zst"
            partial.replace(place)
        except FileNotFoundError:
            return None
        finally:
            partial.unlink(missing_ok=True)
        return kept.but(path=str(place), checksum=done.checksum, size_bytes=done.size_bytes)
