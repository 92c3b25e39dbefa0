"""What starts the application, what builds it, what has to travel with it."""

from __future__ import annotations

import json
import re
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
    "compiled as it runs": (
        {"scripts": {"start": "nodemon --exec babel-node src/x.js"}, "devDependencies": {"@babel/node": "7", "nodemon": "3"}},
        {"src/x.js": "import http from 'http'"}, "PATH=/app/src/node_modules/.bin:$PATH; babel-node src/x.js",
    ),
    "TypeScript that nothing compiles before": (
        {"scripts": {"dev": "nodemon --watch src --exec 'ts-node' src/x.ts"}, "devDependencies": {"ts-node": "10"}},
        {"src/x.ts": SERVER}, "PATH=/app/src/node_modules/.bin:$PATH; ts-node src/x.ts",
    ),
    "TypeScript that a build compiles": (
        {"scripts": {"dev": "nodemon --exec ts-node src/x.ts", "build": "tsc"}, "devDependencies": {"ts-node": "10"}},
        {"src/x.ts": SERVER, "tsconfig.json": '{"compilerOptions": {"outDir": "dist"}}'}, "node dist/x.js",
    ),
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
    "nx, several projects": (
        {"scripts": {"start": "nx serve"}, "devDependencies": {"vite": "5"}},
        {
            "nx.json": "{}", "apps/api/src/main.ts": SERVER,
            "apps/api/project.json": '{"targets": {"build": {"options": {"outputPath": "dist/apps/api", "main": "apps/api/src/main.ts"}}}}',
            "apps/api-e2e/project.json": '{"targets": {"build": {"options": {"outputPath": "dist/x", "main": "x.ts"}}}}',
            "apps/web/project.json": '{"targets": {"build": {"options": {"outputPath": "dist/apps/web", "index": "x", "main": "m.ts"}}}}',
            "packages/lib/project.json": '{"projectType": "library", "targets": {"build": {"options": {"outputPath": "dist/l", "main": "m.ts"}}}}',
        },
        "node dist/apps/api/main.js",
    ),
    "nx, pages": (
        {"scripts": {"start": "nx serve"}},
        {
            "nx.json": "{}", "apps/none/project.json": "{}",
            "apps/shop/project.json": '{"targets": {"build": {"options": {"outputPath": {"base": "dist/shop"}, "browser": "m.ts"}}}}',
        },
        "serve -s dist/shop/browser -l $PORT",
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


SITES: dict[str, tuple[dict[str, Any], dict[str, str], str]] = {
    "vite": ({"devDependencies": {"vite": "5"}, "scripts": {"dev": "vite", "build": "vite build", "preview": "vite preview"}}, {}, "serve -s dist -l $PORT"),
    "vite elsewhere": ({"devDependencies": {"vite": "5"}}, {"vite.config.ts": "export default { build: { outDir: 'public_html' } }"}, "serve -s public_html -l $PORT"),
    "outside": ({"devDependencies": {"vite": "5"}}, {"vite.config.ts": "export default { build: { outDir: '../x' } }"}, "serve -s dist -l $PORT"),
    "react": ({"dependencies": {"react-scripts": "5"}, "scripts": {"start": "react-scripts start"}}, {"src/index.js": "x()"}, "serve -s build -l $PORT"),
    "vue": ({"devDependencies": {"@vue/cli-service": "5"}}, {}, "serve -s dist -l $PORT"),
    "angular": (
        {"devDependencies": {"@angular/cli": "19"}, "scripts": {"start": "ng serve"}},
        {"angular.json": '{"projects": {"shop": {"architect": {"build": {"builder": "@angular/build:application", "options": {}}}}}}'},
        "serve -s dist/shop/browser -l $PORT",
    ),
    "gatsby": ({"dependencies": {"gatsby": "5"}, "scripts": {"start": "gatsby develop"}}, {}, "serve public -l $PORT"),
    "docusaurus": ({"dependencies": {"@docusaurus/core": "3"}, "scripts": {"start": "docusaurus start"}}, {}, "serve build -l $PORT"),
    "vitepress": ({"devDependencies": {"vitepress": "1"}}, {"docs/.vitepress/config.mts": ""}, "serve docs/.vitepress/dist -l $PORT"),
    "eleventy": ({"devDependencies": {"@11ty/eleventy": "3"}, "scripts": {"build": "eleventy --output=out"}}, {}, "serve out -l $PORT"),
    "astro": ({"dependencies": {"astro": "5"}, "scripts": {"start": "astro dev"}}, {"astro.config.mjs": "export default {}"}, "serve dist -l $PORT"),
    "next, exported": (
        {"dependencies": {"next": "15"}, "scripts": {"start": "next start"}}, {"next.config.mjs": "export default { output: 'export' }"}, "serve out -l $PORT",
    ),
    "nuxt, generated": ({"devDependencies": {"nuxt": "^3"}, "scripts": {"build": "nuxt generate"}}, {}, "serve .output/public -l $PORT"),
    "sveltekit, static": (
        {"devDependencies": {"@sveltejs/kit": "2", "@sveltejs/adapter-static": "3"}}, {"svelte.config.js": "adapter({ fallback: '200.html' })"},
        "serve -s build -l $PORT",
    ),
    "react-router, in the browser": (
        {"dependencies": {"@react-router/node": "7"}}, {"react-router.config.ts": "export default { ssr: false }"}, "serve -s build/client -l $PORT",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", SITES)
def test_pages_are_served_from_where_their_tool_leaves_them(name: str) -> None:
    package, files, command = SITES[name]
    stack = stack_of(package, **files)
    assert (stack.start_command, stack.server_package, stack.is_web_service) == (command, "serve", True)
    assert (stack.health_check_path, stack.port, stack.port_env) == ("/", 3000, "PORT")
    assert "build" in stack.build_command or "generate" in stack.build_command or "eleventy" in stack.build_command
    assert "prune" not in stack.build_command


def test_a_tool_for_pages_beside_a_server_is_no_site() -> None:
    package = {"devDependencies": {"vite": "5"}, "scripts": {"build": "vite build", "start": "vite"}}
    assert stack_of(package, **{"server.js": SERVER}).start_command == "node server.js"


FRAMEWORKS: dict[str, tuple[dict[str, Any], dict[str, str], str]] = {
    "next": ({"dependencies": {"next": "15"}}, {}, "next start -p $PORT"),
    "next, standalone": ({"dependencies": {"next": "15"}}, {"next.config.js": "module.exports = { output: 'standalone' }"}, "node .next/standalone/server.js"),
    "nuxt": ({"devDependencies": {"nuxt": "3"}, "scripts": {"start": "nuxt preview"}}, {}, "node .output/server/index.mjs"),
    "remix": ({"dependencies": {"@remix-run/serve": "2", "@remix-run/node": "2"}}, {"vite.config.ts": ""}, "remix-serve ./build/server/index.js"),
    "react-router": ({"dependencies": {"@react-router/serve": "7"}}, {}, "react-router-serve ./build/server/index.js"),
    "sveltekit": ({"devDependencies": {"@sveltejs/kit": "2", "@sveltejs/adapter-node": "5"}}, {"svelte.config.js": "kit: { adapter: adapter({ out: 'made' }) }"}, "node made/index.js"),
    "astro": ({"dependencies": {"astro": "5", "@astrojs/node": "9"}}, {"astro.config.mjs": "import node from '@astrojs/node';\nexport default { adapter: node() }"}, "node dist/server/entry.mjs"),
    "adonis 6": ({"dependencies": {"@adonisjs/core": "6"}, "scripts": {"start": "node bin/server.js"}}, {"bin/server.ts": ""}, "node build/bin/server.js"),
    "adonis that demands its host": (
        {"dependencies": {"@adonisjs/core": "6"}, "scripts": {"start": "node bin/server.js"}},
        {"bin/server.ts": "", "start/env.ts": "Env.create(u, { HOST: Env.schema.string() })"},
        "HOST=127.0.0.1 node build/bin/server.js",
    ),
    "adonis 5": ({"dependencies": {"@adonisjs/core": "5"}, "scripts": {"start": "node server.js"}}, {"server.ts": ""}, "node build/server.js"),
}  # fmt: skip


@pytest.mark.parametrize("name", FRAMEWORKS)
def test_a_framework_serves_what_it_has_built(name: str) -> None:
    package, files, command = FRAMEWORKS[name]
    stack = stack_of(package, **files)
    assert stack.start_command.split("; ")[-1] == command
    assert stack.framework == re.split(r"[, ]", name)[0]
    assert "build" in stack.build_command
    assert stack.warnings == ()


@pytest.mark.parametrize(
    ("package", "files"),
    [
        ({"devDependencies": {"@sveltejs/kit": "2", "@sveltejs/adapter-auto": "3"}}, {"svelte.config.js": "import a from '@sveltejs/adapter-auto'"}),
        ({"devDependencies": {"@sveltejs/kit": "2"}}, {}),
        ({"dependencies": {"astro": "5"}}, {"astro.config.mjs": "import v from '@astrojs/vercel/serverless';\nexport default { adapter: v() }"}),
        ({"dependencies": {"astro": "5"}}, {"astro.config.mjs": "import n from '@astrojs/node';\nexport default { adapter: n({ mode: 'middleware' }) }"}),
    ],
)  # fmt: skip
def test_an_adapter_that_makes_no_server_is_told(package: dict[str, Any], files: dict[str, str]) -> None:
    assert len(stack_of(package, **files).warnings) == 1


def test_an_application_that_nothing_starts_keeps_its_other_facts() -> None:
    stack = stack_of({"dependencies": {"koa": "2"}, "engines": {"node": "20"}}, **{"a/app.js": SERVER})
    assert (stack.start_command, stack.framework, stack.runtime_version) == ("", "koa", "20.x")
    assert [(unknown.fact, unknown.flag) for unknown in stack.unknowns] == [("start_command", "--start-command")]


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
    "a folder that a compiler makes": (
        {"scripts": {"start": "node lib/", "compile": "shx rm -rf lib/ && tsc"}}, {"src/index.ts": SERVER}, "npm install && npm run compile", "npm start",
    ),
    "a folder that is there": ({"scripts": {"start": "node lib/", "compile": "tsc"}}, {"lib/index.js": SERVER}, "npm install", "npm start"),
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
        "yarn install --frozen-lockfile && yarn install --production --frozen-lockfile --ignore-scripts --prefer-offline", "yarn start",
    ),
    "yarn from 2 on": (
        {"scripts": {"start": "node x.js"}, "devDependencies": {"a": "1"}}, {"yarn.lock": "__metadata:\n  version: 8\n"},
        "yarn install --immutable && yarn workspaces focus --production", "yarn start",
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
