"""Runs the engine's executable in a session of its own, so that one Ctrl-C ends it in order.

Takes arguments and environment, returns what it printed. Never lets the shell's Pulumi settings through.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from pulumi.automation import PulumiCommand
from pulumi.automation._cmd import CommandResult
from pulumi.automation.errors import CommandError, create_command_error
from semver import VersionInfo

from autodeploy.adapters.pulumi.language_host import PYTHON
from autodeploy.adapters.pulumi.processes import STARTER
from autodeploy.errors import EngineError
from autodeploy.interruption import SAME_PRESS_SECONDS
from autodeploy.ports import Say
from autodeploy.settings import OWN_CREDENTIALS

OnOutput = Callable[[str], Any]
INHERITED = frozenset({"PULUMI_HOME"})
LOOK_SECONDS = 0.05


class EngineCommand(PulumiCommand):
    """`pulumi` as the Automation API calls it.

    A terminal's Ctrl-C goes to a whole process group and would kill provider and engine together, in the
    middle of a create. In its own session the engine hears of it from us, once, and finishes what it began.
    A second Ctrl-C leaves it to finish alone, as does our own death: its output goes to files, not to a pipe
    whose end would end it too.
    """

    def __init__(self, executable: Path, version: str, say: Say = lambda line: None) -> None:
        # The base class would run `pulumi version` again; the version is known.
        self.command = str(executable)
        self.version = VersionInfo.parse(version)
        self.say = say
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
        """Run one command to its end; raise CommandError, KilledError, or KeyboardInterrupt after an ordered end."""
        process_environment = environment(Path(self.command), additional_env)
        argv = [self.command, "--non-interactive", *args]
        current = self._current = _Run(argv, cwd, process_environment, stdin, on_output, on_error)
        current.start()
        # Not join(): Python 3.11 takes a thread for ended whose join was interrupted (bpo-45274).
        while not current.ended.is_set():
            try:
                current.ended.wait()
            except KeyboardInterrupt:
                if not self._interrupt(current):
                    self.say("the Pulumi engine finishes alone; the next command waits for it")
                    raise
        self._current = None
        return current.result()

    def interrupt(self) -> None:
        """Ask the running engine to finish what it began and stop; from any thread; the second time does nothing."""
        current = self._current
        if current is not None:
            self._interrupt(current)

    def _interrupt(self, current: _Run) -> bool:
        """Say whether the engine is still to be waited for."""
        first = current.interrupted_at is None
        if first:
            current.interrupt()
            self.say("stopping: the Pulumi engine finishes what it began; Ctrl-C again leaves it to finish alone")
        return first or time.monotonic() - (current.interrupted_at or 0.0) < SAME_PRESS_SECONDS


class KilledError(CommandError):
    """The engine was ended by a signal: what it was doing is half done, and the stack's state says so."""

    def __init__(self, result: CommandResult) -> None:
        super().__init__(result)
        self.signal = -result.code


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
        self.interrupted_at: float | None = None
        self._order = (argv, cwd, env, stdin)
        self._callbacks = callbacks
        self._lock = threading.Lock()
        self._process: subprocess.Popen[str] | None = None
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
            if self.interrupted_at is None and self._process is not None:
                self._process.send_signal(signal.SIGINT)
            self.interrupted_at = self.interrupted_at or time.monotonic()

    def result(self) -> CommandResult:
        if self.interrupted_at is not None:
            raise KeyboardInterrupt
        if isinstance(self._failure, OSError):
            raise _unusable(self._order[0][0], self._failure) from self._failure
        if self._failure or self._answer is None:
            raise self._failure or RuntimeError("the engine was never started")
        if self._answer.code < 0:
            raise KilledError(self._answer)
        if self._answer.code != 0:
            raise create_command_error(self._answer)
        return self._answer

    def _attend(self) -> CommandResult:
        argv, cwd, env, stdin = self._order
        outputs = [_Output(callback) for callback in self._callbacks]
        with subprocess.Popen(
            argv,
            stdin=subprocess.DEVNULL if stdin is None else subprocess.PIPE,
            stdout=outputs[0].writer,
            stderr=outputs[1].writer,
            cwd=cwd,
            env=env,
            encoding="utf-8",
            start_new_session=True,
        ) as process:
            with self._lock:
                self._process = process
                if self.interrupted_at is not None:
                    process.send_signal(signal.SIGINT)
            if process.stdin is not None:
                # An engine that refuses before it reads says why on its way out.
                with suppress(BrokenPipeError):
                    process.stdin.write(stdin or "")
                    process.stdin.close()
            while process.poll() is None:
                for output in outputs:
                    output.read()
                with suppress(subprocess.TimeoutExpired):
                    process.wait(LOOK_SECONDS)
        stdout, stderr = (output.close() for output in outputs)
        return CommandResult(stdout=stdout, stderr=stderr, code=process.returncode)


class _Output:
    """A nameless file that the engine writes and we follow; it outlives us as long as the engine does."""

    def __init__(self, callback: OnOutput | None) -> None:
        self.writer, name = tempfile.mkstemp(prefix="autodeploy-engine-")
        self._file = Path(name).open(encoding="utf-8", errors="replace")  # noqa: SIM115
        Path(name).unlink()
        self._callback = callback
        self._lines: list[str] = []
        self._part = ""

    def read(self) -> None:
        """Take what is new, line by line."""
        *lines, self._part = (self._part + self._file.read()).split("\n")
        for line in lines:
            self._take(line)

    def close(self) -> str:
        """Take the rest and return everything."""
        self.read()
        if self._part:
            self._take(self._part)
        self._file.close()
        os.close(self.writer)
        return "\n".join(self._lines)

    def _take(self, line: str) -> None:
        self._lines.append(line.rstrip())
        if self._callback:
            self._callback(line.rstrip())


def _unusable(executable: str, err: OSError) -> EngineError:
    return EngineError(
        f"the Pulumi engine {executable} cannot be run: {err.strerror or err}",
        f"Remove it (rm {executable}) and run the same command again: another one is fetched.",
        agent="HiveMind SysEng",
        context="Starting the Pulumi engine",
    )


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
    own = {"PATH": path, PYTHON: sys.executable, STARTER: str(os.getpid())}
    return {**inherited, **own, **additional, "PULUMI_AUTOMATION_API": "true"}
