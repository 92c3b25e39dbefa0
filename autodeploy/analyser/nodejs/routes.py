"""Lists the GET routes that the code declares by calls, as Express, Koa, Fastify, Hapi and Hono take them."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator

from tree_sitter import Node

from autodeploy.analyser.health import Route
from autodeploy.analyser.nodejs.code import Code, Module, arguments, line, pair, string, text
from autodeploy.analyser.nodejs.pages import list_pages
from autodeploy.analyser.nodejs.prefixes import Prefixes, autoloaded, joined, own_prefix, prefixes

_ROUTES = """
(call_expression function: (member_expression object: (_) @object property: (property_identifier) @verb)
  (#any-of? @verb "get" "all" "route")) @call
"""
_ROUTING = re.compile(rb"\.(?:get|all|route)\s*(?:<[^()]*>)?\s*\((?:\s|/\*.*?\*/|//[^\n]*\n)*(?:['\"`][/*]|\{|/\.)")
"""What a module says that has a route: many ask others by GET, or a table for a key."""

_USES = """
(call_expression function: (member_expression property: (property_identifier) @verb) (#eq? @verb "use")) @call
"""
_COMPARED = """
(binary_expression left: (_) @left right: (string) @path (#match? @left "(url|path|pathname)$"))
"""
_STATIC = """
(call_expression function: (_) @by arguments: (arguments . (_) @folder)
  (#match? @by "^(express\\\\.static|serveStatic|serve|koaStatic)$")) @call
"""
_AUTH = re.compile(
    r"(?i)(?<!un)(auth(?!or)|jwt|protect|require(d)?_?(user|login|admin|role)|logged|verify_?token|check_?token"
    r"|passport|guard|permission|isAdmin|acl\b)"
)
_NO_SERVER = re.compile(
    r"(?i)(axios|request|http|client|fetch|cache|redis|config|params|headers|store|map|session|cookies?|agent|env)$"
)
_PRIVATE = re.compile(r"(?i)/(admin|me|my|profile|account|users?|dashboard|private|settings|logout)(/|$)")
_QUOTED = rb"['\"`](?P<path>/[\w./-]*)['\"`]"
_TOLD = (
    (b"createRoute", re.compile(rb"createRoute\(\{[^{}]*?method:\s*['\"]get['\"][^{}]*?path:\s*" + _QUOTED)),
    (b"createRoute", re.compile(rb"createRoute\(\{[^{}]*?path:\s*" + _QUOTED + rb"[^{}]*?method:\s*['\"]get['\"]")),
    (b"exposeStatusRoute", re.compile(rb"exposeStatusRoute:\s*(?:" + _QUOTED + rb"|true)")),
    (b"express-actuator", re.compile(rb"\bactuator\(\s*(?:\{[^}]*?\bbasePath:\s*" + _QUOTED + rb")?")),
    (b"healthChecks", re.compile(rb"healthChecks:\s*\{[^}]*?" + _QUOTED + rb"\s*:")),
)
"""Words that tell of a route, and what gives its path; to express-actuator's it adds /health."""

_WHOLE = frozenset(
    {"*", "/*", "(.*)", "/.*/", "/(.*)/", "/*splat", "/{*splat}", "/*any", "/{*any}", "/*path", "*splat"}
)
"""How Express, before and since its fifth version, spells every path."""

_MISSING = re.compile(r"404|[Nn]ot_?[Ff]ound|\bthrow\b")
_TABLE = re.compile(rb"['\"](?:GET|get|ALL|all)\s+(?P<path>/[\w./-]*)['\"]\s*:")
_HANDLERS = frozenset({"identifier", "member_expression", "call_expression", "array"})


def list_routes(code: Code, framework: str | None) -> list[Route]:
    """Return the routes, those without a sign of a login marked open."""
    hung, loaded = prefixes(code), autoloaded(code) if framework == "fastify" else {}
    found = [route for module in code.modules for route in _called(module, hung, loaded.get(module.path))]
    found += [
        route
        for module in code.modules
        for route in (*_compared(module), *_static(code, module), *_told(module), *_listed(module))
    ]
    return found + list_pages(code, framework)


def _called(module: Module, hung: Prefixes, loaded: str | None) -> Iterator[Route]:
    if not _ROUTING.search(module.text):
        return
    guarded_from, own = _guarded_from(module), own_prefix(module)
    for row in module.matches(_ROUTES):
        path = _path(text(row["verb"]), row["call"])
        if path in _WHOLE and hung.of(module.path, text(row["object"]).partition(".")[0]) in {None, ""}:
            if _shows_a_page(row["call"]):
                yield Route("/", True, module.where, line(row["call"]))
        elif path is not None and path.startswith("/") and not _NO_SERVER.search(text(row["object"])):
            said = " ".join(text(item) for item in arguments(row["call"])[1:] if item.type in _HANDLERS)[:400]
            is_open = not _AUTH.search(said) and not _PRIVATE.search(path) and not 0 < guarded_from < line(row["call"])
            above = hung.of(module.path, text(row["object"]).partition(".")[0])
            prefix = loaded or "" if above is None else above
            yield Route(joined(prefix, own, path), is_open, module.where, line(row["call"]))


def _path(verb: str, call: Node) -> str | None:
    """Return the path that a call answers GET on; None when it does not."""
    given = arguments(call)
    if not given:
        return None
    if verb == "route":
        if given[0].type == "object":
            takes_get = "GET" in text(pair(given[0], "method")).upper()
            return string(pair(given[0], "url", "path")) if takes_get else None
        return string(given[0]) if re.match(r"\s*\.get\(", _after(call)) else None
    # app.get("name") alone reads a setting.
    told = text(given[0]) if given[0].type == "regex" else string(given[0])
    return told if len(given) > 1 else None


def _shows_a_page(call: Node) -> bool:
    """Tell whether what answers every path is a page, and not that there is none."""
    said = text(arguments(call)[-1])
    return bool(re.search(r"\.(?:sendFile|render|sendfile)\(|index\.html|\bhandle\b", said)) and not _MISSING.search(
        said
    )


def _after(call: Node) -> str:
    above = call.parent
    return text(above)[len(text(call)) :] + "(" if above is not None and above.type == "member_expression" else ""


def _guarded_from(module: Module) -> int:
    """Return the line from which a router lets in nobody without a login; 0 when it does nowhere."""
    for row in module.matches(_USES):
        given = arguments(row["call"])
        said = text(given[0])[:200] if len(given) == 1 and given[0].type in _HANDLERS else ""
        if _AUTH.search(said) and not re.search(r"initialize|session\(|rout|require\(", said, re.IGNORECASE):
            return line(row["call"])
    return 0


def _compared(module: Module) -> Iterator[Route]:
    """Yield the paths that a plain server compares the request's with."""
    for row in module.matches(_COMPARED) if b"createServer" in module.text else ():
        path = string(row["path"])
        if path and path.startswith("/"):
            yield Route(path, True, module.where, line(row["path"]))


def _told(module: Module) -> Iterator[Route]:
    """Yield the routes that plugins are told of: Hono's OpenAPI, @fastify/under-pressure, @godaddy/terminus."""
    said = module.text
    for word, pattern in (item for item in _TOLD if item[0] in said):
        for match in pattern.finditer(said):
            path = (match.groupdict().get("path") or b"").decode()
            path = f"{path.rstrip('/')}/health" if word == b"express-actuator" else path or "/status"
            yield Route(path, True, module.where, said.count(b"\n", 0, match.start()) + 1)


def _listed(module: Module) -> Iterator[Route]:
    """Yield the routes of a table such as Sails's: `"GET /api/ping": …` (https://sailsjs.com/documentation/concepts/routes)."""
    for match in _TABLE.finditer(module.text):
        number = module.text.count(b"\n", 0, match.start()) + 1
        entry = module.text[match.end() : match.end() + 300].partition(b"\n    '")[0].partition(b"}")[0]
        is_open = not re.search(rb"authenticated:\s*true|isAuthenticated", entry)
        yield Route(match["path"].decode(), is_open, module.where, number)


def _static(code: Code, module: Module) -> Iterator[Route]:
    """Yield the front page of a folder that is served as it is."""
    for row in module.matches(_STATIC) if b"static" in module.text.lower() else ():
        named = re.findall(r"['\"`]([\w./-]+)['\"`]", text(row["folder"]))
        folder = posixpath.normpath(posixpath.join(*(name.strip("/") for name in named))) if named else ""
        places = (folder, posixpath.normpath(posixpath.join(posixpath.dirname(module.path), folder)))
        above = row["call"].parent
        at_root = above is not None and not string(above.named_children[0])
        if folder and at_root and any(posixpath.join(place, "index.html") in code.tree.index for place in places):
            yield Route("/", True, module.where, line(row["call"]))
