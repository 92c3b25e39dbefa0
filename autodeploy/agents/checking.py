"""What was looked at and approved before an apply -> a warning that is said, or the PlanError that stops it. Pure."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from datetime import date

from autodeploy.approval import covers
from autodeploy.errors import PlanError
from autodeploy.model import Check, DeploymentState, Preview
from autodeploy.planner import sessions, support
from autodeploy.safeguards import ENDING

MACHINE = "aws:ec2:Instance"
_MAKING = frozenset({"create", "replace"})


def image_support(state: DeploymentState, preview: Preview, today: date) -> list[Check]:
    """Return until when the image of the deployment's machine is mended."""
    assert state.plan is not None
    infra, images = state.plan.infra, state.facts.images if state.facts else {}
    is_made = _makes_machine(preview)
    used = [image for image, identifier in images.items() if identifier == infra.image_id]
    return [support.check(infra.target, image, today, is_made) for image in used]


def session_agent(state: DeploymentState, preview: Preview, today: date) -> list[Check]:
    """Return whether a machine that is to be made can verify the agent that lets the operator in; [] without one."""
    assert state.plan is not None
    return [sessions.check_key(today)] if state.plan.infra.access == "ssm" and _makes_machine(preview) else []


def stop_where_failing(checks: Sequence[Check], warn: Callable[[str], None]) -> None:
    """Say what is doubtful; raise PlanError naming every check that fails."""
    for check in checks:
        if check.warning:
            warn(f"{check.what}: {check.warning}")
    failing = [check for check in checks if check.problem]
    if failing:
        raise PlanError(
            "; ".join(f"{check.what}: {check.problem}" for check in failing),
            " ".join(dict.fromkeys(check.remedy for check in failing)),
        )


def _makes_machine(preview: Preview) -> bool:
    return any(change.type == MACHINE and change.operation in _MAKING for change in preview.changes)


def given_up(state: DeploymentState, allowed: Collection[str]) -> list[str]:
    """Return the URNs that the approved plan ends and whose data somebody gave up by the resource's name."""
    operations = state.approval.operations if state.approval else {}
    ending = [urn for urn, operation in operations.items() if operation in ENDING]
    return [urn for urn in ending if urn.rpartition("::")[2] in allowed]


def still_approved(state: DeploymentState, preview: Preview) -> None:
    """Raise PlanError where the preview would do more than was approved."""
    if state.plan is None or not covers(state.approval, state.plan, preview):
        raise PlanError(
            "what is to be done is no longer what was approved", "Look at it anew: run the same command again."
        )
