"""Resolves names in a syntax tree to what was imported, so that `f.Flask` is known as `flask.Flask`. Runs nothing."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import PurePosixPath

from autodeploy.analyser.tree import Tree


def import_base(tree: Tree, path: str) -> str:
    """Return the folder that must be on sys.path for the file to be imported; "" is the application's root."""
    folder = PurePosixPath(path).parent
    while folder.name and str(folder / "__init__.py") in tree.index:
        folder = folder.parent
    base = "" if str(folder) == "." else str(folder)
    return "" if base and _imports_from_root(tree, path, base) else base


def module_name(path: str, base: str) -> str:
    """Return the dotted name of a file as seen from `base`."""
    relative = PurePosixPath(path).relative_to(base) if base else PurePosixPath(path)
    parts = list(relative.with_suffix("").parts)
    if parts[-1] == "__init__" and len(parts) > 1:
        parts.pop()
    return ".".join(parts)


def imports(tree: Tree, path: str) -> dict[str, str]:
    """Map each imported local name to its dotted origin."""
    syntax = tree.syntax(path)
    if syntax is None:
        return {}
    package = module_name(path, import_base(tree, path)).split(".")
    if not path.endswith("/__init__.py"):
        package.pop()
    found: dict[str, str] = {}
    for node in ast.walk(syntax):
        if isinstance(node, ast.Import):
            for alias in node.names:
                found[alias.asname or alias.name.split(".")[0]] = (
                    alias.name if alias.asname else alias.name.split(".")[0]
                )
        elif isinstance(node, ast.ImportFrom):
            origin = _origin(node, package)
            for alias in node.names:
                name = f"{origin}.*" if alias.name == "*" else alias.asname or alias.name
                found[name] = f"{origin}.{alias.name}".strip(".")
    return found


def imported_modules(tree: Tree, path: str) -> set[str]:
    """Return the application's own files that a file imports, wherever in it."""
    syntax = tree.syntax(path)
    names: set[str] = set(imports(tree, path).values())
    if syntax is not None:
        for node in ast.walk(syntax):
            if isinstance(node, ast.Import):
                names.update(alias.name for alias in node.names)
    base = import_base(tree, path)
    return {file for name in names for file in _files_of(tree, name, base)}


def dotted(node: ast.AST | None, origins: dict[str, str]) -> str:
    """Return the dotted origin of a chain of names; "" for any other expression."""
    attributes: list[str] = []
    while isinstance(node, ast.Attribute):
        attributes.append(node.attr)
        node = node.value
    if not isinstance(node, ast.Name):
        return ""
    return ".".join([origins.get(node.id, node.id), *reversed(attributes)])


def text_of(node: ast.AST | None) -> str | None:
    """Return a literal string; None for any other expression."""
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None


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


def words_of(node: ast.AST) -> str:
    """Return the names and strings of an expression, in a form to be searched."""
    found = (getattr(part, "id", None) or getattr(part, "attr", None) or text_of(part) or "" for part in ast.walk(node))
    return " ".join(found)


def is_main_guard(node: ast.If) -> bool:
    """Tell whether the condition compares __name__."""
    return any(isinstance(part, ast.Name) and part.id == "__name__" for part in ast.walk(node.test))


def _origin(node: ast.ImportFrom, package: list[str]) -> str:
    if not node.level:
        return node.module or ""
    above = package[: len(package) - node.level + 1]
    return ".".join([*above, *([node.module] if node.module else [])])


def _files_of(tree: Tree, name: str, base: str) -> Iterator[str]:
    parts = name.split(".")
    for prefix in {base, ""}:
        for length in range(len(parts), 0, -1):
            stem = "/".join([*([prefix] if prefix else []), *parts[:length]])
            yield from (file for file in (f"{stem}.py", f"{stem}/__init__.py") if file in tree.index)


def _imports_from_root(tree: Tree, path: str, base: str) -> bool:
    syntax = tree.syntax(path)
    first = base.split("/", maxsplit=1)[0]
    if syntax is None or f"{base}/{first}.py" in tree.index:
        return False
    for node in ast.walk(syntax):
        if isinstance(node, ast.ImportFrom) and not node.level and (node.module or "").split(".")[0] == first:
            return True
        if isinstance(node, ast.Import) and any(alias.name.split(".")[0] == first for alias in node.names):
            return True
    return False
