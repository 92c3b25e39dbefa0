"""Makes a Procfile's line run from /app/venv, bound to the port that the host gives."""

from __future__ import annotations

import re
import shlex

from autodeploy.analyser.procfile import Process

BIND = "127.0.0.1:$PORT"
_SHELL = re.compile(r"[;&|<>`]|\$\(|^\s*\w+=")
_DEVELOPMENT = re.compile(r"\b(flask\s+(\S+\s+)*run|manage\.py\s+runserver|fastapi\s+(dev|run)|streamlit)\b")
_PROGRAMS = re.compile(
    r"^(gunicorn|uvicorn|hypercorn|daphne|waitress-serve|uwsgi|python[0-9.]*|flask|alembic|django-admin)$"
)


def is_production_server(process: Process) -> bool:
    """Tell whether the line names a server that is made for production, in a form that can be run as it is."""
    named = re.search(r"\b(gunicorn|uvicorn|hypercorn|daphne|waitress-serve)\b", process.command)
    return bool(named) and not _DEVELOPMENT.search(process.command)


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
