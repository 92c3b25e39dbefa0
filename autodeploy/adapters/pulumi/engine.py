"""Which `pulumi` to run: the one on PATH, else a downloaded one, else one built by Go; kept in the cache.

Takes the cache folder and says what it does; returns the executable. Never takes an engine of another version.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from pulumi.automation import PulumiCommand
from semver import VersionInfo

from autodeploy.adapters.pulumi import build, language_host
from autodeploy.errors import EngineError
from autodeploy.ports import Say

VERSION = "3.250.0"
SERIES = "3.250."
AGENT = "HiveMind SysEng"
CONTEXT = f"Looking for the Pulumi engine {VERSION}"
MODULE = Path(__file__).parents[3] / "tools" / "pulumi"
DOWNLOAD_TIMEOUT_SECONDS = 15
SIZE = "size"


def folder(cache: Path) -> Path:
    """Return where the cache keeps the engine; its executable is bin/pulumi, as `PulumiCommand.install` lays it out."""
    return cache / "engine" / f"v{VERSION}"


def find(cache: Path) -> Path | None:
    """Return the engine that is there already, on PATH or in the cache; None when there is none."""
    on_path = shutil.which("pulumi")
    if on_path and (version_of(Path(on_path)) or "").startswith(SERIES):
        return Path(on_path)
    kept = folder(cache) / "bin" / "pulumi"
    return kept if _is_whole(kept) else None


def provide(cache: Path, say: Say, module: Path = MODULE, download: build.Make | None = None) -> Path:
    """Return the engine, downloading or building it first when it must be; raise EngineError."""
    if found := find(cache):
        return found
    with _locked(folder(cache).parent, say):
        if found := find(cache):
            return found
        if folder(cache).exists():
            say(f"the Pulumi engine in {folder(cache)} is damaged; replacing it")
            shutil.rmtree(folder(cache))
        say(f"no Pulumi engine {VERSION} on PATH; trying to download it")
        reason = _placed(cache, download or _download)
        if reason:
            say("it cannot be downloaded here; building it with Go, which takes some minutes, once")
            _check_buildable(module, reason)
            reason = _placed(cache, lambda root: _built(root, module, say))
        if reason:
            raise EngineError(
                f"the Pulumi engine could not be built: {reason.splitlines()[-1]}",
                f"Install Pulumi {VERSION} so that `pulumi version` answers v{VERSION}, then repeat the command.",
                recoverable=True,
                agent=AGENT,
                context=CONTEXT,
                output=reason,
            )
        return folder(cache) / "bin" / "pulumi"


def version_of(executable: Path) -> str | None:
    """Return the version that an engine reports of itself, without its "v"; None when it does not run."""
    environ = {**os.environ, "PULUMI_SKIP_UPDATE_CHECK": "true"}
    try:
        answer = subprocess.run(
            [str(executable), "version"], env=environ, capture_output=True, text=True, timeout=60, check=True
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return answer.stdout.strip().removeprefix("v")


def _download(root: Path) -> str:
    previous = socket.getdefaulttimeout()
    socket.setdefaulttimeout(DOWNLOAD_TIMEOUT_SECONDS)
    try:
        PulumiCommand.install(root=str(root), version=VersionInfo.parse(VERSION))
    except Exception as err:  # whatever the installer meets, the next way is tried
        return f"download: {err}"
    finally:
        socket.setdefaulttimeout(previous)
    return ""


def _built(root: Path, module: Path, say: Say) -> str:
    failure = build.build(module, root / "bin" / "pulumi", VERSION, say)
    if failure:
        return failure
    language_host.install(root / "bin")
    reported = version_of(root / "bin" / "pulumi")
    return "" if reported == VERSION else f"the built engine reports version {reported}"


def _placed(cache: Path, make: build.Make) -> str:
    """Make the engine aside and rename it into place; return why it failed, "" when it did not."""
    target = folder(cache)
    staging = Path(tempfile.mkdtemp(prefix=".staging-", dir=target.parent))
    try:
        reason = make(staging)
        if not reason:
            _record(staging)
            staging.chmod(0o755)
            staging.rename(target)
        return reason
    finally:
        shutil.rmtree(staging, ignore_errors=True)


def _record(root: Path) -> None:
    (root / SIZE).write_text(str((root / "bin" / "pulumi").stat().st_size), "utf-8")


def _is_whole(executable: Path) -> bool:
    """Say whether the engine is as it was put there: by its size, which costs nothing, else by starting it once."""
    root = executable.parents[1]
    try:
        return int((root / SIZE).read_text("utf-8")) == executable.stat().st_size and os.access(executable, os.X_OK)
    except (OSError, ValueError):
        if not executable.exists() or version_of(executable) != VERSION:
            return False
    with suppress(OSError):
        _record(root)
    return True


def _check_buildable(module: Path, reason: str) -> None:
    missing = build.missing(module)
    if missing:
        raise EngineError(
            f"there is no Pulumi engine {VERSION}: not on PATH, not to be downloaded, and not to be built ({missing})",
            f"Install Pulumi {VERSION} (https://www.pulumi.com/docs/install/versions/), or Go, and repeat the command.",
            agent=AGENT,
            context=CONTEXT,
            output=reason,
        )


@contextmanager
def _locked(place: Path, say: Say) -> Iterator[None]:
    place.mkdir(parents=True, exist_ok=True)
    with (place / "lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("another process is fetching the Pulumi engine; waiting for it")
            fcntl.flock(file, fcntl.LOCK_EX)
        yield
