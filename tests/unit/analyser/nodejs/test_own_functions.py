"""Variables that functions of the program's own read; what dotenv-safe demands; TypeORM's own variables."""

from __future__ import annotations

import json

import pytest
from fixtures.sources import memory

from autodeploy.analyser import analyse
from autodeploy.model import TechStack

GET = "function getEnv(key, other) {\n  if (process.env[key] === undefined) throw new Error(key);\n  return process.env[key];\n}\n"
OR = "const envOr = (key, other) => process.env[key] || other;\n"
LISTEN = "require('express')().listen(process.env.PORT);\n"


def stack_of(code: str, dependencies: tuple[str, ...] = ("express",), **files: str) -> TechStack:
    package = json.dumps({"main": "server.js", "dependencies": dict.fromkeys(dependencies, "*")})
    return analyse(memory({"package.json": package, "server.js": code + LISTEN, **files}))


def required(stack: TechStack) -> set[str]:
    return {item.name for item in stack.environment if item.required}


@pytest.mark.parametrize(
    ("code", "is_required"),
    [
        ("const c = { name: getEnv('A_B') };\n", True),
        ("module.exports = { name: toBool(getEnv('A_B')) };\n", True),
        ("const p = process.env.PORT || getEnv('A_B');\n", False),
        ("const c = isTest ? getEnv('A_B') : 'x';\n", False),
        ("if (isTest) { getEnv('A_B'); }\n", False),
        ("function later() { return getEnv('A_B'); }\n", False),
        ("registerAs('shop', () => ({ name: getEnv('A_B') }));\n", True),
        ("try { x() } catch (e) { getEnv('A_B') }\n", False),
    ],
)
def test_a_function_that_throws_demands_what_it_is_surely_called_with(code: str, is_required: bool) -> None:
    stack = stack_of(GET + code)
    assert [item.name for item in stack.environment] == ["A_B"]
    assert (required(stack) == {"A_B"}) is is_required


def test_a_function_that_is_given_a_default_demands_nothing() -> None:
    stack = stack_of(
        f"{OR}const a = envOr('A_B', 'two');\nconst b = envOr('C_D');\nconst c = envOr(name);\nenvOr('no');\n"
    )
    assert {item.name: item.default for item in stack.environment} == {"A_B": "two", "C_D": None}
    assert required(stack) == set()


def test_a_method_of_another_module() -> None:
    config = "export class Config {\n  static must(key: string): string {\n    const v = process.env[key];\n    if (!v) throw new Error(key);\n    return v;\n  }\n}\n"
    stack = stack_of(
        "const { Config } = require('./config');\nconst x = Config.must('A_B');\n", **{"config.ts": config}
    )
    assert required(stack) == {"A_B"}


def test_dotenv_safe_demands_the_whole_example() -> None:
    example = {".env.example": "PORT=3000\nNODE_ENV=development\nA_B=1\nC_D=\n"}
    code = "require('dotenv-safe').config();\nconst a = process.env.A_B || 'x';\n"
    assert required(stack_of(code, ("express", "dotenv-safe"), **example)) == {"A_B", "C_D"}
    assert required(stack_of(code.replace("-safe", ""), ("express", "dotenv"), **example)) == set()


def test_variables_of_typeorm_hold_parts_of_the_address() -> None:
    code = "".join(f"use(process.env.TYPEORM_{name});\n" for name in ("HOST", "PORT", "DATABASE", "CONNECTION"))
    stack = stack_of(code, ("express", "pg"))
    parts = {item.value for item in stack.evidence if item.fact == "database_variable"}
    assert parts == {"TYPEORM_HOST=host", "TYPEORM_PORT=port", "TYPEORM_DATABASE=name"}


def test_a_fluent_schema() -> None:
    code = "const S = require('fluent-json-schema');\nfastify.register(require('fastify-env'), { schema: S.object()\n"
    code += "  .prop('A_B', S.string().required())\n  .prop('C_D', S.string())\n  .prop('E_F', S.string().default('x').required())\n"
    stack = stack_of(f"{code}.valueOf() }});\n", ("fastify", "fastify-env"))
    assert required(stack) == {"A_B"}
    assert {item.name: item.default for item in stack.environment} == {"A_B": None, "C_D": None, "E_F": "x"}
