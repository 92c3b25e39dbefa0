"""One deployment's ledger while it is worked on: every move checked against the table and written before and after.

What goes in are states, stages and errors; what comes out is the state as it stands on disk.
"""

from __future__ import annotations

import hashlib
import traceback
from collections.abc import Callable

from autodeploy.errors import AgentError, StateError
from autodeploy.model import TRANSITIONS, DeploymentState, ErrorEntry, Stage, StageRecord, Status
from autodeploy.ports import Clock, Store


class Ledger:
    """Holds the current state; nothing is known that is not on disk."""

    def __init__(self, store: Store, clock: Clock, state: DeploymentState) -> None:
        self._store = store
        self._clock = clock
        self.state = state

    def write(self, state: DeploymentState) -> DeploymentState:
        """Make `state` the current one, durably."""
        self.state = state.but(updated_at=self._clock.now())
        self._store.save(self.state)
        return self.state

    def move(self, status: Status) -> None:
        """Change the status along the transition table; raise StateError for a move that is not in it."""
        now = self.state.status
        if status == now:
            return
        if status not in TRANSITIONS[now]:
            raise StateError(
                f"a deployment that is {now} cannot become {status}",
                f"Look at it with: autodeploy status {self.state.deployment_id}",
                context="Keeping the ledger",
            )
        ended = status in ("complete", "failed", "rolled_back")
        self.write(self.state.but(status=status, completed_at=self._clock.now() if ended else None))

    def proven(self, stage: Stage, inputs: str) -> bool:
        """Say whether the stage is recorded as done with exactly these inputs."""
        record = self.state.stages.get(stage)
        return record is not None and record.inputs == inputs

    def perform(
        self, stage: Stage, inputs: str, action: Callable[[DeploymentState], DeploymentState]
    ) -> DeploymentState:
        """Run one stage and record that it is done; a stage that fails leaves no record."""
        self.write(self.state.but(stages={name: record for name, record in self.state.stages.items() if name != stage}))
        begun = self._clock.now()
        state = action(self.state)
        ended = self._clock.now()
        record = StageRecord(inputs=inputs, seconds=(ended - begun).total_seconds(), finished_at=ended)
        return self.write(state.but(stages={**state.stages, stage: record}))

    def fail(self, err: AgentError, stage: Stage | None) -> ErrorEntry:
        """Record the error and the end; the traceback goes here and nowhere else."""
        entry = ErrorEntry(
            timestamp=self._clock.now(),
            agent=err.agent,
            error_type=type(err).__name__,
            message=err.message,
            stack_trace=err.stack or "".join(traceback.format_exception(err)),
            remediation=err.remediation,
            context=err.context,
            output=err.output,
        )
        self.write(self.state.but(errors=(*self.state.errors, entry), failed_stage=stage))
        if self.state.status != "failed":
            self.move("failed")
        return entry


def inputs(state: DeploymentState, stage: Stage) -> str:
    """Return the digest of all that the stage depends on."""
    stack = state.tech_stack.digest() if state.tech_stack else ""
    artifact = state.build_artifact.checksum if state.build_artifact else ""
    infra = state.plan.infra.digest() if state.plan else ""
    parts: dict[Stage, tuple[str, ...]] = {
        "analyze": (state.repo_url, state.request.to_json()),
        "build": (state.commit, stack),
        "plan": (stack, state.request.to_json()),
        "provision": (infra,),
        "deploy": (infra, artifact, stack),
        "harden": (infra, artifact),
    }
    return digest(*parts[stage])


def digest(*parts: str) -> str:
    """Return the SHA-256, in hex, of the parts in order."""
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()
