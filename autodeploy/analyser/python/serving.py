"""Makes a Procfile's line run from /app/venv, bound to the port that the host gives."""

from __future__ import annotations

import re
import shlex

from autodeploy.analyser.procfile import Process
from autodeploy.analyser.tree import Tree

BIND = "127.0.0.1:$PORT"
STREAMLIT_OPTIONS = "--server.port $PORT --server.address 127.0.0.1 --server.headless true"
_SHELL = re.compile(r"[;&|<>`]|\$\(|^\s*\w+=")
_DEVELOPMENT = re.compile(r"\b(flask\s+(\S+\s+)*run|manage\.py\s+runserver|fastapi\s+(dev|run)|streamlit\s+hello)\b")
_SERVERS = re.compile(
    r"\b(gunicorn|uvicorn|hypercorn|daphne|waitress-serve|granian|uwsgi|sanic|litestar|pserve|streamlit run)\b"
)
_LEFT_BEHIND = re.compile(
    r"\bgunicorn\b[^\n]*\s(?:--daemon|-D)\b|\bdaphne\b[^\n]*&\s*$|\buvicorn\b[^\n]*[^&]&\s*$", re.MULTILINE
)
"""A server that a script sends to the background: nobody would watch it, and the script ends or does something else."""

_SERVING_CODE = re.compile(
    r"\b(?:uvicorn|hypercorn|socketio|granian)\.run\(|\bserve\(|\brun_app\(|\bpywsgi\b|\bIOLoop\b|\bHTTPServer\b"
    r"|\beventlet\.wsgi\b"
    r"|\.serve_forever\(|\.launch\(|\bcherrypy\b|\bui\.run\("
)
_PREPARES = re.compile(
    r"^(?:(?:poetry|pipenv|pdm|uv)\s+run\s+)?(?:python[\d.]*\s+)?(?:(?:\./)?manage\.py\s+(?:migrate|collectstatic)\b"
    r"|(?:-m\s+)?(?:flask\s+db\s+upgrade|alembic\s+upgrade\s+heads?)\s*$)"
)
_PROGRAMS = re.compile(
    r"^(gunicorn|uvicorn|hypercorn|daphne|waitress-serve|uwsgi|granian|sanic|litestar|pserve|streamlit|celery|python[0-9.]*"
    r"|flask|alembic|aerich|piccolo|django-admin)$"
)
_RUNNER = re.compile(r"^(?:poetry|pipenv|pdm|uv)\s+run\s+(?:--?[\w-]+\s+)*")


def is_production_server(tree: Tree, process: Process) -> bool:
    """Tell whether the line starts a server that is made for production: by name, in a script or in a program."""
    if _DEVELOPMENT.search(process.command):
        return False
    if _SERVERS.search(process.command):
        return True
    script = re.search(r"(?:^|\s)\.?/?(?P<file>[\w./-]+\.(?P<kind>sh|py))\b", process.command)
    if script is None or script["file"] not in tree.index:
        return False
    text = tree.read(script["file"])
    if script["kind"] == "sh":
        return bool(_SERVERS.search(text)) and not _DEVELOPMENT.search(text) and not _LEFT_BEHIND.search(text)
    return bool(_SERVING_CODE.search(text))


def is_server(command: str) -> bool:
    """Tell whether a command names a server that is given the application."""
    return bool(_SERVERS.search(command))


def in_venv(command: str) -> str:
    """Return the command with its programs taken from the virtual environment."""
    command = _RUNNER.sub("", command)
    if _SHELL.search(command):
        return f"/bin/sh -c {shlex.quote(f'PATH=/app/venv/bin:$PATH; {command}')}"
    first, _, rest = command.partition(" ")
    if first in {"./manage.py", "manage.py"}:
        return f"/app/venv/bin/python manage.py {rest}".strip()
    if re.fullmatch(r"python[0-9.]*", first):
        return f"/app/venv/bin/python {rest}".strip()
    return f"/app/venv/bin/{first} {rest}".strip() if _PROGRAMS.match(first) else command


def without_preparing(command: str) -> str:
    """Return a chain's server alone, where all that stands before it is done by the build and the migration."""
    kept = [part for part in re.split(r"\s*(?:&&|;)\s*", command.strip()) if part and not _PREPARES.match(part)]
    return kept[0] if len(kept) == 1 else command


def bound_to_port(command: str) -> str:
    """Return a server's command that listens on the loopback address and $PORT, whatever it named before."""
    if "gunicorn" in command:
        bare = re.sub(r"\s(?:--bind|-b)(?:=|\s+|(?=\S))(\"[^\"]*\"|'[^']*'|\S+)", "", command)
        return re.sub(r"\bgunicorn\b", f"gunicorn --bind {BIND}", bare, count=1)
    if "uvicorn" in command:
        bare = re.sub(r"\s--(?:reload\b|(?:host|port)(?:=|\s+)(\"[^\"]*\"|'[^']*'|\S+))", "", command)
        return _with_options(bare, "uvicorn", "--host 127.0.0.1 --port $PORT")
    if "hypercorn" in command:
        bare = re.sub(r"\s(?:--reload\b|(?:--bind|-b)(?:=|\s+)\S+)", "", command)
        return re.sub(r"\bhypercorn\b", f"hypercorn --bind {BIND}", bare, count=1)
    if "streamlit run" in command:
        bare = re.sub(r"\s--(?:server\.(?:port|address|headless))(?:=|\s+)\S+", "", command)
        return _with_options(bare, "streamlit", STREAMLIT_OPTIONS)
    if "daphne" in command:
        bare = re.sub(r"\s(?:-b|--bind|-p|--port)(?:=|\s+)\S+", "", command)
        return re.sub(r"\bdaphne\b", "daphne -b 127.0.0.1 -p $PORT", bare, count=1)
    if "waitress-serve" in command:
        bare = re.sub(r"\s--(?:listen|host|port)(?:=|\s+)\S+", "", command)
        return re.sub(r"\bwaitress-serve\b", f"waitress-serve --listen={BIND}", bare, count=1)
    return command


def _with_options(command: str, program: str, options: str) -> str:
    return re.sub(rf"(\b{program}\b.*?)(?=\s*(?:&&|;|\||'$|$))", rf"\1 {options}", command, count=1)
