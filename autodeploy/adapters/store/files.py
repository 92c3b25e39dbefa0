"""Private files that survive a crash: written whole or not at all; the system's errors come out as StateError."""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

from autodeploy.errors import home_error


@contextlib.contextmanager
def translated(path: Path, context: str) -> Iterator[None]:
    """Turn the system's errors about `path` into StateError."""
    try:
        yield
    except OSError as err:
        raise home_error(err, path, context) from err


def write(path: Path, text: str) -> None:
    """Replace `path` atomically and durably, mode 0600."""
    descriptor, temporary = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8", newline="") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
    _sync_folder(path.parent)


def keep_previous(path: Path, previous: Path) -> None:
    """Let `previous` name what `path` holds now, without a moment in which `path` is missing."""
    temporary = previous.with_name(f".{previous.name}.{os.getpid()}")
    temporary.unlink(missing_ok=True)
    try:
        os.link(path, temporary)
    except FileNotFoundError:
        return
    temporary.replace(previous)


def append(path: Path, text: str, durable: bool = False) -> None:
    """Append whole lines in one write, mode 0600; a torn last line is ended first, so that it stays alone."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        size = os.fstat(descriptor).st_size
        torn = size > 0 and os.pread(descriptor, 1, size - 1) != b"\n"
        try:
            _write_all(descriptor, f"{chr(10) if torn else ''}{text}".encode())
        except OSError:
            os.ftruncate(descriptor, size)  # half a line, on a disk that is full
            raise
        if durable:
            os.fsync(descriptor)
    finally:
        os.close(descriptor)


def make_folder(path: Path) -> Path:
    """Make `path`, 0700, and every missing folder above it."""
    if not path.is_dir():
        make_folder(path.parent)
        with contextlib.suppress(FileExistsError):
            path.mkdir(mode=0o700)
        path.stat()
    return path


def _write_all(descriptor: int, data: bytes) -> None:
    while data:
        data = data[os.write(descriptor, data) :]


def _sync_folder(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
