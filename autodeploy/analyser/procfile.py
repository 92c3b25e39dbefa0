"""The processes that a Procfile names, and those that files of other platforms start where there is none."""

from __future__ import annotations

import re
from dataclasses import dataclass

from autodeploy.analyser import hints
from autodeploy.analyser.tree import Tree

_WRAPPER = re.compile(r"^(?:\./)?bin/start-(?:nginx|pgbouncer|stunnel)[\w-]*\s+(?:-f\s+)?(?=\S)")
"""What Heroku's buildpacks put before a process, and no other host has: it starts what follows, beside a proxy."""


@dataclass(frozen=True)
class Process:
    """One line of the Procfile, or a platform's start command, which `rule` tells."""

    name: str
    command: str
    file: str
    line: int
    rule: str = "procfile"


def read_procfile(tree: Tree) -> dict[str, Process]:
    """Return the processes by name."""
    found: dict[str, Process] = {}
    for number, line in tree.lines("Procfile"):
        match = re.match(r"^([A-Za-z0-9_-]+):\s*(\S.*)$", line)
        if match and match[1] not in found:
            found[match[1]] = Process(match[1], _WRAPPER.sub("", match[2].strip()), tree.where("Procfile"), number)
    if not found:
        for hint in hints.processes(tree):
            name = "web" if hint.fact == "start_command" else "worker"
            found.setdefault(name, Process(name, hint.value, hint.file, hint.line, hint.rule))
    return found


def named_port(command: str) -> int | None:
    """Return the literal port in a command, the default of ${PORT:-5000} included."""
    match = re.search(r"(?:PORT:-|--port[= ]|-p |--bind[= ]\S*:|-b \S*:|:)(\d{2,5})\b", command)
    return int(match[1]) if match else None
