"""Finds the command that migrates the database before a release serves: Procfile, Prisma, scripts, Knex, Sequelize."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from autodeploy.analyser.nodejs.database import prisma_schema, uses_prisma
from autodeploy.analyser.nodejs.manifest import Manifest
from autodeploy.analyser.nodejs.scripts import parts, run_script
from autodeploy.analyser.nodejs.serving import adonis_host
from autodeploy.analyser.nodejs.sites import config
from autodeploy.analyser.nodejs.start import compiled, with_programs
from autodeploy.analyser.procfile import Process
from autodeploy.analyser.tree import Tree
from autodeploy.model import Evidence

_TOOL = re.compile(
    r"\b(prisma migrate deploy|knex\b.*\bmigrate:latest|sequelize(-cli)?\b.*\bdb:migrate(?![:\w])"
    r"|node-pg-migrate\b.*\bup|db-migrate\b.*\bup"
    r"|typeorm\b.*\bmigration:run|drizzle-kit migrate|mikro-orm\b.*\bmigration:up"
    r"|ace migration:run)"
)
_SCRIPTS = re.compile(
    r"^((db|database|prisma|knex|typeorm|sequelize|drizzle|orm):)?(migrate|migrations?)"
    r"([:-](run|up|latest|deploy|prod|production|db))?$|^(db|prisma):deploy$"
)
_CONFIG = re.compile(r"(^|/)config/(config|database)\.(c?js|json)$")
_DATA_SOURCE = re.compile(r"(^|/)(app-?)?(data-?source|ormconfig)\.[cm]?[jt]s$", re.IGNORECASE)
_MIGRATES = re.compile(r"(^|/)(run-?)?migrat(e|or|ions?)\.[cm]?[jt]s$")
_LIBRARIES = ("drizzle-orm", "knex", "umzug", "kysely", "sequelize", "typeorm", "pg", "postgres", "mysql2", "mongoose")
_LUCID = re.compile(r"(^|/)database/migrations/[^/]+\.[jt]s$")
_ENV_FILE = re.compile(r"--env-file|\bdotenv\s+-e|\benv-cmd\b|docker")
"""What reads a file that no repository holds."""


@dataclass(frozen=True)
class Migration:
    """A command, and the line behind it, whose programs must be there."""

    command: str
    line: str
    evidence: Evidence


def detect_migration(
    tree: Tree, manifest: Manifest, start: str, processes: Mapping[str, Process], overrides: Mapping[str, str]
) -> Migration | None:
    """Return how to migrate and why; None where there is nothing to do, or the start command does it itself."""
    if "migration_command" in overrides:
        command = overrides["migration_command"]
        return Migration(
            command, command, Evidence(fact="migration_command", value=command or "none", rule="--migration-command")
        )
    if release := processes.get("release"):
        command = with_programs(release.command)
        because = Evidence(
            fact="migration_command", value=command, file=release.file, line=release.line, rule="procfile-release"
        )
        return Migration(command, release.command, because)
    begun = [part.command for part in parts(manifest, start)] + [
        part.command for part in parts(manifest, manifest.scripts.get("prestart", ""))
    ]
    if any(_TOOL.search(command) for command in begun):
        return None
    found = (*_scripts(manifest), *_built(manifest), *_programs(tree, manifest), *_tools(tree, manifest))
    return next(iter(found), None)


def shared_migration(places: Sequence[tuple[Tree, Manifest]], root: Tree) -> Migration | None:
    """Return how a package of the workspace migrates the database that the application reaches through it."""
    for tree, manifest in places:
        schema = prisma_schema(tree, manifest) if uses_prisma(manifest) else None
        if schema and _has_files(tree, posixpath.join(posixpath.dirname(schema), "migrations")):
            line = f"prisma migrate deploy --schema {schema}"
            command = f"cd {posixpath.relpath(tree.root, root.root)} && npx {line}"
            because = Evidence(fact="migration_command", value=command, file=tree.where(schema), rule="prisma")
            return Migration(command, line, because)
    return None


def migrates(command: str) -> bool:
    """Tell whether a command migrates a database."""
    return bool(_TOOL.search(command))


def _built(manifest: Manifest) -> Iterator[Migration]:
    """Yield the migration that the build is told to make, where there is no database yet."""
    for part in parts(manifest, manifest.scripts.get("build", "")):
        if _TOOL.search(part.command):
            command = with_programs(part.command)
            because = manifest.evidence("migration_command", command, "build", "build-script")
            yield Migration(command, part.command, because)


def _scripts(manifest: Manifest) -> Iterator[Migration]:
    for name, line in manifest.scripts.items():
        chain = [part.command for part in parts(manifest, line)]
        if _SCRIPTS.match(name) and any(map(_TOOL.search, chain)) and not any(map(_ENV_FILE.search, chain)):
            command = run_script(manifest, name)
            yield Migration(command, line, manifest.evidence("migration_command", command, name, "script"))


def _programs(tree: Tree, manifest: Manifest) -> Iterator[Migration]:
    """Yield scripts that run a program of the repository's own which is called so: `node dist/db/migrate.js`."""
    for name, line in manifest.scripts.items():
        chain = parts(manifest, line) if _SCRIPTS.match(name) and manifest.has(*_LIBRARIES) else []
        file = chain[0].node_file if len(chain) == 1 and not _ENV_FILE.search(line) else ""
        inner = re.sub(r"^(?:\./)?(?:dist|build|lib|out)/", "", file)
        names = (
            (f"{folder}{re.sub(r'js$', 'ts', inner)}" for folder in ("src/", "")) if inner != file else iter((file,))
        )
        if _MIGRATES.search(file) and any(posixpath.normpath(place) in tree.index for place in names):
            command = run_script(manifest, name)
            yield Migration(command, line, manifest.evidence("migration_command", command, name, "program"))


def _tools(tree: Tree, manifest: Manifest) -> Iterator[Migration]:
    schema = prisma_schema(tree, manifest) if uses_prisma(manifest) else None
    if schema and _has_files(tree, posixpath.join(posixpath.dirname(schema), "migrations")):
        yield _tool(tree, f"prisma migrate deploy --schema {schema}", schema, "prisma")
    has_migrations = any(re.search(r"(^|/)migrations/[^/]+\.[cm]?js$", path) for path in tree.paths)
    knexfile = next((path for path in ("knexfile.js", "knexfile.cjs", "knexfile.mjs") if path in tree.index), "")
    if has_migrations and manifest.has("knex") and re.search(r"process\.env|require\(|import ", tree.read(knexfile)):
        yield _tool(tree, "knex migrate:latest", knexfile, "knex")
    yield from _others(tree, manifest)
    file = next((path for path in tree.paths if _CONFIG.search(path)), "")
    has_cli = "sequelize-cli" in {*manifest.development, *manifest.dependencies}
    if has_migrations and has_cli and re.search(r"use_env_variable|process\.env", tree.read(file)):
        yield _tool(tree, "sequelize-cli db:migrate", file, "sequelize")


def _others(tree: Tree, manifest: Manifest) -> Iterator[Migration]:
    declared = {*manifest.development, *manifest.dependencies}
    journal = next((path for path in tree.paths if path.endswith("meta/_journal.json")), "")
    file, said = config(tree, "drizzle.config")
    # What only makes migrations has no address: https://orm.drizzle.team/docs/drizzle-config-file#dbcredentials.
    if journal and file and "drizzle-kit" in declared and (not said or "dbCredentials" in said):
        yield _tool(tree, "drizzle-kit migrate", file, "drizzle")
    if manifest.has("@adonisjs/lucid") and any(map(_LUCID.search, tree.paths)):
        command = f"{adonis_host(tree)}node build/ace.js migration:run --force"
        because = Evidence(
            fact="migration_command", value=command, file=manifest.file, line=manifest.line_of("@adonisjs/lucid"),
            rule="adonis",
        )  # fmt: skip
        yield Migration(command, command, because)
    if manifest.has("@mikro-orm/migrations") and "@mikro-orm/cli" in declared:
        yield _tool(
            tree, "mikro-orm migration:up", config(tree, "mikro-orm.config", "src/mikro-orm.config")[0], "mikro-orm"
        )
    place = next((path for path in tree.paths if _DATA_SOURCE.search(path)), "")
    if place and manifest.has("typeorm") and re.search(r"migrations\s*:", tree.read(place)):
        made = compiled(tree, place) if place.endswith("ts") else place
        yield _tool(tree, f"typeorm migration:run -d {made}", place, "typeorm")


def _tool(tree: Tree, line: str, file: str, rule: str) -> Migration:
    command = f"node_modules/.bin/{line}"
    because = Evidence(fact="migration_command", value=command, file=tree.where(file), rule=rule)
    return Migration(command, line, because)


def _has_files(tree: Tree, folder: str) -> bool:
    return any(path.startswith(f"{folder}/") for path in tree.paths)
