"""Tells Python that is a published package, a command or notebooks from an application, by what it declares."""

from __future__ import annotations

import re

from autodeploy.analyser.layout.strength import PYTHON_CODE, PYTHON_WEB
from autodeploy.analyser.toml import table
from autodeploy.analyser.tree import Tree

_ENTRIES = re.compile(r"^(app|main|server|wsgi|asgi|run|bot|worker|application|api|__main__)\.py$")
_DOCUMENTS = re.compile(r"(?im)^\s*(mkdocs|sphinx|pelican|nikola)\b")
_INFRASTRUCTURE = re.compile(r"(?im)^[\s\"']*(pulumi|aws-cdk-lib|ansible(-core)?)\b")


def told(tree: Tree, nothing_found: bool) -> tuple[str, str, str] | None:
    """Return what the project is, the file and the word in it that told; None for an application."""
    requirements = tree.read("requirements.txt")
    if any(_ENTRIES.match(path) for path in tree.index if "/" not in path):
        if _INFRASTRUCTURE.search(requirements) and {"Pulumi.yaml", "cdk.json"} & tree.index:
            file = "Pulumi.yaml" if "Pulumi.yaml" in tree.index else "cdk.json"
            return "infrastructure code", file, "its project file"
        return None
    if _DOCUMENTS.search(requirements) and not PYTHON_WEB.search(requirements):
        tool = _DOCUMENTS.search(requirements)
        if {"mkdocs.yml", "conf.py", "docs/conf.py", "source/conf.py", "pelicanconf.py"} & tree.index and tool:
            return f"documentation made by {tool[1]}", "requirements.txt", tool[1]
    if not tree.modules:
        books = [path for path in tree.paths if path.endswith(".ipynb")]
        return ("a collection of notebooks", books[0], f"{len(books)} .ipynb and no module") if books else None
    return _published(tree, nothing_found)


def _published(tree: Tree, nothing_found: bool) -> tuple[str, str, str] | None:
    text, setup = tree.read("pyproject.toml"), tree.read("setup.py") + tree.read("setup.cfg")
    project, poetry = table(text, "project"), table(text, "tool", "poetry")
    needed = [str(item) for item in project.get("dependencies") or ()] + list(poetry.get("dependencies") or ())
    if not nothing_found and _may_serve(tree, needed):
        return None
    file = "pyproject.toml" if project or poetry else "setup.py"
    signs = [key for key in ("classifiers", "urls", "keywords") if project.get(key) or poetry.get(key)]
    signs += [key for key in ("classifiers", "long_description") if re.search(rf"\b{key}\s*=", setup)]
    commands = project.get("scripts") or poetry.get("scripts") or "console_scripts" in setup
    if not signs or "paste.app_factory" in setup + text:
        return None
    if commands:
        return "a command line tool or a library", file, f"scripts, {', '.join(signs[:2])}"
    return "a library, a Python package", file, f"{', '.join(signs[:2])}, and nothing that starts"


def _may_serve(tree: Tree, needed: list[str]) -> bool:
    declared = [*needed, tree.read("requirements.txt")]
    imported = (tree.read(path) for path in tree.modules[:40])
    return any(PYTHON_WEB.search(text) for text in declared) or any(PYTHON_CODE.search(text) for text in imported)
