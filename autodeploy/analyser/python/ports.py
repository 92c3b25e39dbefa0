"""Chooses the port, and finds the variable that sets it: from Procfile, code, server configuration, hints."""

from __future__ import annotations

import ast
import itertools
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from autodeploy.analyser.ports import file_hints, port_hint, process_hints, settle_port
from autodeploy.analyser.procfile import Process
from autodeploy.analyser.python import uwsgi
from autodeploy.analyser.python.code import Code, code, modules, reachable, speaking
from autodeploy.analyser.python.names import dotted, keyword, text_of
from autodeploy.analyser.toml import line_of, table
from autodeploy.analyser.tree import Tree
from autodeploy.model import Evidence

DEFAULT = 8000
MAX_NEAR = 40
"""How many modules of a program are searched for the call by which it listens."""

_SPEAKING = re.compile(r"\bport\b|PORT")
_GETTERS = frozenset({"os.getenv", "os.environ.get", "env.int", "env", "config"})
_BIND = re.compile(r"^bind\s*=\s*[^#\n]*?:(?P<port>\d{2,5})\b", re.MULTILINE)
_RUNNERS = frozenset({"run", "run_app", "serve", "run_simple", "run_server", "launch", "make_server"})
_LISTENERS = frozenset({"listen", "bind"})
_SOCKETS = frozenset({"TCPSite", "bind_socket", "bind_sockets", "create_server", "start_server"})


@dataclass(frozen=True)
class PortRead:
    """How a program learns its port: the variable it reads, None for none; `option` is what its command line takes."""

    variable: str | None = None
    default: int | None = None
    option: str = ""


def detect_port(
    tree: Tree, web: Process | None, default: int, overrides: Mapping[str, str], served: str = ""
) -> tuple[int, Evidence]:
    """Return the port and why; raise AnalysisError when the flag's cannot be used.

    `served`: the file whose application object a server of ours is given, so that what the code would itself serve on
    for development weighs less than what the files for hosts say; what that file says comes before other code.
    """
    read, run = (sorted(hints, key=lambda hint: hint.file != served) for hints in _code_hints(tree))
    told = [read, file_hints(tree), run] if served else [read, run, file_hints(tree)]
    return settle_port(itertools.chain(process_hints(web), _settings_hints(tree), *told), default, overrides)


def read_port(tree: Tree, made: Code) -> PortRead:
    """Return how a program that serves itself learns its port: by itself, or by a module that it imports."""
    further = sorted(reachable(tree, [made.path]) - {made.path})
    near = [made, *(found for path in further if _SPEAKING.search(tree.read(path)) and (found := code(tree, path)))]
    for module in near[:MAX_NEAR]:
        for call in module.calls:
            value = _port_value(call, module)
            read = _resolved(value, module) if value is not None else PortRead()
            if value is not None and read == PortRead():
                read = _asked_elsewhere(value, near)
            if value is not None and (module is made or read != PortRead()):
                return read
    return PortRead()


def _asked_elsewhere(value: ast.expr, near: list[Code]) -> PortRead:
    """Return the option that a value names and that another module defines."""
    if not isinstance(value, ast.Attribute) or not re.fullmatch(r"(?:\w+_)?port", value.attr):
        return PortRead()
    found = (_option(module, value.attr.replace("_", "-")) for module in near)
    return next((read for read in found if read.option), PortRead())


def _port_value(call: ast.Call, made: Code) -> ast.expr | None:
    last = dotted(call.func, made.origins).rsplit(".", 1)[-1] or getattr(call.func, "attr", "")
    given = keyword(call, "port") or keyword(call, "server_port")
    if last in _RUNNERS and given is not None:
        return given
    if last == "make_server" and len(call.args) > 1:
        return call.args[1]
    if last.endswith(("HTTPServer", "TCPServer", "WSGIServer")) and call.args:
        address = call.args[0]
        named = [value for name, value, _ in made.assigned if isinstance(address, ast.Name) and name == address.id]
        address = named[0] if named else address
        return address.elts[1] if isinstance(address, ast.Tuple) and len(address.elts) > 1 else None
    is_told = (last in _LISTENERS or last == "bind_sockets") and call.args
    return call.args[0] if is_told else given if last in _SOCKETS else None


def _resolved(value: ast.expr, made: Code, depth: int = 0) -> PortRead:
    if isinstance(value, ast.Constant) and re.fullmatch(r"\d{2,5}", str(value.value)):
        return PortRead(None, int(str(value.value)))
    if isinstance(value, ast.Call):
        called = dotted(value.func, made.origins)
        if called == "int" and value.args:
            return _resolved(value.args[0], made, depth)
        if called in _GETTERS and value.args:
            given = value.args[1] if len(value.args) > 1 else keyword(value, "default")
            return PortRead(text_of(value.args[0]), _resolved(given, made).default if given is not None else None)
    if isinstance(value, ast.Subscript) and dotted(value.value, made.origins) == "os.environ":
        return PortRead(text_of(value.slice))
    if isinstance(value, ast.BoolOp):
        first, last = _resolved(value.values[0], made, depth), _resolved(value.values[-1], made, depth)
        return PortRead(first.variable, last.default)
    if isinstance(value, ast.Attribute) and re.fullmatch(r"(?:\w+_)?port", value.attr):
        return _option(made, value.attr.replace("_", "-"))
    if isinstance(value, ast.Name) and depth < 5:
        given = next((item for name, item, _ in made.assigned if name == value.id), None)
        return _resolved(given, made, depth + 1) if given is not None else PortRead()
    return PortRead()


def _option(made: Code, name: str) -> PortRead:
    """Return the option of a command line that sets the port: Tornado's `define`, argparse's `add_argument`."""
    for call in made.calls:
        last = dotted(call.func, made.origins).rsplit(".", 1)[-1] or getattr(call.func, "attr", "")
        names = [text_of(argument) for argument in call.args]
        if (last == "define" and name in names) or (last == "add_argument" and f"--{name}" in names):
            default = keyword(call, "default")
            read = _resolved(default, made) if default is not None else PortRead()
            return PortRead("PORT", read.default, f" --{name}=$PORT")
    return PortRead()


def _settings_hints(tree: Tree) -> Iterator[Evidence]:
    """Yield the ports of server configurations: gunicorn's Python file, uWSGI's, Streamlit's config.toml."""
    for path in tree.paths:
        if (
            path.count("/") <= 1
            and re.search(r"gunicorn[\w.]*\.py$", path)
            and (match := _BIND.search(tree.read(path)))
        ):
            line = tree.read(path).count("\n", 0, match.start("port")) + 1
            yield port_hint(int(match["port"]), tree.where(path), line, "gunicorn-config")
    told = uwsgi.port(uwsgi.configuration(tree))
    if told is not None and isinstance(told[0], int):
        yield port_hint(told[0], told[1].file, told[1].line, "uwsgi-config")
    text = tree.read(".streamlit/config.toml")
    port = table(text, "server").get("port")
    if isinstance(port, int):
        yield port_hint(port, tree.where(".streamlit/config.toml"), line_of(text, str(port)), "streamlit-config")


def _code_hints(tree: Tree) -> tuple[list[Evidence], list[Evidence]]:
    """Return the ports that the code reads from the environment, and those that it serves on by itself."""
    first = frozenset(modules(tree)[:100])
    read, run = list[Evidence](), list[Evidence]()
    for made in speaking(tree, _SPEAKING):
        for call in made.calls if made.path in first else ():
            if port := _port_of(call, made):
                is_read = dotted(call.func, made.origins) in {"os.getenv", "os.environ.get"}
                (read if is_read else run).append(port_hint(port, tree.where(made.path), call.lineno, "code"))
    return read, run


def _names_port(node: ast.expr) -> bool:
    return re.fullmatch(r"(?:--)?(?:(?:api|app|http|web|server|listen)[-_])?port", text_of(node) or "") is not None


def _port_of(call: ast.Call, made: Code) -> int | None:
    called = dotted(call.func, made.origins)
    value: ast.expr | None = None
    if called.rsplit(".", 1)[-1] in _RUNNERS:
        value = keyword(call, "port") or keyword(call, "server_port")
    elif called in {"os.getenv", "os.environ.get"} and len(call.args) == 2 and text_of(call.args[0]) == "PORT":
        value = call.args[1]
    elif called.rsplit(".", 1)[-1] in {"define", "add_argument"} and any(map(_names_port, call.args)):
        value = keyword(call, "default")
    return _resolved(value, made).default if value is not None else None
