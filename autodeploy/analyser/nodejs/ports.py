"""Chooses the port and the variable that sets it: what the code listens on."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Mapping, Sequence

from tree_sitter import Node

from autodeploy.analyser.nodejs.code import Module, arguments, line, literal, pair, text
from autodeploy.analyser.nodejs.environment import port_reads
from autodeploy.analyser.ports import file_hints, port_hint, process_hints, settle_port
from autodeploy.analyser.procfile import Process
from autodeploy.analyser.tree import Tree
from autodeploy.model import EnvironmentVariable, Evidence

DEFAULT = 3000
_VARIABLES = re.compile(r"^(|APP_|SERVER_|HTTP_|NODE_|API_|WEB_|LISTEN_|SERVICE_|EXPRESS_|BACKEND_)PORT$")
_CALLS = '(call_expression function: (member_expression property: (property_identifier) @by) (#eq? @by "listen")) @call'


def detect_port(
    tree: Tree, modules: Sequence[Module], web: Process | None, overrides: Mapping[str, str]
) -> tuple[int, str | None, Evidence]:
    """Return the port, the variable that sets it (None: it is fixed in the code), and why."""
    reads = [read for read in port_reads(modules) if _VARIABLES.match(read.name)]
    reads.sort(key=lambda read: read.name != "PORT")
    fixed = [] if reads else [hint for module in modules for hint in _fixed(module)]
    hints = itertools.chain(process_hints(web), _read_hints(reads), fixed, file_hints(tree))
    port, because = settle_port(hints, DEFAULT, overrides)
    variable = reads[0].name if reads else None if fixed and because.rule == "code" else "PORT"
    return port, variable, because


def listens(modules: Sequence[Module]) -> bool:
    """Tell whether the code opens a socket for others to call."""
    opens = re.compile(rb"\.listen\(|createServer\(|Bun\.serve\(|\bserve\(")
    return any(opens.search(module.text) for module in modules)


def _read_hints(reads: Sequence[EnvironmentVariable]) -> Iterator[Evidence]:
    for read in reads:
        if read.default and re.fullmatch(r"\d{2,5}", read.default):
            yield port_hint(int(read.default), read.file, read.line, "code")


def _fixed(module: Module) -> Iterator[Evidence]:
    """Yield the literal ports that are listened on, through a constant of the same file too."""
    for row in module.matches(_CALLS):
        given = arguments(row["call"])
        value = (pair(given[0], "port") or given[0]) if given else None
        if value is not None and value.type == "identifier":
            value = _constant(module, text(value))
        number = literal(value) or ""
        if value is not None and re.fullmatch(r"\d{2,5}", number):
            yield port_hint(int(number), module.where, line(value), "code")


def _constant(module: Module, name: str) -> Node | None:
    pattern = "(variable_declarator name: (identifier) @name value: (_) @value)"
    return next((row["value"] for row in module.matches(pattern) if text(row["name"]) == name), None)
