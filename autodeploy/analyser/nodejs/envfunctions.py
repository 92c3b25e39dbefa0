"""Finds the variables that the program's own functions read: `getOsEnv("APP_NAME")`, which reads process.env[key]."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from tree_sitter import Node

from autodeploy.analyser.nodejs.code import Module, arguments, line, literal, string, text
from autodeploy.model import EnvironmentVariable

_READ = """
(subscript_expression object: (member_expression object: (identifier) @p property: (property_identifier) @e)
  index: (identifier) @key (#eq? @p "process") (#eq? @e "env")) @read
"""
_READS = re.compile(rb"\bprocess\.env\[\s*\w+\s*[!\]]")
_CALLED = "(call_expression arguments: (arguments . (string) @key)) @call"
_NAME = re.compile(r"^[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)*$")
_FUNCTIONS = frozenset(
    {"function_declaration", "function_expression", "arrow_function", "method_definition", "function"}
)
_BRANCHES = frozenset({"if_statement", "ternary_expression", "switch_case", "catch_clause"})
_CHOICES = frozenset({"||", "??", "&&"})
_HANDED = frozenset({"export_statement", "arguments"})
"""What holds a function that is called as the program starts: `export default () => …`, `registerAs("x", () => …)`."""

_ENDS = re.compile(r"\bthrow\b|\bprocess\.exit\(|\bassert\w*\(|\binvariant\(")


@dataclass(frozen=True)
class _Function:
    """A function that reads the variable that its first argument names. `ends`: it throws where that is missing."""

    name: str
    ends: bool
    has_default: bool


def called_reads(modules: Iterable[Module]) -> dict[str, list[EnvironmentVariable]]:
    """Return what the modules read by functions of their own, by module."""
    listed = list(modules)
    functions = {found.name: found for module in listed for found in _functions(module)}
    words = tuple(f"{name}(".encode() for name in functions)
    speaking = (module for module in listed if functions and any(word in module.text for word in words))
    return {module.path: list(_reads(module, functions)) for module in speaking}


def _functions(module: Module) -> Iterator[_Function]:
    for row in module.matches(_READ) if _READS.search(module.text) else ():
        function = _around(row["read"])
        names = _parameters(function) if function is not None else []
        name = _named(function) if function is not None else ""
        if function is not None and name and names and names[0] == text(row["key"]):
            said = text(function.child_by_field_name("body"))
            yield _Function(name, bool(_ENDS.search(said)), len(names) > 1 and names[1] in said)


def _around(node: Node) -> Node | None:
    current: Node | None = node
    while current is not None and current.type not in _FUNCTIONS:
        current = current.parent
    return current


def _parameters(function: Node) -> list[str]:
    alone = function.child_by_field_name("parameter")
    if alone is not None:
        return [text(alone)]
    listed = function.child_by_field_name("parameters")
    found = listed.named_children if listed is not None else []
    return [re.split(r"\W", text(item), maxsplit=1)[0] for item in found if item.type != "comment"]


def _named(function: Node) -> str:
    above = function.parent
    name = function.child_by_field_name("name")
    if name is None and above is not None and above.type in {"variable_declarator", "pair", "public_field_definition"}:
        name = above.child_by_field_name("name") or above.child_by_field_name("key")
    return text(name)


def _reads(module: Module, functions: dict[str, _Function]) -> Iterator[EnvironmentVariable]:
    for row in module.matches(_CALLED):
        called = text(row["call"].child_by_field_name("function")).rpartition(".")[2]
        function, name = functions.get(called), string(row["key"]) or ""
        if function is None or not _NAME.match(name):
            continue
        given = arguments(row["call"])[1:2] if function.has_default else []
        default = literal(given[0]) if given else None
        is_sure = function.ends and not given and not _is_aside(row["call"])
        yield EnvironmentVariable(
            name=name, required=is_sure, default=default, file=module.where, line=line(row["call"])
        )


def _is_aside(call: Node) -> bool:
    """Tell whether a call may never happen: in a branch, for want of another value, or in a function of some use."""
    inner, node = call, call.parent
    while node is not None:
        if node.type in _BRANCHES and node.child_by_field_name("condition") != inner:
            return True
        is_choice = node.type == "binary_expression" and text(node.child_by_field_name("operator")) in _CHOICES
        if is_choice and node.child_by_field_name("right") == inner:
            return True
        if node.type in _FUNCTIONS and (node.parent is None or node.parent.type not in _HANDED):
            return True
        inner, node = node, node.parent
    return False
