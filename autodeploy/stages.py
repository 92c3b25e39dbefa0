"""The line as a table: who does each stage, under which status, and whether its digest proves it done."""

from __future__ import annotations

from typing import NamedTuple

from autodeploy.model import DeploymentState, Stage, Status


class StageKind(NamedTuple):
    """One row. `owner` is the agent's place among the conductor's agents.

    `proven_by_digest`: the outcome cannot change unless the inputs do; other stages look at the world again.
    """

    owner: str
    status: Status
    title: str
    proven_by_digest: bool = False


LINE: dict[Stage, StageKind] = {
    "analyze": StageKind("compiler", "analyzing", "Analysing the repository"),
    "build": StageKind("compiler", "building", "Building and trying the application", proven_by_digest=True),
    "plan": StageKind("provisioner", "provisioning", "Planning the infrastructure"),
    "provision": StageKind("provisioner", "provisioning", "Creating the infrastructure", proven_by_digest=True),
    "deploy": StageKind("deployer", "deploying", "Releasing on the host"),
    "harden": StageKind("sheriff", "hardening", "Hardening and verifying"),
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
