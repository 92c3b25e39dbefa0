"""Tells which database the application needs: its production drivers, and what decides among them. Connects to none."""

from __future__ import annotations

import re
from collections.abc import Mapping

from autodeploy.analyser import hints
from autodeploy.analyser.database import decided, overridden
from autodeploy.analyser.python.code import modules
from autodeploy.analyser.python.django import Project
from autodeploy.analyser.python.manifest import Manifest
from autodeploy.analyser.python.requirements import Dependency
from autodeploy.analyser.tree import Tree
from autodeploy.model import DatabaseType, Evidence, Unknown

DRIVERS: dict[str, DatabaseType] = {
    "psycopg2-binary": "postgresql",
    "psycopg2": "postgresql",
    "psycopg": "postgresql",
    "psycopg-binary": "postgresql",
    "psycopg-c": "postgresql",
    "psycopg2cffi": "postgresql",
    "asyncpg": "postgresql",
    "pg8000": "postgresql",
    "aiopg": "postgresql",
    "psqlpy": "postgresql",
    "asyncpgsa": "postgresql",
    "pymysql": "mysql",
    "mysqlclient": "mysql",
    "mysql-connector-python": "mysql",
    "mysql-connector": "mysql",
    "aiomysql": "mysql",
    "asyncmy": "mysql",
    "flask-mysqldb": "mysql",
    "mariadb": "mariadb",
    "pymongo": "mongodb",
    "motor": "mongodb",
    "mongoengine": "mongodb",
    "beanie": "mongodb",
    "odmantic": "mongodb",
    "umongo": "mongodb",
    "flask-pymongo": "mongodb",
    "flask-mongoengine": "mongodb",
    "djongo": "mongodb",
    "django-mongodb-backend": "mongodb",
}
_EXTRAS: dict[str, DatabaseType] = {
    **dict.fromkeys(("postgres", "postgresql", "asyncpg", "psycopg", "psycopg2", "aiopg", "pg"), "postgresql"),
    **dict.fromkeys(("mysql", "aiomysql", "asyncmy", "pymysql"), "mysql"),
}
_BY_EXTRAS = frozenset(
    {
        "piccolo",
        "databases",
        "tortoise-orm",
        "sqlalchemy",
        "ormar",
        "gino",
        "saffier",
        "edgy",
        "sqlalchemy-utils",
        "aerich",
    }
)
"""Packages that bring a driver by an extra."""

_WRAPPER = re.compile(
    r"^(?:litestar|fastapi|starlette|aiohttp|sanic|quart|flask|tornado|django)-(?P<driver>[a-z0-9]+)$"
)
"""Packages that bring a driver to a framework, and are called after both."""

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
_URL = re.compile(
    r"(?<![\w+])(?P<kind>postgres(?:ql)?|mysql|mariadb|mongodb|asyncpg)(?:\+\w+)?://(?!.*\b(?:test|pytest)\b)"
    r"|\b(?P<dsn>PostgresDsn|MySQLDsn|MariaDBDsn|MongoDsn)\b|django\.db\.backends\.(?P<engine>postgresql|mysql)"
)
_KINDS: dict[str, DatabaseType] = {
    "postgres": "postgresql",
    "postgresql": "postgresql",
    "asyncpg": "postgresql",
    "mysql": "mysql",
    "mariadb": "mariadb",
    "mongodb": "mongodb",
    "PostgresDsn": "postgresql",
    "MySQLDsn": "mysql",
    "MariaDBDsn": "mariadb",
    "MongoDsn": "mongodb",
}
_Answer = tuple[DatabaseType | None, list[Evidence], list[Unknown]]


def detect_database(tree: Tree, manifest: Manifest, project: Project | None, overrides: Mapping[str, str]) -> _Answer:
    """Return the database type, None where none is needed, why, and what is left open."""
    found = _drivers(manifest)
    if "database_type" in overrides:
        kind, because = overridden(overrides["database_type"])
        fitting = {name: item for name, item in found.items() if kind and _family(_kind(name, item)) == _family(kind)}
        return kind, [*because, *_dialect(manifest, fitting)], []
    engines = project.engines() if project else []
    if engines and all(engine == "sqlite3" for engine, _ in engines):
        where = tree.where(project.settings) if project and project.settings else ""
        sqlite = Evidence(fact="database_type", value="none", file=where, line=engines[0][1], rule="django-engine")
        return None, [sqlite.but(alternatives=tuple(found))], []
    if not found:
        return _by_engine(engines) or (None, [Evidence(fact="database_type", value="none", rule="no-driver")], [])
    spoken = [_evidence("database_type", _kind(name, item), item, "driver-package") for name, item in found.items()]
    told = [_spoken(_KINDS[engine], "django-engine") for engine, _ in engines if engine in _KINDS]
    told += hints.databases(tree)
    if len({_family(item.value) for item in spoken}) > 1:
        told += _addresses(tree)
    kind, why, unknowns = decided(spoken, told)
    same = {name: item for name, item in found.items() if _family(_kind(name, item)) == _family(kind)}
    return kind, [why, *_dialect(manifest, same)], unknowns


def _by_engine(engines: list[tuple[str, int]]) -> _Answer | None:
    """Return the database that Django's settings name and nothing else, though its driver is not declared."""
    kinds = {engine for engine, _ in engines if engine != "url"}
    if len(kinds) != 1 or not kinds <= _KINDS.keys():
        return None
    kind = _KINDS[kinds.pop()]
    return kind, [_spoken(kind, "django-engine").but(confidence="likely")], []


def _spoken(kind: DatabaseType, rule: str) -> Evidence:
    return Evidence(fact="database_type", value=kind, rule=rule)


def _addresses(tree: Tree) -> list[Evidence]:
    """Return the kinds of database that the code names in addresses and declared types, the most frequent first."""
    found = [match for path in modules(tree) for match in _URL.finditer(tree.read(path))]
    kinds = [_KINDS[match["kind"] or match["dsn"] or match["engine"]] for match in found]
    return [_spoken(kind, "address") for kind in sorted(dict.fromkeys(kinds), key=lambda kind: -kinds.count(kind))]


def _drivers(manifest: Manifest) -> dict[str, Dependency]:
    found = {driver: item for driver in DRIVERS if (item := manifest.find(driver)) is not None}
    for item in manifest.dependencies:
        if item.name in _BY_EXTRAS and item.extras & set(_EXTRAS) and item.name not in found:
            found[item.name] = item
        elif (match := _WRAPPER.match(item.name)) and match["driver"] in DRIVERS:
            found.setdefault(match["driver"], item)
    return found


def _kind(name: str, item: Dependency) -> DatabaseType:
    if name in DRIVERS:
        return DRIVERS[name]
    return _EXTRAS[min(item.extras & set(_EXTRAS))]


def _family(kind: str) -> str:
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
