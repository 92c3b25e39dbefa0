"""Finds the variables that pydantic's settings classes (versions 1 and 2) read: prefixes, aliases, nested models."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from autodeploy.analyser.python.code import Code, code, modules
from autodeploy.analyser.python.names import dotted, keyword, text_of, words_of
from autodeploy.analyser.tree import Tree
from autodeploy.model import EnvironmentVariable

_SETTINGS = frozenset(
    {
        "pydantic_settings.BaseSettings",
        "pydantic.BaseSettings",
        "pydantic_settings.main.BaseSettings",
        "pydantic.v1.BaseSettings",
    }
)
_CLASS = re.compile(r"^class\s+(\w+)\(([^)]*)\)", re.MULTILINE)
_ANNOTATED = re.compile(r"^\s+\w+\s*:\s*(?:[\w.]+\[)*[\w.]*?(\w+)\b", re.MULTILINE)
_FIELDS = frozenset({"Field", "PrivateAttr", "computed_field", "SecretStr"})
_Classes = dict[str, tuple[Code, ast.ClassDef]]


def settings_variables(tree: Tree) -> Iterator[tuple[EnvironmentVariable, str]]:
    """Yield the variables with the file that declares each."""
    classes: _Classes = {}
    for made in filter(None, (code(tree, path) for path in _relevant(tree))):
        classes |= {node.name: (made, node) for node in made.classes}
    names = _derived(classes)
    inner = {_annotated(item.annotation) for name in names for item in _fields(classes[name][1])}
    for name in sorted(names):
        if name in inner and not _is_made(tree, name):
            continue  # read as a part of another, under its prefix
        prefix = _inherited(classes, name, "env_prefix")
        delimiter = _inherited(classes, name, "env_nested_delimiter")
        yield from _variables(tree, classes, name, prefix, delimiter, frozenset())


def _relevant(tree: Tree) -> list[str]:
    """Return the modules with settings classes and with what those are made of: by their texts, unparsed."""
    defined: dict[str, set[str]] = {}
    bases: dict[str, set[str]] = {}
    for path in modules(tree):
        for match in _CLASS.finditer(tree.read(path)):
            defined.setdefault(match[1], set()).add(path)
            bases.setdefault(match[1], set()).update(re.findall(r"\w+", match[2]))
    known, found = set[str](), {"BaseSettings"}
    while found - known:
        known |= found
        found = {name for name, above in bases.items() if above & known}
    kept, added = set[str](), {path for name in known for path in defined.get(name, ())}
    while added - kept:
        new = added - kept
        kept |= added
        named = {match[1] for path in new for match in _ANNOTATED.finditer(tree.read(path))}
        added = {path for name in named for path in defined.get(name, ())}
    return [path for path in modules(tree) if path in kept]


def _is_made(tree: Tree, name: str) -> bool:
    """Tell whether a class reads the environment by itself: it is called somewhere, or is a field's default_factory."""
    made = re.compile(rf"\b{name}\(\)|default_factory\s*=\s*{name}\b")
    return any(name in text and made.search(text) for text in map(tree.read, modules(tree)))


def _variables(
    tree: Tree, classes: _Classes, name: str, prefix: str, delimiter: str, seen: frozenset[str]
) -> Iterator[tuple[EnvironmentVariable, str]]:
    made, node = classes[name]
    where = tree.where(made.path)
    for item in _fields(node):
        target = item.target.id if isinstance(item.target, ast.Name) else ""
        inner = _annotated(item.annotation)
        if inner in classes and inner not in seen:
            if delimiter:
                below = f"{prefix}{target}{delimiter}"
                yield from _variables(tree, classes, inner, below, delimiter, seen | {name, inner})
            continue
        alias, is_required, default = _field(item.value)
        is_ours = alias is not None and alias.isidentifier()
        variable = alias if is_ours and alias else (prefix + target).upper()
        if is_required and _is_old(classes) and "Optional" in words_of(item.annotation):
            is_required = False  # version 1 takes None for it
        yield (
            EnvironmentVariable(name=variable, required=is_required, default=default, file=where, line=item.lineno),
            made.path,
        )


def _fields(node: ast.ClassDef) -> Iterator[ast.AnnAssign]:
    for item in node.body:
        if isinstance(item, ast.AnnAssign) and isinstance(item.target, ast.Name) and _is_field(item.target.id, item):
            yield item


def _is_field(name: str, item: ast.AnnAssign) -> bool:
    return name != "model_config" and not name.startswith("_") and "ClassVar" not in words_of(item.annotation)


def _annotated(annotation: ast.expr) -> str:
    """Return the class that a field is of, whether or not it may be None."""
    plain = annotation.left if isinstance(annotation, ast.BinOp) else annotation
    return dotted(plain, {}).rpartition(".")[2]


def _derived(classes: _Classes) -> list[str]:
    """Return the classes that derive from pydantic's BaseSettings, however far."""
    found: set[str] = set()
    known = {name for name, (made, node) in classes.items() if _bases(made, node) & _SETTINGS}
    while known - found:
        found |= known
        known = {
            name
            for name, (made, node) in classes.items()
            if {base.rpartition(".")[2] for base in _bases(made, node)} & found and name not in found
        }
    return sorted(found)


def _is_old(classes: _Classes) -> bool:
    return any("pydantic.BaseSettings" in _bases(made, node) for made, node in classes.values())


def _bases(made: Code, node: ast.ClassDef) -> set[str]:
    return {dotted(base, made.origins) for base in node.bases}


def _inherited(classes: _Classes, name: str, key: str, depth: int = 0) -> str:
    """Return an option of a class, its own or that of a base."""
    made, node = classes[name]
    own = _option(node, key)
    if own is not None or depth > 10:
        return own or ""
    above = [base.rpartition(".")[2] for base in sorted(_bases(made, node))]
    return next((told for base in above if base in classes and (told := _inherited(classes, base, key, depth + 1))), "")


def _option(node: ast.ClassDef, key: str) -> str | None:
    own = [item for item in node.body if not isinstance(item, (ast.FunctionDef, ast.AsyncFunctionDef))]
    for part in (part for item in own for part in ast.walk(item)):
        if isinstance(part, ast.keyword) and part.arg == key:
            return text_of(part.value) or ""
        if isinstance(part, ast.Assign) and getattr(part.targets[0], "id", "") == key:
            return text_of(part.value) or ""
        if isinstance(part, ast.Dict):
            given = [value for name, value in zip(part.keys, part.values, strict=True) if text_of(name) == key]
            if given:
                return text_of(given[0]) or ""
    return None


def _field(value: ast.expr | None) -> tuple[str | None, bool, str | None]:
    """Return alias, whether a value must be given, and the default of a pydantic field."""
    if not isinstance(value, ast.Call) or dotted(value.func, {}).rpartition(".")[2] not in _FIELDS:
        return None, value is None or _is_open(value), _literal(value)
    given = value.args[0] if value.args else keyword(value, "default")
    alias = next(
        (found for key in ("validation_alias", "env", "alias") if (found := _alias(keyword(value, key)))), None
    )
    is_open = given is None or _is_open(given)
    return alias, is_open and keyword(value, "default_factory") is None, None if is_open else _literal(given)


def _alias(node: ast.expr | None) -> str | None:
    """Return the first name of an alias, one of AliasChoices or of a list included."""
    if isinstance(node, ast.Call):
        return next((text for item in node.args if (text := text_of(item))), None)
    if isinstance(node, (ast.List, ast.Tuple)):
        return next((text for item in node.elts if (text := text_of(item))), None)
    return text_of(node)


def _is_open(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value is ...


def _literal(node: ast.expr | None) -> str | None:
    is_plain = isinstance(node, ast.Constant) and isinstance(node.value, (str, int, float, bool))
    return str(node.value) if is_plain and isinstance(node, ast.Constant) else None
