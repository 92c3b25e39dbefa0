"""Reads what setup.py, setup.cfg and conda's environment.yml declare, as data: none of them is run."""

from __future__ import annotations

import ast
import configparser
import re
from typing import Any

import yaml

from autodeploy.analyser.python.names import keyword, text_of
from autodeploy.analyser.tree import Tree

CONDA_FILES = ("environment.yml", "environment.yaml")


def setup_requirements(tree: Tree) -> tuple[str, list[str]] | None:
    """Return the file and its install_requires; None without a setup.py or setup.cfg that declares any."""
    script = _script(tree)
    given = keyword(script[0], "install_requires") if script else None
    lines = _texts(given, script[1]) if script and given is not None else []
    if lines:
        return "setup.py", lines
    lines = [line.strip() for line in _cfg(tree, "install_requires").splitlines() if line.strip()]
    if lines:
        return "setup.cfg", lines
    return ("setup.py", []) if script else None


def setup_file(tree: Tree) -> str | None:
    """Return the requirement file that setup.py's install_requires is read from: `read("default.txt")`."""
    script = _script(tree)
    given = keyword(script[0], "install_requires") if script else None
    if script is None or given is None:
        return None
    value = script[1].get(given.id, given) if isinstance(given, ast.Name) else given
    named = [text for part in ast.walk(value) if (text := text_of(part)) and text.endswith((".txt", ".in"))]
    places = [place.removeprefix("./") for name in named for place in (name, f"requirements/{name}")]
    return next((place for place in places if place in tree.index), None)


def setup_python(tree: Tree) -> tuple[str, str] | None:
    """Return the file and its python_requires; None where neither says."""
    script = _script(tree)
    told = text_of(keyword(script[0], "python_requires")) if script else None
    if told:
        return "setup.py", told
    told = _cfg(tree, "python_requires").strip()
    return ("setup.cfg", told) if told else None


def conda(tree: Tree) -> tuple[str, list[str], list[str]] | None:
    """Return the file, the packages that conda would bring, and those that pip would; None without the file."""
    file = next((name for name in CONDA_FILES if name in tree.index), None)
    if file is None:
        return None
    try:
        read: Any = yaml.safe_load(tree.read(file))
    except (yaml.YAMLError, RecursionError, ValueError):
        return None
    declared = read.get("dependencies") if isinstance(read, dict) else None
    items: list[Any] = declared if isinstance(declared, list) else []
    inner = [part for item in items if isinstance(item, dict) for part in item.get("pip") or []]
    return file, [item for item in items if isinstance(item, str)], [part for part in inner if isinstance(part, str)]


def conda_python(tree: Tree) -> tuple[str, str] | None:
    """Return conda's file and the version of Python it names."""
    read = conda(tree)
    for item in read[1] if read else ():
        match = re.match(r"^(?:[\w-]+::)?python\s*(?P<version>[=<>!~].*)$", item)
        if read and match:
            pin = re.fullmatch(r"=+\s*(\d+(?:\.\d+)*)(?:=.*|\.\*)?", match["version"])
            return read[0], pin[1] if pin else match["version"]
    return None


def _script(tree: Tree) -> tuple[ast.Call, dict[str, ast.expr]] | None:
    if "setup.py" not in tree.index:
        return None
    try:
        syntax = ast.parse(tree.read("setup.py"))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
    assigned: dict[str, ast.expr] = {}
    found: ast.Call | None = None
    for node in ast.walk(syntax):
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            assigned[node.targets[0].id] = node.value
        elif isinstance(node, ast.Call) and getattr(node.func, "id", getattr(node.func, "attr", "")) == "setup":
            found = node
    return (found, assigned) if found else None


def _texts(node: ast.expr, assigned: dict[str, ast.expr]) -> list[str]:
    value = assigned.get(node.id, node) if isinstance(node, ast.Name) else node
    items = value.elts if isinstance(value, (ast.List, ast.Tuple)) else []
    return [text for item in items if (text := text_of(item))]


def _cfg(tree: Tree, key: str) -> str:
    parser = configparser.RawConfigParser(strict=False)
    try:
        parser.read_string(tree.read("setup.cfg"))
    except (configparser.Error, ValueError):
        return ""
    return parser.get("options", key, fallback="") or ""
