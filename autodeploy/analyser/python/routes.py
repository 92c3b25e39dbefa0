"""Lists the GET routes of an application, with the prefixes of its routers, and whether each asks for a login."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import replace

from autodeploy.analyser.health import Route
from autodeploy.analyser.python.code import Code, code, modules, speaking
from autodeploy.analyser.python.litestar import handed
from autodeploy.analyser.python.names import dotted, keyword, path_text, qualified, text_of, words_of
from autodeploy.analyser.python.views import Views, read_views
from autodeploy.analyser.tree import Tree

_SPEAKING = re.compile(
    # A dictionary's get is called everywhere; a route's is a decorator.
    r"@[\w.]+\.get\(|\.(?:route|api_route|add_url_rule|add_api_route|add_route|add_get|add_resource|mount|include_router|register_blueprint"
    r"|blueprint|register_blueprints|websocket)\(|\b(?:Route|Mount|URLSpec|Blueprint|APIRouter|Router|Controller|Litestar)\b|@(?:get|route|view)\("
    r"|\bweb\.get\(|\(\s*r?[\"']/[^\"']*[\"']\s*,\s*\w"
)
_AUTH = re.compile(
    r"auth|login|jwt|token|require|protect|permission|current_user|security|api_?key|admin", re.IGNORECASE
)
_ROUTERS = frozenset({"APIRouter", "Blueprint", "APIBlueprint", "Router", "SmorestBlueprint", "Namespace"})
_INCLUDES = frozenset({"include_router", "register_blueprint", "blueprint", "register_api"})
_ADDERS = frozenset({"add_url_rule", "add_api_route", "add_route", "add_get", "add_view", "add_resource", "mount"})
_CALLED = frozenset({"Route", "get", "URLSpec", "url", "WebSocketRoute"})


def list_routes(tree: Tree) -> list[Route]:
    """Return the GET routes in the order of files and lines."""
    speakers = list(speaking(tree, _SPEAKING))
    prefixes = _prefixes(tree, speakers)
    views = read_views([made for path in modules(tree) if (made := code(tree, path))] if _adds(tree, speakers) else [])
    found = [route for made in speakers for route in _routes_in(tree, made, prefixes, views)]
    # Litestar's authentication stands before all routes but those that say so.
    is_guarded = any(re.search(r"on_app_init\s*=", tree.read(made.path)) for made in speakers)
    outside = {(tree.where(made.path), line) for made in speakers for line in _excluded(made)} if is_guarded else set()
    return [replace(route, is_open=(route.file, route.line) in outside) for route in found] if outside else found


def _adds(tree: Tree, speakers: list[Code]) -> bool:
    """Tell whether views may be classes: where aiohttp's router is given its handlers."""
    return any(re.search(r"\.add_(?:route|view)\(|@\w+\.view\(", tree.read(made.path)) for made in speakers)


def _routes_in(tree: Tree, made: Code, prefixes: dict[str, str], views: Views) -> Iterator[Route]:
    where = tree.where(made.path)
    controllers = {id(item): node for node in made.classes for item in node.body}
    for function in made.functions:
        for decorator in function.decorator_list:
            target = _declared(tree, made, decorator)
            if target is not None:
                controller = controllers.get(id(function))
                prefix = _controller_path(tree, made, controller) if controller else ""
                prefix = prefix or prefixes.get(qualified(target[0], made), "")
                handler = f"{made.name}.{(controller or function).name}"
                prefix = _joined(prefixes[handler], prefix) if handler in prefixes else prefix
                yield Route(_joined(prefix, target[1]), not _asks_login(function, decorator), where, decorator.lineno)
    for call in made.calls:
        yield from _added(tree, made, call, prefixes, views)
    yield from _tornado(made, where)


def _excluded(made: Code) -> Iterator[int]:
    """Yield the lines of routes that Litestar's authentication leaves out."""
    for function in made.functions:
        for route in function.decorator_list:
            given = keyword(route, "exclude_from_auth") if isinstance(route, ast.Call) else None
            if isinstance(given, ast.Constant) and given.value is True:
                yield route.lineno


def _added(tree: Tree, made: Code, call: ast.Call, prefixes: dict[str, str], views: Views) -> Iterator[Route]:
    where = tree.where(made.path)
    if isinstance(call.func, ast.Attribute) and call.func.attr in _ADDERS and call.args:
        if call.func.attr == "add_resource":
            texts = [text for item in call.args[1:] if (text := path_text(tree, made, item))]
        else:
            # Pyramid names a route before its path.
            looped = views.paths(tree, made, call)
            given = [text for item in call.args[:2] if (text := path_text(tree, made, item)) and text.startswith("/")]
            is_answered = views.answers_get(dotted(call.args[-1], {}).rpartition(".")[2])
            texts = given[:1] * is_answered if looped is None else looped
        prefix = prefixes.get(qualified(call.func.value, made), "")
        if _takes_get(call) and (call.func.attr != "mount" or texts == ["/"]):
            yield from (Route(_joined(prefix, text), True, where, call.lineno) for text in texts)
    if documents := text_of(keyword(call, "swagger_path")):
        yield Route(documents, True, where, call.lineno)  # aiohttp-apispec's pages
    called = dotted(call.func, made.origins)
    last = called.rpartition(".")[2]
    is_route = last in _CALLED and called.partition(".")[0] in {"starlette", "aiohttp", "tornado", "fastapi", "falcon"}
    if is_route and len(call.args) > 1:
        text = path_text(tree, made, call.args[0])
        if text is not None and text.startswith("/") and _takes_get(call):
            yield Route(text, True, where, call.lineno)


def _tornado(made: Code, where: str) -> Iterator[Route]:
    """Yield the rules of a Tornado application: tuples of a pattern and a handler."""
    if not any(origin.startswith("tornado") for origin in made.origins.values()):
        return
    for node in ast.walk(made.syntax):
        if isinstance(node, ast.Tuple) and len(node.elts) >= 2 and isinstance(node.elts[1], (ast.Name, ast.Attribute)):
            text = text_of(node.elts[0])
            if text and text.startswith(("/", "^/")):
                path = text.removeprefix("^").removesuffix("$").removesuffix("/?")  # with or without the slash
                yield Route(path or "/", True, where, node.lineno)


def _declared(tree: Tree, made: Code, decorator: ast.expr) -> tuple[ast.expr, str] | None:
    """Return the object and path of a decorator that declares a GET route."""
    if not isinstance(decorator, ast.Call):
        return None
    given = decorator.args[0] if decorator.args else keyword(decorator, "path") or keyword(decorator, "rule")
    if isinstance(decorator.func, ast.Name):
        origin = made.origins.get(decorator.func.id, "")
        if origin.startswith(("litestar.", "starlite.", "bottle.")) and decorator.func.id in {"get", "route"}:
            text = path_text(tree, made, given) if given is not None else "/"
            plain = (text or "/").rstrip("/") if origin.startswith(("litestar.", "starlite.")) else text or "/"
            return (decorator.func, plain) if _takes_get(decorator) else None
        return None
    if not isinstance(decorator.func, ast.Attribute):
        return None
    text = path_text(tree, made, given)
    verb = decorator.func.attr
    if text is None or not (text.startswith("/") or text == ""):
        return None
    if verb == "get" or (verb in {"route", "api_route", "doc"} and _takes_get(decorator)):
        return decorator.func.value, text
    return None


def _controller_path(tree: Tree, made: Code, node: ast.ClassDef) -> str:
    given = (
        item.value
        for item in node.body
        if isinstance(item, ast.Assign) and getattr(item.targets[0], "id", "") == "path"
    )
    return next((text for item in given if (text := path_text(tree, made, item))), "")


def _takes_get(call: ast.Call) -> bool:
    methods = keyword(call, "methods") or keyword(call, "method")
    if isinstance(methods, ast.Constant):
        return str(methods.value).upper() == "GET"
    if not isinstance(methods, (ast.List, ast.Tuple, ast.Set)):
        return True
    return "GET" in {(text_of(item) or "").upper() for item in methods.elts}


def _asks_login(node: ast.FunctionDef | ast.AsyncFunctionDef, route: ast.expr) -> bool:
    others = [decorator for decorator in node.decorator_list if decorator is not route]
    if any(_AUTH.search(words_of(decorator)) for decorator in others):
        return True
    given = [*node.args.defaults, *(default for default in node.args.kw_defaults if default is not None)]
    annotations = [arg.annotation for arg in (*node.args.args, *node.args.kwonlyargs) if arg.annotation is not None]
    extra = [keyword(route, key) for key in ("dependencies", "guards")] if isinstance(route, ast.Call) else []
    asked = [words_of(item) for item in (*given, *annotations, *(item for item in extra if item is not None))]
    if any(re.search(r"Depends|Security", text) and _AUTH.search(text.replace("Depends", "")) for text in asked):
        return True
    return any(item is not None and "Depends" not in words_of(item) for item in extra)


def _prefixes(tree: Tree, speakers: list[Code]) -> dict[str, str]:
    """Map each router, by qualified name, to the prefix it is served under."""
    own: dict[str, str] = {}
    included: dict[str, tuple[str, str]] = {}
    for made in speakers:
        for name, value, _ in made.assigned:
            if isinstance(value, ast.Call) and _is_router(dotted(value.func, made.origins).rsplit(".", 1)[-1]):
                own[f"{made.name}.{name}"] = _prefix(tree, made, value)
        for call in made.calls:
            is_inclusion = isinstance(call.func, ast.Attribute) and call.func.attr in _INCLUDES
            if is_inclusion and isinstance(call.func, ast.Attribute) and call.args:
                child = qualified(call.args[0], made)
                included.setdefault(child, (qualified(call.func.value, made), _prefix(tree, made, call)))
    for parent, prefix, child in handed(tree, speakers):
        own.setdefault(child, "")
        own[parent] = prefix
        included.setdefault(child, (parent, ""))
    # A package may hand a router on from the module that makes it.
    for made in speakers:
        for name, origin in made.origins.items():
            alias = f"{made.name}.{name}"
            if origin in own and alias in included:
                included.setdefault(origin, included[alias])
    return {name: _full_prefix(name, own, included) for name in own}


def _is_router(name: str) -> bool:
    """Tell whether a class is a router's: one of a framework's, or by its name one that is made from it."""
    return name in _ROUTERS or name.endswith(("Router", "Blueprint"))


def _full_prefix(name: str, own: dict[str, str], included: dict[str, tuple[str, str]]) -> str:
    prefix, seen = own.get(name, ""), {name}
    while name in included and included[name][0] not in seen:
        name, given = included[name]
        seen.add(name)
        prefix = _joined(own.get(name, ""), _joined(given, prefix))
    return prefix


def _prefix(tree: Tree, made: Code, call: ast.Call) -> str:
    given = keyword(call, "prefix") or keyword(call, "url_prefix") or keyword(call, "path")
    return path_text(tree, made, given) or ""


def _joined(prefix: str, path: str) -> str:
    whole = re.sub(r"/{2,}", "/", f"{prefix.rstrip('/')}/{path.lstrip('/')}" if path else prefix)
    return whole if whole.startswith("/") else f"/{whole}"
