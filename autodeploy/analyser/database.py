"""Tells which database the application needs: by its driver packages, and by nothing else. Connects to nothing."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import get_args

from autodeploy.analyser.failures import refusal
from autodeploy.analyser.manifest import Manifest
from autodeploy.analyser.requirements import Dependency
from autodeploy.model import DatabaseType, EnvironmentVariable, Evidence

DRIVERS: dict[str, DatabaseType] = {
    "psycopg2-binary": "postgresql",
    "psycopg2": "postgresql",
    "psycopg": "postgresql",
    "psycopg-binary": "postgresql",
    "asyncpg": "postgresql",
    "pg8000": "postgresql",
    "aiopg": "postgresql",
    "pymysql": "mysql",
    "mysqlclient": "mysql",
    "mysql-connector-python": "mysql",
    "aiomysql": "mysql",
    "asyncmy": "mysql",
    "mariadb": "mariadb",
    "pymongo": "mongodb",
    "motor": "mongodb",
    "mongoengine": "mongodb",
}

_SCHEMES = {
    "asyncpg": "postgresql+asyncpg",
    "psycopg": "postgresql+psycopg",
    "pg8000": "postgresql+pg8000",
    "pymysql": "mysql+pymysql",
    "mysql-connector-python": "mysql+mysqlconnector",
    "aiomysql": "mysql+aiomysql",
    "asyncmy": "mysql+asyncmy",
    "mariadb": "mariadb+mariadbconnector",
}
"""SQLAlchemy's dialects where the bare scheme would load another driver
(https://docs.sqlalchemy.org/en/20/core/engines.html)."""

_SQLALCHEMY = ("sqlalchemy", "flask-sqlalchemy", "sqlmodel", "flask-migrate", "databases", "alembic")

PACKAGES: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "psycopg2": (("gcc", "libc6-dev", "libpq-dev", "python3-dev"), ("libpq5",)),
    "psycopg": ((), ("libpq5",)),
    "mysqlclient": (("default-libmysqlclient-dev", "gcc", "libc6-dev", "pkg-config", "python3-dev"), ("libmariadb3",)),
    "mariadb": (("gcc", "libc6-dev", "libmariadb-dev", "python3-dev"), ("libmariadb3",)),
}
"""Debian packages that a driver needs to build, and to run."""

_PARTS = {
    "url": r"URL|URI|DSN|CONNECTION_STRING",
    "host": r"HOST|HOSTNAME|SERVER|ADDRESS|ENDPOINT",
    "port": r"PORT",
    "name": r"NAME|DB|DATABASE|DBNAME|DB_NAME|DATABASE_NAME",
    "user": r"USER|USERNAME|LOGIN",
    "password": r"PASSWORD|PASS|PASSWD|PW",
    "engine": r"ENGINE|DIALECT",
}
_PREFIXES: dict[DatabaseType, str] = {
    "postgresql": r"POSTGRES|POSTGRESQL|PG|PSQL",
    "mysql": r"MYSQL",
    "mariadb": r"MARIADB|MYSQL",
    "mongodb": r"MONGO|MONGODB",
}


def detect_database(manifest: Manifest, overrides: Mapping[str, str]) -> tuple[DatabaseType | None, list[Evidence]]:
    """Return the database type, None where no driver is declared, and why."""
    if "database_type" in overrides:
        return _overridden(overrides["database_type"])
    found = {driver: item for driver in DRIVERS if (item := manifest.find(driver)) is not None}
    if not found:
        return None, [Evidence(fact="database_type", value="none", rule="no-driver")]
    driver, item = next(iter(found.items()))
    others = tuple(name for name in found if DRIVERS[name] != DRIVERS[driver])
    because = _evidence("database_type", DRIVERS[driver], item, "driver-package", others)
    scheme = _scheme(manifest, list(found))
    return DRIVERS[driver], [because, *([_evidence("database_url_scheme", scheme, item, "dialect")] if scheme else [])]


def variable_part(name: str, database: DatabaseType) -> str | None:
    """Return which part of the database's address a variable holds (url, host, port, name, user, password, engine)."""
    named = rf"DB|DATABASE|SQL|SQLALCHEMY|SQLALCHEMY_DATABASE|RDS|{_PREFIXES[database]}"
    prefixes = rf"(?:(?:APP|DJANGO|FLASK|FASTAPI|ASYNC|PROD|PRODUCTION)_)?(?:{named})"
    for part, suffixes in _PARTS.items():
        if re.fullmatch(rf"{prefixes}_?(?:{suffixes})", name):
            return part
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


def driver_packages(manifest: Manifest) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the Debian packages that the declared drivers need to build, and to run."""
    declared = [item for item in manifest.dependencies if item.name in PACKAGES and "binary" not in item.extras]
    build = {package for item in declared for package in PACKAGES[item.name][0]}
    run = {package for item in declared for package in PACKAGES[item.name][1]}
    if any("git+" in item.requirement for item in manifest.dependencies):
        build |= {"git", "ca-certificates"}
    return tuple(sorted(build)), tuple(sorted(run))


def _scheme(manifest: Manifest, drivers: list[str]) -> str | None:
    if not any(manifest.find(name) for name in _SQLALCHEMY):
        return None
    if {"psycopg2", "psycopg2-binary", "mysqlclient"}.intersection(drivers):
        return None
    return next((_SCHEMES[driver] for driver in drivers if driver in _SCHEMES), None)


def _overridden(value: str) -> tuple[DatabaseType | None, list[Evidence]]:
    because = [Evidence(fact="database_type", value=value, rule="--database-type")]
    if value == "none":
        return None, because
    for name in get_args(DatabaseType):
        if value == name:
            return name, because
    raise refusal(
        f"the database type {value!r} is not known", f"Use one of: none, {', '.join(get_args(DatabaseType))}."
    )


def _evidence(fact: str, value: str, item: Dependency, rule: str, others: tuple[str, ...] = ()) -> Evidence:
    return Evidence(fact=fact, value=value, file=item.file, line=item.line, rule=rule, alternatives=others)
