"""The program's own functions that hand a name on to what reads it: the environment, viper. Which argument it is."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from tree_sitter import Node

from autodeploy.analyser.golang.syntax import Call, GoFile, string_of, text_of

RECEIVER = -1
"""The position of what a method is called on: `const Port Key = "port"`, `Port.GetString()`."""

_FUNCTIONS = frozenset({"func_literal", "function_declaration", "method_declaration"})
_HOLDERS = frozenset({"short_var_declaration", "assignment_statement", "var_spec"})
_MAX_ROUNDS = 3


@dataclass(frozen=True)
class Wrapper:
    """One function: which of its arguments is the name, and whether what follows stands in where nothing is set."""

    position: int
    takes_default: bool

    def name(self, call: Call) -> Node | str | None:
        """Return the argument that holds the name; the name of what a method is called on."""
        if self.position == RECEIVER:
            return call.operand.rpartition(".")[2] or None
        return call.arguments[self.position] if len(call.arguments) > self.position else None

    def default(self, call: Call) -> Node | None:
        """Return the argument that stands in where nothing is set."""
        further = self.position + 1
        return call.arguments[further] if self.takes_default and len(call.arguments) > further else None


def find_wrappers(files: Sequence[GoFile], asked: Callable[[GoFile, Call], Node | None]) -> dict[str, Wrapper]:
    """Return the functions, by name, that give one of their parameters to a call; `asked` tells which argument."""
    found: dict[str, Wrapper] = {}
    for _ in range(_MAX_ROUNDS):
        before = len(found)
        for file in files:
            for call in file.calls:
                given = asked(file, call)
                if given is None and (wrapper := found.get(call.method)):
                    named = wrapper.name(call)
                    given = named if isinstance(named, Node) else None
                if given is not None and (made := _wrapper(given)):
                    found.setdefault(*made)
        if len(found) == before:
            break
    return found


def keyed_defaults(files: Sequence[GoFile]) -> dict[str, Node]:
    """Return what tables of the code give to dotted names: `map[string]any{"app.port": 8080}`."""
    found: dict[str, Node] = {}
    for file in files:
        for node in file.nodes("field"):
            key, value = node.child_by_field_name("key"), node.child_by_field_name("value")
            name = string_of(key.named_children[0]) if key is not None and key.named_children else None
            if name and value is not None and re.fullmatch(r"[\w-]+(?:\.[\w-]+)+", name):
                found.setdefault(name.lower(), value.named_children[0] if value.named_children else value)
    return found


def target(call: Call) -> tuple[str, ...]:
    """Return the fields that a call fills through a pointer: of `parse(&c.Server.Port, "PORT")` Server and Port."""
    for argument in call.arguments:
        said = text_of(argument)
        if argument.type == "unary_expression" and re.fullmatch(r"&\w+(?:\.\w+)+", said):
            return tuple(said.split(".")[1:])
    return ()


def field_default(files: Sequence[GoFile], fields: Sequence[str]) -> Node | None:
    """Return what a literal gives to a field within others: `Server: Server{Port: 80}`."""
    for file in files:
        for node in file.nodes("field"):
            if _path(node, len(fields)) == list(fields):
                value = node.child_by_field_name("value")
                return value.named_children[0] if value is not None and value.named_children else value
    return None


def _path(node: Node, depth: int) -> list[str]:
    names: list[str] = []
    current: Node | None = node
    while current is not None and len(names) < depth:
        if current.type == "keyed_element" and (key := current.child_by_field_name("key")) is not None:
            names.insert(0, text_of(key))
        current = current.parent
    return names


def _wrapper(given: Node) -> tuple[str, Wrapper] | None:
    """Return the function around a value that is one of its parameters, and which."""
    while given.type in {"call_expression", "type_conversion_expression"}:
        inner = given.child_by_field_name("arguments")  # string(key)
        if inner is None or len(inner.named_children) != 1:
            return None
        given = inner.named_children[0]
    if given.type != "identifier":
        return None
    function: Node | None = given
    while function is not None and function.type not in _FUNCTIONS:
        function = function.parent
    name = _name(function) if function is not None else ""
    if function is None or not name:
        return None
    receiver = function.child_by_field_name("receiver")
    if receiver is not None and text_of(given) in _names(receiver):
        return name, Wrapper(RECEIVER, False)
    listed = function.child_by_field_name("parameters")
    names = _names(listed) if listed is not None else []
    if text_of(given) not in names:
        return None
    result = function.child_by_field_name("result")
    return name, Wrapper(names.index(text_of(given)), result is not None and text_of(result) != "error")


def _names(listed: Node) -> list[str]:
    return [text_of(name) for part in listed.named_children for name in part.children_by_field_name("name")]


def _name(function: Node) -> str:
    """Return what a function is called, be it by the name that holds it."""
    named = function.child_by_field_name("name")
    holder = function.parent
    if named is None and holder is not None:
        holder = holder.parent if holder.type == "expression_list" else holder
        if holder is not None and holder.type in _HOLDERS:
            named = holder.child_by_field_name("left") or holder.child_by_field_name("name")
    return text_of(named) if named is not None else ""


def by_name(known: Mapping[str, Node], named: Node | str | None) -> Node | None:
    """Return the value of a name that a wrapper was given; of an argument, itself."""
    if not isinstance(named, str):
        return named
    value = known.get(named)
    while value is not None and value.type in {"call_expression", "type_conversion_expression"}:
        inner = value.child_by_field_name("arguments")
        value = inner.named_children[0] if inner is not None and inner.named_children else None
    return value
