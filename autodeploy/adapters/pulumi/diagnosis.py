"""Turns what the Automation API raises into InfrastructureError, with the engine's own words, short."""

from __future__ import annotations

import errno
import os
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from pulumi.automation.errors import CommandError, ConcurrentUpdateError, InlineSourceRuntimeError

from autodeploy.adapters.pulumi.command import KilledError
from autodeploy.adapters.pulumi.progress import Progress
from autodeploy.errors import InfrastructureError, LockedError, PlanError, Transience

AGENT = "HiveMind SysEng"
SHOWN = 3
LAST_LINES = 40
STREAMS = re.compile(r"^ (?:code|stdout|stderr): ?", re.MULTILINE)

THROTTLED = re.compile(
    r"throttl|rate exceeded|RequestLimitExceeded|TooManyRequests|SlowDown|ServiceUnavailable|StatusCode: 429",
    re.IGNORECASE,
)
"""What AWS says when it is asked too much; https://docs.aws.amazon.com/general/latest/gr/api-retries.html."""

FULL = re.compile(r"(?P<place>/[^\s:]+): no space left on device")
"""What the engine says of a disk; where that is decides how it is told."""

EXPIRED = re.compile(
    r"ExpiredToken|RequestExpired|TokenRefreshRequired|token (included in the request )?is expired", re.I
)
"""What AWS says of credentials that ended while the engine ran."""

UNREACHED = re.compile(
    r"connection (refused|reset|timed out)|broken pipe|i/o timeout|TLS handshake timeout|no such host"
    r"|network is unreachable|no route to host|temporary failure|unexpected EOF|currently locked"
    r"|StatusCode: 5\d\d|InternalError|InternalFailure",
    re.IGNORECASE,
)
"""What the network, and an AWS that is out of order, say of troubles that pass."""


@contextmanager
def translated(deployment_id: str, doing: str, progress: Progress | None = None) -> Iterator[None]:
    """Raise AgentErrors in place of the engine's; `doing` completes "Pulumi could not ..."."""
    context = f"Running Pulumi for deployment {deployment_id}"
    try:
        yield
    except ConcurrentUpdateError as err:
        raise LockedError(
            f"another update of {deployment_id} is running",
            f"Wait for it to end. Who it is: autodeploy unlock {deployment_id}",
            recoverable=True,
            agent=AGENT,
            context=context,
            output=_output(err),
        ) from err
    except CommandError as err:
        _raise(err, doing, context, progress.errors if progress else ())


def _raise(err: CommandError, doing: str, context: str, errors: Sequence[str]) -> None:
    output = _output(err)
    if full := FULL.search(output):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), full["place"]) from err
    found = list(errors) or _error_lines(output)
    message = "; ".join(dict.fromkeys(_first_line(line) for line in found[:SHOWN])) or "the engine did not say why"
    error = _diagnosed(err, doing, message, output)
    error.agent, error.context, error.output = AGENT, context, output
    raise error from err


def _diagnosed(err: CommandError, doing: str, message: str, output: str) -> InfrastructureError:
    said = f"{message}\n{output}"
    if isinstance(err, KilledError):
        return InfrastructureError(
            f"the Pulumi engine was killed (signal {err.signal}) before it could {doing}",
            "Run the same command again: it takes over what was half made and goes on.",
            recoverable=True,
        )
    if "incorrect passphrase" in output:
        return InfrastructureError(
            "the passphrase does not open the stack's secrets",
            "Put back the file `passphrase` that was in AUTODEPLOY_HOME when the deployment was made.",
        )
    if "violates plan" in said:
        return PlanError(
            f"the infrastructure is no longer what the approved plan was made for: {message}",
            "Run the same command again: it shows a new plan to approve.",
        )
    if EXPIRED.search(said):
        return InfrastructureError(
            f"the AWS credentials expired before Pulumi could {doing}: {message}",
            "Sign in again (`aws sso login`, or fresh keys), then run the same command again; what stands is kept.",
        )
    passing: dict[Transience, re.Pattern[str]] = {"throttling": THROTTLED, "network": UNREACHED}
    kinds = [kind for kind, signs in passing.items() if signs.search(said)]
    return (PlanError if isinstance(err, InlineSourceRuntimeError) else InfrastructureError)(
        f"Pulumi could not {doing}: {message}",
        "Correct what is named above and run the same command again; what stands already is kept.",
        recoverable=bool(kinds),
        transience=kinds[0] if kinds else None,
    )


def _output(err: CommandError) -> str:
    lines = [line.rstrip() for line in STREAMS.sub("", str(err)).splitlines()]
    return "\n".join([line for line in lines if line.strip()][-LAST_LINES:])


def _error_lines(output: str) -> list[str]:
    return [line.strip().removeprefix("error: ") for line in output.splitlines() if "error: " in line]


def _first_line(message: str) -> str:
    # An inline program's failure comes as a whole traceback; its last line is the exception itself.
    lines = [line.strip() for line in message.splitlines() if line.strip()]
    return (lines[-1] if "Traceback" in message else lines[0])[:400]
