"""Makes the start command: a production server around the application object, or what the Procfile says."""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass

from autodeploy.analyser.failures import refusal
from autodeploy.analyser.procfile import Process
from autodeploy.analyser.python.application import Application
from autodeploy.analyser.python.manifest import Manifest
from autodeploy.analyser.python.serving import BIND, bound_to_port, in_venv, is_production_server
from autodeploy.analyser.tree import Tree
from autodeploy.model import Evidence


@dataclass(frozen=True)
class Start:
    """How the application starts. `server_package` is what the builder has to add."""

    command: str
    server_package: str | None
    evidence: Evidence


def start(
    tree: Tree,
    manifest: Manifest,
    application: Application | None,
    web: Process | None,
    overrides: Mapping[str, str],
) -> Start:
    """Return the start command: flag, Procfile with a production server, application object, other Procfile line."""
    if "start_command" in overrides:
        command = overrides["start_command"]
        return Start(command, _missing(command, manifest), _evidence(command, "--start-command"))
    if "app" not in overrides and web is not None and is_production_server(web):
        command = bound_to_port(in_venv(web.command))
        others = (application.target,) if application else ()
        return Start(command, _missing(command, manifest), _evidence(command, "procfile", web.file, web.line, others))
    if application is not None:
        command = _served(application)
        where = tree.where(application.file) if application.line else ""
        return Start(command, _missing(command, manifest), _evidence(command, "application", where, application.line))
    if web is not None:
        command = in_venv(web.command)
        return Start(command, None, _evidence(command, "procfile", web.file, web.line))
    raise refusal(
        "no application object and no start command were found",
        "Name one: --app module:attribute (e.g. --app main:app), or --start-command 'COMMAND' that listens on $PORT; "
        "with --port none for a worker without HTTP.",
    )


def _served(application: Application) -> str:
    base = shlex.quote(application.base) if application.base else ""
    if application.framework.protocol == "asgi" or application.file.endswith("asgi.py"):
        factory = " --factory" if application.is_factory else ""
        folder = f" --app-dir {base}" if base else ""
        target = shlex.quote(application.target)
        return f"/app/venv/bin/python -m uvicorn {target} --host 127.0.0.1 --port $PORT{folder}{factory}"
    # `src` is a layout: people run it from above. Any other folder is where they would stand.
    folder = f" --pythonpath {base}" if application.base == "src" else f" --chdir {base}" if base else ""
    called = "()" if application.is_factory and "(" not in application.target else ""
    return f"/app/venv/bin/gunicorn --bind {BIND}{folder} {shlex.quote(application.target + called)}"


def _missing(command: str, manifest: Manifest) -> str | None:
    for server in ("gunicorn", "uvicorn", "hypercorn", "daphne", "waitress"):
        if re.search(rf"\b{server}\b", command):
            # A gunicorn with uvicorn's workers names both: the first is the program.
            return None if manifest.find(server) else server
    return None


def _evidence(command: str, rule: str, file: str = "", line: int = 0, others: tuple[str, ...] = ()) -> Evidence:
    return Evidence(fact="start_command", value=command, file=file, line=line, rule=rule, alternatives=others)
