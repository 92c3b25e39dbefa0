"""Reads the Python project's manifest: its dependencies, and the command that installs them. Installs nothing."""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass
from typing import Any

from autodeploy.analyser.python.requirements import Dependency, dependency, read_requirements, requirements_file
from autodeploy.analyser.toml import line_of, table
from autodeploy.analyser.tree import Tree

PIP_INSTALL = "/app/venv/bin/python -m pip install"
"""How every install command begins; the builder makes the virtual environment first."""


MAX_DEPENDENCIES = 500
"""No application declares more by hand."""


@dataclass(frozen=True)
class Manifest:
    """What the project declares. `file` is "" where it declares nothing; `ignored` are lock files not honoured."""

    file: str
    package_manager: str
    dependencies: tuple[Dependency, ...]
    install_command: str
    alternatives: tuple[str, ...] = ()
    ignored: tuple[str, ...] = ()

    @property
    def names(self) -> frozenset[str]:
        """The canonical names of all dependencies."""
        return frozenset(item.name for item in self.dependencies)

    def find(self, *names: str) -> Dependency | None:
        """Return the first dependency that bears one of the names, in the order of the names."""
        return next((item for name in names for item in self.dependencies if item.name == name), None)


def read_manifest(tree: Tree) -> Manifest:
    """Return the manifest that production installs from: requirement file, then pyproject.toml, then Pipfile."""
    readers = [_requirement_file(tree), _project(tree), _poetry(tree), _pipfile(tree)]
    manifests = [manifest for manifest in readers if manifest is not None]
    if not manifests:
        return Manifest("", "pip", (), "")
    chosen = next((manifest for manifest in manifests if manifest.dependencies), manifests[0])
    others = tuple(manifest.file for manifest in manifests if manifest is not chosen and manifest.file != chosen.file)
    locks = {"poetry": ("poetry.lock",), "uv": ("uv.lock",), "pipenv": ("Pipfile.lock",)}
    ignored = tuple(name for name in locks.get(chosen.package_manager, ()) if name in tree.index)
    return Manifest(chosen.file, chosen.package_manager, chosen.dependencies, chosen.install_command, others, ignored)


def _requirement_file(tree: Tree) -> Manifest | None:
    path = requirements_file(tree)
    if path is None:
        return None
    found = tuple(read_requirements(tree, path))
    return Manifest(path, "pip", found, f"{PIP_INSTALL} -r {shlex.quote(path)}")


def _project(tree: Tree) -> Manifest | None:
    text = tree.read("pyproject.toml")
    project = table(text, "project")
    if not project:
        return None
    declared = project.get("dependencies")
    lines = [item for item in declared if isinstance(item, str)] if isinstance(declared, list) else []
    manager = "uv" if "uv.lock" in tree.index else "poetry" if table(text, "tool", "poetry") else "pip"
    return _explicit(tree, "pyproject.toml", manager, lines)


def _poetry(tree: Tree) -> Manifest | None:
    declared = table(tree.read("pyproject.toml"), "tool", "poetry", "dependencies")
    if not declared:
        return None
    lines = [_poetry_line(name, value) for name, value in declared.items() if name.lower() != "python"]
    return _explicit(tree, "pyproject.toml", "poetry", [line for line in lines if line])


def _pipfile(tree: Tree) -> Manifest | None:
    if "Pipfile" not in tree.index:
        return None
    declared = table(tree.read("Pipfile"), "packages")
    lines = [_poetry_line(name, value) for name, value in declared.items()]
    return _explicit(tree, "Pipfile", "pipenv", [line for line in lines if line])


def _explicit(tree: Tree, file: str, manager: str, lines: list[str]) -> Manifest:
    """Install what is declared by name: an application need not be a package that pip can build."""
    text = tree.read(file)
    read = [
        dependency(line, tree.where(file), line_of(text, re.split(r"[^\w.-]", line)[0]))
        for line in lines[:MAX_DEPENDENCIES]
    ]
    found = tuple(item for item in read if item is not None)
    command = " ".join([PIP_INSTALL, *(shlex.quote(item.requirement) for item in found)]) if found else ""
    return Manifest(file, manager, found, command)


def _poetry_line(name: str, value: Any) -> str | None:
    extras = ""
    if isinstance(value, dict):
        if value.get("optional") or not isinstance(value.get("version"), str):
            return None
        names = value.get("extras")
        extras = f"[{','.join(str(extra) for extra in names)}]" if isinstance(names, list) and names else ""
        value = value["version"]
    return f"{name}{extras}{specifier_of(value)}" if isinstance(value, str) else None


def specifier_of(version: str) -> str:
    """Return the PEP 440 specifier of a version as Poetry and Pipfile write it (^1.2, ~1.2, 1.2.*, *)."""
    parts = [part.strip() for part in version.split(",")]
    return ",".join(filter(None, (_one_specifier(part) for part in parts)))


def _one_specifier(part: str) -> str:
    if part in {"*", ""}:
        return ""
    if part[0] in "<>=!" or part.startswith("~="):
        return part
    if part[0] not in "^~":
        return f"=={part}"
    bare = part[1:].strip()
    numbers = [int(number) for number in re.findall(r"\d+", bare)][:3]
    if not numbers:
        return ""
    fixed = next((index for index, number in enumerate(numbers) if number), len(numbers) - 1) if part[0] == "^" else 1
    fixed = min(fixed, len(numbers) - 1)
    upper = [*numbers[:fixed], numbers[fixed] + 1]
    return f">={bare},<{'.'.join(str(number) for number in upper)}"
