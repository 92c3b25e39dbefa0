"""What every language shares about databases: the flag, and which variables hold which part of the address."""

from __future__ import annotations

import re
from typing import get_args

from autodeploy.analyser.failures import refusal
from autodeploy.model import DatabaseType, EnvironmentVariable, Evidence

_PARTS = {
    "url": r"(?:SERVER_)?URL|URI|DSN|CONN(?:ECTION)?(?:_STR(?:ING)?|_URL|_URI)?",
    "host": r"(?:SERVICE_)?HOST|HOSTNAME|SERVER|ADDRESS|ENDPOINT",
    "port": r"(?:SERVICE_)?PORT",
    "name": r"NAME|DB|DATABASE|DBNAME|DB_NAME|DATABASE_NAME",
    "user": r"USER|USERNAME|LOGIN",
    "password": r"PASSWORD|PASS|PASSWD|PW",
    "engine": r"ENGINE|DIALECT",
    "sslmode": r"SSL_?MODE",
    "ssl": r"(?:USE_|ENABLE_|REQUIRE_)?(?:SSL|TLS)(?:_ENABLED|_REQUIRED)?",
    "ca": r"(?:(?:SSL|TLS)_?)?(?:CA(?:_(?:CERT|FILE|PATH|BUNDLE))?|ROOT_?CERT)",
}
_PREFIXES: dict[DatabaseType, str] = {
    "postgresql": r"POSTGRES|POSTGRESQL|PG|PSQL",
    "mysql": r"MYSQL|MARIADB",
    "mariadb": r"MYSQL|MARIADB",
    "mongodb": r"MONGO|MONGODB",
}


def overridden(value: str) -> tuple[DatabaseType | None, list[Evidence]]:
    """Return the database that the flag names, None for none; raise AnalysisError for one that is not known."""
    because = [Evidence(fact="database_type", value=value, rule="--database-type")]
    if value == "none":
        return None, because
    for name in get_args(DatabaseType):
        if value == name:
            return name, because
    raise refusal(
        f"the database type {value!r} is not known", f"Use one of: none, {', '.join(get_args(DatabaseType))}."
    )


def variable_part(name: str, database: DatabaseType) -> str | None:
    """Return which part of the database's address a variable holds.

    The parts: url, host, port, name, user, password, engine, sslmode, ssl (whether TLS is used), and ca, the file
    that its certificate is verified with.
    """
    named = rf"DB|DATABASE|SQL|SQLALCHEMY|SQLALCHEMY_DATABASE|RDS|{_PREFIXES[database]}"
    prefixes = rf"(?:(?:APP|DJANGO|FLASK|FASTAPI|ASYNC|PROD|PRODUCTION)_)?(?:{named})"
    for part, suffixes in _PARTS.items():
        if re.fullmatch(rf"{prefixes}_?(?:{suffixes})", name):
            return part if part != "sslmode" or database == "postgresql" else None
    return None


def database_variables(environment: list[EnvironmentVariable], database: DatabaseType | None) -> list[Evidence]:
    """Name the variables, other than DATABASE_URL, that AutoDeploy fills from the database's address: `NAME=part`."""
    if database is None:
        return []
    parts = [(variable, variable_part(variable.name, database)) for variable in environment]
    return [
        Evidence(fact="database_variable", value=f"{item.name}={part}", file=item.file, line=item.line, rule="by-name")
        for item, part in parts
        if part and item.name != "DATABASE_URL"
    ]
