"""Lists the paths that answer GET, groups and sub-routers resolved where the file shows them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from tree_sitter import Node

from autodeploy.analyser.golang.groups import AUTH, Groups, joined, read_groups, scope_of
from autodeploy.analyser.golang.packages import Code
from autodeploy.analyser.golang.paths import Paths, read_paths
from autodeploy.analyser.golang.reads import literal
from autodeploy.analyser.golang.syntax import Call, GoFile, string_of, text_of
from autodeploy.analyser.health import Route

_COMPARED = re.compile(r"\.URL\.Path\s*==\s*(?:\"(?P<path>/[^\"]*)\"|(?P<name>[A-Za-z_]\w*)\b)")
_GET = r"(?:\"GET\"|(?:\w+\.)?MethodGet\b|strings\.ToUpper\(\"Get\"\))"
_NAMED = r"(?:Pattern|Path|Endpoint):\s*"
_ROW = re.compile(
    rf"\{{\s*\"\w*\",\s*{_GET},\s*\"(?P<path>/[^\"]*)\""
    rf"|\bMethod:\s*{_GET},[^{{}}]*?\b{_NAMED}\"(?P<before>/[^\"]*)\""
    rf"|\b{_NAMED}\"(?P<after>/[^\"]*)\",\s*(?:\w+:\s*[^{{}},]*,\s*)*?Method:\s*{_GET}"
)
_VERBS = frozenset(
    [
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
        "Router",
    ]
)
"""Methods that register a route which may answer GET."""


def list_routes(code: Code, files: Sequence[GoFile], known: Mapping[str, Node]) -> list[Route]:
    """Return the routes in the order of the files; `known` are the program's names with one value."""
    groups = read_groups(files, read_paths(files, known))
    compared = [(file, match) for file in files for match in _COMPARED.finditer(code.tree.read(file.path))]
    found = [route for file in files for route in _routes(code, file, groups)]
    found += [route for file in files for route in _listed(code, file)]
    return found + [route for file, match in compared for route in _compared(code, file, match, known)]


def _listed(code: Code, file: GoFile) -> Iterator[Route]:
    """Yield the routes of a table, as generators of servers make it: `{"Index", "GET", "/", Index}`, named or not."""
    text = code.tree.read(file.path)
    for match in _ROW.finditer(text) if "GET" in text or "MethodGet" in text else ():
        path = match["path"] or match["before"] or match["after"]
        yield Route(path, True, code.tree.where(file.path), text.count("\n", 0, match.start()) + 1)


def _compared(code: Code, file: GoFile, match: re.Match[str], known: Mapping[str, Node]) -> Iterator[Route]:
    """Yield the path that a handler compares the request's with."""
    path = match["path"] or literal(known.get(match["name"] or ""), known)
    text = code.tree.read(file.path)
    line = text[text.rfind("\n", 0, match.start()) + 1 : text.find("\n", match.end())]
    takes_get = not re.search(r"Method(?:Post|Put|Patch|Delete)|\"(?:POST|PUT|PATCH|DELETE)\"", line) or "Get" in line
    if path and path.startswith("/") and takes_get and "!=" not in line:
        yield Route(path, True, code.tree.where(file.path), text.count("\n", 0, match.start()) + 1)


def _routes(code: Code, file: GoFile, groups: Groups) -> Iterator[Route]:
    for call in file.calls:
        if call.method == "Heartbeat" and call.name.startswith("github.com/go-chi/chi") and call.arguments:
            yield Route(string_of(call.arguments[0]) or "/ping", True, code.tree.where(file.path), call.line)
            continue
        if call.method == "Path" and (route := _chained(code, file, call, groups)):
            yield route
        if call.method not in _VERBS or not call.operand or not call.arguments:
            continue
        path = _path(call, groups.paths)
        if path is None or not _takes_get(call):
            continue
        before = groups.prefix(scope_of(call.node), call.operand)
        if before is None:
            continue
        words = " ".join(text_of(argument) for argument in call.arguments[1:-1])
        whole = joined(_enclosing(call.node, groups.paths), joined(before[0], path))
        yield Route(
            _plain(whole),
            before[1] and groups.is_open(call) and not AUTH.search(words),
            code.tree.where(file.path),
            call.line,
        )


def _chained(code: Code, file: GoFile, call: Call, groups: Groups) -> Route | None:
    """Read gorilla/mux's chains: router.Methods("GET").Path("/x").HandlerFunc(f), in whatever order."""
    if not any(path.startswith("github.com/gorilla/mux") for path in file.imported()) or not call.arguments:
        return None
    chain = call.node
    while chain.parent is not None and chain.parent.type in {"selector_expression", "call_expression"}:
        chain = chain.parent
    said, path = text_of(chain), groups.paths.text(call.arguments[0])
    handled = re.search(r"\.(?:HandlerFunc|Handler)\(", said)
    takes_get = ".Methods(" not in said or re.search(r"\bGET\b|MethodGet", said)
    before = groups.prefix(scope_of(call.node), re.split(r"[.(]", said)[0])
    if path is None or not handled or not takes_get or before is None:
        return None
    return Route(joined(before[0], path), before[1], code.tree.where(file.path), call.line)


def _path(call: Call, paths: Paths) -> str | None:
    text = paths.text(call.arguments[0])
    if len(call.arguments) > 2 and (text is None or re.fullmatch(r"[A-Z, ]+", text)):
        # The method stands before the path: r.Handler(http.MethodGet, "/path", …).
        if "GET" not in text_of(call.arguments[0]).upper():
            return None
        text = paths.text(call.arguments[1])
    elif call.method in {"To", "Method", "MethodFunc", "Add"} or (call.method == "Router" and not _is_mapped(call)):
        return None
    if text is None:
        return None
    verb, _, rest = text.rpartition(" ")
    if verb and verb.strip() != "GET":  # since Go 1.22: "GET /path"
        return None
    path = rest.strip()
    return path if path.startswith("/") or path == "" else None


def _is_mapped(call: Call) -> bool:
    """Tell whether Beego's web.Router("/path", &Controller{}, "get:Method;post:Other") answers GET; alone it does."""
    mapped = string_of(call.arguments[2]) if len(call.arguments) > 2 else "*:"
    return len(call.arguments) > 1 and bool(re.search(r"(?i)(?:^|[;,])(?:get|\*)[,\w]*:", mapped or ""))


def _takes_get(call: Call) -> bool:
    """gorilla/mux names the methods in a call around this one."""
    outer = call.node.parent.parent if call.node.parent else None
    function = outer.child_by_field_name("function") if outer else None
    if outer is None or function is None or not text_of(function).endswith(".Methods"):
        return True
    given = outer.child_by_field_name("arguments")
    return given is not None and bool(re.search(r"\bGET\b|MethodGet", text_of(given)))


def _enclosing(node: Node, paths: Paths) -> str:
    """Return the prefixes of the functions around a node: r.Route("/api", func(r chi.Router) { … })."""
    prefix, current = "", node.parent
    while current is not None:
        function = current.child_by_field_name("function") if current.type == "call_expression" else None
        given = current.child_by_field_name("arguments") if function else None
        if function is not None and given is not None and text_of(function).endswith((".Route", ".Group")):
            first = given.named_children[0] if given.named_children else None
            if first is not None and len(given.named_children) > 1:
                prefix = joined(paths.text(first) or "", prefix)
        current = current.parent
    return prefix


def _plain(path: str) -> str:
    """Return a path without the pattern that ends net/http's exact match, as people type it."""
    return path.removesuffix("{$}") or "/"
