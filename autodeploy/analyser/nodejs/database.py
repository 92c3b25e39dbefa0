"""Tells which database the application needs: by its drivers, and for Prisma by its schema. Connects to nothing."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from autodeploy.analyser import hints
from autodeploy.analyser.database import decided, overridden
from autodeploy.analyser.nodejs.manifest import Manifest
from autodeploy.analyser.tree import Tree
from autodeploy.model import DatabaseType, Evidence

DRIVERS: dict[str, DatabaseType] = {
    "pg": "postgresql",
    "pg-promise": "postgresql",
    "pg-native": "postgresql",
    "postgres": "postgresql",
    "slonik": "postgresql",
    "@mikro-orm/postgresql": "postgresql",
    "@prisma/adapter-pg": "postgresql",
    "mysql2": "mysql",
    "mysql": "mysql",
    "@mikro-orm/mysql": "mysql",
    "mariadb": "mariadb",
    "@mikro-orm/mariadb": "mariadb",
    "mongodb": "mongodb",
    "mongoose": "mongodb",
    "mongoist": "mongodb",
    "@typegoose/typegoose": "mongodb",
    "@mikro-orm/mongodb": "mongodb",
    "parse-server": "mongodb",
}
"""Packages that speak to one database; sqlite's need no server."""

_PROVIDERS: dict[str, DatabaseType | None] = {
    "postgresql": "postgresql",
    "postgres": "postgresql",
    "mysql": "mysql",
    "mongodb": "mongodb",
    "sqlite": None,
}


def detect_database(
    tree: Tree, manifest: Manifest, overrides: Mapping[str, str]
) -> tuple[DatabaseType | None, list[Evidence]]:
    """Return the database type, None where none is needed, and why."""
    if "database_type" in overrides:
        return overridden(overrides["database_type"])
    schemas = list(_prisma(tree, manifest))
    if schemas:
        kind, because = schemas[0]
        return kind, [because]
    found = [driver for driver in DRIVERS if driver in manifest.dependencies]
    if not found:
        return None, [Evidence(fact="database_type", value="none", rule="no-driver")]
    spoken = [manifest.evidence("database_type", DRIVERS[driver], driver, "driver-package") for driver in found]
    decision, because, _ = decided(spoken, hints.databases(tree))
    return decision, [because]


def prisma_schema(tree: Tree, manifest: Manifest) -> str | None:
    """Return the path of Prisma's schema; None where there is none."""
    settings = manifest.fields.get("prisma")
    named = settings.get("schema") if isinstance(settings, dict) else None
    places = [str(named)] if isinstance(named, str) else []
    places += ["prisma/schema.prisma", "schema.prisma"]
    places += [path for path in tree.paths if path.endswith("schema.prisma")]
    return next((place.removeprefix("./") for place in places if place.removeprefix("./") in tree.index), None)


def uses_prisma(manifest: Manifest) -> bool:
    """Tell whether the application's code uses Prisma's client."""
    return manifest.has("@prisma/client", "prisma")


def _prisma(tree: Tree, manifest: Manifest) -> Iterator[tuple[DatabaseType | None, Evidence]]:
    schema = prisma_schema(tree, manifest) if uses_prisma(manifest) else None
    inside = False
    for number, line in tree.lines(schema) if schema else []:
        inside = (inside or line.startswith("datasource")) and line != "}"
        match = re.match(r"provider\s*=\s*\"(\w+)\"", line) if inside else None
        if match and match[1] in _PROVIDERS:
            value = _PROVIDERS[match[1]] or "none"
            evidence = Evidence(
                fact="database_type", value=value, file=tree.where(schema or ""), line=number, rule="prisma-provider"
            )
            yield _PROVIDERS[match[1]], evidence
