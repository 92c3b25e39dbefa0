"""Database, port, settings."""

from __future__ import annotations

from typing import Any

import pytest
from fixtures.sources import memory
from unit.analyser.nodejs.applications import HEAD, evidence, stack_of

from autodeploy.analyser import analyse
from autodeploy.errors import AnalysisError


@pytest.mark.parametrize(
    ("packages", "database"),
    [
        (("pg",), "postgresql"), (("pg-promise", "redis"), "postgresql"), (("postgres",), "postgresql"), (("mysql2",), "mysql"),
        (("mysql", "sequelize"), "mysql"), (("mariadb",), "mariadb"), (("mongodb",), "mongodb"), (("mongoose",), "mongodb"),
        (("sequelize", "knex", "typeorm"), None), (("better-sqlite3",), None), (("my-pg", "pgpass"), None), (("typeorm", "pg"), "postgresql"),
    ],
)  # fmt: skip
def test_a_driver_tells_the_database(packages: tuple[str, ...], database: str | None) -> None:
    stack = stack_of(package={"dependencies": dict.fromkeys(packages, "*"), "devDependencies": {"pg": "8"}})
    assert (stack.database_type, stack.requires_database) == (database, database is not None)


def test_drivers_of_two_databases_are_told() -> None:
    stack = stack_of(package={"dependencies": {"mysql2": "3", "pg": "8"}})
    assert (stack.database_type, evidence(stack, "database_type").alternatives) == ("postgresql", ("mysql",))


@pytest.mark.parametrize(
    ("provider", "database"),
    [
        ('"postgresql"', "postgresql"),
        ('"mysql"', "mysql"),
        ('"mongodb"', "mongodb"),
        ('"sqlite"', None),
        ("env('X')", "mysql"),
    ],
)
def test_prismas_schema_outweighs_the_drivers(provider: str, database: str | None) -> None:
    schema = (
        f'generator client {{\n  provider = "prisma-client-js"\n}}\ndatasource db {{\n  provider = {provider}\n}}\n'
    )
    stack = stack_of(
        package={"dependencies": {"@prisma/client": "5", "mysql2": "3"}}, **{"prisma/schema.prisma": schema}
    )
    assert stack.database_type == database


CONFIGURED: dict[str, tuple[dict[str, str], dict[str, str], str | None]] = {
    "knex, production": (
        {"knex": "3", "pg": "8", "mysql2": "3"},
        {"knexfile.js": "module.exports = { development: { client: 'pg' }, production: { client: 'mysql2' } }"}, "mysql",
    ),
    "sequelize": ({"sequelize": "6", "pg": "8", "mysql2": "3"}, {"config/config.json": '{"production": {"dialect": "mysql"}}'}, "mysql"),
    "sequelize, an address": ({"sequelize": "6", "mysql2": "3"}, {"db.js": "new Sequelize('mariadb://x')"}, "mariadb"),
    "typeorm": ({"typeorm": "0.3", "mysql2": "3", "pg": "8"}, {"src/data-source.ts": "new DataSource({ type: 'mysql' })"}, "mysql"),
    "nest": ({"@nestjs/typeorm": "11", "pg": "8", "mysql2": "3"}, {"src/app.module.ts": "TypeOrmModule.forRoot({ type: 'mysql' })"}, "mysql"),
    "drizzle": ({"drizzle-orm": "1", "pg": "8", "@libsql/client": "1"}, {"drizzle.config.ts": "defineConfig({ dialect: 'sqlite' })"}, None),
    "a default beside a variable": ({"typeorm": "0.3", "pg": "8", "mysql2": "3"}, {"ormconfig.js": "type: process.env.KIND || 'mysql'"}, "mysql"),
    "a word without a tool": ({"pg": "8"}, {"config/config.json": '{"dialect": "mysql"}'}, "postgresql"),
    "a test's": ({"knex": "3", "pg": "8"}, {"tests/knexfile.js": "client: 'mysql2'"}, "postgresql"),
    "nothing that is known": ({"knex": "3", "pg": "8"}, {"knexfile.js": "client: 'oracledb'"}, "postgresql"),
    "the example of an address": ({"pg": "8", "mysql2": "3"}, {".env.example": "URL=mysql://root@localhost/x\n"}, "mysql"),
}  # fmt: skip


@pytest.mark.parametrize("name", CONFIGURED)
def test_what_configures_the_database_outweighs_the_drivers(name: str) -> None:
    dependencies, files, database = CONFIGURED[name]
    assert stack_of(package={"dependencies": dependencies}, **files).database_type == database


@pytest.mark.parametrize(
    "files",
    [
        {"prisma/schema/main.prisma": 'datasource db {\n  provider = "mysql"\n}\n', "prisma.config.ts": "schema: path.join('prisma/schema'),"},
        {"db/x.prisma": 'datasource db {\n  provider = "mysql"\n}\n', "package.json": ""},
    ],
)  # fmt: skip
def test_prismas_schema_may_be_split_and_lie_anywhere(files: dict[str, str]) -> None:
    package: dict[str, Any] = {"dependencies": {"@prisma/client": "7", "pg": "8"}}
    if "package.json" in files:
        package |= {"prisma": {"schema": "./db/"}}
    stack = stack_of(package=package, **{path: said for path, said in files.items() if said})
    assert (stack.database_type, evidence(stack, "database_type").rule) == ("mysql", "prisma-provider")


def test_the_operator_may_name_the_database() -> None:
    source = memory({"package.json": '{"main": "x.js", "dependencies": {"pg": "8"}}', "x.js": ""})
    assert analyse(source, {"database_type": "none"}).requires_database is False
    with pytest.raises(AnalysisError, match="oracle"):
        analyse(source, {"database_type": "oracle"})


PORTS: dict[str, tuple[str, dict[str, str], int, str | None]] = {
    "or": ("app.listen(process.env.PORT || 3100);", {}, 3100, "PORT"),
    "the last of several": ("app.listen(process.env.PORT || process.env.OTHER_PORT || 3109);", {}, 3109, "PORT"),
    "nullish": ("app.listen(process.env.PORT ?? '3101');", {}, 3101, "PORT"),
    "converted": ("const port = parseInt(process.env.PORT, 10) || 3102;\napp.listen(port);", {}, 3102, "PORT"),
    "the default converted": ("const port = Number(process.env.PORT || '3103');", {}, 3103, "PORT"),
    "normalized": ("const port = normalizePort(process.env.PORT || '3104');", {}, 3104, "PORT"),
    "destructured": ("const { PORT = 3105 } = process.env;", {}, 3105, "PORT"),
    "renamed": ("const { APP_PORT: port = 3106 } = process.env;", {}, 3106, "APP_PORT"),
    "by name": ("app.listen(process.env['SERVER_PORT'] || 3107);", {}, 3107, "SERVER_PORT"),
    "the usual one first": ("x = process.env.API_PORT || 1;\napp.listen(process.env.PORT || 3108);", {}, 3108, "PORT"),
    "of something else": ("const db = process.env.DB_PORT || 5432;\napp.listen(process.env.PORT);", {}, 3000, "PORT"),
    "chosen": ("const port = process.env.A_PORT ? 1 : process.env.PORT ? Number(process.env.PORT) : 3116;", {}, 3116, "PORT"),
    "the first of several": ("const port = [args.port, process.env.KUMA_PORT, process.env.PORT, 3120].find(Boolean);", {}, 3120, "PORT"),
    "a name of its own": ("app.listen(process.env.FEED_PORT ?? 3117);", {}, 3117, "FEED_PORT"),
    "of a service beside": ("x(process.env.REDIS_PORT || 6379, process.env.METRICS_PORT || 9100);", {}, 3000, "PORT"),
    "configuration": ("app.listen(config.get('port'));", {"config/default.json": '{"port": 3118}'}, 3118, "PORT"),
    "asked of a function": ("app.listen(env.orElse('PORT', 3121));", {}, 3121, "PORT"),
    "asked of a function for another": ("app.listen(env.orElse('HOST', 3122), process.env.PORT);", {}, 3000, "PORT"),
    "fixed": ("app.listen(3109, () => {});", {}, 3109, None),
    "a constant": ("const port = 3110;\napp.listen(port);", {}, 3110, None),
    "fastify, fixed": ("app.listen({ port: 3111, host: '::' });", {}, 3111, None),
    "a pipe": ("app.listen(path);", {}, 3000, "PORT"),
    "below those of a plain user": ("app.listen(80);", {}, 3000, "PORT"),
    "a configuration of Nest's": ("require('./src/app.config');", {"src/app.config.ts": "export default () => ({ port: process.env.PORT || 3119 });"}, 3119, "PORT"),
    "another file": ("require('./config');", {"config.js": "module.exports = { port: process.env.PORT || 3112 };"}, 3112, "PORT"),
    "a file that is not imported": ("app.listen(3113);", {"tool.js": "process.env.PORT || 1"}, 3113, None),
    "Dockerfile": ("app.listen(process.env.PORT);", {"Dockerfile": "EXPOSE 3114\n"}, 3114, "PORT"),
    "Procfile": ("", {"Procfile": "web: node server.js --port 3115\n"}, 3115, "PORT"),
}  # fmt: skip


@pytest.mark.parametrize("name", PORTS)
def test_the_port_and_its_variable(name: str) -> None:
    code, files, port, variable = PORTS[name]
    stack = stack_of(HEAD + code, **files)
    assert (stack.port, stack.port_env) == (port, variable)


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({"config.sample.yml": ""}, "the program reads config.yml, of which only config.sample.yml is committed"),
        ({"config.yml.example": ""}, "the program reads config.yml, of which only config.yml.example is committed"),
        ({"config.sample.yml": "", "config.yml": ""}, ""),
        ({"config.sample.json": "", "docs/config.sample.yml": ""}, ""),
    ],
)
def test_settings_of_which_only_an_example_is_committed_are_told(files: dict[str, str], message: str) -> None:
    code = "const text = fs.readFileSync(path.join(ROOT, 'config.yml'), 'utf8');\n"
    told = [item.message for item in stack_of(HEAD + code, **files).unknowns if item.fact == "configuration"]
    assert told == ([message] if message else [])


def test_the_environment_under_another_name_tells_the_port() -> None:
    env = "export const load = (env = process.env) => ({ port: env.API_PORT || 9000, url: env.API_URL });\n"
    code = "import { load } from './env.js';\nconst app = express();\napp.listen({ port: load().port });\n"
    stack = stack_of(code, {"dependencies": {"express": "4"}, "type": "module"}, **{"env.js": env})
    assert (stack.port, stack.port_env) == (9000, "API_PORT")
    assert "API_URL" in {item.name for item in stack.environment}


def test_a_server_of_an_optional_package_is_not_needed() -> None:
    package = {"dependencies": {"express": "4"}, "optionalDependencies": {"redis": "4"}}
    assert stack_of("express().listen(3000)", package).services == ()


@pytest.mark.parametrize(
    ("example", "schema", "kind"),
    [
        ("", 'DB_CLIENT: str({ choices: kinds, default: "better-sqlite3" })', None),
        ("", 'DB_CLIENT: z.string().default("pg")', "postgresql"),
        ("DB_CLIENT=mysql2\n", "DB_CLIENT: str()", "mysql"),
    ],
)
def test_a_dialect_by_default_decides_between_the_drivers(example: str, schema: str, kind: str | None) -> None:
    package = {"dependencies": {"express": "4", "knex": "3", "pg": "8", "mysql2": "3", "better-sqlite3": "11"}}
    files = {"knexfile.js": "module.exports = { client: env.DB_CLIENT }", "env.js": f"const spec = {{ {schema} }}"}
    stack = stack_of("express().listen(3000)", package, **files, **{".example.env": example})
    assert stack.database_type == kind
