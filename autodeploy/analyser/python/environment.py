"""Finds the environment variables that the code reads: required or optional, secret or open."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from autodeploy.analyser.environment import settled
from autodeploy.analyser.python.code import Code, speaking
from autodeploy.analyser.python.conditions import demanded, guarded
from autodeploy.analyser.python.envfunctions import called_reads
from autodeploy.analyser.python.names import dotted, keyword, text_of
from autodeploy.analyser.python.settingsclasses import settings_variables
from autodeploy.analyser.tree import Tree
from autodeploy.model import EnvironmentVariable

_SPEAKING = re.compile(r"environ|getenv|decouple|\bEnv\b|\bConfig\(|envvar|dj_database_url")
_SUBSCRIPTS = frozenset({"os.environ", "os.environb"})
_GETTERS = frozenset({"os.getenv", "os.environ.get", "os.environ.pop"})
_SETTERS = frozenset({"os.environ.setdefault", "os.putenv"})
_READERS = frozenset(
    {
        "decouple.config",
        "decouple.Config",
        "decouple.AutoConfig",
        "starlette.config.Config",
        "environs.Env",
        "environ.Env",
    }
    | {"environs.env", "environ.FileAwareEnv", "environs.FileAwareEnv"}
)
_DEFAULT_NAMES = {"db": "DATABASE_URL", "db_url": "DATABASE_URL", "cache": "CACHE_URL", "cache_url": "CACHE_URL"}
_POSITIONAL_DEFAULT = frozenset({"starlette.config.Config", "environs.Env", "environs.env"})
_AFTER_CAST = frozenset({"", "list", "tuple", "dict", "get_value"})
"""Methods of django-environ that take a type before the default: https://django-environ.readthedocs.io/en/latest/api.html."""


def detect_environment(tree: Tree, reachable: frozenset[str]) -> list[EnvironmentVariable]:
    """Return the variables by name. Only what the application imports can make one required."""
    inside: list[EnvironmentVariable] = []
    aside: list[EnvironmentVariable] = []
    readers = _shared_readers(tree)
    for made in speaking(tree, _SPEAKING):
        (inside if made.path in reachable else aside).extend(_read_in(tree, made, readers))
    for read, made in called_reads(tree):
        is_aside = made.path not in reachable or _is_in_function(made, read.line)
        (inside if made.path in reachable else aside).append(read.but(required=False) if is_aside else read)
    for variable, path in settings_variables(tree):
        (inside if path in reachable else aside).append(variable)
    for made in speaking(tree, re.compile(r"\benv\b|\bconfig\b")) if readers else ():
        if not _SPEAKING.search(tree.read(made.path)):
            (inside if made.path in reachable else aside).extend(_read_in(tree, made, readers))
    return settled(tree, inside, aside)


def _read_in(tree: Tree, made: Code, shared: dict[str, str]) -> Iterator[EnvironmentVariable]:
    readers = {name: shared[origin] for name, origin in made.origins.items() if origin in shared}
    if any(origin.endswith(".*") for origin in made.origins.values()):
        # Settings that begin with `from .base import *` have its reader too.
        readers |= {name.rpartition(".")[2]: origin for name, origin in shared.items()}
    readers |= _own_readers(made)
    declared = _schemes(made)
    where = tree.where(made.path)
    # Python itself gives what `setdefault` names.
    given = {text_of(call.args[0]) for call in made.calls if call.args and dotted(call.func, made.origins) in _SETTERS}
    given |= {
        text_of(node.slice) for node in made.subscripts if isinstance(node.ctx, ast.Store) and _is_environ(made, node)
    }
    passed_over = guarded(made) if readers or any(_is_environ(made, node) for node in made.subscripts) else []
    for node in made.subscripts:
        name = text_of(node.slice)
        if name and isinstance(node.ctx, ast.Load):
            if _is_environ(made, node):
                is_sure = name not in given and not _is_within(node, passed_over)
                yield EnvironmentVariable(name=name, required=is_sure, file=where, line=node.lineno)
            elif readers.get(dotted(node.value, {}), "").startswith("environ."):
                yield EnvironmentVariable(name=name, required=name not in declared, file=where, line=node.lineno)
    for compare in made.compared:
        name = text_of(compare.left)
        is_membership = isinstance(compare.ops[0], (ast.In, ast.NotIn))
        if name and is_membership and dotted(compare.comparators[0], made.origins) in _SUBSCRIPTS:
            yield EnvironmentVariable(name=name, file=where, line=compare.lineno)
    wanted = demanded(made)
    for call in made.calls:
        for read in _called(call, made, readers, declared, where):
            is_sure = read.required and not _is_within(call, passed_over)
            yield read.but(required=is_sure or (read.default is None and call in wanted))


def _is_within(node: ast.expr, lines: list[tuple[int, int]]) -> bool:
    return any(first <= node.lineno <= last for first, last in lines)


def _is_in_function(made: Code, line: int) -> bool:
    return any(item.lineno < line <= (item.end_lineno or item.lineno) for item in made.functions)


def _is_environ(made: Code, node: ast.Subscript) -> bool:
    return dotted(node.value, made.origins) in _SUBSCRIPTS


def _called(
    call: ast.Call, made: Code, readers: dict[str, str], declared: dict[str, str | None], where: str
) -> Iterator[EnvironmentVariable]:
    called, spelled = dotted(call.func, made.origins), dotted(call.func, {})
    head, _, verb = spelled.rpartition(".")
    name = text_of(call.args[0]) if call.args else None
    if called in _GETTERS and name:
        given = call.args[1] if len(call.args) > 1 else keyword(call, "default")
        yield EnvironmentVariable(name=name, default=_literal(given), file=where, line=call.lineno)
    elif called.startswith("dj_database_url.config"):
        name = text_of(keyword(call, "env")) or "DATABASE_URL"
        yield EnvironmentVariable(name=name, file=where, line=call.lineno)
    elif spelled in readers or head in readers:
        yield from _read(call, name, verb, readers[spelled if spelled in readers else head], declared, where)
    envvar = keyword(call, "envvar")
    for item in envvar.elts if isinstance(envvar, (ast.List, ast.Tuple)) else [envvar]:
        if text := text_of(item):
            yield EnvironmentVariable(name=text, file=where, line=call.lineno)


def _read(
    call: ast.Call, name: str | None, verb: str, reader: str, declared: dict[str, str | None], where: str
) -> Iterator[EnvironmentVariable]:
    if verb in {"read_env", "read_envfile", "prefixed", "seal", "read_dotenv"}:
        return
    name = (
        name or text_of(keyword(call, "var")) or (_DEFAULT_NAMES.get(verb) if reader.startswith("environ.") else None)
    )
    if name is None:
        return
    given = keyword(call, "default")
    if given is None and (reader in _POSITIONAL_DEFAULT or reader.startswith("decouple")):
        given = next((item for item in call.args[1:2] if not isinstance(item, ast.Name)), None)
    elif given is None and reader.startswith(("environ.", "environs.FileAware")):
        place = 2 if _verb(verb, call) in _AFTER_CAST else 1
        given = next(iter(call.args[place:]), None)
    is_optional = given is not None or name in declared
    default = _literal(given) if given is not None else declared.get(name)
    yield EnvironmentVariable(name=name, required=not is_optional, default=default, file=where, line=call.lineno)


def _verb(verb: str, call: ast.Call) -> str:
    """Return the method of a reader that is called; "" where the reader itself is."""
    return verb if isinstance(call.func, ast.Attribute) else ""


def _own_readers(made: Code) -> dict[str, str]:
    """Map the local names that read a variable when called, `env = environ.Env()` or `config`, to what they are."""
    found = {name: origin for name, origin in made.origins.items() if origin in {"decouple.config", "environs.env"}}
    for name, value, _ in made.assigned:
        if isinstance(value, ast.Call) and (origin := dotted(value.func, made.origins)) in _READERS:
            found[name] = origin
    return found


def _shared_readers(tree: Tree) -> dict[str, str]:
    """Map the dotted names of readers, as other modules import them, to what they are."""
    found: dict[str, str] = {}
    for made in speaking(tree, re.compile(r"\bEnv\(|\bConfig\(|\bdecouple\b|\benvirons\b")):
        found |= {f"{made.name}.{name}": origin for name, origin in _own_readers(made).items()}
    return found


def _schemes(made: Code) -> dict[str, str | None]:
    """Return the variables that `environ.Env(NAME=(type, default))` declares, with their defaults."""
    found: dict[str, str | None] = {}
    for call in made.calls:
        if dotted(call.func, made.origins) in {"environ.Env", "environ.FileAwareEnv"}:
            for item in call.keywords:
                if item.arg and isinstance(item.value, ast.Tuple) and len(item.value.elts) > 1:
                    found[item.arg] = _literal(item.value.elts[1])
    return found


def _literal(node: ast.expr | None) -> str | None:
    is_plain = isinstance(node, ast.Constant) and isinstance(node.value, (str, int, float, bool))
    return str(node.value) if is_plain and isinstance(node, ast.Constant) else None
