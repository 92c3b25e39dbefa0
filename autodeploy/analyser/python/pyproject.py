"""Reads what pyproject.toml and Pipfile declare for production, groups made for it included. Installs nothing."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from autodeploy.analyser.python.requirements import Dependency, dependency
from autodeploy.analyser.python.specifiers import requirement_of
from autodeploy.analyser.toml import line_of, table
from autodeploy.analyser.tree import Tree

MAX_DEPENDENCIES = 500
"""No application declares more by hand."""

_PRODUCTION = ("prod", "production", "deploy", "deployment", "gunicorn", "server")
"""Groups and extras that bear one of these names are what production adds."""


@dataclass(frozen=True)
class Declared:
    """What a file declares; `groups` and `extras` name those of production, which a lock's tool is asked for."""

    file: str
    dependencies: tuple[Dependency, ...]
    groups: tuple[str, ...] = ()
    extras: tuple[str, ...] = ()


def read_project(tree: Tree) -> Declared | None:
    """Return what [project] (PEP 621), or Poetry's own table, declares; None without either."""
    text = tree.read("pyproject.toml")
    project, poetry = table(text, "project"), table(text, "tool", "poetry")
    if not project and not poetry:
        return None
    lines = _strings(project.get("dependencies"))
    own = _table(poetry, "dependencies")
    lines += [line for name, value in own.items() if name.lower() != "python" and (line := requirement_of(name, value))]
    groups = {name: _strings(found) for name, found in table(text, "dependency-groups").items()}
    for name, group in _table(poetry, "group").items():
        found = _table(group if isinstance(group, dict) else {}, "dependencies")
        groups[name] = [line for key, value in found.items() if (line := requirement_of(key, value))]
    extras = {name: _strings(found) for name, found in _table(project, "optional-dependencies").items()}
    chosen_groups = tuple(name for name in groups if name.lower() in _PRODUCTION)
    chosen_extras = tuple(name for name in extras if name.lower() in _PRODUCTION)
    lines += [line for name in chosen_groups for line in groups[name]]
    lines += [line for name in chosen_extras for line in extras[name]]
    return Declared("pyproject.toml", explicit(tree, "pyproject.toml", lines), chosen_groups, chosen_extras)


def read_pipfile(tree: Tree) -> Declared | None:
    """Return what the Pipfile declares; None without one."""
    if "Pipfile" not in tree.index:
        return None
    declared = table(tree.read("Pipfile"), "packages")
    lines = [line for name, value in declared.items() if (line := requirement_of(name, value))]
    return Declared("Pipfile", explicit(tree, "Pipfile", lines))


def explicit(tree: Tree, file: str, lines: list[str]) -> tuple[Dependency, ...]:
    """Return requirements as dependencies, each with the line of the file that names it."""
    text = tree.read(file)
    read = (
        dependency(line, tree.where(file), line_of(text, re.split(r"[^\w.-]", line)[0]))
        for line in dict.fromkeys(lines[:MAX_DEPENDENCIES])
    )
    return tuple(item for item in read if item is not None)


def _strings(value: Any) -> list[str]:
    return [item for item in value if isinstance(item, str)] if isinstance(value, list) else []


def _table(value: dict[str, Any], key: str) -> dict[str, Any]:
    found = value.get(key)
    return found if isinstance(found, dict) else {}
