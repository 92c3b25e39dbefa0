"""Lists the GET routes that the code declares, with the prefixes of the routers they hang under."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator

from tree_sitter import Node

from autodeploy.analyser.health import Route
from autodeploy.analyser.nodejs.code import Code, Module, arguments, imports, line, pair, string, text

_CALLS = """
(call_expression function: (member_expression object: (_) @object property: (property_identifier) @verb)
  (#any-of? @verb "get" "all" "route" "use" "register" "setGlobalPrefix" "group")) @call
"""
_DECORATORS = """
(class_declaration decorator: (decorator (call_expression function: (identifier) @by) @call) (#eq? @by "Controller"))
(export_statement decorator: (decorator (call_expression function: (identifier) @by) @call)
  declaration: (class_declaration) (#eq? @by "Controller"))
"""
_METHODS = """
(decorator (call_expression function: (identifier) @by) @call (#eq? @by "Get"))
"""
_COMPARED = """
(binary_expression left: (_) @left right: (string) @path (#match? @left "(url|path|pathname)$"))
"""
_AUTH = re.compile(
    r"(?i)(?<!un)(auth(?!or)|jwt|protect|require(d)?_?(user|login|admin|role)|logged|verify_?token|check_?token|passport"
    r"|guard|permission|isAdmin|acl\b)"
)
_PAGES = re.compile(r"^(?:src/)?(?:pages/(?P<page>api/[\w/-]+|index)|app/(?P<app>(?:[\w/-]+/)?(?:route|page)))\.[jt]sx?$")


def list_routes(code: Code, framework: str | None) -> list[Route]:
    """Return the routes, those without a sign of a login marked open."""
    prefixes = _prefixes(code)
    everywhere = next((text_ for module in code.modules for text_ in _global_prefix(module)), "")
    found: list[Route] = []
    for module in code.modules:
        prefix = prefixes.get(module.path, "")
        found += _called(module, prefix)
        found += _decorated(module, everywhere)
        found += _compared(module)
    return found + (list(_pages(code)) if framework == "next" else [])


def _called(module: Module, prefix: str) -> Iterator[Route]:
    guarded_from = _guarded_from(module)
    own = _own_prefix(module)
    for row in module.matches(_CALLS):
        given, verb = arguments(row["call"]), text(row["verb"])
        if not given or re.search(r"(?i)axios|request|http$|client|fetch|cache|redis|config|params|headers|store|map$|session$|cookies?$", text(row["object"])):
            continue
        path = string(pair(given[0], "url", "path")) if verb == "route" else string(given[0])
        if verb in {"use", "register", "setGlobalPrefix", "group"} or path is None or not path.startswith("/"):
            continue
        if verb == "route" and given[0].type == "object" and "GET" not in text(pair(given[0], "method")).upper():
            continue
        if verb == "get" and len(given) < 2 and not _is_chained(row["call"]):
            continue
        words = " ".join(text(item) for item in given[1:] if item.type in {"identifier", "member_expression", "call_expression", "array"})
        is_open = not _AUTH.search(words[:400]) and not 0 < guarded_from < line(row["call"])
        yield Route(_joined(prefix, own, path), is_open, module.where, line(row["call"]))


def _guarded_from(module: Module) -> int:
    """Return the line from which a router lets in nobody without a login; 0 when it does nowhere."""
    for row in module.matches(_CALLS):
        given = arguments(row["call"])
        if text(row["verb"]) == "use" and len(given) == 1 and given[0].type in {"identifier", "call_expression", "member_expression"}:
            said = text(given[0])[:200]
            if _AUTH.search(said) and not re.search(r"initialize|session\(|[rR]out", said):
                return line(row["call"])
    return 0


def _prefixes(code: Code) -> dict[str, str]:
    """Map each module to the prefix that its routes are served under."""
    hung: dict[str, tuple[str, str]] = {}
    for module in code.modules:
        names, folder = imports(module), posixpath.dirname(module.path)
        for row in module.matches(_CALLS):
            given = arguments(row["call"])
            if text(row["verb"]) not in {"use", "register", "route"} or not given:
                continue
            path = string(given[0]) if len(given) > 1 else ""
            if path == "" and len(given) > 1 or text(row["verb"]) == "register":
                path = string(pair(given[-1], "prefix")) or ""
            for item in given if path is not None else ():
                child = _module_of(code, item, names, folder)
                if child is not None and child.path != module.path:
                    hung.setdefault(child.path, (module.path, path or ""))
    return {path: _whole(path, hung) for path in hung}


def _module_of(code: Code, node: Node, names: dict[str, str], folder: str) -> Module | None:
    said = text(node)
    if match := re.match(r"require\(\s*['\"]([^'\"]+)['\"]\s*\)", said):
        return code.find(folder, match[1])
    first = re.match(r"(?:new\s+)?([A-Za-z_$][\w$]*)", said) if node.type in {"identifier", "member_expression", "call_expression"} else None
    return code.find(folder, names[first[1]]) if first and first[1] in names else None


def _whole(path: str, hung: dict[str, tuple[str, str]]) -> str:
    prefix, seen = "", {path}
    while path in hung:
        above, given = hung[path]
        prefix = _joined(given, prefix) if given or prefix else ""
        if above in seen:
            break
        seen.add(above)
        path = above
    return prefix


def _own_prefix(module: Module) -> str:
    pattern = "(new_expression constructor: (_) @by arguments: (arguments . (object) @options))"
    for row in module.matches(pattern):
        if text(row["by"]).endswith("Router") and (prefix := string(pair(row["options"], "prefix"))):
            return prefix
    return ""


def _global_prefix(module: Module) -> Iterator[str]:
    for row in module.matches(_CALLS):
        given = arguments(row["call"])
        if text(row["verb"]) == "setGlobalPrefix" and given and (prefix := string(given[0])):
            yield prefix


def _decorated(module: Module, everywhere: str) -> Iterator[Route]:
    """Yield the routes of Nest's controllers."""
    if module.language == "javascript" or b"@Controller" not in module.text:
        return
    controllers = [row["call"] for row in module.matches(_DECORATORS)]
    for row in module.matches(_METHODS):
        above = [call for call in controllers if call.start_byte < row["call"].start_byte]
        base = string(arguments(above[-1])[0]) if above and arguments(above[-1]) else ""
        path = string(arguments(row["call"])[0]) if arguments(row["call"]) else ""
        if base is None or path is None:
            continue
        method = row["call"].parent.parent if row["call"].parent is not None else None
        around = text(above[-1].parent.parent)[:300] if above and above[-1].parent is not None else ""
        near = module.text[max(0, row["call"].start_byte - 200) : row["call"].end_byte + 200].decode("utf-8", "replace")
        is_open = "UseGuards" not in (near if method is not None else "") + around.split("class ")[0]
        yield Route(_joined(everywhere, base, path), is_open, module.where, line(row["call"]))


def _compared(module: Module) -> Iterator[Route]:
    """Yield the paths that a plain server compares the request's with."""
    for row in module.matches(_COMPARED) if b"createServer" in module.text else ():
        path = string(row["path"])
        if path and path.startswith("/"):
            yield Route(path, True, module.where, line(row["path"]))


def _pages(code: Code) -> Iterator[Route]:
    for path in code.tree.paths:
        match = _PAGES.match(path)
        if match and "[" not in path:
            inner = match["page"] or re.sub(r"/?(route|page)$", "", match["app"] or "")
            yield Route("/" if inner in {"index", ""} else f"/{inner}", True, code.tree.where(path), 1)


def _is_chained(call: Node) -> bool:
    return call.parent is not None and call.parent.type == "member_expression"


def _joined(*paths: str) -> str:
    parts = [part.strip("/") for part in paths if part and part.strip("/")]
    return "/" + "/".join(parts)
