"""Tells which database the application needs: what configures it decides, then its drivers. Connects to nothing."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from autodeploy.analyser import hints
from autodeploy.analyser.database import decided, overridden
from autodeploy.analyser.nodejs.databaseconfig import DIALECTS, configured
from autodeploy.analyser.nodejs.manifest import Manifest
from autodeploy.analyser.nodejs.sites import config
from autodeploy.analyser.tree import Tree
from autodeploy.model import DatabaseType, Evidence

DRIVERS: dict[str, DatabaseType] = {
    "pg": "postgresql",
    "pg-promise": "postgresql",
    "pg-native": "postgresql",
    "postgres": "postgresql",
    "slonik": "postgresql",
    "@neondatabase/serverless": "postgresql",
    "@vercel/postgres": "postgresql",
    "@databases/pg": "postgresql",
    "postgraphile": "postgresql",
    "@payloadcms/db-postgres": "postgresql",
    "@payloadcms/db-vercel-postgres": "postgresql",
    "@prisma/adapter-neon": "postgresql",
    "@mikro-orm/postgresql": "postgresql",
    "@prisma/adapter-pg": "postgresql",
    "mysql2": "mysql",
    "mysql": "mysql",
    "@databases/mysql": "mysql",
    "@planetscale/database": "mysql",
    "@prisma/adapter-planetscale": "mysql",
    "@mikro-orm/mysql": "mysql",
    "mariadb": "mariadb",
    "@mikro-orm/mariadb": "mariadb",
    "@prisma/adapter-mariadb": "mariadb",
    "mongodb": "mongodb",
    "mongoose": "mongodb",
    "mongoist": "mongodb",
    "@payloadcms/db-mongodb": "mongodb",
    "@typegoose/typegoose": "mongodb",
    "@mikro-orm/mongodb": "mongodb",
    "parse-server": "mongodb",
}
"""Packages that speak to one database; sqlite's need no server."""


def detect_database(
    tree: Tree,
    manifest: Manifest,
    overrides: Mapping[str, str],
    shared: Sequence[tuple[Tree, Manifest]] = (),
) -> tuple[DatabaseType | None, list[Evidence]]:
    """Return the database type, None where none is needed, and why. `shared` are packages of the same workspace."""
    if "database_type" in overrides:
        return overridden(overrides["database_type"])
    places = [(tree, manifest), *shared]
    for place, of_place in places:
        if because := next(_prisma(place, of_place), None):
            return DIALECTS[because.value], [because]
    for place, of_place in places:
        if because := configured(place, of_place):
            return DIALECTS[because.value], [because]
    for place, of_place in places:
        if found := [driver for driver in DRIVERS if driver in of_place.dependencies]:
            spoken = [of_place.evidence("database_type", DRIVERS[name], name, "driver-package") for name in found]
            decision, because, _ = decided(spoken, hints.databases(place))
            return decision, [because]
    return None, [Evidence(fact="database_type", value="none", rule="no-driver")]


def prisma_schema(tree: Tree, manifest: Manifest) -> str | None:
    """Return the path of Prisma's schema, its folder where it is split over files; None where there is none."""
    settings = manifest.fields.get("prisma")
    named = settings.get("schema") if isinstance(settings, dict) else None
    if not named and (match := re.search(r"\bschema\s*:[^,\n]*?['\"]([\w./-]+)['\"]\s*\)?,?", _settings(tree))):
        named = match[1]
    places = [named] if isinstance(named, str) else []
    places += ["prisma/schema.prisma", "schema.prisma"]
    places += [path for path in tree.paths if path.endswith("schema.prisma")]
    for place in (place.removeprefix("./").rstrip("/") for place in places):
        if place in tree.index or any(path.startswith(f"{place}/") and path.endswith(".prisma") for path in tree.paths):
            return place
    return None


def uses_prisma(manifest: Manifest) -> bool:
    """Tell whether the application's code uses Prisma's client."""
    return manifest.has("@prisma/client", "prisma")


def _settings(tree: Tree) -> str:
    return config(tree, "prisma.config", "prisma/prisma.config", ".config/prisma")[1]


def _prisma(tree: Tree, manifest: Manifest) -> Iterator[Evidence]:
    schema = prisma_schema(tree, manifest) if uses_prisma(manifest) else None
    files = [schema] if schema in tree.index else [path for path in tree.paths if path.startswith(f"{schema}/")]
    for file in (file for file in files if file and file.endswith(".prisma")):
        inside = False
        for number, line in tree.lines(file):
            inside = (inside or line.startswith("datasource")) and line != "}"
            match = re.match(r"provider\s*=\s*\"(\w+)\"", line) if inside else None
            if match and match[1] in DIALECTS:
                value = DIALECTS[match[1]] or "none"
                yield Evidence(
                    fact="database_type", value=value, file=tree.where(file), line=number, rule="prisma-provider"
                )
