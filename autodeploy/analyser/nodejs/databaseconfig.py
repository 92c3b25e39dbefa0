"""Reads what configures TypeORM, Sequelize, Knex, Drizzle, MikroORM, Adonis and Nest: the dialect of production."""

from __future__ import annotations

import re
from collections.abc import Iterator

from autodeploy.analyser.hints import examples
from autodeploy.analyser.nodejs.manifest import Manifest
from autodeploy.analyser.tree import Tree
from autodeploy.model import DatabaseType, Evidence

DIALECTS: dict[str, DatabaseType | None] = {
    "postgresql": "postgresql",
    "postgres": "postgresql",
    "pg": "postgresql",
    "pgnative": "postgresql",
    "aurora-postgres": "postgresql",
    "cockroachdb": "postgresql",
    "mysql": "mysql",
    "mysql2": "mysql",
    "aurora-mysql": "mysql",
    "mariadb": "mariadb",
    "mongodb": "mongodb",
    "mongo": "mongodb",
    "sqlite": None,
    "sqlite3": None,
    "better-sqlite": None,
    "better-sqlite3": None,
    "libsql": None,
    "turso": None,
    "sqljs": None,
    "none": None,
}
"""What the tools call the databases; sqlite's need no server."""

_TOOLS = (
    "typeorm", "sequelize", "sequelize-typescript", "knex", "drizzle-orm", "@mikro-orm/core", "@adonisjs/lucid",
    "objection", "@nestjs/typeorm", "@nestjs/sequelize", "kysely", "bookshelf",
)  # fmt: skip
_FILES = re.compile(
    r"(^|/)(knexfile|drizzle\.config|ormconfig|mikro-orm\.config|orm\.config|data-?source|database|db|sequelize|typeorm(\.config)?"
    r"|config|datasource|app-?data-?source|app\.module|database\.(module|config|providers?))\.([cm]?[jt]s|json)$"
)
_SAID = re.compile(
    r"\b(?:type|dialect|client|connector)['\"]?\s*:\s*(?:process\.env\.\w+\s*(?:\|\||\?\?)\s*)?['\"](?P<name>[\w-]+)['\"]"
    r"|\bnew Sequelize\(\s*['\"`](?P<scheme>\w+):"
)
_READ = re.compile(
    r"\b(?:type|dialect|client|connector)['\"]?\s*:\s*(?:\w+\.)*env\.(?P<name>[A-Z][A-Z0-9_]+)\b(?!\s*(?:\|\||\?\?))"
)
"""A dialect that a variable gives, without a default beside it."""

_SETTINGS = re.compile(r"(^|/)[\w.-]*(?:env|config|settings)[\w.-]*\.[cm]?[jt]s$", re.IGNORECASE)
_PRODUCTION = re.compile(r"\bproduction['\"]?\s*[:=]")


def configured(tree: Tree, manifest: Manifest) -> Evidence | None:
    """Return what a tool's configuration says of the database; None where no tool is used, or nothing is said."""
    if not any(manifest.has(tool) for tool in _TOOLS):
        return None
    told = (found for path in _configurations(tree) if (found := _dialect(tree, path) or _by_default(tree, path)))
    return next(told, None)


def _configurations(tree: Tree) -> Iterator[str]:
    found = [
        path for path in tree.paths if _FILES.search(path) and not re.search(r"(^|/)(tests?|__tests__|e2e)/", path)
    ]
    yield from sorted(found, key=lambda path: (path.count("/"), path))


def _dialect(tree: Tree, path: str) -> Evidence | None:
    """Return the dialect that a file names: for production where it tells, else the first."""
    said = tree.read(path)
    production = _PRODUCTION.search(said)
    places = [production.end()] if production else []
    for begin in (*places, 0):
        for match in _SAID.finditer(said, begin):
            name = (match["name"] or match["scheme"]).lower()
            if name in DIALECTS and name != "none":
                line = said.count("\n", 0, match.start()) + 1
                return Evidence(
                    fact="database_type", value=DIALECTS[name] or "none", file=tree.where(path), line=line,
                    rule="database-configuration",
                )  # fmt: skip
    return None


def _by_default(tree: Tree, path: str) -> Evidence | None:
    """Return the dialect that a variable has by default, where a file takes it from one: in a schema, or an example."""
    match = _READ.search(tree.read(path))
    if match is None:
        return None
    schema = re.compile(
        rf"\b{match['name']}['\"]?\s*:\s*[^,;{{}}]*?(?:\(\s*\{{[^}}]*?\bdefault:|\.default\()\s*['\"]([\w-]+)"
    )
    for file in (name for name in tree.paths if _SETTINGS.search(name)):
        said = tree.read(file)
        if match["name"] in said and (found := schema.search(said)) and found[1].lower() in DIALECTS:
            line = said.count("\n", 0, found.start(1)) + 1
            return _told(found[1], tree.where(file), line)
    given = examples.value(tree, match["name"])
    return _told(*given) if given and given[0].lower() in DIALECTS else None


def _told(name: str, file: str, line: int) -> Evidence:
    value = DIALECTS[name.lower()] or "none"
    return Evidence(
        fact="database_type", value=value, file=file, line=line, rule="dialect-default", confidence="likely"
    )
