"""HostFacts: what a machine said of itself. Step: observe, want, fix, why. StepResult: what came of one."""

from __future__ import annotations

import hashlib
import shlex
from typing import Literal

from autodeploy.model.noun import Noun


class HostFacts(Noun):
    """What the host is. `current_release`, with its `current_port`, is None before the first release.

    `startup_seconds`: from the start of that release's service to its first healthy answer; None for a worker.
    `client_address` is where this connection comes from, as the host sees it.
    """

    hostname: str
    boot_id: str
    os: str
    is_container: bool
    current_release: str | None = None
    current_port: int | None = None
    startup_seconds: float | None = None
    client_address: str = ""


class Upload(Noun):
    """A file a step's fix needs on the host first. Exactly one of `content`, `local_path`. `mode` is octal text."""

    path: str
    content: str | None = None
    local_path: str | None = None
    mode: str = "0644"
    secret: bool = False

    @property
    def observation(self) -> str:
        """The shell command that prints `wanted` when the file is on the host as it should be."""
        path = shlex.quote(self.path)
        return f"stat -c '%a %U' {path} && sha256sum <{path}"

    @property
    def wanted(self) -> str:
        """Mode, owner and SHA-256 of `content`, as `observation` prints them."""
        return f"{self.mode.lstrip('0')} root\n{hashlib.sha256((self.content or '').encode()).hexdigest()}  -"


class Step(Noun):
    """One convergent piece of work on a host.

    `observe` is a POSIX shell command, run as root, whose trimmed standard output is compared with `want`
    (equality). When it differs, `uploads` are written and `fix` is run as root, then `observe` again.
    `fix` is None for a pure check. `transaction`: `fix` runs detached by systemd-run, so that it
    ends rightly when the connection is cut. `stdin` is fed to `fix` and may hold secrets.
    `timeout_seconds` bounds one command. `not_applicable` says why a step is only reported.
    `confirm` is for a fix that could lock us out and arms its own undoing: it is run over a fresh
    connection after the fix, and disarms it.
    """

    name: str
    why: str
    observe: str
    want: str
    fix: str | None = None
    uploads: tuple[Upload, ...] = ()
    stdin: str | None = None
    transaction: bool = False
    confirm: str | None = None
    timeout_seconds: int = 120
    weight: int = 0
    reference: str = ""
    not_applicable: str | None = None


class StepResult(Noun):
    """The end of one step: `ok` was right already, `changed` was made right, `failed` is still wrong."""

    name: str
    status: Literal["ok", "changed", "failed", "not_applicable"]
    observed: str = ""
    output: str = ""
    seconds: float = 0.0
    weight: int = 0


class CommandResult(Noun):
    """What a command on a host printed. `code` is its exit status."""

    code: int
    stdout: str
    stderr: str
