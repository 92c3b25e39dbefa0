"""One throw-away container: input, lines and output stream through it; it ends by itself, by its limits, or with us."""

from __future__ import annotations

import re
import secrets
import subprocess
import tempfile
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import BinaryIO

from autodeploy.errors import LocalTargetError

_CAPABILITIES = ("NET_ADMIN", "SETUID", "SETGID", "SETPCAP", "CHOWN", "DAC_OVERRIDE", "FOWNER", "KILL")
_CONTROL = re.compile(
    r"\x1b\[[0-9;?]*[ -/]*[@-~]|\x1b\].*?(\x07|\x1b\\)|[^\t\x20-\x7e\x80-\uffff\U00010000-\U0010ffff]"
)
_LONGEST_LINE = 8192
_CHUNK = 1 << 18


@dataclass(frozen=True)
class Limits:
    """What one run may use at most. `memory` as the engine writes it ("2g"); "" where it cannot limit."""

    memory: str = "2g"
    processes: int = 1024
    build_seconds: int = 1800
    trial_seconds: int = 60
    archive_bytes: int = 2_000_000_000
    log_bytes: int = 20_000_000


@dataclass(frozen=True)
class Ended:
    """How a container ended; `output_bytes` counts what it wrote, also beyond the limit of what is kept."""

    code: int
    timed_out: bool = False
    output_bytes: int = 0


class Container:
    """A container under a name of its own. `engine` is the argv prefix up to the image: `podman run --rm …`."""

    def __init__(self, engine: Sequence[str], kind: str, limits: Limits) -> None:
        self._program = list(engine[: list(engine).index("run")])
        self._engine = list(engine)
        self._limits = limits
        self.kind = kind
        self.name = f"autodeploy-{kind}-{secrets.token_hex(6)}"

    def flags(self, variables: Mapping[str, str], owner: str) -> list[str]:
        """Return the flags of a build: what it is told, and the cache that belongs to its repository alone."""
        told = [word for item in variables.items() for word in ("--env", "=".join(item))]
        return ["--volume", f"autodeploy-cache-{owner}:/cache", *told]

    def clear(self) -> None:
        """Remove what is left of it; a container leaves nothing."""

    def command(self, image: str, flags: Sequence[str], inner: Sequence[str]) -> list[str]:
        """Return the command line: no capability but those that set the walls up, no new privileges, limits."""
        memory = ["--memory", self._limits.memory] if self._limits.memory else []
        return [
            *self._engine, "--name", self.name, "--label", f"autodeploy.kind={self.kind}", "--interactive",
            "--log-driver", "none", "--cap-drop", "ALL", *(f"--cap-add={name}" for name in _CAPABILITIES),
            "--security-opt", "no-new-privileges", "--pids-limit", str(self._limits.processes), *memory,
            *flags, image, *inner,
        ]  # fmt: skip

    def run(
        self,
        command: Sequence[str],
        feed: Callable[[BinaryIO], None],
        hear: Callable[[str], None],
        output: BinaryIO,
        seconds: int,
    ) -> Ended:
        """Run to the end; whatever ends us, Ctrl-C included, ends the container too."""
        try:
            # Of its own session: Ctrl-C in a terminal is ours to answer, by the container's name.
            process = subprocess.Popen(
                command,
                cwd=tempfile.gettempdir(),  # podman's monitor leaves a file named oom where it was started
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                start_new_session=True,
            )
        except OSError as err:
            raise LocalTargetError(
                f"the container engine {command[0]} cannot be started",
                "Install podman or Docker, then repeat the command.",
                agent="HiveMind DevOps",
                context="Starting the builder's container",
                output=str(err),
            ) from err
        late = threading.Event()

        def end() -> None:
            late.set()
            self._stop(process)

        clock = threading.Timer(seconds, end)
        clock.daemon = True
        try:
            clock.start()
            written = self._stream(process, feed, hear, output)
            return Ended(process.wait(), late.is_set(), written)
        except BaseException:
            self._stop(process)
            raise
        finally:
            clock.cancel()

    def kill(self, name: str) -> None:
        """End a container by its name; not there counts as done."""
        with suppress(OSError, subprocess.TimeoutExpired):
            subprocess.run([*self._program, "kill", name], check=False, timeout=30, capture_output=True)

    def _stream(
        self,
        process: subprocess.Popen[bytes],
        feed: Callable[[BinaryIO], None],
        hear: Callable[[str], None],
        output: BinaryIO,
    ) -> int:
        assert process.stdin and process.stdout and process.stderr
        written, failures = [0], list[OSError]()
        threads = [
            threading.Thread(target=_feed, args=(process.stdin, feed), daemon=True),
            threading.Thread(target=self._keep, args=(process, output, written, failures), daemon=True),
        ]
        for thread in threads:
            thread.start()
        while raw := process.stderr.readline(_LONGEST_LINE):
            hear(printable(raw))
        for thread in threads:
            thread.join()
        if failures:
            raise failures[0]
        return written[0]

    def _keep(
        self, process: subprocess.Popen[bytes], output: BinaryIO, written: list[int], failures: list[OSError]
    ) -> None:
        assert process.stdout
        try:
            while chunk := process.stdout.read1(_CHUNK):  # type: ignore[attr-defined]
                written[0] += len(chunk)
                if written[0] <= self._limits.archive_bytes:
                    output.write(chunk)
        except OSError as err:
            # Nobody reads any more: a container whose output is full would wait for ever.
            failures.append(err)
            self._stop(process)

    def _stop(self, process: subprocess.Popen[bytes]) -> None:
        """Kill the container by its name, as often as it takes: it may not be there yet."""
        for _ in range(20):
            self.kill(self.name)
            with suppress(subprocess.TimeoutExpired):
                process.wait(0.5)
                return
        process.kill()


def printable(raw: bytes) -> str:
    """Return a line as text that cannot drive a terminal; of a line rewritten in place, its last state."""
    text = raw.decode("utf-8", "replace").rstrip("\r\n")
    return _CONTROL.sub("", text.rpartition("\r")[2])


def _feed(stream: BinaryIO, feed: Callable[[BinaryIO], None]) -> None:
    # A container that ends early closes the pipe; how it ended says more than that.
    with suppress(BrokenPipeError):
        try:
            feed(stream)
        finally:
            stream.close()
