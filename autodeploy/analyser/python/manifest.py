"""Reads the Python project's manifest: who manages its dependencies, which they are, what installs them."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import PurePosixPath

from autodeploy.analyser.python.pyproject import Declared, explicit, read_pipfile, read_project
from autodeploy.analyser.python.requirements import Dependency, read_requirements, requirements_file
from autodeploy.analyser.python.setupfiles import conda, setup_file, setup_requirements
from autodeploy.analyser.python.uvworkspace import uv_workspace
from autodeploy.analyser.toml import table
from autodeploy.analyser.tree import Tree

PIP_INSTALL = "/app/venv/bin/python -m pip install"
"""How pip's install commands begin; the builder makes the virtual environment first."""

LOCKS = {"uv": "uv.lock", "poetry": "poetry.lock", "pdm": "pdm.lock", "pipenv": "Pipfile.lock"}


@dataclass(frozen=True)
class Manifest:
    """What the project declares. `file` is "" where it declares nothing; `lock` is what its versions come from."""

    file: str
    package_manager: str
    dependencies: tuple[Dependency, ...]
    install_command: str
    alternatives: tuple[str, ...] = ()
    lock: str = ""
    warnings: tuple[str, ...] = ()

    @property
    def names(self) -> frozenset[str]:
        """The canonical names of all dependencies."""
        return frozenset(item.name for item in self.dependencies)

    def find(self, *names: str) -> Dependency | None:
        """Return the first dependency that bears one of the names, in the order of the names."""
        return next((item for name in names for item in self.dependencies if item.name == name), None)


def read_manifest(tree: Tree, manager: str = "") -> Manifest:
    """Return the manifest that production installs from: a lock file before what has none.

    `manager`: the package manager that a flag names; of the manifests, those that it reads count.
    """
    readers: list[Callable[[Tree], Manifest | None]] = [_locked, _requirement_file, _project, _pipfile, _setup, _conda]
    manifests = [manifest for reader in readers if (manifest := reader(tree)) is not None]
    if not manifests:
        return Manifest("", "pip", (), "")
    if said := [item for item in manifests if item.package_manager == manager]:
        manifests = said
    elif manifests[0].lock and _is_told_to_use_pip(tree, manifests[0].package_manager):
        manifests = [item for item in manifests if item.package_manager == "pip"] or manifests
    chosen = next((manifest for manifest in manifests if manifest.dependencies), manifests[0])
    others = dict.fromkeys(item.file for item in manifests if item.file != chosen.file)
    locks = tuple(lock for lock in LOCKS.values() if lock in tree.index and lock != chosen.lock)
    return replace(chosen, alternatives=(*others, *locks))


def _locked(tree: Tree) -> Manifest | None:
    for manager, lock in LOCKS.items():
        if lock not in tree.index:
            continue
        declared = read_pipfile(tree) if manager == "pipenv" else read_project(tree)
        if declared:
            command = _install_locked(manager, declared)
            return Manifest(declared.file, manager, declared.dependencies, command, lock=lock)
    workspace, declared = uv_workspace(tree), read_project(tree)
    if workspace and declared:
        command, above = workspace.install_command, PurePosixPath(*[".."] * len(PurePosixPath(workspace.folder).parts))
        return Manifest(declared.file, "uv", declared.dependencies, command, lock=str(above / LOCKS["uv"]))
    return None


def _install_locked(manager: str, declared: Declared) -> str:
    """Return the manager's own command for what production needs, as its documentation gives it."""
    extras = "".join(f" --extra {name}" for name in declared.extras)
    if manager == "uv":
        return f"uv sync --frozen --no-dev{''.join(f' --group {name}' for name in declared.groups)}{extras}"
    if manager == "poetry":
        extras = "".join(f" --extras {name}" for name in declared.extras)
        return f"poetry install --only {','.join(('main', *declared.groups))} --no-root{extras}"
    if manager == "pdm":
        return f"pdm sync --prod{''.join(f' -G {name}' for name in (*declared.groups, *declared.extras))}"
    return "pipenv sync"


def _is_told_to_use_pip(tree: Tree, manager: str) -> bool:
    """Tell whether the repository's own image installs a requirement file and never calls the lock's tool."""
    texts = [tree.read(path) for path in tree.paths if re.fullmatch(r"(.*/)?Dockerfile(\.\w+)?", path)]
    by_pip = any(re.search(r"pip3? install [^\n]*-r[ =]", text) for text in texts)
    return by_pip and requirements_file(tree) is not None and not any(manager in text for text in texts)


def _requirement_file(tree: Tree) -> Manifest | None:
    path = requirements_file(tree)
    return _of_requirements(tree, path) if path else None


def _of_requirements(tree: Tree, path: str) -> Manifest:
    found = tuple(read_requirements(tree, path))
    return Manifest(path, "pip", found, f"{PIP_INSTALL} -r {shlex.quote(path)}")


def _project(tree: Tree) -> Manifest | None:
    declared = read_project(tree)
    if declared is None:
        return None
    text = tree.read("pyproject.toml")
    tools = [name for name in ("poetry", "pdm", "uv") if table(text, "tool", name)]
    above = tree.root != "." and tree.source.read("uv.lock") != ""
    manager = tools[0] if tools else "uv" if above else "pip"
    dynamic = _setup(tree) if not declared.dependencies else None
    if dynamic and dynamic.dependencies:
        return replace(dynamic, package_manager=manager)
    return _by_name("pyproject.toml", manager, declared.dependencies)


def _pipfile(tree: Tree) -> Manifest | None:
    declared = read_pipfile(tree)
    return _by_name("Pipfile", "pipenv", declared.dependencies) if declared else None


def _setup(tree: Tree) -> Manifest | None:
    if path := setup_file(tree):
        return _of_requirements(tree, path)
    read = setup_requirements(tree)
    return _by_name(read[0], "pip", explicit(tree, *read)) if read else None


def _conda(tree: Tree) -> Manifest | None:
    read = conda(tree)
    if read is None:
        return None
    file, by_conda, by_pip = read
    names = [re.split(r"[\s=<>!~\[]", item.rpartition("::")[2])[0] for item in by_conda]
    left_out = [name for name in names if name not in {"python", "pip"}]
    made = _by_name(file, "pip", explicit(tree, file, by_pip))
    told = f"{file} is conda's: only its pip part is installed, without {', '.join(left_out)}; add a requirements.txt"
    others = explicit(tree, file, left_out)
    return replace(made, dependencies=made.dependencies + others, warnings=(told,) if left_out else ())


def _by_name(file: str, manager: str, found: tuple[Dependency, ...]) -> Manifest:
    """Install what is declared by name: an application need not be a package that pip can build."""
    command = " ".join([PIP_INSTALL, *(shlex.quote(item.requirement) for item in found)]) if found else ""
    return Manifest(file, manager, found, command)
