"""Host over SSH: an address, or another way to the machine, and a key in; root's scripts and files out.

Scripts and secrets travel on standard input, never in an argument list or a file in clear. The host key is
trusted on first use and pinned. Never installs, decides or repeats anything.
"""

from __future__ import annotations

import io
import logging
import select
import shlex
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Protocol

import paramiko
from paramiko.pkey import UnknownKeyType

from autodeploy.errors import DeploymentError
from autodeploy.model import CommandResult
from autodeploy.ports import Say

OUTPUT_LIMIT = 1_000_000
"""Bytes kept of each stream of one command; the end is kept, the beginning is dropped."""

KEEPALIVE_SECONDS = 15
GRACE_SECONDS = 20
"""How much longer than its command the line may be silent before it counts as lost."""

_CHUNK = 1 << 15
# A refused attempt is ours to report, once; paramiko would print its traceback for each.
logging.getLogger("paramiko").setLevel(logging.CRITICAL + 1)
_RETRIABLE = (OSError, EOFError, paramiko.SSHException)


class Way(Protocol):
    """How a machine is reached that has no address for us; what is called so is but the name that pins its key."""

    def open(self) -> socket.socket:
        """Return a socket to the machine's sshd; raise DeploymentError where there cannot be one."""

    def reason(self) -> str:
        """Return why the latest socket broke, "" where that is not known; raise DeploymentError for what will stay."""


def connect(
    address: str,
    *,
    key_path: Path,
    known_hosts: Path,
    say: Say,
    user: str = "ubuntu",
    deadline: float = 180.0,
    port: int = 22,
    way: Way | None = None,
) -> SshHost:
    """Return the host once it lets `user` in; wait for its sshd at most `deadline` seconds; raise DeploymentError."""
    door = _Door(address, port, user, key_path, known_hosts, say, deadline, way)
    host = SshHost(door.open, f"{user}@{address}")
    host.reconnect()
    return host


class SshHost:
    """One machine, fulfilling ports.Host. Its connection can be lost and made anew."""

    def __init__(self, opener: Callable[[], paramiko.SSHClient], name: str) -> None:
        self._opener = opener
        self._name = name
        self._client: paramiko.SSHClient | None = None

    def reconnect(self) -> None:
        """Open a fresh connection in place of this one; raise DeploymentError when the host lets nobody in."""
        self.close()
        self._client = self._opener()

    def close(self) -> None:
        """Close the connection; a closed one may be closed again."""
        if self._client is not None:
            self._client.close()
            self._client = None

    def run(self, command: str, stdin: str | None = None, timeout_seconds: int = 120) -> CommandResult:
        """Run a POSIX shell script as root; its status is 124 when it took longer than `timeout_seconds`."""
        script = command.encode()
        # A script that the line has cut short must not be run: hence the length.
        remote = (
            f"LC_ALL=C; export LC_ALL; s=$(head -c {len(script)}; echo .); "
            f'[ "${{#s}}" -eq {len(script) + 1} ] || exit 75; eval "${{s%.}}"'
        )
        return self._feed(remote, io.BytesIO(script + (stdin or "").encode()), timeout_seconds)

    def put(self, path: str, content: bytes | Path, mode: str = "0644") -> None:
        """Write a file on the host, atomically, as root; a Path is streamed."""
        size = content.stat().st_size if isinstance(content, Path) else len(content)
        target, partial = shlex.quote(path), shlex.quote(f"{path}.partial")
        remote = (
            f'umask 077 && mkdir -p -m 0755 "$(dirname {target})" && cat >{partial}'
            f' && [ "$(stat -c %s {partial})" -eq {size} ] && chmod {shlex.quote(mode)} {partial}'
            f" && sync {partial} && mv -fT {partial} {target}"
        )
        with content.open("rb") if isinstance(content, Path) else io.BytesIO(content) as stream:
            result = self._feed(remote, stream, 120 + size // 100_000)
        if result.code != 0:
            raise DeploymentError(
                f"{path} could not be written on {self._name}",
                "Check that the host's disk is not full, then run the deployment again.",
                recoverable=True,
                agent="HiveMind Release-Engineer",
                context=f"Uploading {path}",
                output=result.stderr[-2000:],
            )

    def _feed(self, remote: str, stream: BinaryIO, timeout_seconds: int) -> CommandResult:
        command = f"sudo -n timeout --kill-after=5 {timeout_seconds} sh -c {shlex.quote(remote)}"
        try:
            return _converse(self._transport(), command, stream, timeout_seconds + GRACE_SECONDS)
        except _RETRIABLE as err:
            raise self._lost(str(err) or type(err).__name__) from err

    def _transport(self) -> paramiko.Transport:
        transport = self._client.get_transport() if self._client is not None else None
        if transport is None or not transport.is_active():
            raise EOFError("the connection is closed")
        return transport

    def _lost(self, reason: str) -> DeploymentError:
        return DeploymentError(
            f"the connection to {self._name} was lost: {reason}",
            "Check that the host runs and is reachable, then run the same command again; it goes on where it stopped.",
            recoverable=True,
            agent="HiveMind Release-Engineer",
            context=f"Running a command on {self._name}",
            transience="network",
        )


def _converse(transport: paramiko.Transport, command: str, stream: BinaryIO, seconds: float) -> CommandResult:
    end = time.monotonic() + seconds
    channel = transport.open_session(timeout=GRACE_SECONDS)
    try:
        channel.exec_command(command)
        channel.setblocking(False)
        stdout, stderr = bytearray(), bytearray()
        pending = stream.read(_CHUNK)
        while True:
            pending = _send(channel, stream, pending)
            _receive(channel, stdout, stderr)
            if channel.exit_status_ready() and (channel.eof_received or channel.closed):
                _receive(channel, stdout, stderr)
                break
            if channel.closed or not transport.is_active():
                raise EOFError("it was closed by the other side")
            if time.monotonic() > end:
                raise TimeoutError(f"no end of the command within {seconds:.0f} s")
            _wait(channel, sending=bool(pending))
        code = channel.recv_exit_status()
    finally:
        channel.close()
    if code < 0:
        raise EOFError("the command ended without a status")
    return CommandResult(code=code, stdout=stdout.decode(errors="replace"), stderr=stderr.decode(errors="replace"))


def _wait(channel: paramiko.Channel, sending: bool) -> None:
    """Sleep until the channel has something to read; a window to write into is not selectable, so look again soon."""
    select.select([channel.fileno()], [], [], 0.005 if sending else 0.1)


def _send(channel: paramiko.Channel, stream: BinaryIO, pending: bytes) -> bytes:
    while pending and channel.send_ready():
        try:
            pending = pending[channel.send(pending) :]
        except TimeoutError:
            return pending
        except OSError:
            # The command has closed its input or ended; its status tells the rest.
            return b""
        if not pending:
            pending = stream.read(_CHUNK)
    if not pending and not channel.eof_sent and not channel.closed:
        channel.shutdown_write()
    return pending


def _receive(channel: paramiko.Channel, stdout: bytearray, stderr: bytearray) -> None:
    for ready, receive, kept in (
        (channel.recv_ready, channel.recv, stdout),
        (channel.recv_stderr_ready, channel.recv_stderr, stderr),
    ):
        while ready():
            kept.extend(receive(_CHUNK))
            del kept[:-OUTPUT_LIMIT]


@dataclass(frozen=True)
class _Door:
    """How one host is entered."""

    address: str
    port: int
    user: str
    key_path: Path
    known_hosts: Path
    say: Say
    deadline: float
    way: Way | None

    def open(self) -> paramiko.SSHClient:
        """Return a connection, trying with growing pauses until the deadline."""
        key = self._key()
        end, pause, told = time.monotonic() + self.deadline, 0.2, False
        while True:
            try:
                return self._attempt(key)
            except paramiko.BadHostKeyException as err:
                raise self._changed_key() from err
            except _RETRIABLE as err:
                reason = (self.way.reason() if self.way else "") or str(err) or type(err).__name__
                if time.monotonic() + pause > end:
                    raise self._unreachable(err, reason) from err
                if not told and pause > 1:
                    self.say(f"waiting for SSH on {self.address}")
                    told = True
            time.sleep(pause)
            pause = min(pause * 1.6, 4.0)

    def _key(self) -> paramiko.PKey:
        try:
            return paramiko.PKey.from_path(self.key_path)
        except (OSError, ValueError, paramiko.SSHException, UnknownKeyType) as err:
            raise DeploymentError(
                f"the deployment's private key {self.key_path} cannot be read: {err}",
                "Restore it from your backup, or destroy the deployment and make it again.",
                agent="HiveMind Release-Engineer",
                context=f"Connecting to {self.address} over SSH",
            ) from err

    def _attempt(self, key: paramiko.PKey) -> paramiko.SSHClient:
        client = paramiko.SSHClient()
        self.known_hosts.parent.mkdir(parents=True, exist_ok=True)
        self.known_hosts.touch(mode=0o600)
        # With a file loaded this way, AutoAddPolicy also writes a first key into it; a changed one is refused before.
        client.load_host_keys(str(self.known_hosts))
        client.set_missing_host_key_policy(paramiko.AutoAddPolicy())
        line = self.way.open() if self.way else None
        try:
            client.connect(
                self.address,
                port=self.port,
                username=self.user,
                pkey=key,
                sock=line,
                timeout=5,
                banner_timeout=30 if line else 15,
                auth_timeout=15,
                allow_agent=False,
                look_for_keys=False,
            )
            transport = client.get_transport()
            if transport is None:
                raise EOFError("the connection is closed")
            transport.set_keepalive(KEEPALIVE_SECONDS)
        except BaseException:
            client.close()
            if line is not None:
                line.close()
            raise
        return client

    def _changed_key(self) -> DeploymentError:
        return DeploymentError(
            f"{self.address} shows another host key than the one that was pinned",
            f"If the machine was replaced on purpose, remove its line from {self.known_hosts} and run again; "
            "if not, somebody may be listening in.",
            agent="HiveMind Release-Engineer",
            context=f"Connecting to {self.address} over SSH",
        )

    def _unreachable(self, err: Exception, reason: str) -> DeploymentError:
        message = f"no SSH connection to {self.address} within {self.deadline:.0f} s: {reason}"
        remedy = "Check that the instance runs and that your address is the one admitted (--admin-cidr)."
        if isinstance(err, paramiko.AuthenticationException):
            message = f"{self.address} refuses the deployment's key for {self.user}"
            remedy = "Check that the instance was started with this deployment's user data (cloud-init status --long)."
        elif self.way:
            remedy = "Check that the instance runs, and what its console says of its agent (the dossier has it)."
        return DeploymentError(
            message,
            remedy,
            recoverable=True,
            agent="HiveMind Release-Engineer",
            context=f"Connecting to {self.address} over SSH",
        )
