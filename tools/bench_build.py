"""The builder's part of the bench: an unchanged commit, a change of one line, and the memory that a large tree takes.

Each build has caches of its own, which are removed.
"""

from __future__ import annotations

import hashlib
import multiprocessing
import os
import resource
import shutil
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

from autodeploy.adapters.build import ContainerBuilder, Limits, operator_registries
from autodeploy.adapters.git import GitRepo
from autodeploy.analyser import analyse
from autodeploy.builder import recipe
from autodeploy.local.containers import container_engine
from autodeploy.local.packages import ensure_packages
from autodeploy.model import BuildStep, Recipe, Source, TechStack

SAMPLES = Path(__file__).parents[1] / "tests" / "fixtures" / "sample_repos"
LANGUAGES = {
    "nodejs": ("express-plain", "server.js"),
    "python": ("flask-postgres", "app.py"),
    "go": ("go-plain", "main.go"),
}
CHANGED_LIMITS = {"nodejs": 0.4, "python": 0.4}
UNCHANGED_SECONDS = 1.0
LARGE_BYTES = 1_000_000_000
LARGE_MEGABYTES = 200

Verdict = Callable[[str, list[float], float], None]


def builds(folder: Path, verdict: Verdict) -> None:
    """Print what builds cost, each language and a tree of one gigabyte, and forget what they left."""
    folder.mkdir()
    for language, (name, file) in LANGUAGES.items():
        root = folder / name
        shutil.copytree(SAMPLES / name, root)
        try:
            cold = timed(folder, root)
            place = next(root.rglob(file))
            place.write_text(place.read_text() + ("# one line\n" if language == "python" else "// one line\n"))
            changed, unchanged = timed(folder, root), timed(folder, root)
        finally:
            forget(root)
        print(f"{language} build: {cold:.1f} s cold, {changed:.1f} s after a change, {unchanged:.2f} s unchanged")
        if language in CHANGED_LIMITS:
            verdict(f"{language} one line / cold build", [changed / cold], CHANGED_LIMITS[language])
        verdict(f"{language} unchanged build, s", [unchanged], UNCHANGED_SECONDS)
    verdict("memory for 1 GB, MB", [large(folder)], LARGE_MEGABYTES)


def timed(folder: Path, root: Path) -> float:
    """Build what is in `root`; return the seconds, without the checkout."""
    source = GitRepo(folder / "clones").checkout(str(root), None, ".", folder / "into")
    stack = analyse(source)
    begun = time.monotonic()
    builder(folder).build(source, stack, recipe(stack, source), folder / "out", print_nothing)
    return time.monotonic() - begun


def builder(folder: Path, limits: Limits | None = None) -> ContainerBuilder:
    """Return the real builder with a cache of its own."""
    engine = container_engine()
    registries = operator_registries(os.environ, Path.home())
    return ContainerBuilder(engine.command("run", "--rm", *engine.limits), ensure_packages, folder, registries, limits)


def large(folder: Path) -> float:
    """Return the megabytes that our own process takes to build a gigabyte; the container may take no more either."""
    root = folder / "large"
    root.mkdir()
    for number in range(10):
        (root / f"{number}.bin").write_bytes(os.urandom(LARGE_BYTES // 10))
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        megabytes = pool.apply(packed, (folder, root))
    forget(root)
    return megabytes


def packed(folder: Path, root: Path) -> float:
    """Build a tree within the limit of memory; return this process's own largest size, in megabytes."""
    source = Source(str(root), "large", root, tuple(sorted(path.name for path in root.iterdir())))
    stack = TechStack(language="go", runtime_version="1.24", build_tool="go")
    steps = (BuildStep(what="Nothing", command="true"),)
    made = builder(folder, Limits(memory=f"{LARGE_MEGABYTES}m")).build(
        source, stack, Recipe(base_image="debian-12", steps=steps, keep=("src",)), folder / "out", print_nothing
    )
    assert made.size_bytes > LARGE_BYTES
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000


def forget(root: Path) -> None:
    """Remove the volume that the builds of a repository left in the engine."""
    owner = hashlib.sha256(f"{root}\0.".encode()).hexdigest()[:16]
    command = container_engine().command("volume", "rm", "--force", f"autodeploy-cache-{owner}")
    subprocess.run(command, check=False, capture_output=True)


def print_nothing(_: str) -> None:
    """Say nothing."""
