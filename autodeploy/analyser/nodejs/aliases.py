"""The names under which a project imports its own files: Node.js's subpath imports, TypeScript's and editors' paths."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from autodeploy.analyser.nodejs import jsonc
from autodeploy.analyser.tree import Tree

_SETTINGS = ("tsconfig.json", "tsconfig.base.json", "jsconfig.json")


@dataclass(frozen=True)
class Alias:
    """A pattern of names, cut at its `*`, and the file or pattern of files that it stands for."""

    before: str
    after: str
    target: str

    def place(self, name: str) -> str:
        """Return the file that a name means; "" where the pattern is not the name's."""
        if not name.startswith(self.before) or not name.endswith(self.after):
            return ""
        inner = name[len(self.before) : len(name) - len(self.after) or None]
        return posixpath.normpath(self.target.replace("*", inner, 1))


def read_aliases(tree: Tree) -> tuple[Alias, ...]:
    """Return the patterns, long ones first, as they are tried.

    See https://nodejs.org/api/packages.html#subpath-imports and https://www.typescriptlang.org/tsconfig/#paths.
    """
    found = {(name, target) for name, target in (*_imports(tree), *_paths(tree)) if "*" in name or "*" not in target}
    made = []
    for name, target in found:
        before, _, after = name.partition("*")
        made.append(Alias(before, after, target))
    return tuple(sorted(made, key=lambda alias: (-len(alias.before), -len(alias.after), alias.target)))


def _imports(tree: Tree) -> Iterator[tuple[str, str]]:
    for name, target in _table(jsonc.table(tree.read("package.json")), "imports").items():
        while isinstance(target, dict):  # by condition: the one that always holds stands last
            target = next(reversed(target.values()), None)  # noqa: PLW2901
        if isinstance(target, str) and target.startswith("./"):
            yield name, target


def _paths(tree: Tree) -> Iterator[tuple[str, str]]:
    for file in _SETTINGS:
        options = _table(jsonc.table(tree.read(file)), "compilerOptions") if file in tree.index else {}
        base = options.get("baseUrl")
        folder = base if isinstance(base, str) else "."
        for name, targets in _table(options, "paths").items():
            for target in targets if isinstance(targets, list) else ():
                if isinstance(target, str):
                    yield name, posixpath.join(folder, target)
        if isinstance(base, str):
            yield "*", posixpath.join(folder, "*")


def _table(value: dict[str, Any], key: str) -> dict[str, Any]:
    inner = value.get(key)
    return inner if isinstance(inner, dict) else {}
