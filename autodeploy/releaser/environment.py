"""TechStack, given values and DatabaseAccess in; the application's environment out. Never writes or encrypts it."""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping, Sequence
from urllib.parse import quote

from pydantic import Field

from autodeploy.errors import SettingsError
from autodeploy.model import Noun, ScratchDatabase, TechStack

LOOPBACK = ("localhost", "127.0.0.1")
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

    def url(self, scheme: str = "postgresql") -> str:
        """Return the application's DATABASE_URL.

        `postgresql://` because SQLAlchemy refuses `postgres://`. `sslmode=require` is understood by libpq (psycopg),
        asyncpg and dj-database-url alike; libpq makes it verify-ca when PGSSLROOTCERT names a CA, as it does here.
        SQLAlchemy's asyncpg dialect alone calls the option `ssl`
        (https://docs.sqlalchemy.org/en/20/dialects/postgresql.html#module-sqlalchemy.dialects.postgresql.asyncpg).
        """
        password = quote(self.app_password, safe="")
        option = "ssl" if scheme.endswith("+asyncpg") else "sslmode"
        return f"{scheme}://{self.app_username}:{password}@{self.host}:{self.port}/{self.name}?{option}=require"


def environment(
    stack: TechStack,
    given: Mapping[str, str],
    generated: Mapping[str, str],
    database: DatabaseAccess | None = None,
    hosts: Sequence[str] = (),
) -> dict[str, str]:
    """Return the application's whole environment but its port; raise SettingsError where a value is missing.

    `generated` holds the values AutoDeploy made for variables marked so, `hosts` the names the application is
    reached by. What is given wins.
    """
    values = dict(generated)
    if database is not None:
        values |= _database_values(stack, database)
    values |= {name: ",".join(hosts) for name in _facts(stack, "allowed_hosts_variable") if hosts}
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


def trial_environment(stack: TechStack, given: Mapping[str, str], scratch: ScratchDatabase | None) -> dict[str, str]:
    """Return the environment of the application's trial: as on the host, but with the trial's own database.

    That database takes the place even of one that was given, which a trial without a network could not reach.
    """
    if scratch is None:
        return environment(stack, given, {}, None, LOOPBACK)
    access = DatabaseAccess(
        host=scratch.host,
        port=scratch.port,
        name=scratch.name,
        master_username="",
        master_password="",
        app_username=scratch.username,
        app_password=scratch.password,
        ca_pem="",
    )
    return environment(stack, {**given, **_database_values(stack, access)}, {}, None, LOOPBACK)


def masked_environment(stack: TechStack, values: Mapping[str, str]) -> dict[str, str]:
    """Return the environment with `<secret>` for every value that is not known to be harmless."""
    harmless = {v.name for v in stack.environment if not (v.secret or v.generated)} | {"PGSSLROOTCERT"}
    secret = {"DATABASE_URL", *(n for n in values if re.search(r"(?i)pass|secret|token|key|credential|_url$", n))}
    return {name: value if name in harmless - secret else "<secret>" for name, value in values.items()}


def environment_text(values: Mapping[str, str]) -> str:
    """Return the environment as assignments that a POSIX shell reads."""
    return "".join(f"{name}={shlex.quote(value)}\n" for name, value in sorted(values.items()))


def _database_values(stack: TechStack, database: DatabaseAccess) -> dict[str, str]:
    """Return the variables that lead to the database: the conventional ones, and those the application reads."""
    scheme = next(iter(_facts(stack, "database_url_scheme")), "postgresql")
    parts = {
        "url": database.url(scheme),
        "host": database.host,
        "port": str(database.port),
        "name": database.name,
        "user": database.app_username,
        "password": database.app_password,
    }
    read = (fact.partition("=") for fact in _facts(stack, "database_variable"))
    named = {name: parts[part] for name, _, part in read if part in parts}
    return {"DATABASE_URL": parts["url"], "PGSSLROOTCERT": DATABASE_CA_PATH, **named}


def _facts(stack: TechStack, fact: str) -> tuple[str, ...]:
    return tuple(evidence.value for evidence in stack.evidence if evidence.fact == fact)


def _refusal(message: str, remediation: str = "Correct the name given with --env.") -> SettingsError:
    return SettingsError(message, remediation, context="Writing the application's environment")
