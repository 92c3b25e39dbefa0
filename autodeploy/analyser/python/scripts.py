"""Finds programs that serve HTTP by themselves: the file to run, and how it learns its port. Runs none."""

from __future__ import annotations

import ast
import re
import shlex
from dataclasses import dataclass

from autodeploy.analyser.python.code import Code, code, imported_modules, modules
from autodeploy.analyser.python.hints import started_scripts, streamlit_scripts, told_port
from autodeploy.analyser.python.names import dotted, keyword, text_of
from autodeploy.analyser.python.ports import PortRead, read_port
from autodeploy.analyser.python.serving import STREAMLIT_OPTIONS
from autodeploy.analyser.tree import Tree

_NAMES = (
    "main",
    "app",
    "server",
    "run",
    "__main__",
    "wsgi",
    "asgi",
    "web",
    "start",
    "index",
    "api",
    "application",
    "demo",
)
_SERVER = re.compile(
    r"^[ \t]*(?:import|from)[ \t]+(?:http\.server|http[ \t]+import[ \t]+server|socketserver|wsgiref"
    r"|aiohttp[ \t]+import[ \t]+web|aiohttp\.web|tornado|gevent\.pywsgi"
    r"|waitress|uvicorn|hypercorn|bottle|cherrypy|gradio|nicegui|sanic|flask_socketio|werkzeug\.serving|pyramid|flask|quart|eventlet"
    r"|robyn|panel|dash|paste)\b",
    re.MULTILINE,
)
_SERVES = re.compile(
    r"\brun_app\(|\buvicorn\.run\(|\bIOLoop\b|\.listen\(|HTTPServer\(|\bTCPServer\(|\bmake_server\(|\bserve\(|\brun_simple\("
    r"|\.launch\(|\bui\.run\(|(?<![\w.])run\(|\b(?:app|application|server|socketio|bottle|web|asyncio|cherrypy)\.(?:run|quickstart)\("
    r"|WSGIServer\(|\bwsgi\.server\(|\.start\("
)


@dataclass(frozen=True)
class Script:
    """A file that serves when it is run. `protocol`: the module that it serves with."""

    file: str
    line: int
    command: str
    port: PortRead


def find_script(tree: Tree, framework: str) -> Script | None:
    """Return the program that serves HTTP by itself; None where none does."""
    if framework == "streamlit":
        return _streamlit(tree)
    shallow = [path for path in modules(tree) if path.count("/") <= 2]
    serving = {path for path in shallow if _serves(tree.read(path))}
    starting = {path for path in shallow if path.endswith("__main__.py") and imported_modules(tree, path) & serving}
    candidates = sorted(serving | starting)
    hinted = started_scripts(tree)
    known = [path for path in candidates if path in hinted or path in starting or _begins(tree, path)]
    ranked = sorted(known, key=lambda path: (_place(path, hinted), path.count("/"), _rank(path), path))
    made = code(tree, ranked[0]) if ranked else None
    if made is None:
        return None
    port = read_port(tree, made)
    if port == PortRead() and (told := told_port(tree, made.path)):
        port = PortRead("PORT", told[1], f"{told[0]}$PORT")
    prefix = "env GRADIO_SERVER_NAME=127.0.0.1 GRADIO_SERVER_PORT=$PORT " if framework == "gradio" else ""
    port = PortRead("PORT", port.default) if framework == "gradio" else port
    command = f"{prefix}{run_command(made)}{_subcommand(made)}{port.option}"
    return Script(made.path, max(_begins(tree, made.path), 1), command, port)


def _subcommand(made: Code) -> str:
    """Return the one command that a program adds to another's group: https://click.palletsprojects.com/commands/."""
    added = [call for call in made.calls if isinstance(call.func, ast.Attribute) and call.func.attr == "add_command"]
    if len(added) != 1 or not added[0].args:
        return ""
    named = text_of(added[0].args[1]) if len(added[0].args) > 1 else text_of(keyword(added[0], "name"))
    return f" {named or dotted(added[0].args[0], {}).rpartition('.')[2].replace('_', '-')}"


def run_command(made: Code) -> str:
    """Return the command that runs a module from /app/src, as the file that it is or as part of its package."""
    folder, _, name = made.path.rpartition("/")
    if name == "__main__.py" and folder:
        return f"/app/venv/bin/python -m {made.name.removesuffix('.__main__')}"
    if made.base == folder:
        return f"/app/venv/bin/python {shlex.quote(made.path)}"
    where = f"env PYTHONPATH=/app/src/{made.base} " if made.base else ""
    return f"{where}/app/venv/bin/python -m {made.name}"


def _serves(text: str) -> bool:
    return bool(_SERVER.search(text)) and bool(_SERVES.search(text))


def _place(path: str, hinted: list[str]) -> int:
    return hinted.index(path) if path in hinted else len(hinted)


def _rank(path: str) -> int:
    stem = path.rpartition("/")[2].removesuffix(".py")
    return _NAMES.index(stem) if stem in _NAMES else len(_NAMES)


def _begins(tree: Tree, path: str) -> int:
    """Return the line where a file begins to work when it is run; 0 where it only defines things."""
    made = code(tree, path)
    for node in made.syntax.body if made else ():
        if isinstance(node, ast.Expr) and isinstance(node.value, (ast.Call, ast.Await)):
            called = dotted(node.value.func, {}) if isinstance(node.value, ast.Call) else ""
            if _SERVES.search(f"{called}(") or called in {"main", "asyncio.run"}:
                return node.lineno
        if isinstance(node, ast.If) and "__name__" in ast.unparse(node.test):
            return node.lineno
        if isinstance(node, ast.With) and any(_SERVES.search(ast.unparse(item)) for item in node.items):
            return node.lineno
    return 0


def _streamlit(tree: Tree) -> Script | None:
    speaking = [
        path for path in modules(tree) if re.search(r"^\s*(?:import|from)\s+streamlit\b", tree.read(path), re.MULTILINE)
    ]
    imported = {file for path in speaking for file in imported_modules(tree, path) if file != path}
    pages = [path for path in speaking if "/pages/" not in f"/{path}" and path not in imported]
    hinted = streamlit_scripts(tree)
    names = ("streamlit_app", "app", "main", "home", "hello", "index", "dashboard")
    stems = {path: path.rpartition("/")[2].removesuffix(".py").lower() for path in speaking}
    order = sorted(
        pages or speaking,
        key=lambda path: (
            _place(path, hinted),
            path.count("/"),
            next((index for index, name in enumerate(names) if name in stems[path]), len(names)),
            path,
        ),
    )
    if not order:
        return None
    made = code(tree, order[0])
    first = next((call for call in made.calls if keyword(call, "page_title")), None) if made else None
    command = f"/app/venv/bin/streamlit run {shlex.quote(order[0])} {STREAMLIT_OPTIONS}"
    return Script(order[0], first.lineno if first else 1, command, PortRead("PORT"))
