"""Performance: what one deployment took, from its ledger."""

from __future__ import annotations

from autodeploy.model.noun import Noun
from autodeploy.model.state import STAGES, DeploymentState, Stage


class Performance(Noun):
    """Seconds and bytes of a deployment; None where it has not come that far.

    `stage_seconds` says how long each stage took when it was last done; `total_seconds` is their sum.
    `startup_seconds`: from the start of the service to its first healthy answer; None for a worker.
    """

    stage_seconds: dict[Stage, float]
    total_seconds: float
    provisioning_seconds: float | None
    artifact_bytes: int | None
    startup_seconds: float | None


def performance(state: DeploymentState) -> Performance:
    """Return what the deployment took."""
    stages: dict[Stage, float] = {name: state.stages[name].seconds for name in STAGES if name in state.stages}
    return Performance(
        stage_seconds=stages,
        total_seconds=sum(stages.values()),
        provisioning_seconds=stages.get("provision"),
        artifact_bytes=state.build_artifact.size_bytes if state.build_artifact else None,
        startup_seconds=state.deployment_config.startup_seconds if state.deployment_config else None,
    )
