"""What the Automation API costs beside the bare `pulumi` on the same program, plan and account: medians of pairs."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path

from autodeploy import settings
from autodeploy.model import DeploymentState, InfraPlan
from autodeploy.wiring import Wiring

ROOT = Path(__file__).parents[1]
PAIRS = 3
LIMIT = 1.15
APPLY = ("up", "--yes", "--skip-preview", "--refresh")
COMMANDS = {
    "preview": ("preview", "--refresh"),
    "up": APPLY,
    "unchanged up": APPLY,
    "destroy": ("destroy", "--yes", "--skip-preview"),
}

Seconds = Callable[[Callable[[], object]], float]
Verdict = Callable[[str, list[float], float], None]


def engines(home: Path, state: DeploymentState, seconds: Seconds, verdict: Verdict) -> None:
    """Time each operation both ways on stacks of their own, one pair after the other."""
    wiring = Wiring(settings.load({"home": home, "target": "local"}))
    secrets = {"certificateKey": wiring.store.secrets(state.deployment_id)["certificateKey"]}
    assert state.plan is not None
    plan = unprotected(state.plan.infra)
    ratios: dict[str, list[float]] = {what: [] for what in COMMANDS}
    for pair in range(PAIRS):
        ours, bare = (plan.but(deployment_id=f"bench-{pair}-{kind}") for kind in ("ours", "bare"))
        for stack in (ours, bare):
            wiring.engine.preview(stack, secrets, None, print_nothing)
        environment = shell(wiring, home, bare.deployment_id)
        for what, words in COMMANDS.items():
            mine = seconds(operation(wiring, ours, secrets, what, home / "saved-plan.json"))
            theirs = seconds(command(words, environment))
            print(f"{what}, pair {pair + 1}: {mine:.1f} s through AutoDeploy, {theirs:.1f} s with the bare command")
            ratios[what].append(mine / theirs)
    for what, found in ratios.items():
        verdict(f"{what} / bare pulumi", found, LIMIT)


def unprotected(plan: InfraPlan) -> InfraPlan:
    """Return the plan without what keeps its resources from being deleted at once."""
    web, database = (part and part.but(deletion_protection=False) for part in (plan.web, plan.database))
    return plan.but(web=web, database=database)


def operation(
    wiring: Wiring, plan: InfraPlan, secrets: Mapping[str, str], what: str, saved: Path
) -> Callable[[], object]:
    """Return one operation through the Automation API; what is applied was previewed, as in every deployment."""
    engine = wiring.engine
    if what == "preview":
        return lambda: engine.preview(plan, secrets, None, print_nothing)
    if what == "destroy":
        return lambda: engine.destroy(plan.deployment_id, print_nothing)
    engine.preview(plan, secrets, saved, print_nothing)
    return lambda: engine.up(plan, secrets, saved, print_nothing)


def command(words: tuple[str, ...], environment: Mapping[str, str]) -> Callable[[], object]:
    """Return one operation of the bare command in the checkout."""
    whole = ["pulumi", *words, "--non-interactive"]
    return lambda: subprocess.run(whole, cwd=ROOT, env=environment, check=True, stdout=subprocess.DEVNULL)


def shell(wiring: Wiring, home: Path, identifier: str) -> Mapping[str, str]:
    """Return the environment in which the bare command sees a stack that only a preview has seen."""
    config = home / "deployments" / identifier / "pulumi" / "candidate" / f"Pulumi.{identifier}.yaml"
    return {**os.environ, **wiring.engine.shell_environment(identifier), "PULUMI_OPTION_CONFIG_FILE": str(config)}


def print_nothing(_: str) -> None:
    """Say nothing."""
