"""The trial: an archive boots in a container without a network; what was seen of it goes out, or why it did not."""

from __future__ import annotations

import io
import json
import shutil
from collections import deque
from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path
from typing import Any, BinaryIO

from autodeploy.adapters.build import causes, failures
from autodeploy.adapters.build.container import Container, Limits
from autodeploy.errors import TrialError
from autodeploy.model import BuildArtifact, Sighting, TechStack, insisted, is_certain, scratch_database
from autodeploy.ports import Say

SETTLE_SECONDS = 5
PATIENCE_SECONDS = 12
_START_OVER = 120
"""Seconds that unpacking, database and migrations may take on top of the wait for an answer."""

_MOST_PAGES = 12
_TLS_EXAMPLES = {
    ("python", "postgresql"): 'sslmode="require"',
    ("nodejs", "postgresql"): "ssl: true",
    ("python", "mysql"): 'ssl={"ca": os.environ["MYSQL_SSL_CA"]}',
    ("nodejs", "mysql"): "ssl: { ca: fs.readFileSync(process.env.MYSQL_SSL_CA) }",
}


class Trial:
    """One trial in one container."""

    def __init__(self, container: Container, limits: Limits) -> None:
        self._container = container
        self._limits = limits

    def run(
        self,
        image: str,
        artifact: BuildArtifact,
        stack: TechStack,
        environment: Mapping[str, str],
        say: Say,
    ) -> Sighting:
        """Boot and return what was seen; raise TrialError."""
        say(f"Starting the application without a network{_company(stack)}")
        order = self._order(artifact, stack, environment)
        lines: deque[str] = deque(maxlen=failures.LAST_LINES)
        output = io.BytesIO()
        seconds = 3 * self._limits.trial_seconds + _START_OVER
        inner = ["timeout", "--kill-after=5", str(seconds + 30), "python3", "-I", "-c", program()]
        ended = self._container.run(
            self._container.command(image, ["--network", "none"], inner),
            lambda stream: _feed(stream, order, Path(artifact.path)),
            lines.append,
            output,
            seconds,
        )
        if ended.timed_out:
            raise _failure(stack, {"outcome": "silent", "lines": list(lines)}, self._limits, environment)
        try:
            result = json.loads(output.getvalue())
        except ValueError as err:
            raise failures.engine_failed(ended.code, list(lines)) from err
        if result["outcome"] in {"answered", "running"} or _may_be_a_worker(stack, result):
            told = {name: result[name] for name in Sighting.model_fields if name in result}
            return Sighting.model_validate({**told, "outcome": "answered" if "status" in result else "running"})
        raise _failure(stack, result, self._limits, environment)

    def _order(self, artifact: BuildArtifact, stack: TechStack, environment: Mapping[str, str]) -> dict[str, Any]:
        port = dict.fromkeys(("PORT", stack.port_env or "PORT"), str(stack.port)) if stack.is_web_service else {}
        # Without its database a migration can only fail: other engines have no stand-in here.
        database = scratch_database(stack)
        migrate = stack.migration_command if database or not stack.requires_database else None
        return {
            "start": artifact.start_command or stack.start_command,
            "migrate": migrate,
            "environment": {**environment, **port},
            "port": stack.port,
            "paths": _pages(stack),
            "web": stack.is_web_service,
            "elsewhere": _may_listen_elsewhere(stack),
            "database": database and database.model_dump(),
            "seconds": self._limits.trial_seconds,
            "settle": SETTLE_SECONDS,
            "patience": PATIENCE_SECONDS,
        }


def program() -> str:
    """Return what runs in the container: boot.py and its parts as one text, which imports nothing of ours."""
    head, *rest = "from __future__ import annotations\n", *("databases.py", "watching.py", "boot.py")
    texts = (files(__package__).joinpath(name).read_text("utf-8") for name in rest)
    ours = ("from autodeploy.", "from __future__ ")
    return head + "".join(
        line for text in texts for line in text.splitlines(keepends=True) if not line.startswith(ours)
    )


def _pages(stack: TechStack) -> list[str]:
    """Return the pages to ask, in order: what was taken for the health page, other routes that are known, the root."""
    if insisted(stack, "health_check_path"):
        return [stack.health_check_path]
    known = [path for item in stack.evidence if item.fact == "health_check_path" for path in item.alternatives]
    plain = [path for path in known if path.startswith("/") and not set(path) & set("<>{}:*$ ")]
    return list(dict.fromkeys((stack.health_check_path, *plain[:_MOST_PAGES], "/")))


def _may_listen_elsewhere(stack: TechStack) -> bool:
    """Tell whether another port than the expected one counts; a certain worker's may show its metrics."""
    is_open = stack.is_web_service or not is_certain(stack, "is_web_service")
    return is_open and not insisted(stack, "port")


def _may_be_a_worker(stack: TechStack, result: Mapping[str, Any]) -> bool:
    """Tell whether what goes on and listens nowhere may be a worker: nothing speaks for a web application."""
    guessed = stack.framework is None and not is_certain(stack, "is_web_service") and not insisted(stack, "port")
    return result["outcome"] == "silent" and result.get("sockets") == [] and guessed


def _company(stack: TechStack) -> str:
    scratch = scratch_database(stack)
    if scratch is None:
        return ""
    name = {"postgres": "PostgreSQL", "mariadb": "MariaDB"}[scratch.engine]
    return f", beside a {name} of its own{' in the place of MySQL' if stack.database_type == 'mysql' else ''}"


def _feed(stream: BinaryIO, order: Mapping[str, Any], archive: Path) -> None:
    stream.write(json.dumps(order).encode() + b"\n")
    with archive.open("rb") as file:
        shutil.copyfileobj(file, stream, 1 << 18)


def _failure(stack: TechStack, result: Mapping[str, Any], limits: Limits, environment: Mapping[str, str]) -> TrialError:
    lines = [str(line) for line in result["lines"]]
    message, remediation = _explanation(stack, result, limits)
    said = causes.joined(lines)
    missing = causes.missing_variables(said, {*environment, "PORT", stack.port_env or ""})
    cause = causes.likely_cause(said, result.get("code") in {137, -9}, _tls_example(stack))
    if missing and result["outcome"] != "unwell":
        message = f"{message}: it needs {', '.join(missing)}"
        remediation = f"Give what it misses: {' '.join(f'--env {name}=…' for name in missing)}"
    elif cause:
        message, remediation = f"{message}: {cause.what}", cause.remedy
    return TrialError(
        message,
        remediation,
        agent=failures.AGENT,
        context=f"Starting the built application with: {stack.start_command}",
        output="\n".join(lines[-failures.LAST_LINES :]),
    )


def _tls_example(stack: TechStack) -> str:
    kind = "postgresql" if stack.database_type == "postgresql" else "mysql"
    example = _TLS_EXAMPLES.get((stack.language, kind))
    return f", for example {example}" if example else ""


def _explanation(stack: TechStack, result: Mapping[str, Any], limits: Limits) -> tuple[str, str]:
    outcome, wanted = result["outcome"], f"port {stack.port}"
    if outcome == "exited" and not stack.is_web_service:
        return (
            f"the worker ended with exit code {result['code']} after {result['seconds']} s; a service goes on for ever",
            "Read its last lines; give what it misses with --env NAME=VALUE, or name another command with "
            "--start-command. If it answers HTTP, name its port with --port.",
        )
    if outcome == "exited":
        return (
            f"the application ended with exit code {result['code']} before it answered on {wanted}",
            "Read its last lines; give what it misses with --env NAME=VALUE, or another command with --start-command.",
        )
    if outcome == "migration":
        return (
            f"the migration failed with exit code {result['code']}: {stack.migration_command}",
            "Run the migration against an empty database on your machine and correct it.",
        )
    if outcome == "unwell":
        return (
            f"the application answers {result['path']} with HTTP {result['status']}",
            "Read its last lines; correct the error, or name another page with --health-check-path.",
        )
    return _silence(stack, list(result.get("sockets", ())), limits)


def _silence(stack: TechStack, sockets: list[str], limits: Limits) -> tuple[str, str]:
    """Say where an application listens that did not answer where it was asked."""
    wanted = f"port {stack.port}"
    here = [socket for socket in sockets if socket.endswith(f":{stack.port}")]
    if any(socket.startswith(("0.0.0.0:", "127.0.0.1:", "[::]:", "[::1]:")) for socket in here):
        return (
            f"the application listens on {wanted} but answers no HTTP there within {limits.trial_seconds} s",
            "Let it answer plain HTTP (TLS is the balancer's work), or name the port that does: --port",
        )
    if here:
        hosts = [variable.name for variable in stack.environment if variable.name in {"HOST", "HOSTNAME", "BIND"}]
        example = f", for example by --env {hosts[0]}=127.0.0.1" if hosts else ""
        return (
            f"the application listens on {', '.join(here)} only, where no proxy finds it",
            f"Let it bind to 127.0.0.1 or 0.0.0.0{example}.",
        )
    elsewhere = f"; it listens on {', '.join(sockets)} instead" if sockets else f" within {limits.trial_seconds} s"
    return (
        f"the application did not answer on {wanted}{elsewhere}",
        "Let it bind to 127.0.0.1:$PORT (PORT is in its environment), or name its port with --port.",
    )
