"""The trial: an archive boots in a container without a network; what it answered goes out, or why it did not."""

from __future__ import annotations

import io
import json
import re
import shutil
from collections import deque
from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path
from typing import Any, BinaryIO

from autodeploy.adapters.build import failures
from autodeploy.adapters.build.container import Container, Limits
from autodeploy.errors import TrialError
from autodeploy.model import BuildArtifact, TechStack, scratch_database
from autodeploy.ports import Say

SETTLE_SECONDS = 5
_READ_ONLY = re.compile(
    r"(?i)read-only file system|unable to open database file|readonly database|permission denied: '/app"
)
# The trial's password is right: what a server of MariaDB's (or MySQL's) kind refuses is a connection without TLS.
_WITHOUT_TLS = re.compile(r"Access denied for user 'app'@|insecure transport|no pg_hba.conf entry|no encryption")
_TLS_EXAMPLES = {
    ("python", "postgresql"): 'sslmode="require"',
    ("nodejs", "postgresql"): "ssl: true",
    ("python", "mysql"): 'ssl={"ca": os.environ["MYSQL_SSL_CA"]}',
    ("nodejs", "mysql"): "ssl: { ca: fs.readFileSync(process.env.MYSQL_SSL_CA) }",
}
PATIENCE_SECONDS = 15
_START_OVER = 120
"""Seconds that unpacking, database and migrations may take on top of the wait for an answer."""


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
    ) -> str:
        """Boot and return what was seen; raise TrialError."""
        say(f"Starting the application without a network{_company(stack)}")
        order = self._order(stack, environment)
        lines: deque[str] = deque(maxlen=failures.LAST_LINES)
        output = io.BytesIO()
        script = files(__package__).joinpath("boot.py").read_text("utf-8")
        seconds = 3 * self._limits.trial_seconds + _START_OVER
        inner = ["timeout", "--kill-after=5", str(seconds + 30), "python3", "-I", "-c", script]
        ended = self._container.run(
            self._container.command(image, ["--network", "none"], inner),
            lambda stream: _feed(stream, order, Path(artifact.path)),
            lines.append,
            output,
            seconds,
        )
        if ended.timed_out:
            raise _failure(stack, {"outcome": "silent", "ports": [], "lines": list(lines)}, self._limits)
        try:
            result = json.loads(output.getvalue())
        except ValueError as err:
            raise failures.engine_failed(ended.code, list(lines)) from err
        if result["outcome"] == "answered":
            return f"HTTP {result['status']} on {stack.health_check_path} after {result['seconds']} s"
        if result["outcome"] == "running":
            return f"still running after {result['seconds']} s"
        raise _failure(stack, result, self._limits)

    def _order(self, stack: TechStack, environment: Mapping[str, str]) -> dict[str, Any]:
        port = dict.fromkeys(("PORT", stack.port_env or "PORT"), str(stack.port)) if stack.is_web_service else {}
        # Without its database a migration can only fail: other engines have no stand-in here.
        database = scratch_database(stack)
        migrate = stack.migration_command if database or not stack.requires_database else None
        return {
            "start": stack.start_command,
            "migrate": migrate,
            "environment": {**environment, **port},
            "port": stack.port,
            "path": stack.health_check_path,
            "web": stack.is_web_service,
            "database": database and database.model_dump(),
            "seconds": self._limits.trial_seconds,
            "settle": SETTLE_SECONDS,
            "patience": PATIENCE_SECONDS,
        }


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


def _failure(stack: TechStack, result: Mapping[str, Any], limits: Limits) -> TrialError:
    lines = [str(line) for line in result["lines"]]
    message, remediation = _explanation(stack, result, limits)
    if _READ_ONLY.search("\n".join(lines)):
        remediation = (
            "It tried to write where it may not: its own folder is read-only and changes with every release. Let it "
            "write below its home, /var/lib/app, for example by a variable: --env NAME=/var/lib/app/…"
        )
    if _WITHOUT_TLS.search("\n".join(lines)):
        remediation = (
            "Its driver did not use TLS, without which the database lets nobody in, here as in the cloud. Let it use "
            f"TLS{_tls_example(stack)}, or take DATABASE_URL, which says so."
        )
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
            f"the application answers {stack.health_check_path} with HTTP {result['status']}",
            "Read its last lines; correct the error, or name another page with --health-check-path.",
        )
    ports = ", ".join(str(port) for port in result["ports"])
    elsewhere = f"; it listens on {ports} instead" if ports else f" within {limits.trial_seconds} s"
    return (
        f"the application did not answer on {wanted}{elsewhere}",
        "Let it bind to 127.0.0.1:$PORT (PORT is in its environment), or name its port with --port.",
    )
