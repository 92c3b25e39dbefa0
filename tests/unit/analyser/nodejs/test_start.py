"""What starts the application, what builds it, what has to travel with it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from fixtures.sources import memory

from autodeploy.analyser import analyse
from autodeploy.errors import AnalysisError
from autodeploy.model import TechStack

SERVER = "require('http').createServer().listen(process.env.PORT)\n"
PRUNE = "npm prune --omit=dev --ignore-scripts --no-audit"


def stack_of(package: dict[str, Any], overrides: dict[str, str] | None = None, **files: str) -> TechStack:
    return analyse(memory({"package.json": json.dumps(package), **files}), overrides or {})


STARTS: dict[str, tuple[dict[str, Any], dict[str, str], str]] = {
    "start script": ({"scripts": {"start": "node server.js"}}, {"server.js": SERVER}, "npm start"),
    "development server, production script": (
        {"scripts": {"start": "nodemon x.js", "start:prod": "node x.js"}}, {"x.js": SERVER}, "npm run start:prod",
    ),
    "development server, Procfile": (
        {"scripts": {"start": "nodemon x.js"}}, {"x.js": SERVER, "Procfile": "web: node x.js --now"}, "node x.js --now",
    ),
    "what development runs": ({"scripts": {"dev": "cross-env A=1 nodemon -L -r dotenv/config --watch src src/x.js"}}, {"src/x.js": SERVER}, "node src/x.js"),
    "node --watch": ({"scripts": {"start": "node --watch y.js"}}, {"y.js": SERVER}, "node y.js"),
    "main": ({"main": "./lib/x"}, {"lib/x.js": SERVER}, "node lib/x.js"),
    "main is a folder": ({"main": "lib"}, {"lib/index.js": SERVER}, "node lib/index.js"),
    "main is missing": ({"main": "index.js"}, {"app.js": SERVER}, "node app.js"),
    "server before index": ({}, {"index.js": "", "server.js": SERVER}, "node server.js"),
    "compiled": (
        {"main": "src/index.ts", "scripts": {"build": "tsc"}},
        {"src/index.ts": SERVER, "tsconfig.json": '{"compilerOptions": {"outDir": "dist", /* x */},}'},
        "node dist/index.js",
    ),
    "compiled in place": (
        {"main": "app.ts", "devDependencies": {"typescript": "5"}}, {"app.ts": SERVER, "tsconfig.json": "{}"}, "node app.js",
    ),
    "nx": (
        {"scripts": {"start": "nx serve", "build": "nx build"}},
        {"src/main.ts": SERVER, "project.json": '{"targets": {"build": {"options": {"outputPath": "dist/api", "main": "src/main.ts"}}}}'},
        "node dist/api/main.js",
    ),
    "a procfile's program": ({}, {"Procfile": "web: next start -p $PORT"}, "PATH=/app/src/node_modules/.bin:$PATH; next start -p $PORT"),
}  # fmt: skip


@pytest.mark.parametrize("name", STARTS)
def test_the_start_command(name: str) -> None:
    package, files, command = STARTS[name]
    assert stack_of(package, **files).start_command == command


def test_the_flag_starts() -> None:
    assert stack_of({}, {"start_command": "node z.js"}, **{"x.js": ""}).start_command == "node z.js"


@pytest.mark.parametrize(
    "package",
    [
        {},
        {"scripts": {"start": "nodemon"}},
        {"scripts": {"start": "npm run start"}},
        {"main": "src/x.ts"},
        {"scripts": {"start": "tsc"}},
    ],
)
def test_nothing_that_starts_is_refused(package: dict[str, Any]) -> None:
    with pytest.raises(AnalysisError, match="nothing says how to start") as caught:
        stack_of(package, **{"src/x.ts": SERVER})
    assert "--start-command" in caught.value.remediation


def test_pages_for_a_browser_are_no_server() -> None:
    with pytest.raises(AnalysisError, match=r"pages for a browser \(vite\)"):
        stack_of({"devDependencies": {"vite": "5"}, "scripts": {"start": "vite", "build": "vite build"}})


BUILDS: dict[str, tuple[dict[str, Any], dict[str, str], str, str]] = {
    "build script": ({"scripts": {"start": "node dist/x.js", "build": "tsc"}}, {}, "npm install && npm run build", "npm start"),
    "heroku's comes first": (
        {"scripts": {"start": "node x.js", "build": "tsc", "heroku-postbuild": "cd c && npm i"}}, {},
        "npm install && npm run heroku-postbuild", "npm start",
    ),
    "no script, but a compiler": (
        {"scripts": {"start": "node dist/x.js"}, "dependencies": {"typescript": "5"}}, {"tsconfig.json": "{}"},
        "npm install && npx tsc", "npm start",
    ),
    "start builds": (
        {"scripts": {"start": "npm run build && node dist/x.js", "build": "tsc"}}, {},
        "npm install && npm run build", "node dist/x.js",
    ),
    "start builds by itself": (
        {"scripts": {"start": "tsc && node dist/x.js"}}, {}, "npm install && PATH=$PWD/node_modules/.bin:$PATH tsc", "node dist/x.js",
    ),
    "prestart builds": (
        {"scripts": {"prestart": "npm run build", "build": "tsc", "start": "node dist/x.js"}}, {},
        "npm install && npm run build", "npm start --ignore-scripts",
    ),
    "prestart does something else": (
        {"scripts": {"prestart": "node seed.js", "start": "node x.js"}}, {}, "npm install", "npm start",
    ),
    "development packages go": (
        {"scripts": {"start": "node x.js"}, "devDependencies": {"mocha": "9"}}, {}, f"npm install && {PRUNE}", "npm start",
    ),
    "a program that starts stays": (
        {"scripts": {"start": "ts-node src/x.ts"}, "devDependencies": {"ts-node": "9"}}, {}, "npm install", "npm start",
    ),
    "what the code imports stays": (
        {"scripts": {"start": "node x.js"}, "devDependencies": {"dotenv": "9"}}, {"x.js": "require('dotenv').config()\n" + SERVER},
        "npm install", "npm start",
    ),
    "types go": (
        {"scripts": {"start": "node x.js", "build": "tsc"}, "devDependencies": {"a": "9"}}, {"x.ts": "import type { A } from 'a';\n" + SERVER},
        f"npm install && npm run build && {PRUNE}", "npm start",
    ),
    "prisma": (
        {"scripts": {"start": "node x.js"}, "dependencies": {"@prisma/client": "5"}}, {"prisma/schema.prisma": ""},
        "npm install && node_modules/.bin/prisma generate --schema prisma/schema.prisma", "npm start",
    ),
    "yarn": (
        {"scripts": {"start": "node x.js"}, "devDependencies": {"a": "1"}}, {"yarn.lock": ""},
        "yarn install --frozen-lockfile && yarn install --production --frozen-lockfile --ignore-scripts --prefer-offline", "npm start",
    ),
    "yarn from 2 on": (
        {"scripts": {"start": "node x.js"}, "devDependencies": {"a": "1"}}, {"yarn.lock": "__metadata:\n"},
        "yarn install --immutable && yarn workspaces focus --production", "npm start",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", BUILDS)
def test_the_build_command(name: str) -> None:
    package, files, build, command = BUILDS[name]
    stack = stack_of(package, **{"x.js": SERVER, **files})
    assert (stack.build_command, stack.start_command) == (build, command)


@pytest.mark.parametrize(
    ("package", "files", "is_web"),
    [
        ({"dependencies": {"express": "4"}}, {"index.js": ""}, True),
        ({}, {"index.js": SERVER}, True),
        ({}, {"index.js": "setInterval(() => console.log('x'), 1000)\n"}, False),
        ({}, {"index.js": "setInterval(f, 1)\n", "tools/other.js": SERVER}, False),
        ({}, {"index.js": "require('./lib/web')\n", "lib/web.js": SERVER}, True),
        (
            {},
            {"index.js": "import('./lib/web.mjs')\n", "lib/web.mjs": "import './more'\n", "lib/more/index.ts": SERVER},
            True,
        ),
        ({"scripts": {"dev": "nodemon work.js"}}, {"work.js": "f()\n", "Procfile": "worker: node work.js"}, False),
    ],
)
def test_a_worker_is_what_opens_no_socket(package: dict[str, Any], files: dict[str, str], is_web: bool) -> None:
    assert stack_of(package, **files).is_web_service is is_web


def test_code_that_calls_itself_in_circles_ends() -> None:
    files = {"index.js": "require('./a')\n", "a.js": "require('./index'); require('./gone'); require('x')\n" + SERVER}
    assert stack_of({}, **files).is_web_service
