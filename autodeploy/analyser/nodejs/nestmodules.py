"""Tells under which path Nest's RouterModule hangs a module, and with it the controllers that the module declares.

See https://docs.nestjs.com/recipes/router-module.
"""

from __future__ import annotations

import re

from tree_sitter import Node

from autodeploy.analyser.nodejs.code import Code, pair, string, text
from autodeploy.analyser.nodejs.prefixes import joined

_HUNG = "(pair key: (_) @key value: (identifier) @module) @pair"
_CONSTANT = "(variable_declarator name: (identifier) @name value: (string) @value)"
_DECLARED = re.compile(
    rb"@Module\(\s*\{(?P<body>.*?)\}\s*\)\s*(?:export\s+(?:default\s+)?)?class\s+(?P<name>\w+)", re.DOTALL
)
_CONTROLLERS = re.compile(rb"\bcontrollers\s*:\s*\[(?P<names>[^\]]*)\]")


def controller_prefixes(code: Code) -> dict[str, str]:
    """Return what stands before the paths of a controller, by the name of its class."""
    speakers = [module for module in code.modules if b"RouterModule" in module.text]
    if not speakers:
        return {}
    constants = {text(row["name"]): string(row["value"]) for item in speakers for row in item.matches(_CONSTANT)}
    hung = {
        text(row["module"]): prefix
        for item in speakers
        for row in item.matches(_HUNG)
        if text(row["key"]) == "module" and (prefix := _path(row["pair"], constants))
    }
    found: dict[str, str] = {}
    for module in code.modules if hung else ():
        for declared in _DECLARED.finditer(module.text) if b"@Module" in module.text else ():
            above = hung.get(declared["name"].decode(), "")
            listed = _CONTROLLERS.search(declared["body"])
            names = re.findall(rb"\w+", listed["names"]) if listed and above else []
            found |= {name.decode(): above for name in names}
    return found


def _path(node: Node, constants: dict[str, str | None]) -> str:
    """Return the path of a route with those of the routes around it, whose child it is."""
    parts: list[str] = []
    current: Node | None = node
    while current is not None:
        if current.type == "object" and (given := pair(current, "path")) is not None:
            parts.insert(0, string(given) or constants.get(text(given)) or "")
        current = current.parent
    return joined(*parts) if any(parts) else ""
