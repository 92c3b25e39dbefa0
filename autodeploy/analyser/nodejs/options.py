"""Finds the option of the command line that sets the port, for programs that read no variable, and passes it on."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from autodeploy.analyser.nodejs.code import Module, arguments, line, literal, pair, string
from autodeploy.analyser.nodejs.environment import port_reads
from autodeploy.analyser.nodejs.start import Start
from autodeploy.analyser.ports import port_hint
from autodeploy.model import Evidence

_OPTIONS = """
(call_expression function: (member_expression property: (property_identifier) @by) (#eq? @by "option")
  arguments: (arguments . (string) @name)) @call
"""
_FLAGS = re.compile(r"^(?:-\w,\s*)?--(?P<name>port|http-port|listen-port)\s+[<\[]\w+[>\]]$|^(?P<bare>port|http-port)$")


@dataclass(frozen=True)
class PortOption:
    """`name` without its dashes, and the port that holds without it."""

    name: str
    hint: Evidence


def port_option(modules: Sequence[Module]) -> PortOption | None:
    """Return the option, as yargs and commander declare it; None where a variable sets the port, or nothing does."""
    if any(True for _ in port_reads(modules)):
        return None
    for module in modules:
        if b"yargs" in module.text or b"commander" in module.text:
            for row in module.matches(_OPTIONS):
                given = arguments(row["call"])
                match = _FLAGS.match(string(row["name"]) or "")
                value = pair(given[1], "default") if len(given) == 2 else given[2] if len(given) > 2 else None
                number = literal(value) or ""
                if match and value is not None and re.fullmatch(r"\d{4,5}", number):
                    hint = port_hint(int(number), module.where, line(value), "option-default")
                    return PortOption(match["name"] or match["bare"], hint)
    return None


def with_option(start: Start, option: PortOption | None) -> Start:
    """Return a start that tells the program its port by the option, where its command leaves room for one."""
    if (
        option is None
        or f"--{option.name}" in start.line
        or not re.match(r"(?:node|npm|pnpm|yarn|bun) [^;&|]*$", start.command)
    ):
        return start
    between = " --" if start.command.startswith("npm ") else ""
    words = f"--{option.name} $PORT"
    command = f"{start.command}{between} {words}"
    return replace(start, command=command, line=f"{start.line} {words}", evidence=start.evidence.but(value=command))
