"""Lists the GET routes of a Flask or FastAPI-like application, with prefixes, and whether each asks for a login."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from autodeploy.analyser.health import Route
from autodeploy.analyser.python.names import dotted, import_base, imports, keyword, module_name, text_of, words_of
from autodeploy.analyser.tree import Tree

_AUTH = re.compile(
    r"auth|login|jwt|token|require|protect|permission|current_user|security|api_?key|admin", re.IGNORECASE
)
_ROUTERS = frozenset({"APIRouter", "Blueprint", "APIBlueprint", "Router"})
_INCLUDES = frozenset({"include_router", "register_blueprint"})


def list_routes(tree: Tree) -> list[Route]:
    """Return the GET routes in the order of files and lines."""
    prefixes = _prefixes(tree)
    return [route for path in tree.modules for route in _routes_in(tree, path, prefixes)]


def _routes_in(tree: Tree, path: str, prefixes: dict[str, str]) -> Iterator[Route]:
    syntax = tree.syntax(path)
    if syntax is None:
        return
    origins = imports(tree, path)
    own = module_name(path, import_base(tree, path))
    for node in ast.walk(syntax):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            for decorator in node.decorator_list:
                target = _declared(decorator)
                if target is not None:
                    prefix = prefixes.get(_qualified(target[0], origins, own), "")
                    full = _joined(prefix, target[1])
                    yield Route(full, not _asks_login(node, decorator), tree.where(path), decorator.lineno)
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.args:
            added = node.func.attr in {"add_url_rule", "add_api_route", "add_route", "mount"}
            text = text_of(node.args[0])
            if added and text is not None and _takes_get(node):
                yield Route(text or "/", True, tree.where(path), node.lineno)


def _declared(decorator: ast.expr) -> tuple[ast.expr, str] | None:
    """Return the object and path of a decorator that declares a GET route."""
    if not isinstance(decorator, ast.Call) or not isinstance(decorator.func, ast.Attribute):
        return None
    given = decorator.args[0] if decorator.args else keyword(decorator, "path") or keyword(decorator, "rule")
    text = text_of(given)
    verb = decorator.func.attr
    if text is None or not (text.startswith("/") or text == ""):
        return None
    if verb == "get" or (verb in {"route", "api_route"} and _takes_get(decorator)):
        return decorator.func.value, text
    return None


def _takes_get(call: ast.Call) -> bool:
    methods = keyword(call, "methods")
    if not isinstance(methods, (ast.List, ast.Tuple, ast.Set)):
        return True
    return "GET" in {(text_of(item) or "").upper() for item in methods.elts}


def _asks_login(node: ast.FunctionDef | ast.AsyncFunctionDef, route: ast.expr) -> bool:
    others = [decorator for decorator in node.decorator_list if decorator is not route]
    if any(_AUTH.search(words_of(decorator)) for decorator in others):
        return True
    given = [*node.args.defaults, *(default for default in node.args.kw_defaults if default is not None)]
    annotations = [arg.annotation for arg in (*node.args.args, *node.args.kwonlyargs) if arg.annotation is not None]
    extra = keyword(route, "dependencies") if isinstance(route, ast.Call) else None
    asked = [words_of(item) for item in (*given, *annotations, *([extra] if extra is not None else []))]
    return any(re.search(r"Depends|Security", text) and _AUTH.search(text.replace("Depends", "")) for text in asked)


def _prefixes(tree: Tree) -> dict[str, str]:
    """Map each router, by qualified name, to the prefix it is served under."""
    own: dict[str, str] = {}
    included: dict[str, tuple[str, str]] = {}
    for path in tree.modules:
        syntax = tree.syntax(path)
        if syntax is None:
            continue
        origins = imports(tree, path)
        module = module_name(path, import_base(tree, path))
        for node in ast.walk(syntax):
            if isinstance(node, ast.Assign) and isinstance(node.value, ast.Call):
                made = dotted(node.value.func, origins).rsplit(".", 1)[-1] in _ROUTERS
                names = [target.id for target in node.targets if made and isinstance(target, ast.Name)]
                own |= {f"{module}.{name}": _prefix(node.value) for name in names}
            elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in _INCLUDES:
                for argument in node.args[:1]:
                    child = _qualified(argument, origins, module)
                    included.setdefault(child, (_qualified(node.func.value, origins, module), _prefix(node)))
    return {name: _full_prefix(name, own, included) for name in own}


def _full_prefix(name: str, own: dict[str, str], included: dict[str, tuple[str, str]]) -> str:
    prefix, seen = own.get(name, ""), {name}
    while name in included and included[name][0] not in seen:
        name, given = included[name]
        seen.add(name)
        prefix = _joined(own.get(name, ""), _joined(given, prefix))
    return prefix


def _prefix(call: ast.Call) -> str:
    return text_of(keyword(call, "prefix")) or text_of(keyword(call, "url_prefix")) or ""


def _qualified(node: ast.expr, origins: dict[str, str], module: str) -> str:
    name = dotted(node, origins)
    return f"{module}.{name}" if "." not in name else name


def _joined(prefix: str, path: str) -> str:
    whole = re.sub(r"/{2,}", "/", f"{prefix.rstrip('/')}/{path.lstrip('/')}" if path else prefix)
    return whole if whole.startswith("/") else f"/{whole}"
