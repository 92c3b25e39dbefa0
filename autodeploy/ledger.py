"""One deployment's ledger while it is worked on: every move checked against the table and written before and after.

What goes in are states, stages and errors; what comes out is the state as it stands on disk.
"""

from __future__ import annotations

import hashlib
import traceback
from collections.abc import Callable
from pathlib import Path

from autodeploy.errors import AgentError, StateError, disk_error
from autodeploy.interruption import undisturbed
from autodeploy.model import (
    ENDS,
    STAGES,
    TRANSITIONS,
    WORK,
    DeploymentState,
    ErrorEntry,
    LogEntry,
    Stage,
    StageRecord,
    Status,
)
from autodeploy.ports import Clock, Store


class Ledger:
    """Holds the current state; nothing is known that is not on disk."""

    def __init__(self, store: Store, clock: Clock, state: DeploymentState) -> None:
        self._store = store
        self._clock = clock
        self.state = state

    def write(self, state: DeploymentState) -> DeploymentState:
        """Make `state` the current one, durably."""
        with undisturbed():
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
        ended = status in ENDS
        left: dict[str, object] = {"destroying": False} if ended else {}
        if status == "complete":
            left["without"] = ()
        self.write(self.state.but(status=status, completed_at=self._clock.now() if ended else None, **left))

    def settle(self) -> str:
        """Count a run that was killed half-way as failed; return what it was doing, "" where it had come to its end."""
        found, destroying = self.state.status, self.state.destroying
        if found in ENDS and not destroying:
            return ""
        doing = "being destroyed" if destroying else found
        at = [stage for stage in STAGES if WORK[stage] == found and not destroying]
        stage = next((name for name in at if name not in self.state.stages), at[0] if at else None)
        self.write(self.state.but(failed_stage=stage, destroying=False))
        if found != "rolled_back":
            self.move("failed")
        self.note(f"the run before was killed while the deployment was {doing}")
        return doing

    def forget_run(self, stood: DeploymentState, err: AgentError) -> None:
        """Let all be as it `stood` before a run that changed nothing else; the log alone says what ended it."""
        self.write(stood.but(logs=self.state.logs))
        self.note(f"all stays as it was: {err.message}")

    def note(self, message: str) -> None:
        """Log a warning of the control plane's own."""
        entry = LogEntry(timestamp=self._clock.now(), agent="HiveMind Control Plane", level="WARNING", message=message)
        self._store.append_log(self.state.deployment_id, entry)

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

    def fail(self, failure: Exception, stage: Stage | None) -> ErrorEntry:
        """Record the error and the end; the traceback goes here and nowhere else."""
        err = failure if isinstance(failure, AgentError) else _unexpected(failure, self._store.home)
        entry = ErrorEntry(
            timestamp=self._clock.now(),
            agent=err.agent,
            error_type=type(err).__name__,
            message=err.message,
            stack_trace=err.stack or _trace(err),
            remediation=err.remediation,
            context=err.context,
            output=err.output,
        )
        with undisturbed():
            self.write(self.state.but(errors=(*self.state.errors, entry), failed_stage=stage, destroying=False))
            if self.state.status != "failed":
                self.move("failed")
        return entry

    def add_evidence(self, where: str) -> None:
        """Let the last error say where what was seen of it is kept."""
        *before, last = self.state.errors
        last = last.but(remediation=f"{last.remediation} What was seen of it is in {where}.")
        self.write(self.state.but(errors=(*before, last)))


def _unexpected(err: Exception, home: Path) -> AgentError:
    return disk_error(err, "Running the deployment", home) or AgentError(
        f"{type(err).__name__}: {err}",
        "This is a fault of AutoDeploy: the traceback is in the ledger (autodeploy events --json); --debug shows it.",
        context="Running the deployment",
        stack=_trace(err),
    )


def _trace(err: Exception) -> str:
    if err.__traceback__ is not None:
        return "".join(traceback.format_exception(err))
    # One that was made to be recorded, and never raised: where that happened says as much.
    way = [line for line in traceback.format_stack() if __file__ not in line]
    return "".join(["Traceback (most recent call last):\n", *way, *traceback.format_exception_only(err)])


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
