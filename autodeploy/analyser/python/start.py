"""Makes the start command: a production server around the application object, or what the Procfile says."""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass

from autodeploy.analyser.failures import refusal
from autodeploy.analyser.procfile import Process, named_port
from autodeploy.analyser.python import uwsgi
from autodeploy.analyser.python.application import Application
from autodeploy.analyser.python.code import code
from autodeploy.analyser.python.manifest import Manifest
from autodeploy.analyser.python.ports import PortRead, read_port
from autodeploy.analyser.python.scripts import Script, find_script
from autodeploy.analyser.python.serving import (
    BIND,
    bound_to_port,
    in_venv,
    is_production_server,
    is_server,
    without_preparing,
)
from autodeploy.analyser.python.sockets import socket_options
from autodeploy.analyser.tree import Tree
from autodeploy.model import Evidence

_SERVERS = ("gunicorn", "uvicorn", "hypercorn", "daphne", "waitress", "granian", "uwsgi")
_ON_PORT = PortRead("PORT")


@dataclass(frozen=True)
class Start:
    """How the application starts. `server_package` is what the builder adds; `port` is how it is told its port."""

    command: str
    server_package: str | None
    evidence: Evidence
    port: PortRead = _ON_PORT


def start(
    tree: Tree,
    manifest: Manifest,
    application: Application | None,
    framework: str,
    web: Process | None,
    settings: str,
    overrides: Mapping[str, str],
) -> Start:
    """Return the start command: flag, Procfile with a production server, application object, a program that serves.

    `settings`: the module of Django's settings, where it has to be named; "" otherwise.
    """
    if "start_command" in overrides:
        command = overrides["start_command"]
        return Start(command, _missing(command, manifest), _evidence(command, "--start-command"))
    is_asked = "app" in overrides
    if not is_asked and web is not None and is_production_server(tree, web):
        command, port = in_venv(without_preparing(web.command)), _port_of(tree, web.command)
        if re.search(r"\buwsgi\b", web.command):
            command, told_port = uwsgi.bound(tree, command)
            port = PortRead(None, told_port) if isinstance(told_port, int) else PortRead(told_port)
        command = _with_settings(bound_to_port(command), settings)
        others = (application.target,) if application else ()
        told = _evidence(command, web.rule, web.file, web.line, others)
        return Start(command, _missing(command, manifest), told, port)
    paste = None if is_asked or framework != "pyramid" else _pasted(tree, manifest)
    if paste:
        return paste
    script = None if is_asked else _preferred_script(tree, application, framework)
    if script is not None:
        evidence = _evidence(script.command, "program", tree.where(script.file), script.line)
        return Start(script.command, _missing(script.command, manifest), evidence, script.port)
    if application is not None:
        command = _with_settings(_served(tree, application, manifest), settings)
        where = tree.where(application.file) if application.line else ""
        return Start(command, _missing(command, manifest), _evidence(command, "application", where, application.line))
    if web is not None:
        command = in_venv(web.command)
        return Start(command, None, _evidence(command, web.rule, web.file, web.line))
    raise refusal(
        "no application object and no start command were found",
        "Name one: --app module:attribute (e.g. --app main:app), or --start-command 'COMMAND' that listens on $PORT; "
        "with --port none for a worker without HTTP.",
    )


def _port_of(tree: Tree, command: str) -> PortRead:
    """Return how a Procfile's line learns its port: named servers are told it, a script may have one of its own."""
    script = re.search(r"(?:^|\s)\.?/?(?P<file>[\w./-]+\.(?P<kind>sh|py))\b", command)
    if script is None or "PORT" in command or is_server(command):
        return _ON_PORT
    made = code(tree, script["file"])
    if made is not None:
        return read_port(tree, made)
    text = tree.read(script["file"])
    port = None if "PORT" in text else named_port(text)
    return PortRead(None, port) if port else _ON_PORT


def _preferred_script(tree: Tree, application: Application | None, framework: str) -> Script | None:
    """Return a program that serves itself, where no server can be given the application object."""
    if application is None:
        return find_script(tree, framework)
    if application.framework.protocol == "script" or (application.runs_on_import and not _ignores_run(application)):
        return find_script(tree, application.framework.name)
    return None


def _ignores_run(application: Application) -> bool:
    """Tell whether `run` can be switched off, as Flask's own command does; see `flask.Flask.run`."""
    return application.framework.name == "flask"


def _pasted(tree: Tree, manifest: Manifest) -> Start | None:
    """Return how Pyramid's own configuration file starts it."""
    for file in ("production.ini", "app.ini", "development.ini"):
        if re.search(r"^\[app:main\]\s+use\s*=\s*(egg|config):", tree.read(file), re.MULTILINE):
            command = f"/app/venv/bin/gunicorn --bind {BIND} --paste {file}"
            return Start(command, _missing(command, manifest), _evidence(command, "paste", tree.where(file), 0))
    return None


def _served(tree: Tree, application: Application, manifest: Manifest) -> str:
    base = shlex.quote(application.base) if application.base else ""
    protocol = application.framework.protocol
    if application.file.endswith("asgi.py") and protocol == "wsgi" and application.framework.name != "flask":
        protocol = "asgi"
    # `src` is a layout: people run it from above. Any other folder is where they would stand.
    folder = f" --pythonpath {base}" if application.base.startswith("src") else f" --chdir {base}" if base else ""
    called = "()" if application.is_factory and "(" not in application.target else ""
    target = shlex.quote(application.target + called)
    if protocol == "asgi":
        return _asgi(application, manifest, base)
    if protocol == "aiohttp":
        awaited = shlex.quote(application.target) if application.is_factory else target
        return f"/app/venv/bin/gunicorn --bind {BIND} --worker-class aiohttp.GunicornWebWorker{folder} {awaited}"
    where = f"env PYTHONPATH=/app/src/{base} " if base else ""
    if protocol == "sanic":
        factory = " --factory" if application.is_factory else ""
        return f"{where}/app/venv/bin/sanic {shlex.quote(application.target)} --host=127.0.0.1 --port=$PORT{factory}"
    is_dash = application.framework.name == "dash" and application.attribute != "server"
    if is_dash or (manifest.find("waitress") and not manifest.find("gunicorn")):
        inner = f"{application.target}.server" if is_dash else application.target
        call = "--call " if application.is_factory else ""
        return f"{where}/app/venv/bin/waitress-serve --listen={BIND} {call}{shlex.quote(inner)}"
    ignoring = " --env FLASK_RUN_FROM_CLI=true" if application.runs_on_import and _ignores_run(application) else ""
    return f"/app/venv/bin/gunicorn --bind {BIND}{socket_options(tree, manifest)}{folder}{ignoring} {target}"


def _asgi(application: Application, manifest: Manifest, base: str) -> str:
    where = f"env PYTHONPATH=/app/src/{base} " if base else ""
    called = "()" if application.is_factory and "(" not in application.target else ""
    is_quart = application.framework.name == "quart" and not manifest.find("uvicorn")
    if is_quart or (manifest.find("hypercorn") and not manifest.find("uvicorn", "fastapi-cli")):
        return f"{where}/app/venv/bin/hypercorn --bind {BIND} {shlex.quote(application.target + called)}"
    if application.framework.name == "django" and manifest.find("daphne"):
        return f"{where}/app/venv/bin/daphne -b 127.0.0.1 -p $PORT {shlex.quote(application.target)}"
    factory = " --factory" if application.is_factory else ""
    folder = f" --app-dir {base}" if base else ""
    target = shlex.quote(application.target)
    return f"/app/venv/bin/python -m uvicorn {target} --host 127.0.0.1 --port $PORT{folder}{factory}"


def _with_settings(command: str, settings: str) -> str:
    """Name Django's settings to a server whose WSGI file would load others."""
    if not settings or "DJANGO_SETTINGS_MODULE" in command:
        return command
    if command.startswith("/bin/sh -c"):
        return f"env DJANGO_SETTINGS_MODULE={settings} {command}"
    if "gunicorn" in command:
        return re.sub(r"\bgunicorn\b", f"gunicorn --env DJANGO_SETTINGS_MODULE={settings}", command, count=1)
    return f"env DJANGO_SETTINGS_MODULE={settings} {command}"


def _missing(command: str, manifest: Manifest) -> str | None:
    for server in _SERVERS:
        if re.search(rf"\b{server}\b", command):
            # A gunicorn with uvicorn's workers names both: the first is the program, and what it lacks is added.
            named = [name for name in _SERVERS if re.search(rf"\b{name}\b", command)]
            worker = re.search(r"(?:-k|--worker-class)[= ]+(gevent|eventlet)\b", command)
            named += [worker[1]] if worker else []
            lacking = [name for name in named if not _brings(manifest, name)]
            return " ".join(lacking) or None
    return None


def _brings(manifest: Manifest, server: str) -> bool:
    if manifest.find(server):
        return True
    bundled = any(
        (item := manifest.find(name)) and item.extras & {"standard", "all"} for name in ("fastapi", "litestar")
    )
    return server == "uvicorn" and (bundled or manifest.find("fastapi-cli") is not None)


def _evidence(command: str, rule: str, file: str = "", line: int = 0, others: tuple[str, ...] = ()) -> Evidence:
    return Evidence(fact="start_command", value=command, file=file, line=line, rule=rule, alternatives=others)
