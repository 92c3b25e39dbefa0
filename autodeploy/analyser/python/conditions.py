"""Which parts of a module may be left out while it runs: guarded by a handler, or by a switch of the environment."""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping

from autodeploy.analyser.python.code import Code
from autodeploy.analyser.python.names import dotted, on_import, text_of, words_of

_CATCHES = frozenset({"KeyError", "LookupError", "Exception", "BaseException"})
_READS = re.compile(r"\b(?:environ|getenv|env|config)\b")
_MODES = re.compile(r"DEBUG|PROD|DEV|TEST|LOCAL|STAG|(?:^|_)(?:ENV|MODE)", re.IGNORECASE)
"""Words in the names of switches between ways to run, of which one is what is deployed."""


def guarded(made: Code) -> list[tuple[int, int]]:
    """Return the first and last lines of what may fail, or be passed over, without the program ending."""
    switches = {
        name: value
        for name, value, _ in made.assigned
        if not _MODES.search(f"{name} {_key(value)}") and _is_read(value)
    }
    found: list[tuple[int, int]] = []
    for node in ast.walk(made.syntax):
        is_caught = isinstance(node, ast.Try) and any(map(_goes_on, node.handlers))
        is_switched = isinstance(node, ast.If) and all(_is_switch(part, switches) for part in _parts(node.test))
        if (is_caught or is_switched) and isinstance(node, (ast.Try, ast.If)):
            found.append((node.body[0].lineno, node.body[-1].end_lineno or node.body[-1].lineno))
    return found


def _parts(test: ast.expr) -> list[ast.expr]:
    return test.values if isinstance(test, ast.BoolOp) else [test]


def _key(value: ast.expr) -> str:
    """Return the name of the variable that an expression reads; "" where it is not that alone."""
    named = value.slice if isinstance(value, ast.Subscript) else next(iter(getattr(value, "args", [])), None)
    return text_of(named) or ""


def _is_read(value: ast.expr) -> bool:
    return bool(_READS.search(_said(value)))


def _is_switch(test: ast.expr, switches: Mapping[str, ast.expr]) -> bool:
    """Tell whether a condition holds only where the environment says so: `USE_S3`, `BACKEND == "s3"`."""
    if isinstance(test, ast.Compare):
        chosen, name = text_of(test.comparators[0]), getattr(test.left, "id", "")
        is_equal = isinstance(test.ops[0], ast.Eq) and chosen is not None
        return is_equal and name in switches and chosen != _default(switches[name])
    if isinstance(test, ast.Call):
        return _is_read(test.func) and not _MODES.search(words_of(test)) and _default(test) != "True"
    return isinstance(test, ast.Name) and test.id in switches


def _default(value: ast.expr) -> str | None:
    """Return the default of a call that reads a variable, as text."""
    given = (
        [*value.args[1:2], *[item.value for item in value.keywords if item.arg == "default"]]
        if isinstance(value, ast.Call)
        else []
    )
    return str(given[-1].value) if given and isinstance(given[-1], ast.Constant) else None


def demanded(made: Code) -> set[ast.Call]:
    """Return the calls without whose value importing the module ends the program: `assert X`, `if not X: raise`."""
    tested: set[str] = set()
    called: set[ast.Call] = set()
    for node in on_import(made.syntax.body):
        if isinstance(node, ast.Assert):
            asked = [_present(part) for part in _either(node.test, ast.And)]
        elif isinstance(node, ast.If) and _ends(node.body):
            asked = [absent(part) for part in _either(node.test, ast.Or)]
        else:
            continue
        tested |= {part.id for part in asked if isinstance(part, ast.Name)}
        called |= {part for part in asked if isinstance(part, ast.Call)}
    return called | {value for name, value, _ in made.assigned if name in tested and isinstance(value, ast.Call)}


def _either(test: ast.expr, kind: type[ast.boolop]) -> list[ast.expr]:
    return test.values if isinstance(test, ast.BoolOp) and isinstance(test.op, kind) else [test]


def _present(test: ast.expr) -> ast.expr | None:
    """Return what a condition says is there: `X`, `X is not None`."""
    return _compared(test, ast.IsNot) if isinstance(test, ast.Compare) else test


def absent(test: ast.expr) -> ast.expr | None:
    """Return what a condition says is missing: `not X`, `X is None`."""
    if isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not):
        return test.operand
    return _compared(test, ast.Is) if isinstance(test, ast.Compare) else None


def _compared(test: ast.Compare, kind: type[ast.cmpop]) -> ast.expr | None:
    other = test.comparators[0]
    is_none = isinstance(other, ast.Constant) and other.value is None
    return test.left if is_none and isinstance(test.ops[0], kind) else None


def _ends(body: list[ast.stmt]) -> bool:
    """Tell whether a block raises or exits in the end."""
    last = body[-1]
    called = last.value if isinstance(last, ast.Expr) else None
    ends = {"sys.exit", "exit", "quit", "os._exit"}
    return isinstance(last, ast.Raise) or (isinstance(called, ast.Call) and dotted(called.func, {}) in ends)


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
