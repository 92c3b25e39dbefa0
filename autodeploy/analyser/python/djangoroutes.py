"""Lists the routes of a Django project from its URL configuration, includes and REST framework's routers followed."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import replace

from autodeploy.analyser.health import Route, is_named
from autodeploy.analyser.python.code import Code, code
from autodeploy.analyser.python.django import Project
from autodeploy.analyser.python.djangosettings import module_file
from autodeploy.analyser.python.djangoviews import is_closed
from autodeploy.analyser.python.names import dotted, path_text, text_of, words_of
from autodeploy.analyser.tree import Tree

_AUTH = re.compile(r"login_required|permission|staff_member|auth", re.IGNORECASE)


def list_django_routes(tree: Tree, project: Project) -> list[Route]:
    """Return the routes below ROOT_URLCONF."""
    root = project.text("ROOT_URLCONF")
    return list(_routes(tree, project, root, "/", frozenset())) if root else []


def _routes(tree: Tree, project: Project, module: str, prefix: str, seen: frozenset[str]) -> Iterator[Route]:
    path = module_file(tree, project.base, module) or module_file(tree, "", module)
    made = code(tree, path) if path else None
    if path is None or made is None or module in seen or len(seen) > 10:
        return
    inner = {id(node) for call in made.calls for node in _children(call)}
    for call in made.calls:
        if id(call) not in inner:
            yield from _of_call(tree, project, made, call, prefix, seen | {module})


def _of_call(
    tree: Tree, project: Project, made: Code, call: ast.Call, prefix: str, seen: frozenset[str]
) -> Iterator[Route]:
    if len(call.args) < 2 or dotted(call.func, made.origins).rsplit(".", 1)[-1] not in {"path", "re_path", "url"}:
        return
    text, view = _plain(path_text(tree, made, call.args[0])), call.args[1]
    if text is None:
        return
    full, where = prefix + text, tree.where(made.path)
    nested, included = _children(call), _included(view, made.origins)
    if nested:
        for inner in nested:
            yield from _of_call(tree, project, made, inner, full, seen)
    elif included and included.endswith(".urls") and (router := included.removesuffix(".urls")) in _routers(made):
        if _routers(made)[router].endswith("DefaultRouter"):
            yield Route(full, not _AUTH.search(router), where, call.lineno)
        yield from (Route(f"{full}{name}/", True, where, line) for name, line in _registered(made, router))
    elif dotted(view, made.origins).endswith("admin.site.urls"):
        yield Route(f"{full}login/", True, where, call.lineno)
    elif included:
        if full == "/" and module_file(tree, project.base, included) is None:
            yield Route("/", True, where, call.lineno)  # pages that a package serves
        yield from _routes(tree, project, included, full, seen)
    elif not isinstance(view, ast.Call) or not dotted(view.func, made.origins).endswith("include"):
        route = Route(full, not _AUTH.search(words_of(view)), where, call.lineno)
        # What is called as a health page and lets nobody in answers 403; other pages lead to the login.
        yield replace(route, is_open=not is_closed(tree, made, view)) if is_named(route) else route


def _children(call: ast.Call) -> list[ast.Call]:
    """Return the routes that `path("x/", include([...]))` holds in itself."""
    view = call.args[1] if len(call.args) > 1 else None
    first = view.args[0] if isinstance(view, ast.Call) and view.args else None
    first = first.elts[0] if isinstance(first, ast.Tuple) and first.elts else first
    return [item for item in first.elts if isinstance(item, ast.Call)] if isinstance(first, ast.List) else []


def _routers(made: Code) -> dict[str, str]:
    return {
        name: dotted(value.func, made.origins)
        for name, value, _ in made.assigned
        if isinstance(value, ast.Call) and dotted(value.func, made.origins).endswith("Router")
    }


def _registered(made: Code, router: str) -> list[tuple[str, int]]:
    calls = [call for call in made.calls if dotted(call.func, {}) == f"{router}.register" and call.args]
    texts = ((_plain(text_of(call.args[0])), call.lineno) for call in calls)
    return [(text.strip("/"), line) for text, line in texts if text]


def _plain(text: str | None) -> str | None:
    if text is None:
        return None
    bare = text.removeprefix("^").removesuffix("$").removesuffix("?").removesuffix(r"\Z")
    return bare.lstrip("/") if re.fullmatch(r"[\w./-]*", bare) else None


def _included(node: ast.expr, origins: dict[str, str]) -> str | None:
    if not isinstance(node, ast.Call) or not node.args or not dotted(node.func, origins).endswith("include"):
        return None
    first = node.args[0].elts[0] if isinstance(node.args[0], ast.Tuple) and node.args[0].elts else node.args[0]
    return text_of(first) or dotted(first, origins) or None
