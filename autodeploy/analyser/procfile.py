"""Reads a Procfile's lines and makes them run from /app/venv, bound to the port that the host gives."""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass

from autodeploy.analyser.tree import Tree

BIND = "127.0.0.1:$PORT"
_SHELL = re.compile(r"[;&|<>`]|\$\(|^\s*\w+=")
_DEVELOPMENT = re.compile(r"\b(flask\s+(\S+\s+)*run|manage\.py\s+runserver|fastapi\s+(dev|run)|streamlit)\b")
_PROGRAMS = re.compile(
    r"^(gunicorn|uvicorn|hypercorn|daphne|waitress-serve|uwsgi|python[0-9.]*|flask|alembic|django-admin)$"
)


@dataclass(frozen=True)
class Process:
    """One line of the Procfile."""

    name: str
    command: str
    file: str
    line: int

    @property
    def is_production_server(self) -> bool:
        """Tell whether the line names a server that is made for production, in a form that can be run as it is."""
        return bool(re.search(r"\b(gunicorn|uvicorn|hypercorn|daphne|waitress-serve)\b", self.command)) and not (
            _DEVELOPMENT.search(self.command)
        )


def read_procfile(tree: Tree) -> dict[str, Process]:
    """Return the processes by name."""
    found: dict[str, Process] = {}
    for number, line in tree.lines("Procfile"):
        match = re.match(r"^([A-Za-z0-9_-]+):\s*(\S.*)$", line)
        if match and match[1] not in found:
            found[match[1]] = Process(match[1], match[2].strip(), tree.where("Procfile"), number)
    return found


def in_venv(command: str) -> str:
    """Return the command with its programs taken from the virtual environment."""
    if _SHELL.search(command):
        return f"/bin/sh -c {shlex.quote(f'PATH=/app/venv/bin:$PATH; {command}')}"
    first, _, rest = command.partition(" ")
    if first in {"./manage.py", "manage.py"}:
        return f"/app/venv/bin/python manage.py {rest}".strip()
    if re.fullmatch(r"python[0-9.]*", first):
        return f"/app/venv/bin/python {rest}".strip()
    return f"/app/venv/bin/{first} {rest}".strip() if _PROGRAMS.match(first) else command


def bound_to_port(command: str) -> str:
    """Return a server's command that listens on the loopback address and $PORT, whatever it named before."""
    if "gunicorn" in command:
        bare = re.sub(r"\s(?:--bind|-b)(?:=|\s+|(?=\S))(\"[^\"]*\"|'[^']*'|\S+)", "", command)
        return re.sub(r"\bgunicorn\b", f"gunicorn --bind {BIND}", bare, count=1)
    if "uvicorn" in command:
        bare = re.sub(r"\s--(?:host|port)(?:=|\s+)(\"[^\"]*\"|'[^']*'|\S+)", "", command)
        return re.sub(r"(\buvicorn\b.*?)(?=\s*(?:&&|;|\||'$|$))", r"\1 --host 127.0.0.1 --port $PORT", bare, count=1)
    if "hypercorn" in command:
        bare = re.sub(r"\s(?:--bind|-b)(?:=|\s+)\S+", "", command)
        return re.sub(r"\bhypercorn\b", f"hypercorn --bind {BIND}", bare, count=1)
    return command


def named_port(command: str) -> int | None:
    """Return the literal port in a command, the default of ${PORT:-5000} included."""
    match = re.search(r"(?:PORT:-|--port[= ]|-p |--bind[= ]\S*:|-b \S*:|:)(\d{2,5})\b", command)
    return int(match[1]) if match else None
