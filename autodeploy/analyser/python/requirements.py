"""Reads pip's requirement files with their includes. A line that pip alone understands is kept by, not guessed at."""

from __future__ import annotations

import posixpath
import re
from dataclasses import dataclass

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from autodeploy.analyser.tree import MAX_LINE, Tree

CANDIDATES = (
    "requirements.txt",
    "requirements/production.txt",
    "requirements/prod.txt",
    "requirements/main.txt",
    "requirements/base.txt",
    "requirements/common.txt",
    "requirements/requirements.txt",
    "requirements-prod.txt",
    "requirements_prod.txt",
    "requirements-production.txt",
    "requirements.in",
)
_INCLUDE = re.compile(r"^(?:-r|--requirement)[=\s]*(?P<file>\S+)")
_EGG = re.compile(r"[#&]egg=(?P<name>[A-Za-z0-9._-]+)")
_OPTIONS = re.compile(r"\s--?[A-Za-z].*$")
"""What pip takes for options of one line: all from the first word that begins with a dash."""


@dataclass(frozen=True)
class Dependency:
    """One requirement. `name` is canonical (PEP 503); `requirement` is what pip is given."""

    name: str
    requirement: str
    extras: frozenset[str] = frozenset()
    file: str = ""
    line: int = 0


def dependency(requirement: str, file: str, line: int) -> Dependency | None:
    """Return the dependency that a PEP 508 requirement names; None when it is none, or not for Linux."""
    try:
        parsed = Requirement(requirement)
    except (InvalidRequirement, RecursionError):
        egg = _EGG.search(requirement)
        return Dependency(str(canonicalize_name(egg["name"])), requirement, frozenset(), file, line) if egg else None
    if parsed.marker is not None and re.search(r"(sys_platform|os_name|platform_system)", str(parsed.marker)):
        linux = {"sys_platform": "linux", "os_name": "posix", "platform_system": "Linux", "extra": ""}
        if not parsed.marker.evaluate({**linux, "python_version": "3.11", "python_full_version": "3.11.2"}):
            return None
    return Dependency(str(canonicalize_name(parsed.name)), requirement, frozenset(parsed.extras), file, line)


def requirements_file(tree: Tree) -> str | None:
    """Return the requirement file that production would install."""
    found = next((path for path in CANDIDATES if path in tree.index), None)
    if found:
        return found
    others = [path for path in tree.paths if re.fullmatch(r"requirements/[^/]+\.txt", path)]
    return others[0] if len(others) == 1 else None


def read_requirements(tree: Tree, path: str, seen: frozenset[str] = frozenset()) -> list[Dependency]:
    """Return the dependencies of a requirement file and all that it includes; a cycle ends where it closes."""
    if path in seen or len(seen) > 20:
        return []
    found: list[Dependency] = []
    for number, line in _logical_lines(tree.read(path)):
        included = _INCLUDE.match(line)
        if included:
            target = posixpath.normpath(posixpath.join(posixpath.dirname(path), included["file"]))
            found += read_requirements(tree, target, seen | {path})
            continue
        text = re.sub(r"^(-e|--editable)[=\s]+", "", line)
        if text and not text.startswith("-"):
            read = dependency(_OPTIONS.sub("", text).strip(), tree.where(path), number)
            found += [read] if read else []
    return found


def _logical_lines(text: str) -> list[tuple[int, str]]:
    lines: list[tuple[int, str]] = []
    pending, start = "", 0
    for number, raw in enumerate(text.splitlines(), 1):
        line = re.sub(r"(^|\s)#.*$", "", raw[:MAX_LINE]).strip()
        start = start or number
        if line.endswith("\\") and len(pending) < MAX_LINE:
            pending += line[:-1] + " "
            continue
        if pending + line:
            lines.append((start, (pending + line).strip()))
        pending, start = "", 0
    if pending.strip():
        lines.append((start, pending.strip()))
    return lines
