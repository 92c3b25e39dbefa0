"""The application's modules: each parsed and walked once, sorted by kind, imports resolved. Runs nothing."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Any

from autodeploy.analyser.tree import Tree

_GENERATED = re.compile(r"(^|/)(migrations|versions|alembic/versions|piccolo_migrations)/[^/]*\d[^/]*\.py$")
"""Migrations are many, and say nothing of how an application runs."""

_IMPORT = re.compile(
    r"^[ \t]*(?:from[ \t]+(?P<origin>[.\w]+)[ \t]+import[ \t]*(?P<names>\([^)]*\)|[^\n#;]+)"
    r"|import[ \t]+(?P<whole>[^\n#;]+))",
    re.MULTILINE,
)

_CHOICE = re.compile(r"^\s+(?:case\s+[\"']|(?:el)?if\b[^\n]*==\s*[\"'])")
_FIRST = re.compile(r"^[ \t]*(?:from|import)[ \t]+(\w+)", re.MULTILINE)


@dataclass
class Code:
    """One module. `base` is the folder that must be on sys.path, `name` its dotted name from there."""

    path: str
    base: str
    name: str
    syntax: ast.Module
    origins: dict[str, str] = field(default_factory=dict)
    calls: list[ast.Call] = field(default_factory=list)
    functions: list[ast.FunctionDef | ast.AsyncFunctionDef] = field(default_factory=list)
    classes: list[ast.ClassDef] = field(default_factory=list)
    assigned: list[tuple[str, ast.expr, int]] = field(default_factory=list)
    """Names that get a value, anywhere in the module: name, value, line."""
    subscripts: list[ast.Subscript] = field(default_factory=list)
    compared: list[ast.Compare] = field(default_factory=list)
    returned: list[ast.Return] = field(default_factory=list)


def modules(tree: Tree) -> tuple[str, ...]:
    """Return the files of Python that may belong to the running application, shallow ones first."""
    return tree.once("python modules", lambda: tuple(path for path in tree.modules if not _GENERATED.search(path)))


def code(tree: Tree, path: str) -> Code | None:
    """Return a module walked through; None where it is no valid Python."""
    return tree.once(f"python code {path}", lambda: _walked(tree, path, tree.syntax(path)))


def speaking(tree: Tree, pattern: re.Pattern[str]) -> Iterator[Code]:
    """Yield the modules whose text matches: the others need not even be parsed."""
    for path in modules(tree):
        if pattern.search(tree.read(path)):
            found = code(tree, path)
            if found is not None:
                yield found


def _walked(tree: Tree, path: str, syntax: ast.Module | None) -> Code | None:
    if syntax is None:
        return None
    base = import_base(tree, path)
    made = Code(path, base, module_name(path, base), syntax)
    package = made.name.split(".") if path.endswith("__init__.py") else made.name.split(".")[:-1]
    waiting: list[ast.AST] = [syntax]
    while waiting:
        node = waiting.pop()
        kind = node.__class__
        if kind in _SORTED:
            _SORTED[kind](made, node)
        elif kind is ast.ImportFrom:
            _import(made, node, package)
        inner: list[ast.AST] = []
        for name in _FIELDS.get(kind) or _fields(kind):
            value: Any = getattr(node, name, None)
            if value.__class__ is list:
                inner += [item for item in value if item.__class__ not in _LEAVES]
            elif value.__class__ not in _LEAVES:
                inner.append(value)
        inner.reverse()
        waiting += inner
    return made


_FIELDS: dict[type[ast.AST], tuple[str, ...]] = {}


def _fields(kind: type[ast.AST]) -> tuple[str, ...]:
    return _FIELDS.setdefault(kind, tuple(name for name in kind._fields if name not in _PLAIN))


_LEAVES = frozenset({ast.Name, ast.Constant, ast.Pass, ast.alias, ast.Break, ast.Continue, type(None), str, bool, int})
"""What nothing is sought in: most of a tree is names and constants."""

_PLAIN = frozenset(
    {"ctx", "op", "ops", "id", "attr", "name", "module", "asname", "kind", "type_comment", "level", "conversion"}
    | {"is_async", "simple", "rest", "names", "kwd_attrs", "type_ignores"}
)
"""Fields that hold no nodes, or none that matter."""


def _assign(made: Code, node: Any) -> None:
    targets = node.targets if isinstance(node, ast.Assign) else [node.target]
    names = (target.id for target in targets if isinstance(target, ast.Name) and node.value is not None)
    made.assigned.extend((name, node.value, node.lineno) for name in names)


def _import_whole(made: Code, node: Any) -> None:
    for alias in node.names:
        first = alias.name.split(".")[0]
        made.origins[alias.asname or first] = alias.name if alias.asname else first


def _import(made: Code, node: Any, package: list[str]) -> None:
    origin = _origin(node.module or "", node.level, package)
    for alias in node.names:
        name = f"{origin}.*" if alias.name == "*" else alias.asname or alias.name
        made.origins[name] = f"{origin}.{alias.name}".strip(".")


_SORTED: dict[type[ast.AST], Callable[[Code, Any], None]] = {
    ast.Call: lambda made, node: made.calls.append(node),
    ast.Assign: _assign,
    ast.AnnAssign: _assign,
    ast.FunctionDef: lambda made, node: made.functions.append(node),
    ast.AsyncFunctionDef: lambda made, node: made.functions.append(node),
    ast.ClassDef: lambda made, node: made.classes.append(node),
    ast.Subscript: lambda made, node: made.subscripts.append(node),
    ast.Compare: lambda made, node: made.compared.append(node),
    ast.Return: lambda made, node: made.returned.append(node),
    ast.Import: _import_whole,
}


def import_base(tree: Tree, path: str) -> str:
    """Return the folder that must be on sys.path for the file to be imported; "" is the application's root."""
    folder = PurePosixPath(path).parent
    return tree.once(f"import base {folder}", lambda: _import_base(tree, folder))


def _import_base(tree: Tree, folder: PurePosixPath) -> str:
    while folder.name and str(folder / "__init__.py") in tree.index:
        # `src` is a layout, whoever put an __init__.py there, unless something is imported from it by that name.
        if folder.name == "src" and not _is_imported(tree, folder):
            break
        folder = folder.parent
    # A folder without __init__.py that is imported by its name is a package all the same.
    above = [part for part in (folder, *folder.parents) if part.name]
    return next((_text(part.parent) for part in reversed(above) if _is_imported(tree, part)), _text(folder))


def _text(folder: PurePosixPath) -> str:
    return "" if str(folder) == "." else str(folder)


def _is_imported(tree: Tree, folder: PurePosixPath) -> bool:
    """Tell whether modules in or beside a folder import it by its name."""
    if f"{folder}/{folder.name}.py" in tree.index or f"{folder}/{folder.name}/__init__.py" in tree.index:
        return False
    beside = _text(folder.parent)
    near = (path for path in _importers(tree).get(folder.name, ()) if _is_near(path, f"{folder}/", beside))
    return next(near, None) is not None


def _is_near(path: str, below: str, beside: str) -> bool:
    return path.startswith(below) or path.rpartition("/")[0] == beside


def _importers(tree: Tree) -> dict[str, list[str]]:
    """Map the first part of each name that is imported to the modules that do it."""
    return tree.once("python importers", lambda: _read_importers(tree))


def _read_importers(tree: Tree) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for path in modules(tree):
        for first in dict.fromkeys(_FIRST.findall(tree.read(path))):
            found.setdefault(first, []).append(path)
    return found


def module_name(path: str, base: str) -> str:
    """Return the dotted name of a file as seen from `base`."""
    relative = PurePosixPath(path).relative_to(base) if base else PurePosixPath(path)
    parts = list(relative.with_suffix("").parts)
    if parts[-1] == "__init__" and len(parts) > 1:
        parts.pop()
    return ".".join(parts)


def imported_modules(tree: Tree, path: str, with_chosen: bool = True) -> set[str]:
    """Return the application's own files that a file imports, wherever in it; its text is enough for that.

    `with_chosen`: also those of which a function loads one by its name, `case "redis": from … import …`.
    """
    base = import_base(tree, path)
    package = module_name(path, base).split(".")
    if not path.endswith("__init__.py"):
        package.pop()
    names: set[str] = set()
    text = tree.read(path)
    for match in _IMPORT.finditer(text):
        if not with_chosen and _is_chosen(text, match):
            continue
        if match["whole"]:
            names.update(part.split()[0] for part in match["whole"].split(",") if part.strip())
            continue
        bare = match["origin"].lstrip(".")
        origin = _origin(bare, len(match["origin"]) - len(bare), package)
        parts = (part.split() for part in re.sub(r"#[^\n]*|[()\\]", " ", match["names"]).split(","))
        names.update(f"{origin}.{part[0]}".strip(".") for part in parts if part)
    return {file for name in names for file in files_of(tree, name, base)}


def _is_chosen(text: str, match: re.Match[str]) -> bool:
    """Tell whether an import stands in a function's branch that a literal name chooses."""
    indented = len(match[0]) - len(match[0].lstrip(" \t"))
    before = reversed(text[: match.start()].splitlines()) if indented > len("    ") else iter(())
    for line in before:
        if line.strip() and len(line) - len(line.lstrip()) < indented:
            return bool(_CHOICE.match(line))
    return False


def files_of(tree: Tree, name: str, base: str) -> Iterator[str]:
    """Yield the files that importing a dotted name would load, its packages included."""
    parts = name.split(".")
    for prefix in dict.fromkeys((base, "")):
        for length in range(len(parts), 0, -1):
            stem = "/".join([*([prefix] if prefix else []), *parts[:length]])
            yield from (file for file in (f"{stem}.py", f"{stem}/__init__.py") if file in tree.index)


def reachable(tree: Tree, entries: list[str], with_chosen: bool = True) -> frozenset[str]:
    """Return the files that the entries import, themselves included, however far; everything where there is none."""
    waiting = list(entries) or list(modules(tree))
    seen: set[str] = set()
    while waiting:
        path = waiting.pop()
        if path not in seen:
            seen.add(path)
            waiting += sorted(imported_modules(tree, path, with_chosen))
    return frozenset(seen)


def _origin(module: str, level: int, package: list[str]) -> str:
    if not level:
        return module
    above = package[: len(package) - level + 1]
    return ".".join([*above, *([module] if module else [])])
