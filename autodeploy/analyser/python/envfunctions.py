"""Finds the variables that functions of the program's own read: `get_env_variable("SECRET_KEY")` asks os.environ."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass

from autodeploy.analyser.python.code import Code, speaking
from autodeploy.analyser.python.conditions import absent
from autodeploy.analyser.python.names import dotted, keyword, text_of
from autodeploy.analyser.tree import Tree
from autodeploy.model import EnvironmentVariable

_SPEAKING = re.compile(r"\benviron\b|\bgetenv\b")
_NAME = re.compile(r"[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)*")
_GETTERS = frozenset({"os.getenv", "os.environ.get"})


@dataclass(frozen=True)
class _Function:
    """A function that reads the variable that its first parameter names. `ends`: it raises where that is missing."""

    name: str
    ends: bool
    second: str
    """The parameter that stands in for the variable; "" for none."""


def called_reads(tree: Tree) -> Iterator[tuple[EnvironmentVariable, Code]]:
    """Yield what the application reads by functions of its own, each with the module of the call."""
    listed = [(made, found) for made in speaking(tree, _SPEAKING) for found in _functions(made)]
    functions = {found.name: found for _, found in listed}
    functions |= {f"{made.name}.{found.name}": found for made, found in listed}
    if not functions:
        return
    for made in speaking(tree, re.compile(rf"\b(?:{'|'.join(found.name for _, found in listed)})\(")):
        for call in made.calls:
            called = dotted(call.func, made.origins)
            known = (functions.get(name) for name in (f"{made.name}.{called}", called, called.rpartition(".")[2]))
            function = next(filter(None, known), None)
            name = text_of(call.args[0]) if call.args else None
            if function and name and _NAME.fullmatch(name):
                yield _read(tree, made, call, function, name), made


def _read(tree: Tree, made: Code, call: ast.Call, function: _Function, name: str) -> EnvironmentVariable:
    given = keyword(call, function.second) if function.second else None
    given = given or (call.args[1] if function.second and len(call.args) > 1 else None)
    default = str(given.value) if isinstance(given, ast.Constant) and given.value is not None else None
    return EnvironmentVariable(
        name=name, required=function.ends and given is None, default=default,
        file=tree.where(made.path), line=call.lineno,
    )  # fmt: skip


def _functions(made: Code) -> Iterator[_Function]:
    for node in made.functions:
        names = [item.arg for item in node.args.args if item.arg not in {"self", "cls"}]
        asked = [part for part in ast.walk(node) if names and _asks(part, names[0], made)]
        if not asked:
            continue
        yield _Function(node.name, _ends(node, asked), names[1] if len(names) > 1 else "")


def _ends(function: ast.FunctionDef | ast.AsyncFunctionDef, asked: list[ast.AST]) -> bool:
    """Tell whether a function raises where the variable is missing, be it os.environ that does."""
    parts = list(ast.walk(function))
    tries = [part for part in parts if isinstance(part, ast.Try)]
    caught = {id(inner) for part in tries for node in part.body for inner in ast.walk(node)}
    if any(isinstance(part, ast.Subscript) and id(part) not in caught for part in asked):
        return True
    if any(id(part) in caught for part in asked) and any(_raises(node) for part in tries for node in part.handlers):
        return True
    given = [part for part in parts if isinstance(part, ast.Assign) and part.value in asked]
    held = {getattr(part.targets[0], "id", "") for part in given}
    for part in (part for part in parts if isinstance(part, ast.If) and any(map(_raises, part.body))):
        tests = part.test.values if isinstance(part.test, ast.BoolOp) else [part.test]
        missing = [absent(test) for test in tests]
        if any(item in asked or getattr(item, "id", None) in held for item in missing if item is not None):
            return True
    return False


def _raises(node: ast.AST) -> bool:
    return any(isinstance(part, ast.Raise) for part in ast.walk(node))


def _asks(node: ast.AST, name: str, made: Code) -> bool:
    """Tell whether an expression reads the variable that a parameter names."""
    if isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Load):
        return dotted(node.value, made.origins) == "os.environ" and getattr(node.slice, "id", "") == name
    is_getter = isinstance(node, ast.Call) and dotted(node.func, made.origins) in _GETTERS
    return is_getter and isinstance(node, ast.Call) and getattr(next(iter(node.args), None), "id", "") == name
