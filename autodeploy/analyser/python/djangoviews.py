"""Tells which views of a Django project ask for a login: by mixins, decorators, and REST framework's permissions."""

from __future__ import annotations

import ast
import re

from autodeploy.analyser.python.code import Code, files_of
from autodeploy.analyser.python.names import dotted
from autodeploy.analyser.tree import Tree

_CLOSES = re.compile(r"login_?required|Permission|IsAuthenticated|IsAdmin|UserPasses|staff_member", re.IGNORECASE)
_GIVEN = re.compile(r"^\s+permission_classes\s*=\s*(.*)$", re.MULTILINE)


def is_closed(tree: Tree, made: Code, view: ast.expr) -> bool:
    """Tell whether a view, as a route names it, is one of the project's that asks for a login."""
    called = view.func if isinstance(view, ast.Call) else None
    named = called.value if isinstance(called, ast.Attribute) and called.attr == "as_view" else view
    module, _, name = dotted(named, made.origins).rpartition(".")
    said = next((said for path in files_of(tree, module, made.base) if (said := _said(tree.read(path), name))), "")
    return bool(_CLOSES.search(said)) and "AllowAny" not in said


def _said(text: str, name: str) -> str:
    """Return what a view says of who may see it: its decorators, its bases, and its permission classes."""
    found = re.search(
        rf"(?P<above>(?:^@.*\n)*)^(?:class|(?:async )?def) {re.escape(name)}\b(?P<bases>[^:]*):"
        r"(?P<body>(?:\n(?:[ \t].*)?)*)", text, re.MULTILINE,
    ) if name else None  # fmt: skip
    if found is None:
        return ""
    given = _GIVEN.search(found["body"])
    # A class's own permissions take the place of those that it inherits.
    return f"{found['above']}{given[1]}" if given else f"{found['above']}{found['bases']}"
