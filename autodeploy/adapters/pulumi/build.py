"""Builds the engine from Go modules: takes the module's folder, leaves one executable. Never fetches Go itself."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from collections import deque
from collections.abc import Callable
from pathlib import Path

from autodeploy.ports import Say

Make = Callable[[Path], str]
PACKAGE = "github.com/pulumi/pulumi/pkg/v3/cmd/pulumi"
VERSION_VARIABLE = "github.com/pulumi/pulumi/sdk/v3/go/common/version.Version"
INSTALLED = "/usr/local/go/bin"
SAY_EVERY_SECONDS = 15.0
KEPT_LINES = 30


def go() -> str | None:
    """Return Go's command, from PATH or from where its own installer puts it."""
    return shutil.which("go") or shutil.which("go", path=INSTALLED)


def missing(module: Path) -> str:
    """Say what a build lacks; "" when nothing."""
    if go() is None:
        return "`go` is not installed"
    if not (module / "go.mod").is_file():
        return f"{module / 'go.mod'} is not there; it comes with AutoDeploy's repository"
    return ""


def build(module: Path, executable: Path, version: str, say: Say) -> str:
    """Build the engine to `executable`; return Go's last lines when that fails, "" when it does not."""
    executable.parent.mkdir(parents=True, exist_ok=True)
    flags = f"-s -w -X {VERSION_VARIABLE}=v{version}"
    command = [go() or "go", "build", "-v", "-trimpath", "-ldflags", flags, "-o", str(executable), PACKAGE]
    started = spoken = time.monotonic()
    last: deque[str] = deque(maxlen=KEPT_LINES)
    packages = 0
    with subprocess.Popen(
        command,
        cwd=module,
        env={**os.environ, "CGO_ENABLED": "0", "GOWORK": "off"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
    ) as process:
        for line in process.stdout or ():
            last.append(line.rstrip())
            packages += not line.startswith("go: ")
            if time.monotonic() - spoken >= SAY_EVERY_SECONDS:
                spoken = time.monotonic()
                say(f"building the Pulumi engine: {packages} packages, {spoken - started:.0f} s")
    if process.returncode != 0:
        return "\n".join(last) or f"go build ended with status {process.returncode}"
    say(f"built the Pulumi engine {version} in {time.monotonic() - started:.0f} s")
    return ""
