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
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from analysis_bench import analyses
from bench_build import builds
from fixtures.large import large_repository

from autodeploy import settings
from autodeploy.adapters.git import GitRepo
from autodeploy.model import DeploymentState, InfraPlan
from autodeploy.wiring import Wiring

ROOT = Path(__file__).parents[1]
SAMPLES = ROOT / "tests" / "fixtures" / "sample_repos"
SAMPLE = SAMPLES / "flask-postgres"
PAIRS = 3
HELP_PAIRS = 15
UP_LIMIT = 1.15
CLONE_LIMIT = 1.15
HELP_LIMIT = 1.5
UNCHANGED_LIMIT = 0.25


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
    """Deploy the sample twice; print seconds per stage and whole; return the ledger."""
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
    verdict("unchanged deploy / first", [whole[1] / whole[0]], UNCHANGED_LIMIT)
    return states[1]


def ups(home: Path, state: DeploymentState) -> None:
    """Compare `up` through the Automation API with the bare command on the same program and plan."""
    wiring = Wiring(settings.load({"home": home, "target": "local"}))
    secrets = {"certificateKey": wiring.store.secrets(state.deployment_id)["certificateKey"]}
    assert state.plan is not None and state.plan.infra.database is not None
    plan = state.plan.infra.but(database=state.plan.infra.database.but(deletion_protection=False))
    ratios = []
    for pair in range(PAIRS):
        ours, bare = (plan.but(deployment_id=f"bench-{pair}-{kind}") for kind in ("ours", "bare"))
        mine = seconds(lambda ours=ours: wiring.engine.up(ours, secrets, None, print_nothing))
        wiring.engine.destroy(ours.deployment_id, print_nothing)
        theirs = bare_up(wiring, home, bare, secrets)
        wiring.engine.destroy(bare.deployment_id, print_nothing)
        print(f"up, pair {pair + 1}: {mine:.1f} s through AutoDeploy, {theirs:.1f} s with the bare command")
        ratios.append(mine / theirs)
    verdict("up / bare pulumi up", ratios, UP_LIMIT)


def bare_up(wiring: Wiring, home: Path, plan: InfraPlan, secrets: Mapping[str, str]) -> float:
    """Time `pulumi up` of the checkout's own program on a stack that only a preview has seen."""
    wiring.engine.preview(plan, secrets, None, print_nothing)
    identifier = plan.deployment_id
    config = home / "deployments" / identifier / "pulumi" / "candidate" / f"Pulumi.{identifier}.yaml"
    environment = {
        **os.environ,
        **wiring.engine.shell_environment(identifier),
        "PULUMI_OPTION_CONFIG_FILE": str(config),
    }
    command = ["pulumi", "up", "--yes", "--skip-preview", "--refresh", "--non-interactive"]
    return seconds(lambda: subprocess.run(command, cwd=ROOT, env=environment, check=True, stdout=subprocess.DEVNULL))


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


def print_nothing(_: str) -> None:
    """Say nothing."""


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
        ups(home, deployments(home, repository))
    finally:
        autodeploy(home, "local", "reset")
        autodeploy(home, "local", "down")
        shutil.rmtree(folder)


if __name__ == "__main__":
    main()
