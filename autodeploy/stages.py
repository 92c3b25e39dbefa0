"""The line as a table: who does each stage, under which status, how often it is tried, what proves it done.

What goes in are states and stages; what comes out says what the conductor is to do. Never does it itself.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import tenacity

from autodeploy.errors import AgentError
from autodeploy.model import DeploymentState, RollbackResult, Stage, Status

FIRST_WAIT_SECONDS = 2.0
JITTER_SECONDS = 0.9


class StageKind(NamedTuple):
    """One row. `owner` is the agent's place among the conductor's agents.

    `attempts`: how often it is tried in all while its errors say that they are recoverable.
    `proven_by_digest`: the outcome cannot change unless the inputs do; other stages look at the world again.
    """

    owner: str
    status: Status
    title: str
    attempts: int
    proven_by_digest: bool = False


LINE: dict[Stage, StageKind] = {
    "analyze": StageKind("compiler", "analyzing", "Analysing the repository", 3),
    "build": StageKind("compiler", "building", "Building and trying the application", 1, proven_by_digest=True),
    "plan": StageKind("provisioner", "provisioning", "Planning the infrastructure", 3),
    "provision": StageKind("provisioner", "provisioning", "Creating the infrastructure", 5, proven_by_digest=True),
    "deploy": StageKind("deployer", "deploying", "Releasing on the host", 2),
    "harden": StageKind("sheriff", "hardening", "Hardening and verifying", 2),
}


def recovery_options(state: DeploymentState) -> tuple[str, ...]:
    """Return what can be done next with a deployment, as commands; retry and destroy after a failure."""
    if state.status == "failed":
        stage = state.failed_stage or "analyze"
        options = [f"autodeploy retry {state.deployment_id} --stage {stage}"]
        if state.infrastructure or state.plan:
            options.append(f"autodeploy destroy {state.deployment_id}")
        return tuple(options)
    if state.status == "complete":
        return (f"autodeploy status {state.deployment_id}", f"autodeploy logs {state.deployment_id}")
    return ()


def tries(stage: Stage, sleep: Callable[[float], None], warn: Callable[[str], None]) -> tenacity.Retrying:
    """Return what calls a stage until it succeeds or its attempts are used up, and then raises the last error."""

    def again(call: tenacity.RetryCallState) -> None:
        error = call.outcome.exception() if call.outcome else None
        message = error.message if isinstance(error, AgentError) else str(error)
        warn(f"again in {int(call.upcoming_sleep)} s: {message}")

    return tenacity.Retrying(
        stop=tenacity.stop_after_attempt(LINE[stage].attempts),
        wait=tenacity.wait_exponential(FIRST_WAIT_SECONDS) + tenacity.wait_random(0, JITTER_SECONDS),
        retry=tenacity.retry_if_exception(lambda err: isinstance(err, AgentError) and err.recoverable),
        before_sleep=again,
        sleep=sleep,
        reraise=True,
    )


def already_gone(deployment_id: str) -> RollbackResult:
    """Return the answer where everything was taken back before."""
    return RollbackResult(deployment_id=deployment_id, status="rolled_back", message="Nothing is left of it already.")
