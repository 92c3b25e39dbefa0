"""Folders: what a checked-out one holds, and what of a working folder belongs to its repository. Never runs a file."""

from __future__ import annotations

import hashlib
import os
import shutil
import stat
from collections.abc import Iterable, Iterator
from pathlib import Path, PurePosixPath

from autodeploy.adapters.git.commands import AGENT
from autodeploy.errors import SourceError

MAX_FILES = 100_000
MAX_BYTES = 4_000_000_000
_LFS = b"version https://git-lfs.github.com/spec/v1"
_NOT_SOURCE = {"__pycache__", "node_modules", ".venv"}


def index(root: Path) -> tuple[str, ...]:
    """Return the sorted POSIX paths of all files below `root`, without .git and without links that leave `root`."""
    paths: list[str] = []
    for path in walk(root):
        if len(paths) == MAX_FILES:
            raise too_large(root, f"more than {MAX_FILES} files")
        paths.append(path)
    return tuple(sorted(paths))


def walk(root: Path, plain: bool = False) -> Iterator[str]:
    """Yield the paths of regular files and inner links; `plain` leaves out what tools leave in a folder without git."""
    home = os.path.realpath(root)
    for place, folders, files in os.walk(root):
        folder = Path(place)
        linked = [name for name in folders if (folder / name).is_symlink()]
        folders[:] = sorted(name for name in folders if name not in linked and not _skipped(folder / name, plain))
        for name in (*files, *linked):
            if name != ".git" and _belongs(folder / name, home):
                yield (folder / name).relative_to(root).as_posix()


def copy(folder: Path, paths: Iterable[str], into: Path) -> int:
    """Copy files and links, keeping only the executable bit; return the newest time of change, in seconds."""
    newest = size = 0
    for number, path in enumerate(paths, start=1):
        here, there = folder / path, into / path
        info = here.lstat()
        size += info.st_size
        if number > MAX_FILES or size > MAX_BYTES:
            raise too_large(folder, f"more than {MAX_FILES} files or {MAX_BYTES // 10**9} GB")
        newest = max(newest, int(info.st_mtime))
        there.parent.mkdir(parents=True, exist_ok=True)
        if stat.S_ISLNK(info.st_mode):
            there.symlink_to(here.readlink())
        else:
            shutil.copyfile(here, there)
            there.chmod(0o755 if info.st_mode & 0o100 else 0o644)
    return newest


def date(root: Path, seconds: int) -> None:
    """Give every file one time, so that one commit always builds to the same archive."""
    for path in walk(root):
        os.utime(root / path, (seconds, seconds), follow_symlinks=False)


def digest(root: Path, paths: Iterable[str]) -> str:
    """Return 40 hex digits that change with any path, executable bit, link or content."""
    total = hashlib.sha256()
    for path in sorted(paths):
        full = root / path
        if full.is_symlink():
            kind, content = "link", hashlib.sha256(os.fsencode(full.readlink())).hexdigest()
        else:
            kind, content = ("run" if full.stat().st_mode & 0o100 else "file"), _content(full)
        total.update(f"{kind} {content} {path}\0".encode("utf-8", "surrogateescape"))
    return total.hexdigest()[:40]


def pointers(root: Path, paths: Iterable[str]) -> list[str]:
    """Return the files that are Git LFS pointers instead of their content."""
    return [path for path in paths if _is_pointer(root / path)]


def application(root: Path, subdirectory: str) -> Path:
    """Return the application's folder below a checked-out repository; raise SourceError when there is none."""
    parts = PurePosixPath(subdirectory or ".")
    folder = root / parts
    leaves = parts.is_absolute() or ".." in parts.parts or not folder.resolve().is_relative_to(root.resolve())
    if leaves or not folder.is_dir():
        below = sorted(child.name for child in root.iterdir() if child.is_dir() and child.name != ".git")
        raise SourceError(
            f"the repository has no folder {subdirectory!r}",
            f"Name one of its folders with --path: {', '.join(below[:10])}." if below else "Leave --path out.",
            agent=AGENT,
            context="Opening the application's folder",
        )
    return folder


def too_large(folder: Path, what: str) -> SourceError:
    """Say that a folder is beyond what is deployed."""
    return SourceError(
        f"{folder} holds {what}",
        "Deploy a smaller folder with --path, or exclude data and build results in .gitignore.",
        agent=AGENT,
        context="Reading the repository",
    )


def is_inside(path: Path, home: str) -> bool:
    """Whether `path`, its links followed, is something that exists in `home`, a path without links."""
    target = os.path.realpath(path)
    return (target == home or target.startswith(home + os.sep)) and Path(target).exists()


def _skipped(folder: Path, plain: bool) -> bool:
    return folder.name == ".git" or (plain and (folder.name in _NOT_SOURCE or (folder / "pyvenv.cfg").exists()))


def _belongs(path: Path, home: str) -> bool:
    mode = path.lstat().st_mode
    if stat.S_ISLNK(mode):
        return not path.readlink().is_absolute() and is_inside(path, home)
    return stat.S_ISREG(mode)


def _content(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _is_pointer(path: Path) -> bool:
    if path.is_symlink() or path.stat().st_size > 1024:
        return False
    with path.open("rb") as file:
        return file.read(len(_LFS)) == _LFS
