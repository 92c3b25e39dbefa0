"""Code: the packages of the application's modules, which files Linux builds, and what each main package reaches."""

from __future__ import annotations

import posixpath
import re
from dataclasses import dataclass, field
from functools import cached_property

from autodeploy.analyser.golang.module import Module
from autodeploy.analyser.golang.syntax import GoFile, parse
from autodeploy.analyser.golang.tags import Tags, is_built, stated_tags
from autodeploy.analyser.tree import MAX_MODULE_CHARACTERS, MAX_MODULES, Tree

STARTS = re.compile(r"^func\s+main\s*\(\s*\)", re.MULTILINE)
"""Where a program begins."""

_ASIDE = frozenset({"vendor", "testdata"})
_UNSEEN = ("_", ".")
"""What the names of files and folders begin with that Go does not look at."""

_PACKAGE_MAIN = re.compile(r"^package\s+main\b", re.MULTILINE)


@dataclass(frozen=True)
class Main:
    """A program: a folder of package main, or one file of several in a folder. `target` is what `go build` is told."""

    target: str
    folder: str
    files: tuple[str, ...]

    @property
    def name(self) -> str:
        """What Go calls the binary; "" for the application's root."""
        return posixpath.basename(self.target.removesuffix(".go")).strip(".")


@dataclass(frozen=True)
class Code:
    """The Go files of the application's modules."""

    tree: Tree
    modules: tuple[Module, ...]
    _parsed: dict[str, GoFile] = field(default_factory=dict, compare=False, repr=False)

    @cached_property
    def folders(self) -> dict[str, tuple[str, ...]]:
        """The files that Linux builds, by folder; tests, vendored code and modules of others are left out."""
        others = {posixpath.dirname(path) for path in self.tree.paths if f"/{path}".endswith("/go.mod")}
        others -= {module.folder for module in self.modules}
        found: dict[str, list[str]] = {}
        for path in self.tree.paths:
            if path.endswith(".go") and not path.endswith("_test.go"):
                folder, _, name = path.rpartition("/")
                if not name.startswith(_UNSEEN):
                    found.setdefault(folder, []).append(path)
        return {
            folder: tuple(path for path in paths if is_built(path, self.tree.read(path), self.tags))
            for folder, paths in found.items()
            if not _is_left_out(folder, others)
        }

    @cached_property
    def tags(self) -> Tags:
        """The tags that the repository builds its programs with."""
        return stated_tags(self.tree)

    @cached_property
    def mains(self) -> tuple[Main, ...]:
        """All programs, shallow ones first."""
        found = [main for folder, paths in self.folders.items() for main in self._mains_in(folder, paths)]
        return tuple(sorted(found, key=lambda main: (main.target.count("/"), main.target)))

    def file(self, path: str) -> GoFile:
        """Return one file, parsed."""
        if path not in self._parsed:
            self._parsed[path] = parse(path, self.tree.read(path))
        return self._parsed[path]

    def reached(self, main: Main) -> tuple[GoFile, ...]:
        """Return the program's own files, then those of the packages in this tree that it imports."""
        seen, waiting = {main.folder}, [main.files]
        found: list[GoFile] = []
        while waiting and len(found) < MAX_MODULES:
            for path in waiting.pop(0):
                if len(self.tree.read(path)) > MAX_MODULE_CHARACTERS:
                    continue
                found.append(self.file(path))
                for folder in sorted(self._imported_folders(found[-1])):
                    if folder not in seen:
                        seen.add(folder)
                        waiting.append(self.folders[folder])
        return tuple(found)

    def _imported_folders(self, file: GoFile) -> set[str]:
        found = set()
        for imported in file.imported():
            for module in self.modules:
                if module.path and (imported == module.path or imported.startswith(f"{module.path}/")):
                    folder = posixpath.join(module.folder, imported[len(module.path) :].strip("/")).rstrip("/")
                    found |= {folder} & self.folders.keys()
        return found

    def _mains_in(self, folder: str, paths: tuple[str, ...]) -> list[Main]:
        texts = {path: self.tree.read(path) for path in paths}
        own = tuple(path for path, text in texts.items() if _PACKAGE_MAIN.search(text))
        starting = [path for path in own if STARTS.search(texts[path])]
        target = f"./{folder}" if folder else "."
        if len(starting) > 1:
            return [Main(f"./{path}", folder, (path,)) for path in starting]
        return [Main(target, folder, own)] if starting else []


def _is_left_out(folder: str, others: set[str]) -> bool:
    parts = folder.split("/") if folder else []
    if any(part in _ASIDE or part.startswith(_UNSEEN) for part in parts):
        return True
    return any("/".join(parts[:depth]) in others for depth in range(1, len(parts) + 1))
