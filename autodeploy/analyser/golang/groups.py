"""Groups of routes and sub-routers: what stands before a route's path, followed through functions."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from tree_sitter import Node

from autodeploy.analyser.golang.paths import Paths
from autodeploy.analyser.golang.syntax import Call, GoFile, text_of

MAKES = frozenset({"Group", "Route", "PathPrefix", "Party", "NewNamespace"})
_PART_OF = re.compile(
    r"RouterGroup|echo\.Group|fiber\.Router|chi\.(?:Router|Mux)|IRoutes|gin\.(?:IRouter|Engine)|fiber\.(?:Group|App)"
    r"|echo\.Echo|mux\.Router|httprouter\.Router|http\.ServeMux"
)
_WHOLE = re.compile(r"gin\.Engine|fiber\.App|echo\.Echo|mux\.Router|httprouter\.Router|http\.ServeMux|chi\.")
AUTH = re.compile(r"auth|jwt|login|session|token|protect|admin|identity|permission|guard|secure|verify", re.IGNORECASE)
_CLOSES = re.compile(r"auth|jwt|protect|identity|permission|guard|verif|token", re.IGNORECASE)
"""What a middleware of a whole router is called that lets nobody in; sessions and secure headers let people pass."""

_MAX_DEPTH = 5
_Key = tuple[int, str]


@dataclass(frozen=True)
class _Group:
    parent: str
    prefix: str
    words: str


@dataclass(frozen=True)
class _Parameter:
    function: str
    position: int
    is_whole: bool
    """A whole router needs no caller to be known: what it is given has no prefix, most often."""


@dataclass(frozen=True)
class Groups:
    """Groups and parameters by function and name, and where functions are given them."""

    made: dict[_Key, _Group] = field(default_factory=dict)
    parameters: dict[_Key, _Parameter] = field(default_factory=dict)
    given: dict[tuple[str, int], list[tuple[int, Node]]] = field(default_factory=dict)
    mounted: dict[str, tuple[int, str, str]] = field(default_factory=dict)
    functions: dict[int, str] = field(default_factory=dict)
    closed: dict[_Key, int] = field(default_factory=dict)
    """Where a router is given a middleware that asks for a login."""

    paths: Paths = field(default_factory=Paths)

    def is_open(self, call: Call) -> bool:
        """Tell whether no middleware before this route, of its own router, asks for a login."""
        first = self.closed.get((scope_of(call.node), call.operand))
        return first is None or call.node.start_byte < first

    def prefix(self, scope: int, name: str, depth: int = 0) -> tuple[str, bool] | None:
        """Return what stands before the paths of a router, and whether no login is asked for; None: nobody can tell."""
        if depth > _MAX_DEPTH:
            return None
        if group := self.made.get((scope, name)):
            is_open = not AUTH.search(group.words) and (depth == 0 or (scope, name) not in self.closed)
            above = self.prefix(scope, group.parent, depth + 1) if group.parent != name else ("", True)
            return (joined(above[0], group.prefix), above[1] and is_open) if above else None
        if parameter := self.parameters.get((scope, name)):
            return self._of_caller(scope, parameter, depth)
        return self._of_mount(scope, depth)

    def _of_caller(self, own: int, parameter: _Parameter, depth: int) -> tuple[str, bool] | None:
        for scope, node in self.given.get((parameter.function, parameter.position), []):
            if scope == own:
                continue  # another package's function of the same name, called by this one
            if node.type in {"identifier", "selector_expression"}:
                found = self.prefix(scope, text_of(node), depth + 1)
            else:
                found = self._inline(scope, node, depth)
            if found is not None:
                return found
        return ("", True) if parameter.is_whole else None

    def _inline(self, scope: int, node: Node, depth: int) -> tuple[str, bool] | None:
        """Read a group that is made where it is given: register(api.Group("/users")), also gorilla/mux's sub-router."""
        if (inner := _of_subrouter(node)) is not None:
            node = inner
        function, given = node.child_by_field_name("function"), node.child_by_field_name("arguments")
        parent, _, method = text_of(function).rpartition(".") if function else ("", "", "")
        part = self.paths.text(given.named_children[0]) if given is not None and given.named_children else None
        above = self.prefix(scope, parent, depth + 1)
        if method not in MAKES or part is None or above is None:
            return None
        return joined(above[0], part), above[1] and not AUTH.search(text_of(node).partition(",")[2])

    def _of_mount(self, scope: int, depth: int) -> tuple[str, bool] | None:
        if (mount := self.mounted.get(self.functions.get(scope, ""))) and mount[0] != scope:
            above = self.prefix(mount[0], mount[1], depth + 1)
            return (joined(above[0], mount[2]), above[1]) if above else None
        return "", True


def read_groups(files: Sequence[GoFile], paths: Paths) -> Groups:
    """Return the groups of a program."""
    groups = Groups(paths=paths)
    for file in files:
        for node in file.nodes("parameter"):
            _parameter(groups, node)
        for node in file.nodes("function"):
            if (name := node.child_by_field_name("name")) is not None:
                groups.functions[node.id] = text_of(name)
        for call in file.calls:
            if call.method in MAKES:
                _make(groups, call)
            elif call.method == "Use" and not _is_conditional(call) and any(map(_closes, call.arguments)):
                groups.closed.setdefault((scope_of(call.node), call.operand), call.node.start_byte)
            elif call.method == "Mount" and len(call.arguments) > 1:
                _mount(groups, call)
    wanted = {parameter.function for parameter in groups.parameters.values()}
    for file in files:
        for call in file.calls:
            if call.method in wanted:
                for position, node in enumerate(call.arguments):
                    groups.given.setdefault((call.method, position), []).append((scope_of(call.node), node))
    return groups


def _of_subrouter(node: Node) -> Node | None:
    """Return the call that `router.PathPrefix("/api").Subrouter()` is made on; None for another."""
    function = node.child_by_field_name("function") if node.type == "call_expression" else None
    if function is None or not text_of(function).endswith(".Subrouter"):
        return None
    operand = function.child_by_field_name("operand")
    return operand if operand is not None and operand.type == "call_expression" else None


def _closes(node: Node) -> bool:
    return bool(_CLOSES.search(text_of(node)))


def _is_conditional(call: Call) -> bool:
    """Tell whether only a setting puts a middleware in: within a condition of the function."""
    current = call.node.parent
    while current is not None and current.type not in {"function_declaration", "method_declaration", "func_literal"}:
        if current.type == "if_statement":
            return True
        current = current.parent
    return False


def scope_of(node: Node) -> int:
    """Return what identifies the function around a node; 0 outside of all."""
    function = _function(node)
    return function.id if function is not None else 0


def joined(prefix: str, path: str) -> str:
    """Return one path below another; an empty one adds no slash."""
    if not prefix or not path:
        return prefix or path
    return re.sub(r"/{2,}", "/", f"/{prefix.strip('/')}/{path.lstrip('/')}")


def _function(node: Node) -> Node | None:
    current: Node | None = node
    while current is not None and current.type not in {"function_declaration", "method_declaration"}:
        current = current.parent
    return current


def _parameter(groups: Groups, node: Node) -> None:
    kind, listed = node.child_by_field_name("type"), node.parent
    function = listed.parent if listed is not None else None
    if kind is None or listed is None or function is None or not _PART_OF.search(text_of(kind)):
        return
    if function.type not in {"function_declaration", "method_declaration"}:
        return  # a literal's parameter: the call around it has the prefix
    named = function.child_by_field_name("name")
    if function.child_by_field_name("parameters") != listed or named is None:
        return
    names = [name for part in listed.named_children for name in part.children_by_field_name("name")]
    for name in node.children_by_field_name("name"):
        position = next((number for number, other in enumerate(names) if other.id == name.id), 0)
        is_whole = bool(_WHOLE.search(text_of(kind)))
        groups.parameters[function.id, text_of(name)] = _Parameter(text_of(named), position, is_whole)


def _make(groups: Groups, call: Call) -> None:
    """Note the name that a group is given: api := r.Group("/api", auth)."""
    prefix = groups.paths.text(call.arguments[0]) if call.arguments else None
    current: Node | None = call.node
    while current is not None and current.type not in {"short_var_declaration", "assignment_statement", "var_spec"}:
        if current.type in {"block", "func_literal"}:
            return
        current = current.parent
    left = current.child_by_field_name("left") or current.child_by_field_name("name") if current is not None else None
    value = (current.child_by_field_name("right") or current.child_by_field_name("value")) if current else None
    if prefix is not None and left is not None and value is not None:
        operand, words = _bare(call), text_of(value).replace(text_of(call.arguments[0]), "", 1)
        groups.made[scope_of(call.node), text_of(left)] = _Group(operand, prefix, words)


def _bare(call: Call) -> str:
    """Return the router that a call is made on, as the code writes it."""
    function = call.node.child_by_field_name("function")
    operand = function.child_by_field_name("operand") if function is not None else None
    return text_of(operand) if operand is not None else call.operand


def _mount(groups: Groups, call: Call) -> None:
    prefix, target = groups.paths.text(call.arguments[0]), call.arguments[1]
    function = target.child_by_field_name("function") if target.type == "call_expression" else None
    if prefix is not None and function is not None:
        name = text_of(function).rpartition(".")[2]
        # A name that several functions share tells of none.
        again = name in groups.mounted and groups.mounted[name][2] != prefix
        groups.mounted[name] = (scope_of(call.node), call.operand, "" if again else prefix)
