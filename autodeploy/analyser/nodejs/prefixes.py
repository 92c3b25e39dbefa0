"""Tells under which prefix a module's routes are served: `app.use("/api", router)`, followed through the imports."""

from __future__ import annotations

import posixpath
import re
from dataclasses import dataclass, field

from tree_sitter import Node

from autodeploy.analyser.nodejs.code import Code, Module, arguments, imports, pair, string, text

_HANGS = """
(call_expression function: (member_expression object: (_) @object property: (property_identifier) @verb)
  (#any-of? @verb "use" "all" "get" "register" "route")) @call
"""
_HANGING = re.compile(rb"\.(?:use|register|route)\s*\(|\.(?:get|all)\s*\([^\n]*\brequire\(")
"""What a module says that hangs a router: without it nothing has to be parsed."""

_ROUTER = '(new_expression constructor: (_) @by arguments: (arguments . (object) @options) (#match? @by "Router$"))'
_LOADS = re.compile(rb"\bdir:[^}\n]*?['\"]\.?/?([\w/-]*routes[\w/-]*)['\"]")
_NAMED = frozenset({"identifier", "member_expression", "call_expression", "await_expression"})


@dataclass(frozen=True)
class Prefixes:
    """Where each router is hung: by module, and the name that the module gives the router, "" for any."""

    hung: dict[tuple[str, str], tuple[str, str, str]] = field(default_factory=dict)
    """Module and name, to the module, the name of the router there, and the prefix."""

    modules: dict[str, tuple[str, str, str]] = field(default_factory=dict)
    """The first place where any router of a module is hung."""

    def of(self, path: str, name: str) -> str | None:
        """Return what stands before the routes of a module's router; None where nobody hangs it."""
        prefix, seen, found = "", set[str](), self._place(path, name)
        while found is not None and path not in seen:
            seen.add(path)
            path, name, given = found
            prefix = joined(given, prefix)
            found = self._place(path, name)
        return prefix if seen else None

    def _place(self, path: str, name: str) -> tuple[str, str, str] | None:
        return self.hung.get((path, name)) or self.hung.get((path, "")) or self.modules.get(path)


def prefixes(code: Code) -> Prefixes:
    """Return where other modules hang the routers of each module."""
    found = Prefixes()
    for module in code.modules:
        if not _HANGING.search(module.text):
            continue
        names, folder = imports(module), posixpath.dirname(module.path)
        for row in module.matches(_HANGS):
            given = arguments(row["call"])
            prefix = _given(text(row["verb"]), given)
            for item in given if prefix is not None else ():
                child, name = _module_of(code, item, names, folder) or (None, "")
                if child is not None and child.path != module.path:
                    place = (module.path, text(row["object"]), prefix or "")
                    found.hung.setdefault((child.path, _local(child, name)), place)
                    found.modules.setdefault(child.path, place)
    return found


def _local(module: Module, name: str) -> str:
    """Return what a module calls the router that it exports by a name; "" where that is not told."""
    told = (
        re.search(rb"\bexports\b[^;]*?\b" + re.escape(name).encode() + rb"\s*:\s*(\w+)", module.text) if name else None
    )
    return told[1].decode() if told else ""


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
    if verb in {"all", "get"}:
        # The path is left to what is called.
        is_handed = len(given) > 1 and string(given[0]) is not None and text(given[-1]).startswith("require(")
        return "" if is_handed else None
    return "" if len(given) == 1 else string(given[0]) if given else None


def _module_of(code: Code, node: Node, names: dict[str, str], folder: str) -> tuple[Module, str] | None:
    """Return the module that a value comes from, and the name that it has among what that exports."""
    said = re.sub(r"^await\s+", "", text(node)[:200])
    if match := re.match(r"require\(\s*['\"]([^'\"]+)['\"]\s*\)(?:\.(\w+))?", said):
        found = code.find(folder, match[1])
        return (_handed_on(code, found, match[2] or ""), match[2] or "") if found else None
    first = re.match(r"([A-Za-z_$][\w$]*)(?:\.(\w+))?", said) if node.type in _NAMED else None
    found = code.find(folder, names[first[1]]) if first and first[1] in names else None
    return (_handed_on(code, found, first[2] or first[1]), first[2] or first[1]) if first and found else None


def _handed_on(code: Code, module: Module, name: str, depth: int = 3) -> Module:
    """Return the module that makes what another, most often an index of a folder, only hands on."""
    word = re.escape(name or "default").encode()
    told = re.search(rb"\b" + word + rb"['\"]?\s*[:=]\s*require\(\s*['\"]([^'\"]+)['\"]", module.text)
    told = told or re.search(rb"\bexport\s*\{[^}]*\b" + word + rb"\b[^}]*\}\s*from\s*['\"]([^'\"]+)['\"]", module.text)
    told = told or re.search(rb"\bmodule\.exports\s*=\s*require\(\s*['\"]([^'\"]+)['\"]\s*\)\s*(?:;|$|\n)", module.text)
    origin = told[1].decode("utf-8", "replace") if told else ""
    if not origin and re.search(rb"\bexport\b|\bexports\b", module.text):
        origin = imports(module).get(name, "")
    further = code.find(posixpath.dirname(module.path), origin) if origin and depth else None
    return _handed_on(code, further, name, depth - 1) if further is not None and further is not module else module
