"""package.json as it may come, package managers and their locks, versions of Node.js."""

from __future__ import annotations

import json
from typing import Any

import pytest
from fixtures.sources import memory

from autodeploy.analyser import analyse
from autodeploy.errors import AnalysisError
from autodeploy.model import Evidence, TechStack

SERVER = "const app = require('express')();\napp.listen(process.env.PORT || 3000);\n"


def stack_of(package: dict[str, Any] | None = None, overrides: dict[str, str] | None = None, **files: str) -> TechStack:
    told = {"dependencies": {"express": "^4"}, "scripts": {"start": "node server.js"}, **(package or {})}
    texts = {"package.json": json.dumps(told, indent=1), "server.js": SERVER, **files}
    return analyse(memory(texts), overrides or {})


def evidence(stack: TechStack, fact: str) -> Evidence:
    return next(item for item in stack.evidence if item.fact == fact)


@pytest.mark.parametrize(
    "text",
    [
        '\ufeff{"dependencies": {"express": "4"}, "main": "server.js"}',
        '{\n// why\n"dependencies": {"express": "4 // not a comment",}, /* and\nthis */ "main": "server.js",\n}',
    ],
)
def test_marks_of_order_comments_and_trailing_commas_are_read_over(text: str) -> None:
    assert analyse(memory({"package.json": text, "server.js": SERVER})).framework == "express"


@pytest.mark.parametrize(
    ("text", "said"), [('{"a": 1,, }', "package.json is no JSON: .*line 1"), ("[1]", "no object"), ("", "no JSON"), ("[" * 99_999, "no JSON")]
)  # fmt: skip
def test_a_broken_package_json_is_named_with_the_place(text: str, said: str) -> None:
    with pytest.raises(AnalysisError, match=said) as caught:
        analyse(memory({"package.json": text}))
    assert "npm" in caught.value.remediation


def test_sections_of_another_shape_count_as_empty() -> None:
    stack = stack_of(
        {"devDependencies": [1], "engines": "node 18", "volta": 3, "scripts": {"start": "node server.js", "x": 1}}
    )
    assert (stack.dependencies, stack.runtime_version) == (("express",), "24.x")


@pytest.mark.parametrize(
    ("package", "files", "manager", "command"),
    [
        ({}, {}, "npm", "npm install"),
        ({}, {"package-lock.json": "{}"}, "npm", "npm ci"),
        ({}, {"npm-shrinkwrap.json": "{}"}, "npm", "npm ci"),
        ({}, {"yarn.lock": ""}, "yarn", "yarn install --frozen-lockfile"),
        ({}, {"yarn.lock": "__metadata:\n  version: 8\n"}, "yarn", "yarn install --immutable"),
        ({}, {"pnpm-lock.yaml": ""}, "pnpm", "pnpm install --frozen-lockfile"),
        ({"packageManager": "pnpm@9.1.0"}, {"package-lock.json": "{}"}, "pnpm", "pnpm install"),
        ({"packageManager": "yarn@4.1.0"}, {"yarn.lock": "__metadata:\n"}, "yarn", "yarn install --immutable"),
        ({"packageManager": "yarn@1.22.0"}, {}, "yarn", "yarn install"),
        ({"packageManager": 3}, {}, "npm", "npm install"),
    ],
)
def test_the_package_manager_is_the_named_one_else_the_locks(
    package: dict[str, Any], files: dict[str, str], manager: str, command: str
) -> None:
    stack = stack_of(package, **files)
    assert (stack.package_manager, stack.build_command, stack.build_tool) == (manager, command, "npm")


def test_a_second_lock_is_told() -> None:
    stack = stack_of(None, **{"package-lock.json": "{}", "yarn.lock": ""})
    assert evidence(stack, "package_manager").alternatives == ("package-lock.json",)
    assert stack.warnings == ("package-lock.json is not honoured: yarn.lock is",)


@pytest.mark.parametrize(
    ("package", "files", "manager", "rule"),
    [
        ({"devEngines": {"packageManager": {"name": "pnpm"}}}, {}, "pnpm", "devEngines.packageManager"),
        ({"engines": {"npm": ">=9", "yarn": "1"}}, {}, "yarn", "engines.yarn"),
        ({"engines": {"npm": ">=9"}}, {"yarn.lock": "", "package-lock.json": ""}, "npm", "engines.npm"),
        ({"engines": {"npm": "please-use-yarn", "yarn": ">=1"}}, {"package-lock.json": ""}, "npm", "lock-file"),
        ({}, {"yarn.lock": "", "package-lock.json": "", "Dockerfile": "RUN npm ci\n"}, "npm", "dockerfile"),
        ({}, {"yarn.lock": "", "package-lock.json": "", "Dockerfile": "RUN bun install\n"}, "yarn", "lock-file"),
        ({}, {"pnpm-lock.yaml": "", "package-lock.json": ""}, "pnpm", "lock-file"),
        ({}, {"Dockerfile": "RUN npm install -g pnpm && pnpm install\n"}, "pnpm", "dockerfile"),
        ({}, {".yarnrc.yml": ""}, "yarn", "settings-file"),
        ({}, {"bun.lockb": ""}, "bun", "lock-file"),
        ({"packageManager": "bun@1.2.0"}, {}, "bun", "packageManager"),
        ({}, {}, "npm", "default"),
    ],
)
def test_where_no_lock_settles_it_others_speak(
    package: dict[str, Any], files: dict[str, str], manager: str, rule: str
) -> None:
    stack = stack_of(package, **files)
    assert (stack.package_manager, evidence(stack, "package_manager").rule) == (manager, rule)


def test_bun_installs_and_leaves_out() -> None:
    stack = stack_of({"devDependencies": {"a": "1"}}, **{"bun.lock": "", "server.js": ""})
    assert stack.build_command == (
        "bun install --frozen-lockfile && rm -rf node_modules && bun install --production --frozen-lockfile --ignore-scripts"
    )


@pytest.mark.parametrize(
    ("constraint", "version"),
    [
        ("18.x", "18.x"), ("18", "18.x"), ("v18.12.1", "18.x"), ("^20.1.0", "20.x"), ("~22.1", "22.x"), ("16 || 18", "18.x"),
        (">=14", "24.x"), ("*", "24.x"), ("", "24.x"), (">=18 <21", "20.x"), ("^18 || ^20 || >=22", "24.x"), ("<=20.x", "20.x"),
        (">=20.0.0 <20.5.0", "20.x"), ("lts/*", "24.x"), ("lts/hydrogen", "18.x"), ("lts/Iron", "20.x"), ("node", "24.x"),
        ("nonsense!", "24.x"), ("14 - 16", "16.x"), (">=25", "26.x"),
    ],
)  # fmt: skip
def test_a_range_is_resolved_among_the_pinned_releases(constraint: str, version: str) -> None:
    assert stack_of({"engines": {"node": constraint}}).runtime_version == version


@pytest.mark.parametrize(
    ("constraint", "version"),
    [("12.x", "12.x"), ("^17.2", "17.x"), ("<14", "12.x"), ("6", "6.x"), (">=99", "24.x"), (">22.12.0 <23", "22.x"), ("lts/dubnium", "10.x")],
)  # fmt: skip
def test_what_is_asked_for_is_told_whether_it_can_be_had_or_not(constraint: str, version: str) -> None:
    assert stack_of({"engines": {"node": constraint}}).runtime_version == version


def test_a_flag_that_names_no_version_is_refused() -> None:
    with pytest.raises(AnalysisError, match="no version of Node") as caught:
        stack_of(None, {"runtime_version": "soon"})
    assert "--runtime-version" in caught.value.remediation


@pytest.mark.parametrize(
    ("package", "files", "version", "rule"),
    [
        ({}, {".nvmrc": "# ours\nv20\n"}, "20.x", ".nvmrc"),
        ({}, {".node-version": "22.1.0\n"}, "22.x", ".node-version"),
        ({}, {".tool-versions": "python 3.11\nnodejs 18.20.1\n"}, "18.x", ".tool-versions"),
        ({}, {"mise.toml": "[tools]\nnode = '20'\n"}, "20.x", "mise.toml"),
        ({}, {".mise.toml": "[tools]\nnode = {version = '22'}\n"}, "22.x", ".mise.toml"),
        ({}, {"mise.toml": "[tools]\nnode = ['20', '22']\n"}, "20.x", "mise.toml"),
        ({"devEngines": {"runtime": {"name": "node", "version": "^20"}}}, {}, "20.x", "devEngines.runtime"),
        ({}, {"Dockerfile": "FROM --platform=linux/amd64 node:18-alpine AS x\n"}, "18.x", "dockerfile"),
        ({}, {"Dockerfile": "FROM node:lts\n"}, "24.x", "dockerfile"),
        ({"engines": {"node": "20"}}, {"Dockerfile": "FROM node:18\n"}, "20.x", "engines.node"),
        ({"volta": {"node": "16.3.0"}}, {}, "16.x", "volta.node"),
        ({"engines": {"node": ">=18"}}, {".nvmrc": "20"}, "20.x", ".nvmrc"),
        ({"engines": {"node": "18.x"}}, {".nvmrc": "20"}, "18.x", "engines.node"),
    ],
)
def test_engines_decide_and_a_pin_within_them_narrows(
    package: dict[str, Any], files: dict[str, str], version: str, rule: str
) -> None:
    stack = stack_of(package, **files)
    assert (stack.runtime_version, evidence(stack, "runtime_version").rule) == (version, rule)


def test_a_conflict_is_told() -> None:
    stack = stack_of({"engines": {"node": "18.x"}}, **{".nvmrc": "20"})
    assert evidence(stack, "runtime_version").alternatives == ("20 (.nvmrc)",)
    assert (stack.version_constraint, evidence(stack, "runtime_version").line) == ("18.x", 9)
    assert [said for said in stack.warnings if ".nvmrc" in said and "18.x" in said]


def test_the_flag_wins() -> None:
    assert stack_of({"engines": {"node": "18.x"}}, {"runtime_version": "22"}).runtime_version == "22.x"


@pytest.mark.parametrize(
    ("package", "framework"),
    [
        ("express", "express"), ("fastify", "fastify"), ("koa", "koa"), ("@hapi/hapi", "hapi"), ("@nestjs/core", "nest"),
        ("next", "next"), ("hono", "hono"), ("lodash", None), ("my-express", None),
    ],
)  # fmt: skip
def test_the_framework_is_a_package_of_production(package: str, framework: str | None) -> None:
    assert stack_of({"dependencies": {package: "*"}}).framework == framework


def test_a_development_package_that_a_build_takes_in_is_the_framework() -> None:
    scripts = {"start": "node dist/index.js", "build": "vite build"}
    package = {"scripts": scripts, "dependencies": {}, "devDependencies": {"fastify": "5"}}
    assert stack_of(package, **{"server.js": "fastify().listen(3000)"}).framework == "fastify"


def test_a_development_package_is_no_framework() -> None:
    stack = stack_of(
        {"dependencies": {}, "devDependencies": {"express": "4", "pg": "8"}}, **{"server.js": "setInterval(f, 9)\n"}
    )
    assert (stack.framework, stack.requires_database, stack.is_web_service) == (None, False, False)


def test_services_that_are_not_made_are_told() -> None:
    stack = stack_of({"dependencies": {"express": "4", "ioredis": "5", "amqplib": "1"}})
    assert stack.services == ("rabbitmq", "redis")
    assert "redis is used and not made: give its address with --env" in stack.warnings
