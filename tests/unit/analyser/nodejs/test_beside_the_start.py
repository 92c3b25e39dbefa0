"""What a program needs beside its start command: files of variables, the pages that it shows, an option for its port."""

from __future__ import annotations

import json
from typing import Any

import pytest
from fixtures.sources import memory

from autodeploy.analyser import analyse
from autodeploy.model import TechStack

SERVER = "require('http').createServer().listen(process.env.PORT)\n"


def stack_of(package: dict[str, Any], **files: str) -> TechStack:
    return analyse(memory({"package.json": json.dumps(package), **files}))


LOADED = "const dotenv = require('dotenv');\nconst found = dotenv.config();\nif (found.error) {\n  // no file\n  throw new Error('no');\n}\n"
MADE: dict[str, tuple[str, dict[str, str], str]] = {
    "named by the command": ("node --env-file=config.env x", {}, "touch config.env"),
    "named, and committed": ("node --env-file=config.env x", {"config.env": "A=1"}, ""),
    "named, and may be missing": ("node --env-file-if-exists=.env x", {}, ""),
    "named, and none of the application's": ("node --env-file=../.env x", {}, ""),
    "demanded by the code": ("node x", {"x.js": LOADED}, "touch .env"),
    "loaded by the code": ("node x", {"x.js": "require('dotenv').config();\n" + SERVER}, ""),
}


@pytest.mark.parametrize("name", MADE)
def test_a_file_of_variables_that_the_program_ends_without_is_made(name: str) -> None:
    line, files, command = MADE[name]
    stack = stack_of({"scripts": {"start": line}}, **{"x.js": SERVER, **files})
    assert stack.start_command == "npm start"
    assert stack.build_command == " && ".join(filter(None, ("npm install", command)))


@pytest.mark.parametrize(
    ("package", "build"),
    [
        ({"build:frontend": "vite build"}, "npm install && npm run build:frontend"),
        ({"build:frontend": "vite build", "build": "tsc"}, "npm install && npm run build"),
        ({"build:client": "docker build ."}, "npm install"),
    ],
)
def test_pages_that_a_server_shows_are_built_by_the_script_for_them(package: dict[str, str], build: str) -> None:
    assert stack_of({"scripts": {"start": "node x.js", **package}}, **{"x.js": SERVER}).build_command == build


def test_hooks_of_a_build_that_ask_for_the_database_are_left_to_the_migration() -> None:
    scripts = {
        "start": "node x.js",
        "generate": "prisma generate",
        "migrate": "prisma migrate deploy",
        "prebuild": "run-s generate migrate",
        "build": "next build",
    }
    stack = stack_of({"scripts": scripts}, **{"x.js": SERVER})
    local = "PATH=$PWD/node_modules/.bin:$PATH"
    assert stack.build_command == f"npm install && {local} prisma generate && {local} next build"


YARGS = "const argv = require('yargs').option('port', { alias: 'p', default: 4100 }).argv;\nhttp.createServer().listen(argv.port)\n"
COMMANDER = "import { program } from 'commander';\nprogram.option('-p, --port <number>', 'where', '4200');\nlisten()\n"
OPTIONS: dict[str, tuple[str, str, int, str]] = {
    "yargs": (YARGS, "npm start -- --port $PORT", 4100, "npm"),
    "commander": (COMMANDER, "pnpm start --port $PORT", 4200, "pnpm@9.0.0"),
    "a variable goes before it": (
        YARGS.replace("argv.port)", "process.env.PORT || argv.port)"),
        "npm start",
        3000,
        "npm",
    ),
    "no port": (YARGS.replace("4100", "true"), "npm start", 3000, "npm"),
}


@pytest.mark.parametrize("name", OPTIONS)
def test_a_program_that_reads_no_variable_is_told_its_port_by_its_option(name: str) -> None:
    code, command, port, manager = OPTIONS[name]
    stack = stack_of({"scripts": {"start": "node x.js"}, "packageManager": manager}, **{"x.js": code})
    assert (stack.start_command, stack.port, stack.port_env) == (command, port, "PORT")


SENT_AWAY: dict[str, tuple[str, dict[str, str], str]] = {
    "a file": ("cross-env NODE_ENV=production pm2 start ./x.js", {}, "node x.js"),
    "a file that the configuration names": (
        "pm2 start pm2.config.js", {"pm2.config.js": "module.exports = { apps: [{ name: 'a', script: './x.js' }] }"},
        "node x.js",
    ),
    "a file of another program": ("forever start x.js", {}, "node x.js"),
    "in the foreground": ("pm2 start x.js --no-daemon", {}, "npm start"),
    "made for this": ("pm2-runtime x.js", {}, "npm start"),
    "no file that is known": ("pm2 start pm2.config.js", {"pm2.config.js": "module.exports = {}"}, "npm start"),
}  # fmt: skip


@pytest.mark.parametrize("name", SENT_AWAY)
def test_a_program_stays_in_the_foreground(name: str) -> None:
    line, files, command = SENT_AWAY[name]
    stack = stack_of({"scripts": {"start": line}, "dependencies": {"pm2": "5"}}, **{"x.js": SERVER, **files})
    assert stack.start_command == command


@pytest.mark.parametrize(
    ("main", "path"),
    [
        ("SwaggerModule.setup('docs', app, document);", "/docs"),
        ("app.setGlobalPrefix('api');\nSwaggerModule.setup('docs', app, document);", "/docs"),
        ("app.setGlobalPrefix('v1');\nSwaggerModule.setup('/docs', app, d, { useGlobalPrefix: true });", "/v1/docs"),
        ("if (dev) {\n  SwaggerModule.setup('docs', app, document);\n}", "/"),
    ],
)
def test_swaggers_page_answers_where_nothing_else_is_known_to(main: str, path: str) -> None:
    stack = stack_of(
        {"main": "dist/main.js", "scripts": {"build": "nest build"}, "dependencies": {"@nestjs/core": "11"}},
        **{"src/main.ts": main},
    )
    assert stack.health_check_path == path


@pytest.mark.parametrize(
    ("image", "command"),
    [
        ('FROM node\nCMD ["node", "bin/x.js"]\n', "node bin/x.js"),
        ("FROM node\nENTRYPOINT node bin/x.js\n", "node bin/x.js"),
        ('FROM node\nCMD ["node", "made.js"]\n', "node index.js"),
        ('FROM node\nCMD ["sh", "-c", "x"]\n', "node index.js"),
        ('FROM node AS a\nCMD ["node", "bin/x.js"]\nFROM nginx\n', "node index.js"),
    ],
)
def test_what_an_image_runs_comes_before_what_is_called_as_programs_are(image: str, command: str) -> None:
    stack = stack_of({"name": "x"}, **{"bin/x.js": SERVER, "index.js": SERVER, "Dockerfile": image})
    assert stack.start_command == command


@pytest.mark.parametrize(
    ("build", "files", "command"),
    [
        ("tsc", {"server.ts": SERVER}, "node dist/server.js"),
        ("rimraf dist && tsc", {"server.ts": SERVER, "app/app.ts": ""}, "node dist/server.js"),
        ("tsc", {"server.ts": SERVER, "app.ts": SERVER}, "npm run serve"),
        ("tsc", {"server.ts": SERVER, "src/app.ts": SERVER}, "npm run serve"),
        ("webpack", {"server.ts": SERVER}, "npm run serve"),
    ],
)
def test_a_script_of_what_no_source_is_there_for_is_old(build: str, files: dict[str, str], command: str) -> None:
    scripts = {"start": "nodemon server.ts", "serve": "node dist/app.js", "build": build}
    options = '{"compilerOptions": {"outDir": "dist"}}'
    stack = stack_of(
        {"scripts": scripts, "devDependencies": {"typescript": "5"}}, **{"tsconfig.json": options, **files}
    )
    assert stack.start_command == command
