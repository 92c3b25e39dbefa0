"""Which parts of a module may be left out while it runs: guarded by a handler, or by a switch of the environment."""

from __future__ import annotations

import ast
import re

from autodeploy.analyser.python.code import Code
from autodeploy.analyser.python.names import dotted

_CATCHES = frozenset({"KeyError", "LookupError", "Exception", "BaseException"})
_READS = re.compile(r"\benviron\b|\bgetenv\b")
_MODES = re.compile(r"DEBUG|PROD|DEV|TEST|LOCAL|STAG|(?:^|_)ENV", re.IGNORECASE)
"""Words in the names of switches between ways to run, of which one is what is deployed."""


def guarded(made: Code) -> list[tuple[int, int]]:
    """Return the first and last lines of what may fail, or be passed over, without the program ending."""
    switches = {name for name, value, _ in made.assigned if not _MODES.search(name) and _READS.search(_said(value))}
    found: list[tuple[int, int]] = []
    for node in ast.walk(made.syntax):
        is_caught = isinstance(node, ast.Try) and any(map(_goes_on, node.handlers))
        is_switched = isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id in switches
        if (is_caught or is_switched) and isinstance(node, (ast.Try, ast.If)):
            found.append((node.body[0].lineno, node.body[-1].end_lineno or node.body[-1].lineno))
    return found


def _goes_on(handler: ast.ExceptHandler) -> bool:
    """Tell whether a handler takes a missing key, and lets the program run."""
    kinds = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type] if handler.type else []
    names = {dotted(kind, {}).rpartition(".")[2] for kind in kinds}
    ends = any(
        isinstance(node, ast.Raise) or (isinstance(node, ast.Call) and dotted(node.func, {}) in {"sys.exit", "exit"})
        for node in ast.walk(handler)
    )
    return (not kinds or bool(names & _CATCHES)) and not ends


def _said(value: ast.expr) -> str:
    names = (part.attr if isinstance(part, ast.Attribute) else getattr(part, "id", "") for part in ast.walk(value))
    return " ".join(names)
