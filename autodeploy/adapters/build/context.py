"""What goes into the builder's container: the indexed source and the build's variables, as one stream of tar."""

from __future__ import annotations

import io
import shlex
import stat
import tarfile
from collections.abc import Mapping
from typing import BinaryIO

from autodeploy.adapters.build.registries import RegistrySettings
from autodeploy.model import Source

HOME = "home/build"
_AUTHORITY_VARIABLES = (
    "PIP_CERT",
    "SSL_CERT_FILE",
    "REQUESTS_CA_BUNDLE",
    "CURL_CA_BUNDLE",
    "GIT_SSL_CAINFO",
    "NODE_EXTRA_CA_CERTS",
)
# Zip, and with it every wheel, knows no time before 1980.
EARLIEST = 315_619_200


def epoch(source: Source) -> int:
    """Return the newest time of a file in the source: the archive's only time, in seconds since 1970."""
    times = (int((source.root / path).lstat().st_mtime) for path in source.paths)
    return max([EARLIEST, *times])


def write(stream: BinaryIO, source: Source, environment: Mapping[str, str], registries: RegistrySettings) -> None:
    """Write the container's input: app/src from the source, home/build with variables and authorities."""
    variables = {**registries.environment, **environment}
    with tarfile.open(fileobj=stream, mode="w|", format=tarfile.GNU_FORMAT) as archive:
        if registries.authorities:
            variables |= dict.fromkeys(_AUTHORITY_VARIABLES, f"/{HOME}/authorities.pem")
            _add(archive, f"{HOME}/authorities.pem", registries.authorities)
        lines = [f"export {name}={shlex.quote(value)}\n" for name, value in sorted(variables.items())]
        _add(archive, f"{HOME}/environment", "".join(lines))
        # A build needs its folder even when nothing was indexed.
        folder = tarfile.TarInfo("app/src")
        folder.type, folder.mode, folder.mtime = tarfile.DIRTYPE, 0o755, EARLIEST
        archive.addfile(folder)
        for path in source.paths:
            _add_source(archive, source, path)


def _add(archive: tarfile.TarFile, name: str, text: str) -> None:
    content = text.encode()
    entry = tarfile.TarInfo(name)
    entry.size, entry.mode, entry.mtime = len(content), 0o600, EARLIEST
    archive.addfile(entry, io.BytesIO(content))


def _add_source(archive: tarfile.TarFile, source: Source, path: str) -> None:
    full = source.root / path
    info = full.lstat()
    entry = tarfile.TarInfo(f"app/src/{path}")
    entry.mtime = max(int(info.st_mtime), EARLIEST)
    if stat.S_ISLNK(info.st_mode):
        entry.type, entry.linkname, entry.mode = tarfile.SYMTYPE, str(full.readlink()), 0o777
        archive.addfile(entry)
        return
    entry.mode = 0o755 if info.st_mode & 0o100 else 0o644
    with full.open("rb") as file:
        entry.size = info.st_size
        archive.addfile(entry, file)
