"""Finds the environment variables that the code reads: required or optional, secret or open."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from tree_sitter import Node

from autodeploy.analyser.environment import examples, settled
from autodeploy.analyser.nodejs.code import Code, Module, arguments, line, literal, string, text
from autodeploy.analyser.nodejs.envfunctions import called_reads
from autodeploy.analyser.nodejs.schemas import declared
from autodeploy.model import EnvironmentVariable

SET_BY_US = frozenset({"NODE_ENV", "NODE_EXTRA_CA_CERTS", "NODE_OPTIONS", "npm_package_version", "npm_package_name"})
_READ = """
(member_expression object: (member_expression object: (identifier) @p property: (property_identifier) @e)
  property: (property_identifier) @name (#eq? @p "process") (#eq? @e "env")) @read
(subscript_expression object: (member_expression object: (identifier) @p property: (property_identifier) @e)
  index: (string) @key (#eq? @p "process") (#eq? @e "env")) @read
(variable_declarator name: (object_pattern) @pattern value: (member_expression object: (identifier) @p
  property: (property_identifier) @e) (#eq? @p "process") (#eq? @e "env")) @read
"""
_ENVIRONMENT = re.compile(rb"\bprocess\s*\??\.\s*env\b")
_ALIAS = re.compile(rb"\b(\w+)\s*(?::[^=,;()]+)?=\s*process\.env\b(?!\s*[.\[?])")
_OF_ALIAS = """
(member_expression object: (identifier) @of property: (property_identifier) @name) @read
"""
_ASKED = """
(call_expression function: (member_expression property: (property_identifier) @by)
  arguments: (arguments . (string) @key)) @call
"""
_NAMED = "(call_expression arguments: (arguments . (string) @key)) @call"
_ENDS = re.compile(r"^\{?\s*(?:(?:console|logger|log)\.\w+\([^;]*;?\s*)*(throw\b|process\.exit\()")
"""What a block does that ends the program, after some words about it."""

_NAME = re.compile(r"^[A-Z][A-Z0-9_]*$")
_META = re.compile(rb"\bimport\.meta\.env\.((?:VITE|PUBLIC|ASTRO|NUXT|APP)_[A-Z0-9_]+)")
_SVELTE = re.compile(rb"import\s*\{([^}]*)\}\s*from\s*['\"]\$env/(static)/(?:private|public)['\"]")
_DYNAMIC = re.compile(rb"(?<![.\w])env\.([A-Z][A-Z0-9_]+)")


def detect_environment(code: Code, reachable: Iterable[Module]) -> list[EnvironmentVariable]:
    """Return the variables by name. Only what the application imports can make one required."""
    inside = {module.path for module in reachable}
    called = called_reads(code.modules)
    reads = {module.path: [*_read_in(module), *called.get(module.path, [])] for module in code.modules}
    is_safe = any(path in inside and _is_safe(code.by_path[path]) for path in reads)
    demanded = {read.name for read in examples(code.tree, ".env.example")} if is_safe else set()
    found = settled(
        code.tree,
        [read for path, rows in reads.items() if path in inside for read in rows],
        [read for path, rows in reads.items() if path not in inside for read in rows],
    )
    ours = (variable for variable in found if variable.name not in SET_BY_US)
    return [item.but(required=True, default=None) if item.name in demanded else item for item in ours]


def _is_safe(module: Module) -> bool:
    """Tell whether a module ends without any variable of the example: https://github.com/rolodato/dotenv-safe."""
    return b"dotenv-safe" in module.text and any(name.startswith("dotenv-safe") for name in module.loads())


def port_reads(modules: Iterable[Module]) -> Iterator[EnvironmentVariable]:
    """Yield the reads of variables that name a port, in the order of the modules."""
    for module in modules:
        yield from (read for read in _read_in(module) if re.search(r"(^|_)PORT$", read.name))


def _read_in(module: Module) -> list[EnvironmentVariable]:
    return module.once("environment", lambda: list(_reads_of(module)))


def _reads_of(module: Module) -> Iterator[EnvironmentVariable]:
    if _ENVIRONMENT.search(module.text):
        for row in module.matches(_READ):
            if "pattern" in row:
                yield from _destructured(module, row["pattern"])
                continue
            name = text(row["name"]) if "name" in row else string(row["key"]) or ""
            yield _variable(module, row["read"], name, *_use(module, row["read"]))
        yield from _aliased(module)
    if b"config" in module.text.lower() or b"env-var" in module.text:
        yield from _asked(module)
    if b"PORT" in module.text:
        yield from _told_port(module)
    for name, node, is_required, default in declared(module):
        yield _variable(module, node, name, is_required, default)
    yield from _imported(module)


def _aliased(module: Module) -> Iterator[EnvironmentVariable]:
    """Read what is taken of another name for the environment: `const env = process.env`, `(env = process.env) => …`."""
    aliases = {name.decode() for name in _ALIAS.findall(module.text)}
    for row in module.matches(_OF_ALIAS) if aliases else ():
        name = text(row["name"])
        if text(row["of"]) in aliases and _NAME.match(name) and not _is_written(row["read"]):
            yield _variable(module, row["read"], name, *_use(module, row["read"]))


def _is_written(node: Node) -> bool:
    above = node.parent
    return above is not None and above.type == "assignment_expression" and above.child_by_field_name("left") == node


_OTHERWISE = frozenset({"||", "??"})


def _use(module: Module, read: Node) -> tuple[bool, str | None]:
    """Return whether the program ends without the variable, and the default it is given."""
    node, parent = read, read.parent
    while parent is not None and parent.type in {"parenthesized_expression", "as_expression", "non_null_expression",
                                                 "arguments", "call_expression", "unary_expression"}:  # fmt: skip
        if parent.type == "unary_expression" and text(parent.child_by_field_name("operator")) == "!":
            return _throws(parent), None
        if parent.type == "call_expression" and not _converts(parent):
            return _asserts(parent, read), None
        node, parent = parent, parent.parent
    if parent is not None and parent.type == "variable_declarator":
        return _is_checked(module, text(parent.child_by_field_name("name"))), None
    if parent is not None and parent.type == "array":
        # The first of several that is set is taken; a number at the end stands for none.
        return False, literal(parent.named_children[-1])
    if parent is not None and parent.type == "ternary_expression" and parent.child_by_field_name("condition") == node:
        return False, _alternative(parent)
    if parent is not None and parent.type == "binary_expression":
        operator = text(parent.child_by_field_name("operator"))
        right = parent.child_by_field_name("right")
        if operator in _OTHERWISE:
            return False, _fallback(parent, node)
        if operator in {"===", "=="} and text(right) in {"undefined", "null"}:
            return _throws(parent), None
    return False, None


def _fallback(choice: Node, read: Node) -> str | None:
    """Return what is taken where nothing of `a || b || c` is set; None where a read stands last itself."""
    outer, parent = choice, choice.parent
    while (
        parent is not None
        and parent.type == "binary_expression"
        and text(parent.child_by_field_name("operator")) in _OTHERWISE
        and parent.child_by_field_name("left") == outer
    ):
        outer, parent = parent, parent.parent
    last = outer.child_by_field_name("right")
    return None if last == read else literal(_bare(last))


def _alternative(choice: Node) -> str | None:
    """Return what is taken where none of the conditions of `a ? b : c ? d : e` holds."""
    node: Node | None = choice
    while node is not None and node.type == "ternary_expression":
        node = node.child_by_field_name("alternative")
    return literal(_bare(node))


def _asserts(call: Node, read: Node) -> bool:
    """Tell whether a call ends the program without its first argument: `assert(process.env.X)`."""
    called = text(call.child_by_field_name("function"))
    return bool(re.fullmatch(r"(?:\w+\.)?(assert|invariant|ok|tiny_?invariant)", called)) and arguments(call)[:1] == [
        read
    ]


def _bare(node: Node | None) -> Node | None:
    """Return what stands within parentheses and conversions: of `Number("3000")` the string."""
    while node is not None and (node.type == "parenthesized_expression" or _converts(node)):
        inner = arguments(node) if node.type == "call_expression" else node.named_children
        node = inner[0] if inner else None
    return node


def _converts(node: Node) -> bool:
    called = text(node.child_by_field_name("function")) if node.type == "call_expression" else ""
    return called in {"Number", "parseInt", "Number.parseInt", "String", "normalizePort", "parseFloat", "Boolean"}


def _throws(condition: Node) -> bool:
    """Tell whether the program ends where the condition holds: `if (!process.env.X) throw …`."""
    node: Node | None = condition
    while node is not None and node.type in {"unary_expression", "parenthesized_expression", "binary_expression"}:
        if node.type == "binary_expression" and text(node.child_by_field_name("operator")) == "&&":
            return False
        node = node.parent
    if node is None or node.type != "if_statement":
        return False
    done = text(node.child_by_field_name("consequence"))[:400]
    return bool(
        re.search(r"^\{?\s*(?:console\.\w+\([^;]*;?\s*|logger\.\w+\([^;]*;?\s*)*(throw\b|process\.exit\()", done)
    )


def _destructured(module: Module, pattern: Node) -> Iterator[EnvironmentVariable]:
    for item in pattern.named_children:
        default, local = None, text(item)
        if item.type == "object_assignment_pattern":
            default = literal(item.child_by_field_name("right"))
            item = item.child_by_field_name("left") or item  # noqa: PLW2901
        elif item.type == "pair_pattern":
            value = item.child_by_field_name("value")
            local = text(value)
            if value is not None and value.type == "assignment_pattern":
                default = literal(value.child_by_field_name("right"))
            item = item.child_by_field_name("key") or item  # noqa: PLW2901
        yield _variable(module, item, text(item), default is None and _is_checked(module, local), default)


def _is_checked(module: Module, local: str) -> bool:
    """Tell whether the program ends where a variable of its own is empty: `if (!token) throw …`."""
    name = re.escape(local.encode())
    return bool(
        re.search(
            rb"\bif\s*\(\s*!\s*" + name + rb"\s*\)\s*\{?\s*(console\.\w+\([^;]*;\s*)?(throw\b|process\.exit\()",
            module.text,
        )
        or re.search(rb"\b(assert|invariant|assert\.ok)\(\s*" + name + rb"\s*[,)]", module.text)
    )


def _imported(module: Module) -> Iterator[EnvironmentVariable]:
    """Read what bundlers write into the code: Vite's import.meta.env, SvelteKit's $env modules."""
    said = module.text
    if b"import.meta.env" in said:
        for match in _META.finditer(said):
            yield _written(module, match, match[1])
    if b"$env/" in said:
        for match in _SVELTE.finditer(said):
            for name in re.findall(rb"[A-Z][A-Z0-9_]+", match[1]):
                # A build ends without a variable that is to be written into it.
                yield _written(module, match, name).but(required=match[2] == b"static")
        for match in _DYNAMIC.finditer(said) if b"$env/dynamic" in said else ():
            yield _written(module, match, match[1])


def _written(module: Module, match: re.Match[bytes], name: bytes) -> EnvironmentVariable:
    number = module.text.count(b"\n", 0, match.start()) + 1
    return EnvironmentVariable(name=name.decode(), file=module.where, line=number)


def _asked(module: Module) -> Iterator[EnvironmentVariable]:
    """Read what is asked of a configuration's object by a variable's name: `config.getOrThrow("X")`."""
    for row in module.matches(_ASKED):
        name, by = string(row["key"]) or "", text(row["by"])
        if not _NAME.match(name) or by not in {"get", "getOrThrow"} or "_" not in name:
            continue
        chained = _chain(row["call"])
        given = [literal(item) for item in arguments(row["call"])[1:]]
        is_required = by == "getOrThrow" or (".required(" in chained and ".default(" not in chained)
        yield _variable(module, row["call"], name, is_required, given[0] if given else None)


def _told_port(module: Module) -> Iterator[EnvironmentVariable]:
    """Read what a function of the application's own is asked with a number beside: `getWithDefault("PORT", 8080)`."""
    for row in module.matches(_NAMED):
        given = arguments(row["call"])
        number = literal(given[1]) if len(given) == 2 else None
        if string(row["key"]) == "PORT" and re.fullmatch(r"\d{2,5}", number or ""):
            yield _variable(module, row["call"], "PORT", False, number)


def _chain(call: Node) -> str:
    node = call
    while node.parent is not None and node.parent.type in {"member_expression", "call_expression"}:
        node = node.parent
    return text(node)[len(text(call)) :]


def _variable(module: Module, node: Node, name: str, required: bool, default: str | None) -> EnvironmentVariable:
    return EnvironmentVariable(name=name, required=required, default=default, file=module.where, line=line(node))
