"""Tells which database the application needs: by its driver packages, and by nothing else. Connects to nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from autodeploy.analyser.database import decided, overridden
from autodeploy.analyser.python.manifest import Manifest
from autodeploy.analyser.python.requirements import Dependency
from autodeploy.model import DatabaseType, Evidence

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


def detect_database(
    manifest: Manifest, overrides: Mapping[str, str], told: Sequence[Evidence] = ()
) -> tuple[DatabaseType | None, list[Evidence]]:
    """Return the database type, None where no driver is declared, and why. `told`: what files beside the code say."""
    found = {driver: item for driver in DRIVERS if (item := manifest.find(driver)) is not None}
    if "database_type" in overrides:
        kind, because = overridden(overrides["database_type"])
        fitting = {driver: item for driver, item in found.items() if kind and _family(DRIVERS[driver]) == _family(kind)}
        return kind, [*because, *_dialect(manifest, fitting)]
    if not found:
        return None, [Evidence(fact="database_type", value="none", rule="no-driver")]
    spoken = [_evidence("database_type", DRIVERS[name], item, "driver-package") for name, item in found.items()]
    decision, why, _ = decided(spoken, told)
    fitting = {driver: item for driver, item in found.items() if _family(DRIVERS[driver]) == _family(decision)}
    return decision, [why, *_dialect(manifest, fitting)]


def driver_packages(manifest: Manifest) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the Debian packages that the declared drivers need to build, and to run."""
    declared = [item for item in manifest.dependencies if item.name in PACKAGES and "binary" not in item.extras]
    build = {package for item in declared for package in PACKAGES[item.name][0]}
    run = {package for item in declared for package in PACKAGES[item.name][1]}
    if any("git+" in item.requirement for item in manifest.dependencies):
        build |= {"git", "ca-certificates"}
    return tuple(sorted(build)), tuple(sorted(run))


def _family(kind: DatabaseType) -> str:
    return "mysql" if kind == "mariadb" else kind


def _dialect(manifest: Manifest, found: Mapping[str, Dependency]) -> list[Evidence]:
    scheme = _scheme(manifest, list(found))
    return [_evidence("database_url_scheme", scheme, next(iter(found.values())), "dialect")] if scheme else []


def _scheme(manifest: Manifest, drivers: list[str]) -> str | None:
    if not any(manifest.find(name) for name in _SQLALCHEMY):
        return None
    if {"psycopg2", "psycopg2-binary", "mysqlclient"}.intersection(drivers):
        return None
    return next((_SCHEMES[driver] for driver in drivers if driver in _SCHEMES), None)


def _evidence(fact: str, value: str, item: Dependency, rule: str, others: tuple[str, ...] = ()) -> Evidence:
    return Evidence(fact=fact, value=value, file=item.file, line=item.line, rule=rule, alternatives=others)
