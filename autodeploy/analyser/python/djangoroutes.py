"""Lists the routes of a Django project from its URL configuration, includes followed."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from autodeploy.analyser.health import Route
from autodeploy.analyser.python.django import Project
from autodeploy.analyser.python.names import dotted, imports, text_of, words_of
from autodeploy.analyser.tree import Tree

_AUTH = re.compile(r"login_required|permission|staff_member|auth", re.IGNORECASE)


def list_django_routes(tree: Tree, project: Project) -> list[Route]:
    """Return the routes below ROOT_URLCONF."""
    root = project.text("ROOT_URLCONF")
    return list(_routes(tree, project, root, "/", frozenset())) if root else []


def _routes(tree: Tree, project: Project, module: str, prefix: str, seen: frozenset[str]) -> Iterator[Route]:
    path = _file(tree, project, module)
    syntax = tree.syntax(path) if path else None
    if path is None or syntax is None or module in seen or len(seen) > 10:
        return
    origins = imports(tree, path)
    for node in ast.walk(syntax):
        if not isinstance(node, ast.Call) or len(node.args) < 2:
            continue
        if dotted(node.func, origins).rsplit(".", 1)[-1] not in {"path", "re_path", "url"}:
            continue
        text = _plain(text_of(node.args[0]))
        if text is None:
            continue
        full = prefix + text
        included = _included(node.args[1], origins)
        if included:
            yield from _routes(tree, project, included, full, seen | {module})
        elif dotted(node.args[1], origins).endswith("admin.site.urls"):
            yield Route(f"{full}login/", True, tree.where(path), node.lineno)
        else:
            yield Route(full, not _AUTH.search(words_of(node.args[1])), tree.where(path), node.lineno)


def _plain(text: str | None) -> str | None:
    if text is None:
        return None
    bare = text.removeprefix("^").removesuffix("$")
    return bare.lstrip("/") if re.fullmatch(r"[\w./-]*", bare) else None


def _included(node: ast.expr, origins: dict[str, str]) -> str | None:
    if not isinstance(node, ast.Call) or not node.args or not dotted(node.func, origins).endswith("include"):
        return None
    first = node.args[0].elts[0] if isinstance(node.args[0], ast.Tuple) and node.args[0].elts else node.args[0]
    return text_of(first) or dotted(first, origins) or None


def _file(tree: Tree, project: Project, module: str) -> str | None:
    stem = "/".join([*([project.base] if project.base else []), *module.split(".")])
    return next((file for file in (f"{stem}.py", f"{stem}/__init__.py") if file in tree.index), None)
