"""Lists the GET routes that are not declared by calls: Nest's decorators, and files that are routes by their names."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from tree_sitter import Node

from autodeploy.analyser.health import Route
from autodeploy.analyser.nodejs.code import Code, Module, arguments, line, pair, string, text
from autodeploy.analyser.nodejs.fileroutes import FILE_ROUTES, file_routes
from autodeploy.analyser.nodejs.nestmodules import controller_prefixes
from autodeploy.analyser.nodejs.prefixes import joined

_PREFIX = """
(call_expression function: (member_expression property: (property_identifier) @by) (#eq? @by "setGlobalPrefix")) @call
"""
_VERSIONED = """
(call_expression function: (member_expression property: (property_identifier) @by) (#eq? @by "enableVersioning")) @call
"""
_DOCUMENTED = """
(call_expression function: (member_expression object: (identifier) @of property: (property_identifier) @by)
  (#eq? @of "SwaggerModule") (#eq? @by "setup")) @call
"""
_DECORATED = """
(decorator (call_expression function: (identifier) @by) @call (#any-of? @by "Controller" "Get")) @decorator
"""


def list_pages(code: Code, framework: str | None) -> list[Route]:
    """Return the routes of a framework that does not take them by calls."""
    if framework in FILE_ROUTES:
        return file_routes(code, framework)
    if framework != "nest":
        return []
    calls = (row["call"] for module in code.modules for row in module.matches(_PREFIX))
    prefix = next((given for call in calls if arguments(call) and (given := string(arguments(call)[0]))), "")
    asked = (row["call"] for module in code.modules for row in module.matches(_VERSIONED))
    versions = next(filter(None, map(_versions, asked)), None)
    hung = controller_prefixes(code)
    found = [route for module in code.modules for route in _decorated(module, prefix, versions, hung)]
    return [*found, *(route for module in code.modules for route in _documented(module, prefix))]


def _documented(module: Module, prefix: str) -> Iterator[Route]:
    """Yield the page of Swagger, where no condition leaves it out: https://docs.nestjs.com/openapi/introduction."""
    for row in module.matches(_DOCUMENTED):
        given = arguments(row["call"])
        path, options = (string(given[0]) if given else None), text(given[3]) if len(given) > 3 else ""
        above = row["call"].parent
        while above is not None and above.type not in {"if_statement", "ternary_expression"}:
            above = above.parent
        if path is not None and above is None:
            is_below = re.search(r"useGlobalPrefix:\s*true", options)
            yield Route(joined(prefix if is_below else "", path), True, module.where, line(row["call"]))


@dataclass(frozen=True)
class _Versions:
    """How the version of a route is told in its path; see https://docs.nestjs.com/techniques/versioning."""

    prefix: str
    default: str

    def part(self, version: str) -> str:
        """Return the part of the path; "" for routes without a version."""
        named = version or self.default
        return f"{self.prefix}{named}" if named else ""


def _versions(call: Node) -> _Versions | None:
    options = next(iter(arguments(call)), None)
    kind = text(pair(options, "type"))
    if kind and not kind.endswith("URI"):
        return None
    given = pair(options, "prefix")
    prefix = "" if text(given) == "false" else string(given) or "v"
    return _Versions(prefix, string(pair(options, "defaultVersion")) or "")


def _decorated(module: Module, prefix: str, versions: _Versions | None, hung: Mapping[str, str]) -> Iterator[Route]:
    base: str | None = None
    is_open_class = True
    for row in module.matches(_DECORATED) if b"@Controller" in module.text else ():
        given = arguments(row["call"])
        path = string(given[0]) if given else ""
        if text(row["by"]) == "Controller":
            options = given[0] if given and given[0].type == "object" else None
            path = string(pair(options, "path")) or "" if options is not None else path
            said = pair(options, "version")
            is_neutral = said is not None and string(said) is None
            version = versions.part(string(said) or "") if versions and not is_neutral else ""
            above = hung.get(_decorated_class(module, row["decorator"]), "")
            base = joined(version, above, path) if path is not None else None
            is_open_class = not _is_guarded(row["decorator"])
        elif base is not None and path is not None:
            is_open = is_open_class and not _is_guarded(row["decorator"])
            yield Route(joined(prefix, base, path), is_open, module.where, line(row["call"]))


def _decorated_class(module: Module, decorator: Node) -> str:
    named = re.compile(rb"\bclass\s+(\w+)").search(module.text, decorator.end_byte)
    return named[1].decode() if named else ""


def _is_guarded(decorator: Node) -> bool:
    """Tell whether a guard stands among the decorators of the same class or method."""
    guards: list[str] = []
    for step in ("prev_named_sibling", "next_named_sibling"):
        node: Node | None = getattr(decorator, step)
        while node is not None and node.type == "decorator":
            guards.append(text(node))
            node = getattr(node, step)
    return any("UseGuards" in guard for guard in guards)
