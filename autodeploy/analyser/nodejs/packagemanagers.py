"""Chooses the package manager: what package.json names, the lock file, then what else speaks of one."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from autodeploy.analyser.toml import line_of
from autodeploy.analyser.tree import Tree
from autodeploy.model import Evidence

LOCKS = {
    "pnpm-lock.yaml": "pnpm",
    "bun.lock": "bun",
    "bun.lockb": "bun",
    "yarn.lock": "yarn",
    "npm-shrinkwrap.json": "npm",
    "package-lock.json": "npm",
}
"""The lock files and the tools that write them; of several that nothing else settles, the first counts.

npm writes its lock unasked, so one beside another tool's says the least; Railpack and Nixpacks hold it so too.
"""

MANAGERS = ("npm", "pnpm", "yarn", "bun")
_FILES = {
    "pnpm-workspace.yaml": "pnpm",
    ".pnpmfile.cjs": "pnpm",
    ".yarnrc.yml": "yarn",
    ".yarnrc": "yarn",
    "bunfig.toml": "bun",
}
_INSTALLS = re.compile(
    r"\b(?:(npm) (?:ci|i|install)\b(?! (?:-g|--global)\b)|(pnpm) (?:i|install|fetch)\b"
    r"|(yarn)(?: install)?\b|(bun) (?:i|install)\b)"
)
_FILE = "package.json"


def choose_manager(
    tree: Tree, package: Mapping[str, Any], text: str, said: str = ""
) -> tuple[str, str, tuple[str, ...], Evidence]:
    """Return the manager, its lock file ("" for none), the locks of others, and why. `said`: the flag's."""
    locks = [name for name in LOCKS if name in tree.index]
    lock_managers = {LOCKS[name] for name in locks}
    told = _told(said, "", 0, "--package-manager") if said in MANAGERS else None
    named = told or next(iter(_named(tree, package, text)), None)
    if named is None and len(lock_managers) > 1:
        # A tool without a lock here is no answer to the question of which lock counts.
        named = next((item for item in _spoken(tree, package, text) if item.value in lock_managers), None)
    if named is None and locks:
        named = _told(LOCKS[locks[0]], tree.where(locks[0]), 0, "lock-file")
    named = named or next(iter(_spoken(tree, package, text)), None)
    manager = named.value if named else "npm"
    lock = next((name for name in locks if LOCKS[name] == manager), "")
    others = tuple(name for name in locks if LOCKS[name] != manager)
    because = named or Evidence(
        fact="package_manager", value="npm", file=tree.where(_FILE), rule="default", confidence="default"
    )
    return manager, lock, others, because.but(alternatives=others)


def _named(tree: Tree, package: Mapping[str, Any], text: str) -> Iterator[Evidence]:
    """Yield what package.json names by its own keys (https://nodejs.org/api/packages.html#packagemanager)."""
    value = package.get("packageManager")
    name = value.partition("@")[0] if isinstance(value, str) else ""
    if name in MANAGERS:
        yield _told(name, tree.where(_FILE), line_of(text, '"packageManager"'), "packageManager")
    engines = package.get("devEngines")
    wanted = engines.get("packageManager") if isinstance(engines, dict) else None
    for item in wanted if isinstance(wanted, list) else [wanted]:
        if isinstance(item, dict) and item.get("name") in MANAGERS:
            yield _told(
                str(item["name"]), tree.where(_FILE), line_of(text, '"devEngines"'), "devEngines.packageManager"
            )


def _spoken(tree: Tree, package: Mapping[str, Any], text: str) -> Iterator[Evidence]:
    """Yield what other places say: engines and volta, settings of a tool, what a Dockerfile installs with."""
    for key in ("engines", "volta"):
        table = package.get(key)
        for name in ("pnpm", "yarn", "bun", "npm"):
            # Every Node.js brings npm: asking for one says nothing against another tool's lock.
            if isinstance(table, dict) and isinstance(table.get(name), str) and not _forbids(table[name]):
                yield _told(name, tree.where(_FILE), line_of(text, f'"{name}"'), f"{key}.{name}")
    for file, name in _FILES.items():
        if file in tree.index:
            yield _told(name, tree.where(file), 0, "settings-file")
    scripts = package.get("scripts")
    start = scripts.get("start") if isinstance(scripts, dict) else None
    if isinstance(start, str) and re.match(r"bunx? ", start):
        yield _told("bun", tree.where(_FILE), line_of(text, '"start"'), "start-script")
    for number, line in tree.lines("Dockerfile"):
        match = _INSTALLS.search(line) if line.upper().startswith("RUN") else None
        if match:
            yield _told(next(filter(None, match.groups())), tree.where("Dockerfile"), number, "dockerfile")


def _forbids(wish: str) -> bool:
    """Tell whether a wish is the custom of naming a tool that must not be used: "npm": "please-use-yarn"."""
    return not re.search(r"\d|\*|^latest$", wish)


def _told(name: str, file: str, line: int, rule: str) -> Evidence:
    return Evidence(fact="package_manager", value=name, file=file, line=line, rule=rule)
