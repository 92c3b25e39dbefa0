"""Subcommands of cobra and urfave/cli: the one that serves, the one that migrates, and whether neither is needed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tree_sitter import Node

from autodeploy.analyser.golang.groups import scope_of
from autodeploy.analyser.golang.syntax import GoFile, line_of, string_of, text_of

_SERVES = ("serve", "server", "web", "http", "api", "rest", "start", "run", "listen", "run-server", "up")
_MIGRATES = ("migrate", "migrations", "migrate-up", "db:migrate", "automigrate")
_LIBRARIES = ("github.com/spf13/cobra", "github.com/urfave/cli", "github.com/codegangsta/cli")
_RUNS = frozenset({"Run", "RunE", "Action"})


@dataclass(frozen=True)
class Command:
    """One command. `holder`: what the code calls it; `runs`: it does something itself; `is_direct`: below the root."""

    name: str
    holder: str
    runs: bool
    is_root: bool
    is_direct: bool
    file: str
    line: int


def serving_command(files: Sequence[GoFile]) -> Command | None:
    """Return the subcommand that serves; None where the program serves without one, or has none."""
    commands = _commands(files)
    if any(command.is_root and command.runs for command in commands):
        return None
    return _first(commands, _SERVES)


def migrating_command(files: Sequence[GoFile]) -> Command | None:
    """Return the subcommand that migrates the database, when it needs no further words."""
    return _first([command for command in _commands(files) if command.is_direct], _MIGRATES)


def _first(commands: Sequence[Command], names: Sequence[str]) -> Command | None:
    fitting = [it for it in commands if it.name in names and it.runs and not it.is_root]
    return min(fitting, key=lambda command: names.index(command.name), default=None)


def _commands(files: Sequence[GoFile]) -> list[Command]:
    using = [file for file in files if any(path.startswith(_LIBRARIES) for path in file.imported())]
    calls = [call for file in using for call in file.calls]
    parents = {(scope_of(it.node), it.operand) for it in calls if it.method in {"AddCommand", "Execute", "ExecuteC"}}
    executed = {call.operand for call in calls if call.method in {"Execute", "ExecuteC"}}
    added = {
        text_of(argument).removesuffix("()")
        for call in calls
        if call.method == "AddCommand" and call.operand in executed
        for argument in call.arguments
    }
    return [
        command
        for file in using
        for node in file.nodes("field")
        if (command := _command(file, node, parents, added)) is not None
    ]


def _command(file: GoFile, node: Node, parents: set[tuple[int, str]], added: set[str]) -> Command | None:
    key, value = node.child_by_field_name("key"), node.child_by_field_name("value")
    literal = node.parent
    if key is None or value is None or literal is None or text_of(key) not in {"Use", "Name"}:
        return None
    said = string_of(value.named_children[0] if value.named_children else value) or ""
    kind = _kind(literal)
    if not said or not (kind.endswith("cobra.Command") if text_of(key) == "Use" else kind.endswith(_URFAVE)):
        return None
    keys = {text_of(name) for part in literal.named_children if (name := part.child_by_field_name("key")) is not None}
    holder = _holder(literal)
    scope, names = scope_of(literal), {name for _, name in parents}
    is_root = (scope, holder) in parents if scope else holder in names
    is_root = is_root or bool({"Commands", "Subcommands"} & keys) or kind.endswith("cli.App")
    function = _function_name(literal)
    is_direct = text_of(key) == "Name" or bool(
        {holder, function, f"{file.package}.{holder}", f"{file.package}.{function}"} & added
    )
    return Command(said.split()[0], holder, bool(_RUNS & keys), is_root, is_direct, file.path, line_of(node))


_URFAVE = ("cli.Command", "cli.App")


def _kind(literal: Node) -> str:
    """Return the type that a literal's braces belong to; that of the list where the element leaves it out."""
    outer = literal.parent
    while outer is not None and outer.type in {"literal_element", "literal_value"}:
        outer = outer.parent
    kind = outer.child_by_field_name("type") if outer is not None and outer.type == "composite_literal" else None
    return text_of(kind) if kind is not None else ""


def _function_name(node: Node) -> str:
    current = node.parent
    while current is not None and current.type != "function_declaration":
        current = current.parent
    name = current.child_by_field_name("name") if current is not None else None
    return text_of(name) if name is not None else ""


def _holder(node: Node) -> str:
    current = node.parent
    while current is not None:
        name = current.child_by_field_name("name") if current.type in {"var_spec", "function_declaration"} else None
        if current.type in {"short_var_declaration", "assignment_statement"}:
            name = current.child_by_field_name("left")
        if name is not None:
            return text_of(name)
        current = current.parent
    return ""
