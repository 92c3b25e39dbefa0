"""Reads expressions of a syntax tree: dotted names as they were imported, literal strings, keyword arguments."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from autodeploy.analyser.python.code import Code, speaking
from autodeploy.analyser.tree import Tree

_CONSTANT = re.compile(
    r"^[ \t]*(?:[A-Za-z_]\w*[ \t]*(?::[^=\n]+)?=[ \t]*[\"']/"
    r"|\w*(?i:prefix|path|root|base|url|route|api)\w*[ \t]*(?::[^=\n]+)?=[ \t]*(?:\"\"|''))",
    re.MULTILINE,
)
"""A name that is given a path, or, where it is called so, the empty one."""


def dotted(node: ast.AST | None, origins: dict[str, str]) -> str:
    """Return the dotted origin of a chain of names; "" for any other expression."""
    attributes: list[str] = []
    while isinstance(node, ast.Attribute):
        attributes.append(node.attr)
        node = node.value
    if not isinstance(node, ast.Name):
        return ""
    return ".".join([origins.get(node.id, node.id), *reversed(attributes)])


def qualified(node: ast.expr, made: Code) -> str:
    """Return a name with the module that it is of."""
    name = dotted(node, made.origins)
    return f"{made.name}.{name}" if "." not in name else name


def text_of(node: ast.AST | None) -> str | None:
    """Return a literal string; None for any other expression."""
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None


def path_text(tree: Tree, made: Code, node: ast.AST | None) -> str | None:
    """Return a string that is a literal, or a name whose only value in the application is a literal path."""
    if isinstance(node, ast.JoinedStr):
        parts = [
            path_text(tree, made, part.value if isinstance(part, ast.FormattedValue) else part) for part in node.values
        ]
        return None if None in parts else "".join(part or "" for part in parts)
    name = node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""
    return _constants(tree).get(name) if name else text_of(node)


def _constants(tree: Tree) -> dict[str, str]:
    """Map names to the literal path that they have, wherever in the application; not those that have several."""
    return tree.once("path constants", lambda: _read_constants(tree))


def _read_constants(tree: Tree) -> dict[str, str]:
    found: dict[str, set[str]] = {}
    for made in speaking(tree, _CONSTANT):
        for name, value, _ in made.assigned:
            text = text_of(value)
            if text is not None and (text.startswith("/") or not text):
                found.setdefault(name, set()).add(text)
    told = {name: [text for text in texts if text] or [""] for name, texts in found.items()}
    return {name: texts[0] for name, texts in told.items() if len(texts) == 1}


def keyword(call: ast.Call, name: str) -> ast.expr | None:
    """Return the value of a keyword argument."""
    return next((item.value for item in call.keywords if item.arg == name), None)


def on_import(body: list[ast.stmt]) -> Iterator[ast.stmt]:
    """Yield the statements that run when the module is imported; not those of `if __name__ == "__main__"`."""
    waiting = list(reversed(body))  # no recursion: a long chain of elif is a deep tree
    while waiting:
        node = waiting.pop()
        yield node
        inner: list[ast.stmt] = []
        if isinstance(node, ast.If) and not is_main_guard(node):
            inner = [*node.body, *node.orelse]
        elif isinstance(node, ast.Try):
            inner = [*node.body, *(statement for handler in node.handlers for statement in handler.body)]
        elif isinstance(node, ast.With):
            inner = node.body
        waiting.extend(reversed(inner))


def assignments(node: ast.stmt) -> Iterator[tuple[str, ast.expr]]:
    """Yield the plain names that a statement gives a value to, with the value."""
    if isinstance(node, ast.Assign):
        for target in node.targets:
            if isinstance(target, ast.Name):
                yield target.id, node.value
    elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and node.value is not None:
        yield node.target.id, node.value


def words_of(node: ast.AST) -> str:
    """Return the names and strings of an expression, in a form to be searched."""
    found = (getattr(part, "id", None) or getattr(part, "attr", None) or text_of(part) or "" for part in ast.walk(node))
    return " ".join(found)


def is_main_guard(node: ast.If) -> bool:
    """Tell whether the condition compares __name__."""
    return any(isinstance(part, ast.Name) and part.id == "__name__" for part in ast.walk(node.test))
