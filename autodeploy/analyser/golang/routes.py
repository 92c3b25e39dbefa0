"""Lists the paths that answer GET, groups and sub-routers resolved where the file shows them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from tree_sitter import Node

from autodeploy.analyser.golang.packages import Code
from autodeploy.analyser.golang.syntax import Call, GoFile, string_of, text_of
from autodeploy.analyser.health import Route

_VERBS = frozenset(
    {
        "GET",
        "Get",
        "Any",
        "All",
        "HandleFunc",
        "Handle",
        "Handler",
        "HandlerFunc",
        "StaticFile",
        "To",
        "Method",
        "MethodFunc",
        "Add",
    }
)
_GROUPS = frozenset({"Group", "Route", "PathPrefix", "Party", "Mount", "NewNamespace"})
_PART_OF = re.compile(r"RouterGroup|echo\.Group|fiber\.Router|chi\.Router|IRoutes|gin\.IRouter|fiber\.Group")
_AUTH = re.compile(r"auth|jwt|login|session|token|protect|admin|identity|permission|guard|secure|verify", re.IGNORECASE)


def list_routes(code: Code, files: Sequence[GoFile]) -> list[Route]:
    """Return the routes in the order of the files."""
    return [route for file in files for route in _routes(code, file)]


def _routes(code: Code, file: GoFile) -> Iterator[Route]:
    groups = _groups(file)
    partial = _parameters_that_are_groups(file)
    for call in file.calls:
        if call.method not in _VERBS or not call.operand or not call.arguments:
            continue
        path = _path(call)
        if path is None or not _takes_get(call):
            continue
        prefix, is_open = _prefix(call, groups)
        if call.operand in partial and call.operand not in groups:
            continue
        words = " ".join(text_of(argument) for argument in call.arguments[1:-1])
        whole = _joined(prefix, path)
        yield Route(_plain(whole), is_open and not _AUTH.search(words), code.tree.where(file.path), call.line)


def _path(call: Call) -> str | None:
    text = string_of(call.arguments[0])
    if len(call.arguments) > 2 and (text is None or re.fullmatch(r"[A-Z, ]+", text)):
        # The method stands before the path: r.Handler(http.MethodGet, "/path", …).
        if "GET" not in text_of(call.arguments[0]).upper():
            return None
        text = string_of(call.arguments[1])
    elif call.method in {"To", "Method", "MethodFunc", "Add"}:
        return None
    if text is None:
        return None
    verb, _, rest = text.rpartition(" ")
    if verb and verb.strip() != "GET":  # since Go 1.22: "GET /path"
        return None
    path = rest.strip()
    return path if path.startswith("/") or path == "" else None


def _takes_get(call: Call) -> bool:
    """gorilla/mux names the methods in a call around this one."""
    outer = call.node.parent.parent if call.node.parent else None
    function = outer.child_by_field_name("function") if outer else None
    if outer is None or function is None or not text_of(function).endswith(".Methods"):
        return True
    given = outer.child_by_field_name("arguments")
    return given is not None and bool(re.search(r"\bGET\b|MethodGet", text_of(given)))


def _groups(file: GoFile) -> dict[str, tuple[str, str, str]]:
    """Map a group's name to its parent, its prefix, and the words it was made with."""
    found: dict[str, tuple[str, str, str]] = {}
    calls = [call for call in file.calls if call.method in _GROUPS]
    for name, value in file.values() if calls else ():
        for call in calls:
            if value.start_byte <= call.node.start_byte < value.end_byte:
                prefix = string_of(call.arguments[0]) if call.arguments else None
                if prefix is not None:
                    found[name] = (call.operand, prefix, text_of(value))
    return found


def _prefix(call: Call, groups: dict[str, tuple[str, str, str]]) -> tuple[str, bool]:
    """Return what stands before a route's path, and whether nothing on the way asks for a login."""
    prefix, is_open, name, seen = "", True, call.operand, set()
    while name in groups and name not in seen:
        seen.add(name)
        name, part, words = groups[name]
        prefix, is_open = _joined(part, prefix), is_open and not _AUTH.search(words.partition(",")[2])
    return _joined(_enclosing(call.node), prefix), is_open


def _enclosing(node: Node) -> str:
    """Return the prefixes of the functions around a node: r.Route("/api", func(r chi.Router) { … })."""
    prefix, current = "", node.parent
    while current is not None:
        function = current.child_by_field_name("function") if current.type == "call_expression" else None
        given = current.child_by_field_name("arguments") if function else None
        if function is not None and given is not None and text_of(function).endswith((".Route", ".Group")):
            first = given.named_children[0] if given.named_children else None
            if first is not None and len(given.named_children) > 1:
                prefix = _joined(string_of(first) or "", prefix)
        current = current.parent
    return prefix


def _parameters_that_are_groups(file: GoFile) -> frozenset[str]:
    """Names of parameters whose prefix the caller decides; those within this file's own nested calls are resolved."""
    found = set()
    for node in file.nodes("parameter"):
        kind, parent = node.child_by_field_name("type"), node.parent.parent if node.parent else None
        if kind is not None and _PART_OF.search(text_of(kind)) and parent is not None and parent.type != "func_literal":
            found |= {text_of(name) for name in node.children_by_field_name("name")}
    return frozenset(found)


def _joined(prefix: str, path: str) -> str:
    """Return one path below another; an empty one adds no slash."""
    if not prefix or not path:
        return prefix or path
    return re.sub(r"/{2,}", "/", f"/{prefix.strip('/')}/{path.lstrip('/')}")


def _plain(path: str) -> str:
    """Return a path without the pattern that ends net/http's exact match, as people type it."""
    return path.removesuffix("{$}") or "/"
