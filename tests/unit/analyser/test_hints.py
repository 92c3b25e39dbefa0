"""What files beside the code tell: each platform's file, compose files, Dockerfiles and examples."""

from __future__ import annotations

import json

import pytest
from fixtures.sources import memory

from autodeploy.analyser import analyse, hints
from autodeploy.analyser.tree import Tree
from autodeploy.model import TechStack

COMPOSE = """\
services:
  db:
    image: {image}
  web:
    build: {context}
    depends_on: [db]
    ports:
      - "8080:{port}"
    environment:
      - DATABASE_URL=postgres://u:p@db/x
    healthcheck:
      test: ["CMD", "curl", "-f", "http://localhost:{port}/alive"]
"""
RENDER = """\
databases:
  - name: db
services:
  - type: web
    rootDir: backend
    startCommand: ./serve --fast
    healthCheckPath: /up
    envVars:
      - key: PORT
        value: "4000"
      - key: DB_ADDRESS
        fromDatabase: {name: db, property: connectionString}
      - key: SESSION_SALT
        generateValue: true
      - key: STRIPE
        sync: false
      - key: MODE
        value: fast
  - type: redis
"""


def tree(texts: dict[str, str], root: str = ".") -> Tree:
    return Tree(memory(texts), root)


def facts(texts: dict[str, str], root: str = ".") -> set[tuple[str, str, int]]:
    place = tree(texts, root)
    told = [*hints.databases(place), *hints.services(place), *hints.ports(place), *hints.processes(place)]
    told += [*hints.variables(place), *filter(None, [hints.health_path(place)])]
    return {(item.fact, item.value, item.line) for item in told}


def node(files: dict[str, str], *packages: str, code: str = "require('http').createServer().listen(1)") -> TechStack:
    package = {"dependencies": dict.fromkeys(packages, "1"), "scripts": {"start": "node server.js"}}
    return analyse(memory({"package.json": json.dumps(package), "server.js": code, **files}))


def test_app_json_tells_addons_and_variables() -> None:
    texts = {
        "app.json": '{\n\t"addons": ["heroku-postgresql:mini",\n\t\t{"plan": "rediscloud:30"}],\n\t"env": {\n'
        '\t\t"A_KEY": {"generator": "secret"},\n\t\t"B": {"required": false},\n\t\t"C": "given",\n'
        '\t\t"D": {"description": "x"}, "F": {},\n\t\t"E": {"value": "5"},\n\t\t"NPM_CONFIG_PRODUCTION": "true"}}'
    }
    assert facts(texts) == {("database_type", "postgresql", 2), ("services", "redis", 3)}
    told = {item.name: (item.required, item.generated, item.default) for item in hints.environment(tree(texts))}
    assert told == {
        "A_KEY": (True, True, None),
        "B": (False, False, None),
        "C": (False, False, "given"),
        "D": (True, False, None),
        "E": (False, False, "5"),
        "F": (False, False, None),
    }


def test_json_that_yaml_does_not_read_is_read_without_lines() -> None:
    assert facts({"app.json": '{"name": "\\ud83d\\ude00", "addons": ["jawsdb-maria"]}'}) == {
        ("database_type", "mariadb", 0)
    }


def test_render_tells_of_the_service_in_the_folder() -> None:
    assert facts({"render.yaml": RENDER, "backend/a.py": ""}, "backend") == {
        ("database_type", "postgresql", 2),
        ("services", "redis", 19),
        ("port", "4000", 10),
        ("start_command", "./serve --fast", 6),
        ("health_check_path", "/up", 7),
        ("database_variable", "DB_ADDRESS=url", 11),
    }
    told = {item.name: item for item in hints.environment(tree({"render.yaml": RENDER, "backend/a.py": ""}, "backend"))}
    assert (told["SESSION_SALT"].generated, told["STRIPE"].required, told["MODE"].default) == (True, True, "fast")
    assert facts({"render.yaml": RENDER, "other/a.py": ""}, "other") == {
        ("database_type", "postgresql", 2),
        ("services", "redis", 19),
    }


def test_fly_railway_and_digitalocean_tell_ports_paths_and_commands() -> None:
    fly = '[env]\n  PORT = "3001"\n[http_service]\n  internal_port = 3000\n[[http_service.checks]]\n  path = "/ready"\n'
    assert facts({"fly.toml": fly}) == {("port", "3000", 4), ("port", "3001", 2), ("health_check_path", "/ready", 6)}
    railway = '{\n  "deploy": {\n    "startCommand": "npm run go",\n    "healthcheckPath": "/hc"\n  }\n}'
    assert facts({"railway.json": railway}) == {("start_command", "npm run go", 3), ("health_check_path", "/hc", 4)}
    toml = '[deploy]\nstartCommand = "run"\nhealthcheckPath = "/hc"\n'
    assert facts({"railway.toml": toml}) == {("start_command", "run", 2), ("health_check_path", "/hc", 3)}
    do = (
        "spec:\n  services:\n  - http_port: 8081\n    health_check: {http_path: /h}\n  databases:\n  - engine: MYSQL\n"
        "    name: db\n"
    )
    assert facts({".do/deploy.template.yaml": do}) == {
        ("port", "8081", 3),
        ("health_check_path", "/h", 4),
        ("database_type", "mysql", 6),
    }
    heroku = "setup:\n  addons:\n    - plan: mongolab\nrun:\n  web: ./app\n"
    assert facts({"heroku.yml": heroku}) == {("database_type", "mongodb", 3), ("start_command", "./app", 5)}


@pytest.mark.parametrize(
    ("image", "kind"),
    [
        ("postgres:16-alpine", "postgresql"),
        ("postgis/postgis", "postgresql"),
        ("docker.io/bitnami/postgresql:15@sha256:00", "postgresql"),
        ("${DB_IMAGE:-mariadb:11}", "mariadb"),
        ("mysql/mysql-server", "mysql"),
        ("mongo:7", "mongodb"),
    ],
)
def test_an_image_tells_the_database(image: str, kind: str) -> None:
    place = tree({"docker-compose.yml": COMPOSE.format(image=image, context=".", port=3000)})
    assert hints.databases(place)[0].value == kind
    assert hints.databases(place)[0].line == 3


@pytest.mark.parametrize("image", ["mongo-express", "prom/mysqld-exporter", "dpage/pgadmin4", "example/postgres-app"])
def test_what_only_speaks_to_a_database_is_none(image: str) -> None:
    assert not hints.databases(tree({"compose.yaml": f"services:\n  x:\n    image: {image}\n"}))


def test_only_the_service_made_from_the_folder_tells_port_and_health() -> None:
    text = COMPOSE.format(image="redis", context="./api", port=3000)
    files = {"docker-compose.yml": text, "api/main.py": "", "web/package.json": "{}"}
    assert {("port", "3000", 8), ("health_check_path", "/alive", 12), ("services", "redis", 3)} <= facts(files, "api")
    assert facts(files, "web") == {("services", "redis", 3)}


@pytest.mark.parametrize(
    ("published", "port"),
    [
        ('"${PORT:-5000}:${PORT:-5000}"', "5000"),
        ('"127.0.0.1:80:8080/tcp"', "8080"),
        ("3000", "3000"),
        ("{target: 9000, published: 80}", "9000"),
        ('"${PORT}:${PORT}"', None),
    ],
)
def test_the_container_s_side_of_a_published_port_counts(published: str, port: str | None) -> None:
    place = tree({"compose.yml": f"services:\n  a:\n    build: .\n    ports:\n      - {published}\n"})
    assert [hint.value for hint in hints.ports(place)] == ([port] if port else [])


def test_a_published_port_that_a_variable_names_is_the_example_s() -> None:
    text = "services:\n  a:\n    build: .\n    ports:\n      - '${SERVER_PORT}:${SERVER_PORT}'\n"
    place = tree({"compose.yml": text, ".env.example": "SERVER_PORT=9393\n"})
    assert [hint.value for hint in hints.ports(place)] == ["9393"]


def test_a_merged_service_and_a_database_built_from_an_image_are_read() -> None:
    text = (
        "x-base: &base\n  build: .\n  environment: &env {PORT: 7000}\nservices:\n  web:\n    <<: *base\n"
        "  db:\n    build: {context: ./db}\n"
    )
    files = {"docker-compose.yml": text, "db/Dockerfile": "FROM mysql:8\n", "main.py": ""}
    assert facts(files) == {("port", "7000", 3), ("database_type", "mysql", 8)}


@pytest.mark.parametrize("line", ["ENV HTTP_PORT=4001", "ENV HTTP_PORT 4001", "ARG HTTP_PORT='4001'"])
def test_the_dockerfile_exposes_what_its_variable_holds(line: str) -> None:
    assert facts({"Dockerfile": f"FROM x\n{line}\nEXPOSE ${{HTTP_PORT}}/tcp\n"}) == {("port", "4001", 3)}
    assert facts({"Dockerfile": "FROM x\nENV OTHER=4001\nEXPOSE $HTTP_PORT\n"}) == set()


def test_the_dockerfile_s_last_stage_tells() -> None:
    text = (
        "FROM node AS build\nEXPOSE 1111\nFROM nginx\nENV A=1 \\\n    PORT=4000\n# EXPOSE 2\nEXPOSE 5000/tcp\n"
        "HEALTHCHECK CMD wget -q http://localhost:4000/check || exit 1\n"
    )
    assert facts({"Dockerfile": text}) == {
        ("port", "4000", 4),
        ("port", "5000", 7),
        ("health_check_path", "/check", 8),
    }


@pytest.mark.parametrize(
    ("line", "kind"),
    [
        ("DATABASE_URL=postgresql+asyncpg://u@h/d", "postgresql"),
        ('export DB_DSN="u:p@tcp(db:3306)/d"', "mysql"),
        ("DSN=host=db user=u dbname=d", "postgresql"),
        ("DB_CONNECTION=mysql", "mysql"),
        ("DB_PORT=27017", "mongodb"),
        ("MONGO_URI=mongodb+srv://h", "mongodb"),
    ],
)
def test_an_example_environment_tells_the_database(line: str, kind: str) -> None:
    assert facts({".env.example": f"# x\n{line}\n"}) == {("database_type", kind, 2)}


def test_platforms_go_before_compose_before_dockerfile_before_examples() -> None:
    files = {
        "fly.toml": "[http_service]\ninternal_port = 1001\n",
        "compose.yml": "services:\n  a:\n    build: .\n    ports: ['1002']\n",
        "Dockerfile": "EXPOSE 1003\n",
        ".env.example": "PORT=1004\n",
    }
    assert [hint.value for hint in hints.ports(tree(files))] == ["1001", "1002", "1003", "1004"]


@pytest.mark.parametrize(
    "text",
    [
        "[" * 5000,
        "a: &a\n  b: *a\n",
        "{{ template }}",
        "\t- x",
        "a: [",
        "- " * 500,
        "services: 3",
        "services: [x]",
        "\0",
    ],
)
def test_hostile_and_broken_files_tell_nothing(text: str) -> None:
    names = ("docker-compose.yml", "render.yaml", "app.json", "fly.toml", "railway.json", "heroku.yml", ".do/app.yaml")
    assert facts(dict.fromkeys(names, text)) == set()


def test_compose_settles_between_two_drivers_and_nothing_else() -> None:
    compose = {"docker-compose.yml": COMPOSE.format(image="mysql", context=".", port=3000)}
    assert node({}, "pg", "mysql2").database_type == "postgresql"
    assert node(compose, "pg", "mysql2").database_type == "mysql"
    assert node(compose, "pg").database_type == "postgresql"
    assert node(compose, "express").database_type is None
    mariadb = {"docker-compose.yml": COMPOSE.format(image="mariadb", context=".", port=3000)}
    assert node(mariadb, "mysql2").database_type == "mariadb"


def test_a_platform_s_health_path_chooses_among_routes_and_fills_a_gap() -> None:
    routes = "const a = require('express')(); a.get('/health', f); a.get('/ready', f); a.get('/', f); a.listen(3000)"
    bare = "const a = require('express')(); a.get('/', f); a.listen(3000)"
    fly = '[[http_service.checks]]\npath = "{}"\n'
    assert node({}, "express", code=routes).health_check_path == "/health"
    assert node({"fly.toml": fly.format("/ready")}, "express", code=routes).health_check_path == "/ready"
    assert node({"fly.toml": fly.format("/other")}, "express", code=routes).health_check_path == "/health"
    assert node({"fly.toml": fly.format("/other")}, "express", code=bare).health_check_path == "/other"


def test_a_word_of_health_deep_in_a_resource_is_no_health_route() -> None:
    code = "const a = require('express')(); a.get('/orders/status', f); a.get('/api/v1/ping', f); a.listen(3000)"
    assert node({}, "express", code=code).health_check_path == "/api/v1/ping"


def test_platform_variables_enter_the_contract_and_a_default_in_code_stands() -> None:
    app = json.dumps({"env": {"A": {"required": True}, "B": {"required": True}, "TOKEN_X": {"generator": "secret"}}})
    code = "const b = process.env.B || 'x', a = process.env.A; require('http').createServer().listen(3000)"
    told = {item.name: item for item in node({"app.json": app}, code=code).environment}
    assert (told["A"].required, told["B"].required, told["B"].default) == (True, False, "x")
    assert (told["TOKEN_X"].generated, told["TOKEN_X"].secret) == (True, True)


def test_a_platform_s_command_stands_for_a_missing_procfile() -> None:
    files = {"requirements.txt": "flask\ngunicorn\n", "main.py": "import flask\napp = flask.Flask('x')\n"}
    railway = {"railway.toml": '[deploy]\nstartCommand = "gunicorn main:app --workers 3"\n'}
    assert "--workers 3" in analyse(memory({**files, **railway})).start_command
    assert (
        "--workers 4"
        in analyse(memory({**files, **railway, "Procfile": "web: gunicorn main:app --workers 4\n"})).start_command
    )
