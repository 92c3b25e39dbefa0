"""The line as a table: who does each stage, what proves it done, how often it is tried, what can be done after it.

What goes in are states and stages; what comes out says what the conductor is to do. Never does it itself.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import tenacity

from autodeploy.errors import AgentError, BuildError, DeploymentError, Interrupted, StateError
from autodeploy.model import STAGES, DeploymentState, RollbackResult, Stage
from autodeploy.patience import ATTEMPTS, FIRST_WAIT_SECONDS, JITTER_SECONDS


class StageKind(NamedTuple):
    """One row. `owner` is the agent's place among the conductor's agents.

    `proven_by_digest`: the outcome cannot change unless the inputs do; other stages look at the world again.
    """

    owner: str
    title: str
    proven_by_digest: bool = False


LINE: dict[Stage, StageKind] = {
    "analyze": StageKind("compiler", "Analysing the repository"),
    "build": StageKind("compiler", "Building and trying the application", proven_by_digest=True),
    "plan": StageKind("provisioner", "Planning the infrastructure"),
    "provision": StageKind("provisioner", "Creating the infrastructure", proven_by_digest=True),
    "deploy": StageKind("deployer", "Releasing on the host"),
    "harden": StageKind("sheriff", "Hardening and verifying"),
}


def attempts(error: BaseException | None) -> int:
    """Return how often a stage that ends with this error is tried in all."""
    if not isinstance(error, AgentError) or not error.recoverable or error.persistent or isinstance(error, BuildError):
        return 1
    return ATTEMPTS[error.transience or ("deployment" if isinstance(error, DeploymentError) else "network")]


def tries(sleep: Callable[[float], None], warn: Callable[[str], None]) -> tenacity.Retrying:
    """Return what calls a stage until it succeeds or its attempts are used up, and then raises the last error."""

    def error(call: tenacity.RetryCallState) -> BaseException | None:
        return call.outcome.exception() if call.outcome else None

    def again(call: tenacity.RetryCallState) -> None:
        err = error(call)
        message = err.message if isinstance(err, AgentError) else str(err)
        warn(f"attempt {call.attempt_number} of {attempts(err)}; again in {int(call.upcoming_sleep)} s: {message}")

    return tenacity.Retrying(
        stop=lambda call: call.attempt_number >= attempts(error(call)),
        wait=tenacity.wait_exponential(FIRST_WAIT_SECONDS) + tenacity.wait_random(0, JITTER_SECONDS),
        retry=tenacity.retry_if_exception(lambda err: attempts(err) > 1),
        before_sleep=again,
        sleep=sleep,
        reraise=True,
    )


def first_to_do(state: DeploymentState, stage: Stage) -> Stage:
    """Return where a retry from `stage` begins; raise StateError where an earlier stage was never done."""
    # What was planned may stand in part by now: only a fresh preview says what applying it still means.
    first: Stage = "plan" if stage == "provision" else stage
    missing = [name for name in STAGES[: STAGES.index(stage)] if name not in state.stages]
    if missing:
        raise StateError(
            f"{stage} cannot be retried: {missing[0]} before it was never done",
            f"Begin there: autodeploy retry {state.deployment_id} --stage {missing[0]}",
            context="Choosing where to begin",
        )
    return first


def was_left_alone(stood: DeploymentState, stage: Stage) -> bool:
    """Say whether a run that ended in `stage` found a complete deployment, and came to no stage that changes it."""
    serves = stood.status == "complete" and not stood.destroying
    return serves and STAGES.index(stage) < STAGES.index("provision")


def failed_stage(state: DeploymentState) -> Stage:
    """Return the stage that a deployment failed at; where none is recorded, the first that is not done."""
    missing: list[Stage] = [stage for stage in STAGES if stage not in state.stages]
    return state.failed_stage or [*missing, STAGES[0]][0]


def recovery_options(state: DeploymentState) -> tuple[str, ...]:
    """Return what can be done next with a deployment, as commands; retry and destroy after a failure."""
    if state.status == "failed":
        options = [f"autodeploy retry {state.deployment_id} --stage {failed_stage(state)}"]
        if state.infrastructure or state.plan:
            options.append(f"autodeploy destroy {state.deployment_id}")
        return tuple(options)
    if state.status == "complete":
        return (f"autodeploy status {state.deployment_id}", f"autodeploy logs {state.deployment_id}")
    return ()


def interrupted(state: DeploymentState, stage: Stage | None) -> Interrupted:
    """Return the error of a run that was stopped in `stage` (None: in a destruction): what stands, how to go on."""
    identifier = state.deployment_id
    doing = LINE[stage].title if stage else "Deleting the infrastructure"
    if stage is None:
        stands = "What was not deleted yet still stands."
        goes_on = f"Delete the rest: autodeploy destroy {identifier}"
    else:
        goes_on = f"Go on: autodeploy deploy {state.repo_url} --name {state.name}"
        if stage in ("deploy", "harden"):
            stands = "The infrastructure stands; the host may be half-way, and is looked at anew by the next run."
        elif stage == "provision" or state.infrastructure:
            stands = "What stands of the infrastructure is kept, and the next run goes on with it."
        else:
            stands = "Nothing was created in the account."
    return Interrupted(f"interrupted while {doing[0].lower()}{doing[1:]}", f"{stands} {goes_on}", context=doing)


def already_gone(state: DeploymentState) -> RollbackResult:
    """Return the answer where everything was taken back before; only the account knows what snapshots are kept."""
    identifier = state.deployment_id
    but = f"; what was kept of its database: autodeploy db backups {identifier}" if state.final_snapshot else "."
    return RollbackResult(deployment_id=identifier, status="rolled_back", message=f"Nothing is left of it already{but}")
