"""Everything that can go wrong, as one tree; each class carries its exit code.

AgentError                          1
├── UserInputError                 11   what the user typed
│   ├── SettingsError              10   a flag, variable or autodeploy.toml; no target chosen
│   ├── SourceError                20   a repository that is invalid, unreachable or empty
│   ├── AnalysisError              30   a language or application that is not supported
│   └── ApprovalError               3   a plan that nobody approved
├── BuildError                     40   the repository's own build failed
│   └── TrialError                 45   the artifact does not boot
├── InfrastructureError            60   Pulumi or AWS refused
│   ├── PlanError                  50   no plan can be made, or it is not safe to apply
│   ├── EngineError                61   no usable Pulumi engine
│   └── LocalTargetError           62   the local target's daemon or container engine
├── DeploymentError                80   SSH, service or health check on the host
│   └── HardeningError             90   a control could not be applied or verified
├── DiskError                      13   this machine's disk: full, read-only, not permitted
├── StateError                     12   the ledger: unknown id, damaged file
│   └── LockedError                75   somebody else holds the lock; try again
└── Interrupted                   130   somebody stopped the run: Ctrl-C, SIGTERM, SIGHUP
"""

from __future__ import annotations

import errno
import os
from pathlib import Path
from typing import Literal

Transience = Literal["network", "throttling", "deployment"]
"""What passes by itself; how often each is met again is in `autodeploy.patience`."""


class AgentError(Exception):
    """Base of every error that a person is meant to read.

    `message` says what happened, `remediation` what to do next, `recoverable` whether the same
    call may succeed when it is repeated, `transience` what kind of trouble that is, where the adapter
    knows it, `persistent` that it stayed in all the attempts which that kind gets. `agent` and `context` say who was
    attempting what; `output` is the failing tool's own last lines.
    """

    exit_code = 1

    def __init__(
        self,
        message: str,
        remediation: str,
        recoverable: bool = False,
        *,
        agent: str = "HiveMind Control Plane",
        context: str = "",
        output: str = "",
        stack: str = "",
        transience: Transience | None = None,
        persistent: bool = False,
    ) -> None:
        self.message = message
        self.remediation = remediation
        self.recoverable = recoverable
        self.agent = agent
        self.context = context
        self.output = output
        self.stack = stack
        self.transience = transience
        self.persistent = persistent
        super().__init__(message)

    def __str__(self) -> str:
        """Return the design document's four lines."""
        return (
            f"[{self.agent}] Error: {type(self).__name__}\n"
            f"Message: {_line(self.message)}\n"
            f"Context: {_line(self.context) or 'Running AutoDeploy'}\n"
            f"Remediation: {_line(self.remediation)}"
        )


class UserInputError(AgentError):
    """What the user typed cannot be used."""

    exit_code = 11


class SettingsError(UserInputError):
    """A flag, an environment variable or autodeploy.toml is wrong or missing."""

    exit_code = 10


class SourceError(UserInputError):
    """The repository cannot be had."""

    exit_code = 20


class AnalysisError(UserInputError):
    """The repository holds nothing that AutoDeploy can run, or a fact that it cannot settle."""

    exit_code = 30


class ApprovalError(UserInputError):
    """The plan was shown and not approved."""

    exit_code = 3


class BuildError(AgentError):
    """The repository's own build failed."""

    exit_code = 40


class TrialError(BuildError):
    """The built artifact does not boot."""

    exit_code = 45


class InfrastructureError(AgentError):
    """Pulumi or AWS refused."""

    exit_code = 60


class PlanError(InfrastructureError):
    """No plan can be made, or the plan may not be applied."""

    exit_code = 50


class EngineError(InfrastructureError):
    """There is no usable Pulumi engine."""

    exit_code = 61


class LocalTargetError(InfrastructureError):
    """The local target's daemon or its container engine is missing or out of step."""

    exit_code = 62


class DeploymentError(AgentError):
    """The host cannot be reached, or the application does not run on it."""

    exit_code = 80


class HardeningError(DeploymentError):
    """A security control could not be applied or verified."""

    exit_code = 90


class DiskError(AgentError):
    """This machine's own disk cannot be used."""

    exit_code = 13


class StateError(AgentError):
    """The ledger has no such deployment, or cannot be read."""

    exit_code = 12


class LockedError(StateError):
    """Another process works on the same deployment."""

    exit_code = 75


class Interrupted(AgentError):
    """Somebody stopped the run; what is half-made is in the remediation."""

    exit_code = 130


DISK_REASONS = {
    errno.EROFS: "the file system is read-only",
    errno.ENOSPC: "the disk is full",
    errno.EDQUOT: "the disk quota is used up",
    errno.EACCES: "permission is denied",
    errno.EPERM: "permission is denied",
    errno.ENOTDIR: "a part of the path is a file",
}
"""What the system's refusals mean to a person."""

FULL = (errno.ENOSPC, errno.EDQUOT)


def home_error(err: OSError, place: object, context: str) -> StateError:
    """Return what a person is told where the system refuses to use `place`, a file of the home."""
    number = err.errno or 0
    reason = DISK_REASONS.get(number, err.strerror or str(err))
    freed = "Free some space there, or point AUTODEPLOY_HOME at another disk; then run the same command again."
    opened = f"Make {place} readable and writable for you, or point AUTODEPLOY_HOME at a folder that is."
    return StateError(
        f"the home cannot be used at {err.filename or place}: {reason}",
        freed if number in FULL else opened,
        context=context,
    )


def disk_error(err: BaseException, context: str, home: Path | None = None) -> DiskError | StateError | None:
    """Return what a person is told of an error that is the disk's, of the home's as of a ledger; None for any other."""
    number = err.errno if isinstance(err, OSError) else None
    if not isinstance(err, OSError) or number not in DISK_REASONS:
        return None
    place = err.filename2 or err.filename
    if home and place and Path(os.fsdecode(place)).is_relative_to(home):
        return home_error(err, place, context)
    where = f"{place}: " if place else ""
    freed = "Free some space there, then run the same command again"
    opened = "Make it writable for you, then run the same command again"
    return DiskError(
        f"{where}{DISK_REASONS[number]}",
        f"{freed if number in FULL else opened}; "
        "AUTODEPLOY_HOME, AUTODEPLOY_CACHE and TMPDIR may point to other places.",
        context=context,
    )


def _line(text: str) -> str:
    return " ".join(text.split())
