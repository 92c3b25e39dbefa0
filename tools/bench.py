"""Prints what a deployment costs in time: seconds per stage, and the ratios AutoDeploy holds itself to.

Uses a home of its own under a temporary folder and leaves nothing running. Ratios are medians of pairs taken in turn,
so that a machine whose speed drifts does not decide them.
"""

from __future__ import annotations

import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from analysis_bench import analyses
from bench_build import builds
from bench_engine import engines
from fixtures.large import large_repository

from autodeploy import settings
from autodeploy.adapters.git import GitRepo
from autodeploy.local.client import LocalTarget
from autodeploy.model import DeploymentState

ROOT = Path(__file__).parents[1]
SAMPLES = ROOT / "tests" / "fixtures" / "sample_repos"
SAMPLE = SAMPLES / "flask-postgres"
PAIRS = 3
HELP_PAIRS = 15
CLONE_LIMIT = 1.15
HELP_LIMIT = 1.5
UNCHANGED_LIMIT = 0.25
CRITICAL_PATH_LIMIT = 1.10


def seconds(action: Callable[[], object]) -> float:
    """Time one call by the wall."""
    os.sync()  # what was written before is not to be paid for now
    begun = time.monotonic()
    action()
    return time.monotonic() - begun


def autodeploy(home: Path, *arguments: str) -> Any:
    """Run the command line and return its JSON."""
    command = [sys.executable, "-m", "autodeploy", *arguments]
    environment = {**os.environ, "AUTODEPLOY_HOME": str(home)}
    done = subprocess.run(command, env=environment, cwd=home, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"{' '.join(arguments)} ended with {done.returncode}:\n{done.stderr}")
    return json.loads(done.stdout) if "--json" in arguments else None


def deployments(home: Path, repository: Path) -> DeploymentState:
    """Deploy the sample twice; print seconds per stage and whole; return the ledger.

    The emulated account is there first, as an account at AWS is: its start is a row of its own.
    """
    services = seconds(LocalTarget(home, settings.load({"home": home}).cache).ensure)
    print(f"emulated account started in {services:.1f} s")
    whole, states = [], []
    for _ in range(2):
        deploy = ("deploy", str(repository), "--target", "local", "--yes", "--json")
        whole.append(seconds(lambda deploy=deploy: autodeploy(home, *deploy)))
        shown = autodeploy(home, "status", "guestbook", "--json")
        print(f"start-up {shown.pop('performance')['startup_seconds']:.1f} s")
        states.append(DeploymentState.model_validate(shown))
    print(f"{'seconds per stage':22}{'first':>10}{'unchanged':>12}")
    for stage, record in states[0].stages.items():
        again = states[1].stages[stage]
        skipped = again.finished_at == record.finished_at
        print(f"{stage:22}{record.seconds:>10.1f}{'skipped' if skipped else f'{again.seconds:.1f}':>12}")
    print(f"{'whole command':22}{whole[0]:>10.1f}{whole[1]:>12.1f}")
    stages = sum(record.seconds for record in states[0].stages.values())
    verdict("first deploy / its stages", [whole[0] / stages], CRITICAL_PATH_LIMIT)
    verdict("unchanged deploy / first", [whole[1] / whole[0]], UNCHANGED_LIMIT)
    return states[1]


def clones(folder: Path) -> None:
    """Compare a first clone of 500 MB with git's own shallow one, and a second one with the first."""
    url, whole, again = f"file://{large_repository(folder / 'large.git')}", [], []
    for pair in range(PAIRS):
        place = folder / f"clones-{pair}"
        plain = ["git", "clone", "--quiet", "--depth", "1", url, str(place / "plain")]
        theirs = seconds(lambda plain=plain: subprocess.run(plain, check=True))
        repo = GitRepo(place / "cache")
        ours, second = (seconds(lambda: repo.checkout(url, None, ".", place / "source")) for _ in range(2))  # noqa: B023
        whole.append(ours / theirs)
        again.append(second / ours)
        shutil.rmtree(place)
    verdict("clone / git clone --depth 1", whole, CLONE_LIMIT)
    verdict("second clone / first", again, 1)


def helps(folder: Path) -> None:
    """Compare `--help` with that of a typer program that does nothing."""
    bare = folder / "bare.py"
    lines = (
        "import typer",
        "app = typer.Typer(rich_markup_mode=None)",
        "@app.command()",
        "def main(name: str) -> None: ...",
    )
    bare.write_text("\n".join((*lines, "app()", "")))
    programs = [[sys.executable, "-m", "autodeploy", "--help"], [sys.executable, str(bare), "--help"]]
    ratios = []
    for _ in range(HELP_PAIRS):
        ours, theirs = (
            seconds(lambda program=program: subprocess.run(program, check=True, stdout=subprocess.DEVNULL))
            for program in programs
        )
        ratios.append(ours / theirs)
    verdict("--help / bare typer", ratios, HELP_LIMIT)


def verdict(what: str, ratios: list[float], limit: float) -> None:
    """Print one ratio beside its limit."""
    found = statistics.median(ratios)
    print(f"{what:28}{found:>8.2f}   limit {limit}   {'ok' if found <= limit else 'OVER'}")


def main() -> None:
    """Run all, in a home of its own, and clear it."""
    folder = Path(tempfile.mkdtemp(prefix="autodeploy-bench-"))
    home, repository = folder / "home", folder / "guestbook"
    home.mkdir()
    shutil.copytree(SAMPLE, repository)
    try:
        helps(folder)
        analyses(sorted(path for path in SAMPLE.parent.iterdir() if path.is_dir()))
        clones(folder)
        builds(folder / "builds", verdict)
        engines(home, deployments(home, repository), seconds, verdict)
    finally:
        autodeploy(home, "local", "reset")
        autodeploy(home, "local", "down")
        shutil.rmtree(folder)


if __name__ == "__main__":
    main()
