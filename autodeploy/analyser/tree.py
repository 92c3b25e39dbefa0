"""Tree: the application's folder within a Source, texts and syntax trees read once. A broken file is empty."""

from __future__ import annotations

import ast
import re
import warnings
from bisect import bisect_left
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, TypeVar

from autodeploy.model import Source

MAX_MODULES = 600
MAX_MODULE_CHARACTERS = 400_000
MAX_CHARACTERS = 20_000_000
MAX_LINE = 4_000
"""Beyond these, files add time and no facts: shallow files come first."""

_T = TypeVar("_T")
_FOREIGN = frozenset({"node_modules", "venv", ".venv", "virtualenv", "site-packages", "__pycache__", ".git"})
_ASIDE = frozenset({"test", "tests", "testing", "docs", "doc", "examples", "example", "benchmarks", "samples"})


@dataclass(frozen=True)
class Tree:
    """Files below `root`; paths given and taken are relative to it."""

    source: Source
    root: str = "."
    _texts: dict[str, str] = field(default_factory=dict, compare=False, repr=False)
    _trees: dict[str, ast.Module | None] = field(default_factory=dict, compare=False, repr=False)
    _made: dict[str, Any] = field(default_factory=dict, compare=False, repr=False)

    @cached_property
    def paths(self) -> tuple[str, ...]:
        """All files, without those of package managers and virtual environments, and without names that are no text."""
        prefix = "" if self.root == "." else f"{self.root}/"
        below = (path[len(prefix) :] for path in self.source.paths if path.startswith(prefix))
        return tuple(
            sorted(path for path in below if not _FOREIGN.intersection(path.split("/")) and _can_be_written(path))
        )

    @cached_property
    def index(self) -> frozenset[str]:
        """The paths, for quick look-ups."""
        return frozenset(self.paths)

    def paths_below(self, folder: str) -> Iterator[str]:
        """Yield the paths below a folder of this tree; "" is all."""
        prefix = f"{folder}/" if folder else ""
        for path in self.paths[bisect_left(self.paths, prefix) :]:
            if not path.startswith(prefix):
                return
            yield path

    @cached_property
    def modules(self) -> tuple[str, ...]:
        """The Python files that may belong to the running application, shallow ones first."""
        python = (path for path in self.paths if path.endswith(".py") and not self._is_aside(path))
        kept, left = [], MAX_CHARACTERS
        for path in sorted(python, key=lambda path: (path.count("/"), path))[:MAX_MODULES]:
            size = len(self.read(path))
            left -= size
            if left < 0:
                break
            if size <= MAX_MODULE_CHARACTERS:
                kept.append(path)
        return tuple(kept)

    @cached_property
    def _module_index(self) -> frozenset[str]:
        return frozenset(self.modules)

    def _is_aside(self, path: str) -> bool:
        *folders, name = path.split("/")
        # Within a package, a setup.py is a module like others.
        is_script = name == "setup.py" and "/".join([*folders, "__init__.py"]) not in self.index
        return bool(_ASIDE.intersection(folders)) or name.startswith("test_") or name == "conftest.py" or is_script

    def below(self, folder: str) -> Tree:
        """Return the tree of a folder of the source; what this one has read is not read again."""
        if folder in {".", self.root}:
            return self if folder == self.root else self.whole
        return self.whole.once(f"below {folder}", lambda: Tree(self.source, folder, _made={"whole": self.whole}))

    @property
    def whole(self) -> Tree:
        """The tree of the whole source."""
        return self if self.root == "." else self.once("whole", lambda: Tree(self.source))

    def places(self) -> tuple[Tree, ...]:
        """Return this tree and, where it is a folder of the repository, the tree of all."""
        return (self,) if self.root == "." else (self, self.whole)

    def once(self, name: str, make: Callable[[], _T]) -> _T:
        """Return what `make` made the first time that this tree was asked for what has the name."""
        if name not in self._made:
            self._made[name] = make()
        made: _T = self._made[name]
        return made

    def where(self, path: str) -> str:
        """Return the path as the repository knows it."""
        return path if self.root == "." else f"{self.root}/{path}"

    def read(self, path: str) -> str:
        """Return the text of a file; "" when it is missing or cannot be read."""
        if path not in self._texts:
            self._texts[path] = self._read(path) if path in self.index else ""
        return self._texts[path]

    def _read(self, path: str) -> str:
        if self is not self.whole and self.where(path) in self.whole.index:
            return self.whole.read(self.where(path))
        try:
            return self.source.read(self.where(path))
        except OSError:
            return ""

    def lines(self, path: str) -> list[tuple[int, str]]:
        """Return the numbered lines of a file, stripped and, where they are no text for people, cut."""
        return [(number, line[:MAX_LINE].strip()) for number, line in enumerate(self.read(path).splitlines(), 1)]

    def syntax(self, path: str) -> ast.Module | None:
        """Return the syntax tree of one of the modules; None when it is no valid Python."""
        if path not in self._trees:
            self._trees[path] = _parse(self.read(path)) if path in self._module_index else None
        return self._trees[path]


def _can_be_written(path: str) -> bool:
    """Tell whether a name can stand in a report: bytes that are no UTF-8 come as lone surrogates."""
    return path.isascii() or not any("\ud800" <= letter <= "\udfff" for letter in path)


_NEWER = (
    (re.compile(r"^([ \t]*)type[ \t]+(\w+)[ \t]*(?:\[[^\n=]*\])?[ \t]*=", re.MULTILINE), r"\1\2 ="),
    (re.compile(r"^([ \t]*(?:async[ \t]+def|def|class)[ \t]+\w+)\[[^\n]*?\](?=[(:])", re.MULTILINE), r"\1"),
    (re.compile(r"^([ \t]*except)[ \t]+([\w.]+(?:[ \t]*,[ \t]*[\w.]+)+)[ \t]*:", re.MULTILINE), r"\1 (\2):"),
)
"""What Python 3.12 to 3.14 added to the syntax (PEP 695, PEP 758), and how those before write it, line by line."""


def _parse(text: str) -> ast.Module | None:
    made = _parsed(text)
    if made is None:
        older = text
        for pattern, before in _NEWER:
            older = pattern.sub(before, older)
        made = _parsed(older) if older != text else None
    return made


def _parsed(text: str) -> ast.Module | None:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
