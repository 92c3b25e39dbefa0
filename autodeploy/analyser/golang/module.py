"""go.mod and go.work: the module's path, versions and direct requirements, and the other modules built with it."""

from __future__ import annotations

import posixpath
import re
from dataclasses import dataclass

from autodeploy.analyser.tree import Tree

_VERSION = r"(\d+\.\d+(?:\.\d+)?(?:(?:rc|beta)\d+)?)"


@dataclass(frozen=True)
class Requirement:
    """One line of a `require`. `is_indirect`: only other modules need it."""

    path: str
    version: str
    line: int
    is_indirect: bool


@dataclass(frozen=True)
class Stated:
    """A value and the line that states it; "" and 0 where none does."""

    value: str = ""
    file: str = ""
    line: int = 0


@dataclass(frozen=True)
class Module:
    """One module of the tree, in `folder` ("" is the application's own)."""

    folder: str
    file: str
    path: str
    go: Stated
    toolchain: Stated
    requires: tuple[Requirement, ...]


def read_modules(tree: Tree) -> tuple[Module, ...]:
    """Return the application's module, and those that go.work names beside it; () when there is none."""
    folders = ["", *(_uses(tree) if "go.work" in tree.index else [])]
    found = (_read(tree, folder) for folder in dict.fromkeys(folders))
    return tuple(module for module in found if module)


def go_work(tree: Tree) -> tuple[Stated, Stated]:
    """Return what go.work says of the Go version and the toolchain."""
    lines = _lines(tree, "go.work")
    return _stated(lines, "go", "go.work"), _stated(lines, "toolchain", "go.work")


def _read(tree: Tree, folder: str) -> Module | None:
    file = posixpath.join(folder, "go.mod")
    if file not in tree.index:
        return None
    lines = _lines(tree, file)
    path = next((match[1] for _, line, _ in lines if (match := re.match(r"module\s+\"?([^\s\"]+)", line))), "")
    return Module(
        folder=folder,
        file=tree.where(file),
        path=path,
        go=_stated(lines, "go", tree.where(file)),
        toolchain=_stated(lines, "toolchain", tree.where(file)),
        requires=tuple(_requires(lines)),
    )


def _lines(tree: Tree, file: str) -> list[tuple[int, str, str]]:
    """Return number, text and comment of each line, a block's keyword written before each of its lines."""
    found, block = [], ""
    for number, raw in tree.lines(file):
        line, _, comment = raw.partition("//")
        line = line.strip()
        if match := re.fullmatch(r"(\w+)\s*\(", line):
            block = match[1]
        elif line == ")":
            block = ""
        elif line:
            found.append((number, f"{block} {line}" if block else line, comment.strip()))
    return found


def _stated(lines: list[tuple[int, str, str]], keyword: str, file: str) -> Stated:
    for number, line, _ in lines:
        if match := re.fullmatch(rf"{keyword}\s+(?:go)?{_VERSION}\S*", line):
            return Stated(match[1], file, number)
    return Stated()


def _requires(lines: list[tuple[int, str, str]]) -> list[Requirement]:
    found = []
    for number, line, comment in lines:
        if match := re.match(r"require\s+\"?([^\s\"]+)\"?\s+(\S+)", line):
            found.append(Requirement(match[1], match[2], number, bool(re.match(r"indirect\b", comment))))
    return found


def _uses(tree: Tree) -> list[str]:
    named = [match[1] for _, line, _ in _lines(tree, "go.work") if (match := re.match(r"use\s+\"?([^\s\"]+)", line))]
    normal = [posixpath.normpath(folder) for folder in named]
    return ["" if folder == "." else folder for folder in normal if not folder.startswith(("..", "/"))]
