"""pip's command line in, the source files that alone decide what it installs out; None where no short list does."""

from __future__ import annotations

import posixpath
import re
import shlex

from autodeploy.model import Source

_INCLUDE = re.compile(r"^(?:-r|-c|--requirement|--constraint)(?:[=\s]\s*)?(?P<file>\S+)")
_LOCAL = re.compile(r"^(-e\b|--editable|\.|/|file:)|@\s*file:|\.(whl|tar\.gz|zip)(\s|$)|--find-links|^-f\b")
_MOVING = re.compile(r"\b(git|hg|svn|bzr)\+")
_FILE_OPTIONS = {"-r", "-c", "--requirement", "--constraint"}


def inputs(command: str, source: Source) -> tuple[str, ...] | None:
    """Return the files that a `pip install` command reads; None when more decides: the source itself, a branch."""
    words = shlex.split(command)
    start = words.index("install") + 1 if "install" in words else 0
    found: dict[str, None] = {}
    awaited = False
    for word in words[start:]:
        if awaited or _INCLUDE.match(word):
            match = _INCLUDE.match(word)
            file = word if awaited or match is None else match["file"]
            if not _read(posixpath.normpath(file), source, found):
                return None
        elif word not in _FILE_OPTIONS and (_LOCAL.search(word) or _MOVING.search(word)):
            return None
        awaited = word in _FILE_OPTIONS
    return tuple(found)


def _read(path: str, source: Source, found: dict[str, None]) -> bool:
    """Add a file and all it includes; return False when something in it lies in the source."""
    if path in found:
        return True
    if path not in source:
        return False
    found[path] = None
    for raw in source.read(path).splitlines():
        line = raw.strip()
        include = _INCLUDE.match(line)
        if include:
            target = posixpath.normpath(posixpath.join(posixpath.dirname(path), include["file"]))
            if not _read(target, source, found):
                return False
        elif _LOCAL.search(line) or _MOVING.search(line):
            return False
    return True
