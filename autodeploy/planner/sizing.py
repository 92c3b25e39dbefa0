"""Sizes a deployment by the design document: instance type by language, one small database. Decides nothing else."""

from __future__ import annotations

from autodeploy.model import DatabaseEngine, DatabasePlan, DatabaseType, Language

_INSTANCE_TYPES: dict[Language, str] = {"nodejs": "t3.small", "python": "t3.small", "go": "t3.micro"}
INSTANCE_TYPES = tuple(sorted(set(_INSTANCE_TYPES.values())))
"""All that a language may be given."""
_ENGINES: dict[DatabaseType, DatabaseEngine] = {"postgresql": "postgres", "mysql": "mysql", "mariadb": "mariadb"}
_PORTS: dict[DatabaseEngine, int] = {"postgres": 5432, "mysql": 3306, "mariadb": 3306}
_VERSIONS: dict[DatabaseEngine, str] = {"postgres": "15", "mysql": "8.0", "mariadb": "10.11"}
"""Where the account's facts name no version: the major version alone, and RDS chooses the minor."""


def instance_type(language: Language, chosen: str | None = None) -> str:
    """Return the EC2 instance type: the operator's choice, else what the language needs."""
    return chosen or _INSTANCE_TYPES[language]


def engine_of(database: DatabaseType) -> DatabaseEngine | None:
    """Return RDS's engine for a database type; None where RDS has none."""
    return _ENGINES.get(database)


def database(engine: DatabaseEngine, versions: dict[DatabaseEngine, str]) -> DatabasePlan:
    """Return the database: db.t3.micro, 20 GB gp2, 7 days of backups."""
    return DatabasePlan(engine=engine, engine_version=versions.get(engine, _VERSIONS[engine]), port=_PORTS[engine])
