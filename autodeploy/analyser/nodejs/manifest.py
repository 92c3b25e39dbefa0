"""Reads package.json: what it depends on, its scripts, and which tool manages its packages. Installs nothing."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import Any

from autodeploy.analyser.failures import refusal
from autodeploy.analyser.nodejs import jsonc
from autodeploy.analyser.nodejs.packagemanagers import choose_manager
from autodeploy.analyser.tree import Tree
from autodeploy.model import Evidence

FILE = "package.json"


@dataclass(frozen=True)
class Manifest:
    """A package.json. `file` is its path in the repository, `lock` the lock file that is honoured ("" for none)."""

    file: str
    text: str
    package_manager: str
    lock: str
    dependencies: dict[str, str] = field(default_factory=dict)
    development: dict[str, str] = field(default_factory=dict)
    scripts: dict[str, str] = field(default_factory=dict)
    fields: dict[str, Any] = field(default_factory=dict)
    other_locks: tuple[str, ...] = ()
    managed: Evidence | None = None

    def has(self, *names: str) -> bool:
        """Tell whether production needs one of the packages."""
        return any(name in self.dependencies for name in names)

    def names(self) -> tuple[str, ...]:
        """Return the names of the packages that production needs, sorted."""
        return tuple(sorted(self.dependencies))

    def line_of(self, key: str, after: str = "") -> int:
        """Return the line of a key, at or behind the key `after`; 0 when it stands nowhere."""
        begun = not after
        for number, line in enumerate(self.text.splitlines(), 1):
            begun = begun or f'"{after}"' in line
            if begun and re.search(rf"{re.escape(json.dumps(key))}\s*:", line):
                return number
        return 0

    def evidence(self, fact: str, value: str, key: str, rule: str, others: tuple[str, ...] = ()) -> Evidence:
        """Return the evidence for a fact that a key of package.json tells."""
        line = self.line_of(key)
        return Evidence(fact=fact, value=value, file=self.file, line=line, rule=rule, alternatives=others)


def read_manifest(tree: Tree, manager: str = "") -> Manifest:
    """Return the manifest; raise AnalysisError where package.json is broken. `manager`: the one that a flag names."""
    # A workspace of pnpm's may have no package.json at its root.
    text = tree.read(FILE) if FILE in tree.index else "{}"
    try:
        package = jsonc.loads(text)
    except ValueError as err:
        raise refusal(f"{tree.where(FILE)} is no JSON: {err}", "Correct it; `npm pkg get` shows the place.") from err
    if not isinstance(package, dict):
        raise refusal(f"{tree.where(FILE)} holds no object", "Make one with: npm init")
    chosen, lock, others, because = choose_manager(tree, package, text, manager)
    return Manifest(
        tree.where(FILE),
        text,
        chosen,
        lock,
        _strings(package, "dependencies") | _strings(package, "optionalDependencies"),
        _strings(package, "devDependencies"),
        _strings(package, "scripts"),
        package,
        others,
        because,
    )


def _strings(package: dict[str, Any], key: str) -> dict[str, str]:
    value = package.get(key)
    return {name: item for name, item in value.items() if isinstance(item, str)} if isinstance(value, dict) else {}
