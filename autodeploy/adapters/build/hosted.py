"""A build on the operator's own machine: what a container would be given comes in, a process in namespaces goes out.

It sees programs and /etc, read-only, its own folders at their final paths, and the network; memory is not limited.
"""

from __future__ import annotations

import os
import platform
import shutil
import signal
import subprocess
from collections.abc import Mapping, Sequence
from contextlib import suppress
from importlib.resources import files
from pathlib import Path

from autodeploy.adapters.build.container import Container, Limits
from autodeploy.errors import BuildError
from autodeploy.model import Recipe

WARNING = (
    "Building on this machine instead of in a container: the repository's code runs on your network, where it may "
    "reach a cloud's metadata address and every service of yours, and may use all memory. Build only what you trust so."
)
_PROGRAMS = ("unshare", "mount", "chroot", "setpriv", "tar", "zstd", "python3")


class HostProcess(Container):
    """A process that ends as a container does: with its limits, or with us. `place` is its temporary folder."""

    def __init__(self, limits: Limits, place: Path, cache: Path) -> None:
        super().__init__(("host", "run"), "build", limits)
        self._place = place / self.name
        self._cache = cache
        self._variables: Mapping[str, str] = {}

    def flags(self, variables: Mapping[str, str], owner: str) -> list[str]:
        """Keep what the build is told; there is no command line that would need it."""
        self._cache = self._cache / owner
        place = {"PLACE": "host", "DROP": "yes" if os.geteuid() == 0 else ""}
        self._variables = {**variables, **place}
        return []

    def command(self, image: str, flags: Sequence[str], inner: Sequence[str]) -> list[str]:
        """Return the command line: namespaces of mounts and processes, a root of its own, no variable of ours."""
        script = files(__package__).joinpath("host.sh").read_text("utf-8")
        as_root = [] if os.geteuid() == 0 else ["--user", "--map-root-user"]
        path = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
        return [
            "env", "-i", path, "unshare", *as_root, "--mount", "--pid", "--ipc", "--uts", "--fork", "--kill-child",
            "sh", "-c", script, "host", str(self._place), str(self._cache),
            "env", *(f"{name}={value}" for name, value in self._variables.items()), *inner,
        ]  # fmt: skip

    def kill(self, name: str) -> None:
        """End the build by its first process, with all that it began."""
        for file in Path("/proc").glob("[0-9]*/cmdline"):
            with suppress(OSError, ValueError):
                words = file.read_bytes().split(b"\0")
                if b"host" in words and str(self._place.with_name(name)).encode() in words:
                    os.kill(int(file.parent.name), signal.SIGKILL)

    def clear(self) -> None:
        """Remove the temporary folder."""
        shutil.rmtree(self._place, ignore_errors=True)


def check(recipe: Recipe, release: Path = Path("/etc/os-release"), machine: str = "") -> None:
    """Refuse a machine whose builds would not run on the server; raise BuildError."""
    wanted = recipe.base_image.replace("-", " ").capitalize()
    found = dict(line.split("=", 1) for line in _lines(release) if "=" in line)
    name, version = found.get("ID", "").strip('"'), found.get("VERSION_ID", "").strip('"')
    kind = machine or platform.machine()
    if kind not in {"x86_64", "AMD64"} or f"{name}-{version}" != recipe.base_image:
        said = f"{name or platform.system()} {version} on {kind}".replace("  ", " ")
        raise _refusal(f"this machine is {said}; what runs on {wanted} cannot be built here")
    lacking = [program for program in _PROGRAMS if not shutil.which(program)]
    if lacking:
        raise _refusal(
            f"this machine has no {', '.join(lacking)}", "Install them (Debian: util-linux, zstd, python3). "
        )
    absent = [package for package in recipe.packages if not _is_installed(package)]
    if absent:
        raise _refusal(
            f"the build needs Debian packages that this machine lacks: {', '.join(absent)}",
            f"Install them: apt-get install {' '.join(absent)}. ",
        )


def _lines(file: Path) -> list[str]:
    try:
        return file.read_text("utf-8").splitlines()
    except OSError:
        return []


def _is_installed(package: str) -> bool:
    command = ["dpkg-query", "-W", "-f=${db:Status-Status}", package]
    with suppress(OSError):
        return subprocess.run(command, capture_output=True, check=False).stdout == b"installed"
    return False


def _refusal(message: str, remediation: str = "") -> BuildError:
    return BuildError(
        message,
        f"{remediation}Or build in a container: leave out --builder host.",
        agent="HiveMind DevOps",
        context="Building on this machine",
    )
