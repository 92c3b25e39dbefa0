"""Steps and a Host in, StepResults out: observes all in one round trip, mends what differs in order, observes again.

`verify` is the same without mending. What cannot be cut in the middle runs detached on the host and is watched.
Never decides what is wanted; the passes did.
"""

from __future__ import annotations

import base64
import hashlib
import shlex
import time
from collections.abc import Sequence
from pathlib import Path

from autodeploy.errors import DeploymentError
from autodeploy.interruption import unbroken
from autodeploy.model import CommandResult, Step, StepResult
from autodeploy.ports import Host, Say

RUN_FOLDER = "/run/autodeploy"
"""Where transactions keep script, log and status; in memory, so that a reboot forgets them."""

OBSERVE_SECONDS = 20
"""How long one observation may take; what takes longer counts as differing."""

RECONNECTS = 5
_KEPT_OUTPUT = 20_000


def verify(host: Host, steps: Sequence[Step]) -> tuple[StepResult, ...]:
    """Observe every step in one round trip and say which are as wanted; change nothing."""
    applicable = [step for step in steps if step.not_applicable is None]
    began = time.monotonic()
    seen = iter(_observe(host, applicable))
    share = (time.monotonic() - began) / max(len(applicable), 1)
    results = []
    for step in steps:
        if step.not_applicable is not None:
            results.append(_result(step, "not_applicable", observed=step.not_applicable))
        else:
            observed, output = next(seen)
            status = "ok" if observed == step.want else "failed"
            results.append(_result(step, status, observed, "" if status == "ok" else output, share))
    return tuple(results)


def converge(host: Host, steps: Sequence[Step], say: Say, *, keep_going: bool = False) -> tuple[StepResult, ...]:
    """Make the host agree with the steps, in their order.

    The first step that stays wrong raises DeploymentError with its output; with `keep_going` it is a failed result.
    """
    results = list(verify(host, steps))
    for index, step in enumerate(steps):
        if results[index].status != "failed":
            continue
        with unbroken():
            results[index] = _mend(host, step, results[index], say)
        if results[index].status == "failed" and not keep_going:
            raise _failure(step, results[index])
    if any(result.status == "changed" for result in results):
        _confirm(host, steps, results, keep_going)
    return tuple(results)


def _confirm(host: Host, steps: Sequence[Step], results: list[StepResult], keep_going: bool) -> None:
    """Look once more at everything: a later step may have undone an earlier one."""
    for index, (step, again) in enumerate(zip(steps, verify(host, steps), strict=True)):
        if again.status == "failed" and results[index].status != "failed":
            results[index] = again
            if not keep_going:
                raise _failure(step, again)


def _mend(host: Host, step: Step, before: StepResult, say: Say) -> StepResult:
    if step.fix is None:
        return before
    say(step.why)
    began = time.monotonic()
    for upload in step.uploads:
        content = Path(upload.local_path) if upload.local_path is not None else (upload.content or "").encode()
        host.put(upload.path, content, upload.mode)
    done = _transact(host, step, say) if step.transaction else _fix(host, step)
    if done.code == 0 and step.confirm is not None:
        host.reconnect()
        done = host.run(step.confirm, timeout_seconds=step.timeout_seconds)
    output = _said(step, done)
    seconds = time.monotonic() - began
    if done.code != 0:
        return _result(step, "failed", before.observed, output, seconds)
    ((observed, complaint),) = _observe(host, [step])
    seconds = time.monotonic() - began
    if observed == step.want:
        return _result(step, "changed", observed, output, seconds)
    return _result(step, "failed", observed, f"{output}\n{complaint}".strip(), seconds)


def _said(step: Step, done: CommandResult) -> str:
    text = f"{done.stdout}\n{done.stderr}".strip()[-_KEPT_OUTPUT:]
    return f"{text}\ntimed out after {step.timeout_seconds} s".strip() if done.code == 124 else text


def _fix(host: Host, step: Step) -> CommandResult:
    return host.run(step.fix or "", step.stdin, step.timeout_seconds)


def _observe(host: Host, steps: Sequence[Step]) -> list[tuple[str, str]]:
    """Return what each step's observation printed, and its complaint; all in one round trip."""
    if not steps:
        return []
    lines = ["e=$(mktemp)", "trap 'rm -f \"$e\"' EXIT"]
    for index, step in enumerate(steps):
        limit = min(step.timeout_seconds, OBSERVE_SECONDS)
        lines.append(
            f'printf "%s %s " {index} "$(timeout {limit} sh -c {shlex.quote(step.observe)} </dev/null 2>"$e"'
            ' | head -c 65536 | base64 -w0)-"; printf "%s-\\n" "$(tail -c 2000 "$e" | base64 -w0)"'
        )
    done = host.run("\n".join(lines), timeout_seconds=60 + OBSERVE_SECONDS * len(steps))
    seen = {}
    for line in done.stdout.splitlines():
        index_text, observed, complaint = line.split(" ")
        seen[int(index_text)] = (_decoded(observed), _decoded(complaint))
    if len(seen) != len(steps):
        raise DeploymentError(
            "the host did not answer all that it was asked",
            "Run the same command again.",
            recoverable=True,
            agent="HiveMind Release-Engineer",
            context="Observing the host",
            output=done.stderr[-2000:],
        )
    return [seen[index] for index in range(len(steps))]


def _decoded(text: str) -> str:
    return base64.b64decode(text.removesuffix("-")).decode(errors="replace").strip()


def _transact(host: Host, step: Step, say: Say) -> CommandResult:
    """Start the fix as a unit of its own, or find it running, and watch it over as many connections as it takes."""
    seal = hashlib.sha256(f"{step.fix}\0{step.stdin}".encode()).hexdigest()[:8]
    folder = f"{RUN_FOLDER}/{step.name}-{seal}"
    lost: DeploymentError | None = None
    for attempt in range(RECONNECTS):
        try:
            if lost is not None:
                say(f"connection lost; looking again after {step.name}")
                host.reconnect()
            # Only the first start is told to start; a later one finds the running unit or its status.
            if attempt == 0 or host.run(f"test -e {folder}/started").code != 0:
                started = _start(host, step, folder)
                if started.code != 0:
                    return started
            return host.run(_watch(folder, step), timeout_seconds=step.timeout_seconds + 15)
        except DeploymentError as err:
            if not err.recoverable:
                raise
            lost = err
    raise lost or AssertionError


def _start(host: Host, step: Step, folder: str) -> CommandResult:
    unit = f"autodeploy-{Path(folder).name}"
    files = {"script": step.fix or "", "stdin": step.stdin or ""}
    sizes = {name: len(text.encode()) for name, text in files.items()}
    takes = " && ".join(f"head -c {size} >{folder}/{name}" for name, size in sizes.items())
    whole = " && ".join(f'[ "$(stat -c %s {folder}/{name})" -eq {size} ]' for name, size in sizes.items())
    # The status is a file of its own because --collect forgets a unit once it has ended.
    wrapped = (
        f"exec <{folder}/stdin; rm -f {folder}/stdin; sh {folder}/script >{folder}/log 2>&1; "
        f"echo $? >{folder}/status.new; mv {folder}/status.new {folder}/status"
    )
    command = f"""\
systemctl is-active --quiet {unit}.service && exit 0
if [ -n "$(systemctl list-units --plain --no-legend --state=active 'autodeploy-{step.name}-*.service')" ]; then
  echo "another {step.name} is still running on the host" >&2; exit 75
fi
umask 077; rm -rf {folder}; mkdir -p {folder} && {takes} && {whole} || exit 75
systemd-run --quiet --collect --unit={unit} --property=RuntimeMaxSec={step.timeout_seconds} \\
  --description={shlex.quote(step.why)} sh -c {shlex.quote(wrapped)} && touch {folder}/started"""
    return host.run(command, "".join(files.values()))


def _watch(folder: str, step: Step) -> str:
    unit = f"autodeploy-{Path(folder).name}.service"
    return f"""\
while ! [ -e {folder}/status ]; do
  if ! systemctl is-active --quiet {unit}; then
    [ -e {folder}/status ] && break
    cat {folder}/log; echo "{step.name} ended before its time (limit: {step.timeout_seconds} s)" >&2; exit 1
  fi
  sleep 0.1
done
tail -c {_KEPT_OUTPUT} {folder}/log; exit "$(cat {folder}/status)\""""


def _result(step: Step, status: str, observed: str = "", output: str = "", seconds: float = 0.0) -> StepResult:
    return StepResult.model_validate(
        {
            "name": step.name,
            "status": status,
            "observed": observed,
            "output": output,
            "seconds": round(seconds, 3),
            "weight": step.weight,
        }
    )


def _failure(step: Step, result: StepResult) -> DeploymentError:
    wanted = "" if step.fix is not None else f": wanted {step.want!r}, observed {result.observed!r}"
    last = result.output.strip().splitlines()[-1:] or [f"wanted {step.want!r}, observed {result.observed!r}"]
    return DeploymentError(
        f"the step {step.name!r} failed{wanted or f': {last[0]}'}",
        "Read the output below, correct the cause, then run the same command again; it goes on where it stopped.",
        recoverable=True,
        agent="HiveMind Release-Engineer",
        context=step.why,
        output=result.output,
    )
