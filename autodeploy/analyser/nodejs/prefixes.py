"""Tells under which prefix a module's routes are served: `app.use("/api", router)`, followed through the imports."""

from __future__ import annotations

import posixpath
import re

from tree_sitter import Node

from autodeploy.analyser.nodejs.code import Code, Module, arguments, imports, pair, string, text

_HANGS = """
(call_expression function: (member_expression property: (property_identifier) @verb)
  (#any-of? @verb "use" "register" "route")) @call
"""
_ROUTER = '(new_expression constructor: (_) @by arguments: (arguments . (object) @options) (#match? @by "Router$"))'
_LOADS = re.compile(rb"\bdir:[^}\n]*?['\"]\.?/?([\w/-]*routes[\w/-]*)['\"]")
_NAMED = frozenset({"identifier", "member_expression", "call_expression"})


def prefixes(code: Code) -> dict[str, str]:
    """Return the prefix of each module that another hangs its router under, by path."""
    hung: dict[str, tuple[str, str]] = {}
    for module in code.modules:
        if not module.may_match(_HANGS):
            continue
        names, folder = imports(module), posixpath.dirname(module.path)
        for row in module.matches(_HANGS):
            given = arguments(row["call"])
            prefix = _given(text(row["verb"]), given)
            for item in given if prefix is not None else ():
                child = _module_of(code, item, names, folder)
                if child is not None and child.path != module.path:
                    hung.setdefault(child.path, (module.path, prefix or ""))
    return {path: _whole(path, hung) for path in hung}


def autoloaded(code: Code) -> dict[str, str]:
    """Return the prefix of each module that @fastify/autoload finds: its folder below the one that is loaded."""
    found: dict[str, str] = {}
    for module in code.modules:
        if b"autoload" in module.text.lower():
            for match in _LOADS.finditer(module.text):
                base = posixpath.normpath(posixpath.join(posixpath.dirname(module.path), match[1].decode()))
                inner = (item.path for item in code.modules if item.path.startswith(f"{base}/"))
                found |= {path: joined(posixpath.dirname(path[len(base) :])) for path in inner}
    return found


def own_prefix(module: Module) -> str:
    """Return the prefix that a router is made with: `new Router({ prefix: "/api" })`; "" for none."""
    return next((prefix for row in module.matches(_ROUTER) if (prefix := string(pair(row["options"], "prefix")))), "")


def joined(*paths: str) -> str:
    """Return the path that the parts make, with one slash before each."""
    parts = [part.strip("/") for part in paths]
    return "/" + "/".join(part for part in parts if part)


def _given(verb: str, given: list[Node]) -> str | None:
    """Return the prefix among a call's arguments; None when it cannot be read."""
    if verb == "register":
        return string(pair(given[-1], "prefix")) or "" if given else None
    return "" if len(given) == 1 else string(given[0]) if given else None


def _module_of(code: Code, node: Node, names: dict[str, str], folder: str) -> Module | None:
    said = text(node)[:200]
    if match := re.match(r"require\(\s*['\"]([^'\"]+)['\"]\s*\)", said):
        return code.find(folder, match[1])
    first = re.match(r"([A-Za-z_$][\w$]*)(?:\.(\w+))?", said) if node.type in _NAMED else None
    found = code.find(folder, names[first[1]]) if first and first[1] in names else None
    return _handed_on(code, found, first[2] or first[1]) if first and found else None


def _handed_on(code: Code, module: Module, name: str, depth: int = 3) -> Module:
    """Return the module that makes what another, most often an index of a folder, only hands on."""
    word = re.escape(name).encode()
    told = re.search(rb"\b" + word + rb"['\"]?\s*[:=]\s*require\(\s*['\"]([^'\"]+)['\"]", module.text)
    told = told or re.search(rb"\bexport\s*\{[^}]*\b" + word + rb"\b[^}]*\}\s*from\s*['\"]([^'\"]+)['\"]", module.text)
    origin = told[1].decode("utf-8", "replace") if told else ""
    if not origin and re.search(rb"\bexport\b|\bexports\b", module.text):
        origin = imports(module).get(name, "")
    further = code.find(posixpath.dirname(module.path), origin) if origin and depth else None
    return _handed_on(code, further, name, depth - 1) if further is not None and further is not module else module


def _whole(path: str, hung: dict[str, tuple[str, str]]) -> str:
    prefix, seen = "", set()
    while path in hung and path not in seen:
        seen.add(path)
        path, given = hung[path]
        prefix = joined(given, prefix)
    return prefix
