"""What every language shares about databases: the flag, and which variables hold which part of the address."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import get_args

from autodeploy.analyser.failures import refusal
from autodeploy.model import DatabaseType, EnvironmentVariable, Evidence, Unknown

_FILLED = frozenset({"database_variable", "allowed_hosts_variable"})
_PARTS = {
    "url": r"(?:SERVER_)?URL|URI|DSN|CONN(?:ECTION)?(?:_STR(?:ING)?|_URL|_URI)?",
    "host": r"(?:SERVICE_)?HOST|HOSTNAME|SERVER|ADDRESS|ENDPOINT",
    "port": r"(?:SERVICE_)?PORT",
    "name": r"(?:STORE)?NAME|DB|DATABASE|DBNAME|DB_NAME|DATABASE_NAME",
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


def decided(found: Sequence[Evidence], told: Sequence[Evidence]) -> tuple[DatabaseType, Evidence, list[Unknown]]:
    """Return the database among those that the code speaks to, `found`, the likeliest first.

    Of several, files beside the code tell which: `told`. MariaDB speaks MySQL's protocol, so that a driver of MySQL
    and a server of MariaDB agree. Where nothing tells, the first is taken and the choice is left open.
    """
    kinds = tuple(dict.fromkeys(item.value for item in found))
    hint = next((hint for hint in told if _driven(hint.value) in map(_driven, kinds)), None)
    first = next((item for item in found if hint is None or _driven(item.value) == _driven(hint.value)), found[0])
    kind: DatabaseType = "mariadb" if hint and hint.value == "mariadb" else _known(first.value)
    others = tuple(value for value in dict.fromkeys((*kinds, *(item.value for item in told))) if value != kind)
    chosen = first.but(value=kind, alternatives=others)
    if len(kinds) == 1 or hint is not None:
        return kind, chosen, []
    message = f"the code has drivers for {', '.join(kinds)}, and nothing says which database is used"
    unknown = Unknown(fact="database_type", message=message, choices=kinds, flag="--database-type")
    return kind, chosen.but(confidence="likely"), [unknown]


def _driven(kind: str) -> str:
    return "mysql" if kind == "mariadb" else kind


def _known(value: str) -> DatabaseType:
    return next(name for name in get_args(DatabaseType) if name == value)


def variable_part(name: str, database: DatabaseType) -> str | None:
    """Return which part of the database's address a variable holds.

    The parts: url, host, port, name, user, password, engine, sslmode, ssl (whether TLS is used), and ca, the file
    that its certificate is verified with.
    """
    named = rf"DB|DATABASE|SQL|SQLALCHEMY|SQLALCHEMY_DATABASE|TYPEORM|RDS|{_PREFIXES[database]}"
    prefixes = rf"(?:(?:APP|DJANGO|FLASK|FASTAPI|ASYNC|PROD|PRODUCTION)_)?(?:{named})"
    for part, suffixes in _PARTS.items() if name != "TYPEORM_CONNECTION" else ():  # that one is the dialect
        if re.fullmatch(rf"{prefixes}_?(?:{suffixes})", name.upper()):
            return part if part != "sslmode" or database == "postgresql" else None
    return None


def database_variables(
    environment: list[EnvironmentVariable], database: DatabaseType | None, told: Sequence[Evidence] = ()
) -> list[Evidence]:
    """Name the variables, other than DATABASE_URL, that AutoDeploy fills from the database's address: `NAME=part`.

    `told` are those that a platform's file fills so, whatever they are called.
    """
    if database is None:
        return []
    by_name = {item.value.partition("=")[0]: item for item in told}
    parts = [(variable, variable_part(variable.name, database)) for variable in environment]
    bare = _bare(database, {part for _, part in parts})
    parts = [(item, bare if item.name in {"DATABASE", "DB"} else part) for item, part in parts]
    by_name.pop("DATABASE_URL", None)
    return [*by_name.values()] + [
        Evidence(fact="database_variable", value=f"{item.name}={part}", file=item.file, line=item.line, rule="by-name")
        for item, part in parts
        if part and item.name != "DATABASE_URL" and item.name not in by_name
    ]


def _bare(database: DatabaseType, parts: set[str | None]) -> str | None:
    """Return what a variable holds that is called DATABASE alone: MongoDB's address, or a name beside a user's."""
    if database == "mongodb" and "host" not in parts:
        return None if "url" in parts else "url"
    return "name" if "name" not in parts and {"host", "user", "password"} & parts else None


def asked(variables: list[EnvironmentVariable], told: list[Evidence]) -> tuple[EnvironmentVariable, ...]:
    """Ask nobody for what AutoDeploy fills in: the parts of the database's address, and Django's hosts."""
    filled = {item.value.partition("=")[0] for item in told if item.fact in _FILLED}
    return tuple(item.but(required=False, generated=False) if item.name in filled else item for item in variables)
