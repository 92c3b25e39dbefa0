"""Finds the environment variables that the code reads: required or optional, secret or open."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from autodeploy.analyser.environment import settled
from autodeploy.analyser.python.names import dotted, imports, keyword, text_of, words_of
from autodeploy.analyser.tree import Tree
from autodeploy.model import EnvironmentVariable

_SUBSCRIPTS = frozenset({"os.environ"})
_GETTERS = frozenset({"os.getenv", "os.environ.get", "os.environ.pop"})
_READERS = frozenset({"decouple.config", "starlette.config.Config", "environs.Env", "environ.Env"})
_SETTINGS = frozenset(
    {"pydantic_settings.BaseSettings", "pydantic.BaseSettings", "pydantic_settings.main.BaseSettings"}
)


def detect_environment(tree: Tree, reachable: frozenset[str]) -> list[EnvironmentVariable]:
    """Return the variables by name. Only what the application imports can make one required."""
    settings = _settings_classes(tree)
    reads = {path: list(_read_in(tree, path, settings)) for path in tree.modules}
    inside = [read for path, found in reads.items() if path in reachable for read in found]
    aside = [read for path, found in reads.items() if path not in reachable for read in found]
    return settled(tree, inside, aside)


def _read_in(tree: Tree, path: str, settings: frozenset[str]) -> Iterator[EnvironmentVariable]:
    syntax = tree.syntax(path)
    if syntax is None:
        return
    origins = imports(tree, path)
    readers = _reader_names(syntax, origins)
    where = tree.where(path)
    for node in ast.walk(syntax):
        if isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Load):
            name = text_of(node.slice)
            if name and dotted(node.value, origins) in _SUBSCRIPTS:
                yield EnvironmentVariable(name=name, required=True, file=where, line=node.lineno)
        elif isinstance(node, ast.Call) and node.args and (name := text_of(node.args[0])):
            yield from _called(node, name, origins, readers, where)
        elif isinstance(node, ast.Compare) and isinstance(node.ops[0], (ast.In, ast.NotIn)):
            name = text_of(node.left)
            if name and dotted(node.comparators[0], origins) in _SUBSCRIPTS:
                yield EnvironmentVariable(name=name, file=where, line=node.lineno)
        elif isinstance(node, ast.ClassDef) and node.name in settings:
            yield from _settings_fields(node, where)


def _called(
    node: ast.Call, name: str, origins: dict[str, str], readers: frozenset[str], where: str
) -> Iterator[EnvironmentVariable]:
    called = dotted(node.func, origins)
    if called in _GETTERS:
        default = _literal(node.args[1] if len(node.args) > 1 else keyword(node, "default"))
        yield EnvironmentVariable(name=name, default=default, file=where, line=node.lineno)
    elif called in readers or called.rpartition(".")[0] in readers:
        given = keyword(node, "default")
        is_optional = given is not None or (called.endswith(".config") and len(node.args) > 1)
        yield EnvironmentVariable(
            name=name, required=not is_optional, default=_literal(given), file=where, line=node.lineno
        )


def _reader_names(syntax: ast.Module, origins: dict[str, str]) -> frozenset[str]:
    """Return the local names that read a variable when they are called: `env = environ.Env()`, `config`."""
    names = {origin for origin in origins.values() if origin == "decouple.config"}
    for node in ast.walk(syntax):
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Call):
            made = [target.id for target in node.targets if isinstance(target, ast.Name)]
            names.update(made if dotted(node.value.func, origins) in _READERS else ())
    return frozenset(names)


def _settings_classes(tree: Tree) -> frozenset[str]:
    """Return the names of the classes that derive from pydantic's BaseSettings, however far."""
    bases: dict[str, set[str]] = {}
    for path in tree.modules:
        syntax = tree.syntax(path)
        if syntax is None or "Settings" not in tree.read(path):
            continue
        origins = imports(tree, path)
        for node in ast.walk(syntax):
            if isinstance(node, ast.ClassDef):
                bases.setdefault(node.name, set()).update(dotted(base, origins) for base in node.bases)
    found: set[str] = set()
    known: set[str] = set(_SETTINGS)
    while known:
        found |= known
        derived = {name for name, above in bases.items() if any(_is_one_of(base, known) for base in above)}
        known = derived - found
    return frozenset(found - _SETTINGS)


def _is_one_of(base: str, known: set[str]) -> bool:
    return base in known or base.rsplit(".", 1)[-1] in known


def _settings_fields(node: ast.ClassDef, where: str) -> Iterator[EnvironmentVariable]:
    prefix = _env_prefix(node)
    for item in node.body:
        if not isinstance(item, ast.AnnAssign) or not isinstance(item.target, ast.Name):
            continue
        if item.target.id != "model_config" and "ClassVar" not in words_of(item.annotation):
            name, is_required, default = _field(item.value)
            yield EnvironmentVariable(
                name=name or (prefix + item.target.id).upper(),
                required=is_required,
                default=default,
                file=where,
                line=item.lineno,
            )


def _env_prefix(node: ast.ClassDef) -> str:
    for part in ast.walk(node):
        if isinstance(part, ast.keyword) and part.arg == "env_prefix":
            return text_of(part.value) or ""
        if isinstance(part, ast.Assign) and getattr(part.targets[0], "id", "") == "env_prefix":
            return text_of(part.value) or ""
    return ""


def _field(value: ast.expr | None) -> tuple[str | None, bool, str | None]:
    """Return alias, whether a value must be given, and the default of a pydantic field."""
    if not isinstance(value, ast.Call):
        return None, value is None, _literal(value)
    given = value.args[0] if value.args else keyword(value, "default")
    is_open = given is None or (isinstance(given, ast.Constant) and given.value is ...)
    alias = text_of(keyword(value, "validation_alias") or keyword(value, "env") or keyword(value, "alias"))
    return alias, is_open and keyword(value, "default_factory") is None, None if is_open else _literal(given)


def _literal(node: ast.expr | None) -> str | None:
    is_plain = isinstance(node, ast.Constant) and isinstance(node.value, (str, int, float, bool))
    return str(node.value) if is_plain and isinstance(node, ast.Constant) else None
