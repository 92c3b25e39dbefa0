"""Runs the engine's executable in a session of its own, so that one Ctrl-C ends it in order.

Takes arguments and environment, returns what it printed. Never lets the shell's Pulumi settings through.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import IO, Any

from pulumi.automation import PulumiCommand
from pulumi.automation._cmd import CommandResult
from pulumi.automation.errors import create_command_error
from semver import VersionInfo

from autodeploy.adapters.pulumi.language_host import PYTHON

OnOutput = Callable[[str], Any]
INHERITED = frozenset({"PULUMI_HOME"})


class EngineCommand(PulumiCommand):
    """`pulumi` as the Automation API calls it.

    A terminal's Ctrl-C goes to a whole process group and would kill provider and engine together, in the
    middle of a create. In its own session the engine hears of it from us, once, and finishes what it began.
    """

    def __init__(self, executable: Path, version: str) -> None:
        # The base class would run `pulumi version` again; the version is known.
        self.command = str(executable)
        self.version = VersionInfo.parse(version)
        self._running: subprocess.Popen[str] | None = None
        self._interrupted = False

    def run(
        self,
        args: list[str],
        cwd: str,
        additional_env: Mapping[str, str],
        on_output: OnOutput | None = None,
        on_error: OnOutput | None = None,
        stdin: str | None = None,
    ) -> CommandResult:
        """Run one command to its end; raise CommandError, or KeyboardInterrupt after an ordered end."""
        self._interrupted = False
        with subprocess.Popen(
            [self.command, "--non-interactive", *args],
            stdin=subprocess.DEVNULL if stdin is None else subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            cwd=cwd,
            env=environment(Path(self.command), additional_env),
            encoding="utf-8",
            errors="replace",
            start_new_session=True,
        ) as process:
            self._running = process
            stdout, stderr = _Reader(process.stdout, on_output), _Reader(process.stderr, on_error)
            if process.stdin is not None:
                process.stdin.write(stdin or "")
                process.stdin.close()
            for reader in (stdout, stderr):
                self._join(reader)
            code = process.wait()
            self._running = None
        result = CommandResult(stdout="\n".join(stdout.lines), stderr="\n".join(stderr.lines), code=code)
        if self._interrupted:
            raise KeyboardInterrupt
        if code != 0:
            raise create_command_error(result)
        return result

    def interrupt(self) -> None:
        """Ask the running engine to finish what it began and stop; from any thread; the second time does nothing."""
        process = self._running
        if process is not None and not self._interrupted:
            self._interrupted = True
            process.send_signal(signal.SIGINT)

    def _join(self, reader: _Reader) -> None:
        while reader.is_alive():
            try:
                reader.join()
            except KeyboardInterrupt:
                self.interrupt()


class _Reader(threading.Thread):
    """Reads one pipe to its end: an engine whose pipe is full or closed cannot finish."""

    def __init__(self, stream: IO[str] | None, callback: OnOutput | None) -> None:
        super().__init__(daemon=True)
        self.lines: list[str] = []
        self._stream = stream
        self._callback = callback
        self.start()

    def run(self) -> None:
        for line in self._stream or ():
            self.lines.append(line.rstrip())
            if self._callback:
                self._callback(line.rstrip())


def environment(executable: Path, additional: Mapping[str, str]) -> dict[str, str]:
    """Return the engine's environment: the shell's without its Pulumi settings, ours, the engine's folder on PATH."""
    inherited = {
        name: value for name, value in os.environ.items() if not name.startswith("PULUMI_") or name in INHERITED
    }
    path = os.pathsep.join([str(executable.parent), inherited.get("PATH", os.defpath)])
    return {**inherited, "PATH": path, PYTHON: sys.executable, **additional, "PULUMI_AUTOMATION_API": "true"}
