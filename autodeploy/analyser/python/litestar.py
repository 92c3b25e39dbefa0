"""Litestar's applications and routers: their paths, and which handlers and routers each of them is given."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from autodeploy.analyser.python.code import Code
from autodeploy.analyser.python.names import dotted, keyword, path_text, qualified, text_of
from autodeploy.analyser.tree import Tree

_MADE = frozenset({"Litestar", "Router"})


def handed(tree: Tree, speakers: list[Code]) -> Iterator[tuple[str, str, str]]:
    """Yield what is given to an application or a router: its name, its path, the name of the handler or router.

    See https://docs.litestar.dev/latest/usage/routing/overview.html.
    """
    apps, routers, given = dict[str, str](), dict[str, str](), set[str]()
    for made in speakers:
        names = {id(value): name for name, value, _ in made.assigned}
        for call in made.calls:
            kind = dotted(call.func, made.origins)
            if kind.startswith(("litestar.", "starlite.")) and kind.rpartition(".")[2] in _MADE:
                parent = f"{made.name}.{names.get(id(call), f'line {call.lineno}')}"
                is_router = kind.endswith("Router")
                (routers if is_router else apps)[parent] = path = _path(tree, made, call, is_router)
                for item in _handlers(call, is_router):
                    given.add(qualified(item, made))
                    yield parent, path, qualified(item, made)
    for made in speakers:
        for call in made.calls:
            if isinstance(call.func, ast.Attribute) and call.func.attr == "register" and call.args:
                parent = qualified(call.func.value, made)
                if parent in routers or parent in apps:
                    given.add(qualified(call.args[0], made))
                    yield parent, routers.get(parent, apps.get(parent, "")), qualified(call.args[0], made)
    # A router that a function makes is given on by whoever calls that: where there is one application, to it.
    if len(apps) == 1:
        yield from ((*next(iter(apps.items())), router) for router in routers if router not in given)


def _path(tree: Tree, made: Code, call: ast.Call, is_router: bool) -> str:
    path = keyword(call, "path") or (call.args[0] if is_router and call.args else None)
    told = path_text(tree, made, path)
    return told or (_of_parameter(made, path) if isinstance(path, ast.Name) else "")


def _of_parameter(made: Code, path: ast.Name) -> str:
    """Return the default of a function's parameter that holds a path."""
    for function in made.functions:
        if function.lineno <= path.lineno <= (function.end_lineno or path.lineno):
            plain = function.args.args[len(function.args.args) - len(function.args.defaults) :]
            pairs = [*zip(plain, function.args.defaults, strict=True)]
            pairs += [
                (name, value)
                for name, value in zip(function.args.kwonlyargs, function.args.kw_defaults, strict=True)
                if value is not None
            ]
            found = (text_of(value) for name, value in pairs if name.arg == path.id)
            return next((text for text in found if text), "")
    return ""


def _handlers(call: ast.Call, is_router: bool) -> list[ast.expr]:
    given = keyword(call, "route_handlers") or (call.args[0] if call.args and not is_router else None)
    return given.elts if isinstance(given, (ast.List, ast.Tuple)) else []
