"""Runs the engine's executable in a session of its own, so that one Ctrl-C ends it in order.

Takes arguments and environment, returns what it printed. Never lets the shell's Pulumi settings through.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO, Any

from pulumi.automation import PulumiCommand
from pulumi.automation._cmd import CommandResult
from pulumi.automation.errors import create_command_error
from semver import VersionInfo

from autodeploy.adapters.pulumi.language_host import PYTHON
from autodeploy.settings import OWN_CREDENTIALS

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
        self._current: _Run | None = None

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
        process_environment = environment(Path(self.command), additional_env)
        argv = [self.command, "--non-interactive", *args]
        current = self._current = _Run(argv, cwd, process_environment, stdin, on_output, on_error)
        current.start()
        # Not join(): Python 3.11 takes a thread for ended whose join was interrupted (bpo-45274).
        while not current.ended.is_set():
            try:
                current.ended.wait()
            except KeyboardInterrupt:
                current.interrupt()
        self._current = None
        return current.result()

    def interrupt(self) -> None:
        """Ask the running engine to finish what it began and stop; from any thread; the second time does nothing."""
        current = self._current
        if current is not None:
            current.interrupt()


class _Run(threading.Thread):
    """One start of the engine, attended by a thread that no Ctrl-C reaches."""

    def __init__(
        self,
        argv: Sequence[str],
        cwd: str,
        env: Mapping[str, str],
        stdin: str | None,
        *callbacks: OnOutput | None,
    ) -> None:
        super().__init__(daemon=True)
        self.ended = threading.Event()
        self._order = (argv, cwd, env, stdin)
        self._callbacks = callbacks
        self._lock = threading.Lock()
        self._process: subprocess.Popen[str] | None = None
        self._interrupted = False
        self._answer: CommandResult | None = None
        self._failure: BaseException | None = None

    def run(self) -> None:
        try:
            self._answer = self._attend()
        except BaseException as err:  # raised again where the command was asked for
            self._failure = err
        finally:
            self.ended.set()

    def interrupt(self) -> None:
        with self._lock:
            if not self._interrupted and self._process is not None:
                self._process.send_signal(signal.SIGINT)
            self._interrupted = True

    def result(self) -> CommandResult:
        if self._interrupted:
            raise KeyboardInterrupt
        if self._failure or self._answer is None:
            raise self._failure or RuntimeError("the engine was never started")
        if self._answer.code != 0:
            raise create_command_error(self._answer)
        return self._answer

    def _attend(self) -> CommandResult:
        argv, cwd, env, stdin = self._order
        with subprocess.Popen(
            argv,
            stdin=subprocess.DEVNULL if stdin is None else subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            cwd=cwd,
            env=env,
            encoding="utf-8",
            errors="replace",
            start_new_session=True,
        ) as process:
            with self._lock:
                self._process = process
                if self._interrupted:
                    process.send_signal(signal.SIGINT)
            pipes = (process.stdout, process.stderr)
            readers = [_Reader(pipe, callback) for pipe, callback in zip(pipes, self._callbacks, strict=True)]
            if process.stdin is not None:
                # An engine that refuses before it reads says why on its way out.
                with suppress(BrokenPipeError):
                    process.stdin.write(stdin or "")
                    process.stdin.close()
            for reader in readers:
                reader.join()
            code = process.wait()
        stdout, stderr = ("\n".join(reader.lines) for reader in readers)
        return CommandResult(stdout=stdout, stderr=stderr, code=code)


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
    """Return the engine's environment: the shell's less its Pulumi settings, ours, the engine's folder on PATH."""
    # The shell's own credentials would win over the profile that was chosen, and reach another account.
    left_out = OWN_CREDENTIALS if "AWS_PROFILE" in additional else ()
    inherited = {
        name: value
        for name, value in os.environ.items()
        if name not in left_out and (not name.startswith("PULUMI_") or name in INHERITED)
    }
    path = os.pathsep.join([str(executable.parent), inherited.get("PATH", os.defpath)])
    return {**inherited, "PATH": path, PYTHON: sys.executable, **additional, "PULUMI_AUTOMATION_API": "true"}
