"""Migrations, packages of the system, and what travels with the release."""

from __future__ import annotations

from typing import Any

import pytest
from fixtures.sources import memory
from unit.analyser.nodejs.applications import evidence, stack_of

from autodeploy.analyser import analyse

KNEX = {"knexfile.js": "module.exports = { connection: process.env.DATABASE_URL }", "db/migrations/1_a.js": ""}
SEQUELIZE = {"config/config.json": '{"production": {"use_env_variable": "DATABASE_URL"}}', "migrations/1.js": ""}
MIGRATIONS: dict[str, tuple[dict[str, Any], dict[str, str], str | None]] = {
    "none": ({}, {}, None),
    "Procfile": ({}, {"Procfile": "release: knex migrate:latest\n"}, "PATH=/app/src/node_modules/.bin:$PATH; knex migrate:latest"),
    "script": ({"scripts": {"db:migrate": "sequelize-cli db:migrate"}}, {}, "npm run db:migrate"),
    "a script of an unknown tool": ({"scripts": {"migrate": "node drop-all.js"}}, {}, None),
    "a script for development": ({"scripts": {"migrate": "prisma migrate dev"}}, {}, None),
    "a script that reads a file of nobody's": ({"scripts": {"migrate": "dotenv -e .env knex migrate:latest"}}, {}, None),
    "undoing": ({"scripts": {"migrate": "sequelize-cli db:migrate:undo"}}, {}, None),
    "start does it": ({"scripts": {"start": "knex migrate:latest && node server.js", "migrate": "knex migrate:latest"}}, {}, None),
    "before start": ({"scripts": {"prestart": "npm run migrate", "start": "node server.js", "migrate": "knex migrate:latest"}}, {}, None),
    "knex": ({"dependencies": {"pg": "8", "knex": "3"}}, KNEX, "node_modules/.bin/knex migrate:latest"),
    "knex without migrations": ({"dependencies": {"pg": "8", "knex": "3"}}, {"knexfile.js": KNEX["knexfile.js"]}, None),
    "sequelize": ({"devDependencies": {"sequelize-cli": "6"}}, SEQUELIZE, "node_modules/.bin/sequelize-cli db:migrate"),
    "sequelize with an address of its own": ({"devDependencies": {"sequelize-cli": "6"}}, {**SEQUELIZE, "config/config.json": "{}"}, None),
    "drizzle": (
        {"dependencies": {"pg": "8", "drizzle-orm": "1"}, "devDependencies": {"drizzle-kit": "1"}},
        {"drizzle.config.ts": "", "drizzle/meta/_journal.json": "{}"}, "node_modules/.bin/drizzle-kit migrate",
    ),
    "drizzle, told nothing of the database": (
        {"dependencies": {"pg": "8", "drizzle-orm": "1"}, "devDependencies": {"drizzle-kit": "1"}},
        {"drizzle.config.ts": "export default { schema: 'x' }", "drizzle/meta/_journal.json": "{}"}, None,
    ),
    "a program of its own": (
        {"dependencies": {"pg": "8", "drizzle-orm": "1"}, "scripts": {"migrate": "node dist/db/migrate.js", "db:migrate": "tsx src/db/migrate.ts"}},
        {"src/db/migrate.ts": ""}, "npm run migrate",
    ),
    "a program that is not there": ({"scripts": {"migrate": "node dist/db/migrate.js"}}, {}, None),
    "adonis in modules": ({"dependencies": {"@adonisjs/lucid": "21", "pg": "8"}}, {"app/users/database/migrations/1.ts": ""}, "node build/ace.js migration:run --force"),
    "adonis": ({"dependencies": {"@adonisjs/lucid": "21", "pg": "8"}}, {"database/migrations/1.ts": ""}, "node build/ace.js migration:run --force"),
    "typeorm": (
        {"dependencies": {"typeorm": "0.3", "pg": "8"}, "devDependencies": {"typescript": "5"}},
        {"src/data-source.ts": "new DataSource({ migrations: [] })", "tsconfig.json": '{"compilerOptions": {"outDir": "dist"}}'},
        "node_modules/.bin/typeorm migration:run -d dist/data-source.js",
    ),
    "mikro-orm": (
        {"dependencies": {"@mikro-orm/migrations": "6", "@mikro-orm/postgresql": "6"}, "devDependencies": {"@mikro-orm/cli": "6"}},
        {"mikro-orm.config.js": ""}, "node_modules/.bin/mikro-orm migration:up",
    ),
    "the build does it": (
        {"scripts": {"build": "prisma generate && prisma migrate deploy && tsc", "start": "node server.js"}}, {},
        "PATH=/app/src/node_modules/.bin:$PATH; prisma migrate deploy",
    ),
    "prisma": (
        {"dependencies": {"@prisma/client": "5", "pg": "8"}}, {"prisma/schema.prisma": "", "prisma/migrations/1/migration.sql": ""},
        "node_modules/.bin/prisma migrate deploy --schema prisma/schema.prisma",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", MIGRATIONS)
def test_the_migration_is_one_that_a_known_tool_makes(name: str) -> None:
    package, files, command = MIGRATIONS[name]
    assert stack_of(package={"dependencies": {"pg": "8"}, **package}, **files).migration_command == command


def test_no_build_asks_for_the_database() -> None:
    scripts = {
        "build": "prisma generate && npm run db && next build",
        "db": "prisma migrate deploy",
        "start": "next start",
    }
    stack = stack_of("", {"dependencies": {"next": "15", "pg": "8"}, "scripts": scripts})
    bin = "PATH=$PWD/node_modules/.bin:$PATH"
    assert stack.build_command == f"npm install && {bin} prisma generate && {bin} next build"
    assert stack.migration_command == "PATH=/app/src/node_modules/.bin:$PATH; prisma migrate deploy"


def test_packages_of_the_system_and_what_none_of_them_gives() -> None:
    dependencies = {"express": "4", "canvas": "3", "fluent-ffmpeg": "2", "puppeteer": "24"}
    stack = stack_of(package={"dependencies": dependencies, "devDependencies": {"bcrypt": "5"}})
    assert {"g++", "libcairo2-dev"} <= set(stack.build_packages)
    assert {"ffmpeg", "libcairo2"} <= set(stack.run_packages)
    assert "libpq-dev" not in stack.build_packages
    assert [said for said in stack.warnings if said.startswith("puppeteer drives a browser")]
    assert stack.facts("system_packages") == tuple(
        item.value for item in stack.evidence if item.rule == "native-package"
    )


def test_the_tool_that_migrates_travels_with_the_release() -> None:
    package = {"dependencies": {"pg": "8"}, "devDependencies": {"sequelize-cli": "6", "mocha": "9"}}
    stack = stack_of(package=package, **SEQUELIZE)
    assert "prune" not in stack.build_command
    assert evidence(stack, "development_packages").value == "sequelize-cli"


def test_without_a_database_nothing_migrates_and_the_flag_decides() -> None:
    files = {"package.json": '{"main": "x.js"}', "x.js": "", "Procfile": "release: make it\n"}
    assert analyse(memory(files)).migration_command is None
    files["package.json"] = '{"main": "x.js", "dependencies": {"pg": "8"}}'
    assert analyse(memory(files), {"migration_command": "make that"}).migration_command == "make that"
    assert analyse(memory(files), {"migration_command": "none"}).migration_command is None
