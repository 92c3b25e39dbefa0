"""TechStack, given values and DatabaseAccess in; the application's environment out. Never writes or encrypts it."""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping
from urllib.parse import quote

from pydantic import Field

from autodeploy.errors import SettingsError
from autodeploy.model import Noun, TechStack

DATABASE_CA_PATH = "/etc/autodeploy/database-ca.pem"

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")


class DatabaseAccess(Noun):
    """A PostgreSQL server, its bootstrap user, and the application's own role. `ca_pem` verifies the server."""

    host: str
    port: int
    name: str
    master_username: str = Field(repr=False)
    master_password: str = Field(repr=False)
    app_password: str = Field(repr=False)
    ca_pem: str = Field(repr=False)
    app_username: str = "app"

    @property
    def url(self) -> str:
        """The application's DATABASE_URL.

        `postgresql://` because SQLAlchemy refuses `postgres://`. `sslmode=require` is understood by libpq (psycopg),
        asyncpg and dj-database-url alike; libpq makes it verify-ca when PGSSLROOTCERT names a CA, as it does here.
        """
        password = quote(self.app_password, safe="")
        return f"postgresql://{self.app_username}:{password}@{self.host}:{self.port}/{self.name}?sslmode=require"


def environment(
    stack: TechStack,
    given: Mapping[str, str],
    generated: Mapping[str, str],
    database: DatabaseAccess | None = None,
) -> dict[str, str]:
    """Return the application's whole environment but its port; raise SettingsError where a value is missing.

    `generated` holds the values AutoDeploy made for variables marked so. What is given wins.
    """
    values = dict(generated)
    if database is not None:
        values |= {"DATABASE_URL": database.url, "PGSSLROOTCERT": DATABASE_CA_PATH}
        parts = _database_parts(database)
        values |= {v.name: parts[v.name.upper()] for v in stack.environment if v.name.upper() in parts}
    values |= given
    for name in ("PORT", stack.port_env):
        values.pop(name or "", None)
    for name in values:
        if not _NAME.match(name):
            raise _refusal(f"{name!r} is not a name for an environment variable")
    missing = [v.name for v in stack.environment if v.required and v.name not in values and v.default is None]
    missing = [name for name in missing if name not in {"PORT", stack.port_env}]
    if missing:
        raise _refusal(f"the application needs {', '.join(missing)}", f"Give {missing[0]} with --env or --env-file.")
    return dict(sorted(values.items()))


def masked_environment(stack: TechStack, values: Mapping[str, str]) -> dict[str, str]:
    """Return the environment with `<secret>` for every value that is not known to be harmless."""
    harmless = {v.name for v in stack.environment if not (v.secret or v.generated)} | {"PGSSLROOTCERT"}
    secret = {"DATABASE_URL", *(n for n in values if re.search(r"(?i)pass|secret|token|key|credential|_url$", n))}
    return {name: value if name in harmless - secret else "<secret>" for name, value in values.items()}


def environment_text(values: Mapping[str, str]) -> str:
    """Return the environment as assignments that a POSIX shell reads."""
    return "".join(f"{name}={shlex.quote(value)}\n" for name, value in sorted(values.items()))


def _database_parts(database: DatabaseAccess) -> dict[str, str]:
    parts = {
        ("HOST", "HOSTNAME"): database.host,
        ("PORT",): str(database.port),
        ("NAME", "DB", "DATABASE"): database.name,
        ("USER", "USERNAME"): database.app_username,
        ("PASSWORD", "PASS"): database.app_password,
    }
    prefixes = ("DB_", "DATABASE_", "POSTGRES_", "POSTGRESQL_", "PG")
    return {
        f"{prefix}{suffix}": value for suffixes, value in parts.items() for suffix in suffixes for prefix in prefixes
    }


def _refusal(message: str, remediation: str = "Correct the name given with --env.") -> SettingsError:
    return SettingsError(message, remediation, context="Writing the application's environment")
