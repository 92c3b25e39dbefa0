"""The container engine: podman, else docker. Arguments go in, standard output comes out; failures are LocalTargetError.

It knows how the engines differ and what a container needs to boot systemd; it decides nothing about machines.
"""

from __future__ import annotations

import asyncio
import json
import os
import resource
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from autodeploy.errors import LocalTargetError

AGENT = "HiveMind SysEng"
INSTALL = "Install a container engine: `apt-get install podman runc mmdebstrap` (or Docker), then try again."

# A container lowers both limits by itself when they are given, and fails when they are above its own.
_NPROC = 32768


class ContainerEngine(NamedTuple):
    """One usable engine. `boot` are the flags that let systemd be process 1; `limits` belong to every container."""

    program: str
    arguments: tuple[str, ...]
    boot: tuple[str, ...]
    limits: tuple[str, ...]

    @property
    def is_podman(self) -> bool:
        """Tell the two dialects apart."""
        return self.program == "podman"

    def command(self, *arguments: str) -> list[str]:
        """Return the whole command line."""
        return [self.program, *self.arguments, *arguments]

    def call(self, *arguments: str, timeout: float = 120) -> str:
        """Run to the end and return standard output; the blocking twin of `run`."""
        command = self.command(*arguments)
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=timeout, check=False)
        except subprocess.TimeoutExpired as err:
            raise _failed(command, f"no end after {timeout:g} s") from err
        if done.returncode:
            raise _failed(command, done.stderr)
        return done.stdout

    def stream(
        self, *arguments: str, source: Path | None = None, into: Path | None = None, timeout: float = 3600
    ) -> None:
        """Run to the end with files as standard input and output, of any size; blocking."""
        command = self.command(*arguments)
        with ExitStack() as files:
            stdin = files.enter_context(source.open("rb")) if source else subprocess.DEVNULL
            stdout = files.enter_context(into.open("wb")) if into else subprocess.DEVNULL
            try:
                done = subprocess.run(
                    command,
                    stdin=stdin,
                    stdout=stdout,
                    stderr=subprocess.PIPE,
                    timeout=timeout,
                    check=False,
                    start_new_session=True,
                )
            except subprocess.TimeoutExpired as err:
                raise _failed(command, f"no end after {timeout:g} s") from err
        if done.returncode:
            raise _failed(command, done.stderr.decode(errors="replace"))

    async def run(self, *arguments: str, stdin: str = "", timeout: float = 120) -> str:
        """Run to the end and return standard output; raise LocalTargetError with the engine's last lines."""
        command = self.command(*arguments)
        process = await asyncio.create_subprocess_exec(
            *command,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            # Of its own session: Ctrl-C in a terminal must not cut an engine that is half way.
            start_new_session=True,
        )
        try:
            out, err = await asyncio.wait_for(process.communicate(stdin.encode()), timeout)
        except asyncio.TimeoutError as late:
            process.kill()
            await process.wait()
            raise _failed(command, f"no end after {timeout:g} s") from late
        if process.returncode:
            raise _failed(command, err.decode(errors="replace"))
        return out.decode(errors="replace")

    async def inspect(self, kind: str, name: str) -> Any:
        """Return the engine's description of a container or network, None when it is not there."""
        try:
            return json.loads(await self.run(kind, "inspect", name))[0]
        except (LocalTargetError, IndexError):
            return None

    async def inspect_all(self, kind: str, names: Sequence[str]) -> list[Any]:
        """Return the descriptions of those that are still there, in one call where none has gone meanwhile."""
        if not names:
            return []
        try:
            return list(json.loads(await self.run(kind, "inspect", *names)))
        except LocalTargetError:
            found = [await self.inspect(kind, name) for name in names]
            return [each for each in found if each is not None]

    async def names(self, kind: str, labels: Mapping[str, str]) -> list[str]:
        """Return the names of all containers or networks that carry these labels."""
        filters = [word for key, value in labels.items() for word in ("--filter", f"label={key}={value}")]
        field = "{{.Names}}" if kind == "container" else "{{.Name}}"
        every = ["--all"] if kind == "container" else []
        return (await self.run(kind, "ls", *every, *filters, "--format", field)).split()


@cache
def container_engine(machines: bool = True) -> ContainerEngine:
    """Return the engine of this machine: podman first, else docker; raise LocalTargetError when none is usable.

    `machines`: it must be able to boot machines, not only to build in containers.
    """
    for program in ("podman", "docker"):
        if shutil.which(program):
            return _podman(machines) if program == "podman" else _docker()
    raise LocalTargetError(
        "there is no container engine: neither podman nor docker is installed",
        INSTALL,
        agent=AGENT,
        context="Looking for a container engine",
    )


def labels(**values: str) -> list[str]:
    """Return the flags that put `autodeploy.<key>=<value>` on a container or network."""
    return [word for key, value in values.items() for word in ("--label", f"autodeploy.{key}={value}")]


def _podman(machines: bool) -> ContainerEngine:
    info = _probe(["podman", "info", "--format", "json"])["host"]
    if machines and info["security"]["rootless"]:
        raise LocalTargetError(
            "podman runs without root here, and machines that boot systemd on a reachable network need it",
            "Run the command as root, for example with `sudo -E`, or install Docker.",
            agent=AGENT,
            context="Looking for a container engine",
        )
    # crun refuses hybrid cgroups; with the unified hierarchy the engine's own choice is right.
    old_cgroups = info["cgroupVersion"] == "v1" and info["ociRuntime"]["name"] != "runc"
    if old_cgroups and not shutil.which("runc"):
        raise LocalTargetError(
            "podman needs runc on a machine with version 1 control groups",
            "Install it: `apt-get install runc`, then try again.",
            agent=AGENT,
            context="Looking for a container engine",
        )
    arguments = ("--runtime", "runc") if info["cgroupVersion"] == "v1" else ()
    return ContainerEngine("podman", arguments, ("--systemd=always", "--privileged"), _limits())


def _docker() -> ContainerEngine:
    _probe(["docker", "info", "--format", "{{json .}}"])
    mounts = ("--tmpfs", "/run", "--tmpfs", "/run/lock", "--tmpfs", "/tmp:exec,mode=1777")
    return ContainerEngine("docker", (), ("--privileged", "--cgroupns=host", *mounts), _limits())


def _probe(command: Sequence[str]) -> Any:
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
        return json.loads(done.stdout)
    except (subprocess.SubprocessError, ValueError, OSError) as err:
        raise LocalTargetError(
            f"{command[0]} is installed but does not work",
            f"See what `{command[0]} info` says and repair it. {INSTALL}",
            agent=AGENT,
            context="Looking for a container engine",
            output=str(getattr(err, "stderr", "") or err),
        ) from err


def _limits() -> tuple[str, ...]:
    files = _hard(resource.RLIMIT_NOFILE, 1048576)
    processes = _hard(resource.RLIMIT_NPROC, _NPROC)
    return ("--ulimit", f"nofile={files}:{files}", "--ulimit", f"nproc={processes}:{processes}")


def _hard(which: int, most: int) -> int:
    hard = resource.getrlimit(which)[1]
    return most if hard == resource.RLIM_INFINITY else min(hard, most)


def _failed(command: Sequence[str], output: str) -> LocalTargetError:
    words = [word for word in command if not word.startswith("-") and word != "runc"]
    last = output.strip().splitlines()[-1:] or ["no message"]
    return LocalTargetError(
        f"{words[0]} {' '.join(words[1:3])} failed: {last[0]}",
        "See `autodeploy local status`; if the engine itself is at fault, repair it and try again.",
        agent=AGENT,
        context=f"Running {words[0]}",
        output=output[-4000:],
    )


def operator_certificates() -> str:
    """Return the operator's CA bundle, so that guests trust what the operator trusts; "" when there is none."""
    names = ("SSL_CERT_FILE", "PIP_CERT", "REQUESTS_CA_BUNDLE")
    places = [os.environ.get(name, "") for name in names]
    for place in (*places, "/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt"):
        if place and Path(place).is_file():
            return Path(place).read_text("utf-8", errors="replace")
    return ""
