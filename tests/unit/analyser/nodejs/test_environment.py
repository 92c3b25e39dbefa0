"""Environment variables: required only where the program surely ends without them; those of the database."""

from __future__ import annotations

import json
from typing import Any

import pytest
from fixtures.sources import memory
from unit.analyser.nodejs import applications

from autodeploy.analyser import analyse
from autodeploy.model import EnvironmentVariable, TechStack


def stack_of(code: str, dependencies: tuple[str, ...] = ("express",), **files: str) -> TechStack:
    package = json.dumps({"main": "server.js", "dependencies": dict.fromkeys(dependencies, "*")})
    return analyse(memory({"package.json": package, "server.js": code, **files}))


def variables(code: str, dependencies: tuple[str, ...] = ("express",), **files: str) -> dict[str, EnvironmentVariable]:
    return {item.name: item for item in stack_of(code, dependencies, **files).environment}


def test_how_javascript_reads() -> None:
    found = variables(
        "const a = process.env.A;\nconst b = process.env['B'] || 'two';\nconst c = process.env.C ?? 3;\n"
        "const { D, E = 'five', F: f = 6, G: g } = process.env;\nconst h = Number(process.env.H) || 8;\n"
        "const i = parseInt(process.env.I || '9', 10);\nfoo(process.env.J);\nconst n = process.env[name];\n"
        "process.env.PORT; process.env.NODE_ENV; env.X;\n"
    )
    assert {name: item.default for name, item in found.items()} == {
        "A": None, "B": "two", "C": "3", "D": None, "E": "five", "F": "6", "G": None, "H": "8", "I": "9", "J": None,
    }  # fmt: skip
    assert not any(item.required for item in found.values())
    assert (found["B"].file, found["B"].line) == ("server.js", 2)


@pytest.mark.parametrize(
    "code",
    [
        "if (!process.env.A) throw new Error('A');",
        "if (!process.env.A) {\n  console.error('set A');\n  process.exit(1);\n}",
        "if (process.env.A === undefined) { throw new Error() }",
        "if (!process.env.B || !process.env.A) { throw new Error() }",
        "config.getOrThrow('A_A'.slice(2));\nif (!(process.env.A)) { process.exit(2) }",
        "const { A } = process.env;\nif (!A) throw new Error('A');",
        "const { A: given } = process.env;\nif (!given) {\n  console.error('A');\n  process.exit(1);\n}",
        "const a = process.env.A;\nif (!a) { throw new Error('A') }",
        "assert(process.env.A, 'A');",
        "invariant(process.env.A);",
        "const { A } = process.env;\nassert(A, 'A is missing');",
    ],
)
def test_what_the_program_ends_without_is_required(code: str) -> None:
    assert variables(code)["A"].required


@pytest.mark.parametrize(
    "code",
    [
        "if (!process.env.A) { console.warn('no A'); }",
        "if (!process.env.A) { mail = false; if (x) throw new Error(); }",
        "if (!process.env.A && strict) { throw new Error() }",
        "const a = !process.env.A;",
        "if (process.env.A) { throw new Error('A is no more') }",
        "throw process.env.A;",
        "const { A = 'x' } = process.env;\nif (!A) throw new Error('A');",
        "const a = process.env.A;\nif (!a) { warn('A') }",
        "assert(a, process.env.A);",
        "check(process.env.A);",
    ],
)
def test_what_it_may_go_on_without_is_not(code: str) -> None:
    assert not variables(code)["A"].required


SCHEMAS = {
    "envalid": "cleanEnv(process.env, { A: str(), B: str({ default: 'x' }), C: num({ devDefault: 1 }) }); // envalid",
    "joi": "const Joi = require('joi');\nJoi.object({ A: Joi.string().required(), B: Joi.string().default('x').required(), C: Joi.string() })"
    ".validate(process.env);",
    "zod": "import { z } from 'zod';\nz.object({ A: z.string().min(1), B: z.string().default('x'), C: z.string().optional() })"
    ".parse(process.env);",
}  # fmt: skip


SCHEMAS |= {
    "adonis": "import { Env } from '@adonisjs/core/env';\nEnv.create(url, { A: Env.schema.string(), B: Env.schema.string.optional(), "
    "C: Env.schema.number.optional() });\nconst { B = 'x' } = process.env;",
    "typebox": "import { Type } from '@sinclair/typebox';\nexport const env = Type.Object({ A: Type.String(), B: Type.String({ default: 'x' }), "
    "C: Type.Optional(Type.String()) });",
    "convict": "convict({ a: { format: String, default: null, env: 'A' }, b: { format: String, default: 'x', env: 'B' },"
    " c: { format: String, default: null, nullable: true, env: 'C' }, d: { env: 'lower' } });\nprocess.env.C;",
    "fastify": "app.register(require('@fastify/env'), { schema: { required: ['A'], properties: {} } });\n"
    "process.env.B ?? 'x'; process.env.C;",
}  # fmt: skip


@pytest.mark.parametrize("name", SCHEMAS)
def test_a_schema_of_the_environment_is_read(name: str) -> None:
    found = variables(SCHEMAS[name])
    assert {key: (item.required, item.default) for key, item in found.items()} == {
        "A": (True, None), "B": (False, "x"), "C": (False, None),
    }  # fmt: skip


def test_what_a_bundler_writes_into_the_code() -> None:
    found = variables(
        "import { A_KEY } from '$env/static/private';\nimport { env } from '$env/dynamic/private';\nenv.B_URL;\n"
        "fetch(import.meta.env.VITE_API);\nimport.meta.env.MODE;\n"
    )
    assert {name: (item.required, item.line) for name, item in found.items()} == {
        "A_KEY": (True, 1), "B_URL": (False, 3), "VITE_API": (False, 4),
    }  # fmt: skip


def test_a_configuration_object_is_asked_by_name() -> None:
    found = variables(
        "this.config.get('MAIL_HOST');\nconfig.get('MAIL_PORT', 25);\nconfig.getOrThrow('API_URL');\n"
        "env.get('CDN_URL').required().asString(); // env-var\nmap.get('lower');\n"
    )
    assert {name: (item.required, item.default) for name, item in found.items()} == {
        "MAIL_HOST": (False, None), "MAIL_PORT": (False, "25"), "API_URL": (True, None), "CDN_URL": (True, None),
    }  # fmt: skip


def test_only_what_the_application_imports_can_require() -> None:
    check = "if (!process.env.{0}) throw new Error('{0}');\n"
    found = variables(
        "import './used.js';\nexport * from './also';\n",
        **{
            "used.ts": check.format("A"),
            "also/index.ts": check.format("B"),
            "script.js": check.format("C"),
            "test/x.js": check.format("D"),
            "x.test.js": check.format("E"),
        },
    )
    assert {name: item.required for name, item in found.items()} == {"A": True, "B": True, "C": False}


def test_aliases_of_paths_lead_to_the_source() -> None:
    found = variables("import '@/a';\nimport 'src/b';\n", **{"src/a.js": "process.env.A", "src/b.js": "process.env.B"})
    assert sorted(found) == ["A", "B"]


def test_secrets_and_examples() -> None:
    found = variables(
        "process.env.JWT_SECRET || 'dev'; process.env.STRIPE_KEY;", **{".env.example": "MODE=live\nPORT=1\n"}
    )
    assert (found["JWT_SECRET"].generated, found["JWT_SECRET"].default) == (True, None)
    assert (found["STRIPE_KEY"].secret, found["STRIPE_KEY"].required) == (True, False)
    assert found["MODE"].default == "live"


def test_nobody_is_asked_for_the_database() -> None:
    names = (
        "DATABASE_URL",
        "DB_CONN",
        "DB_HOST",
        "PGUSER",
        "DB_NAME",
        "PG_CONNECTION",
        "DB_SSL",
        "POSTGRES_USE_SSL",
        "PGSSL",
    )
    code = "".join(f"if (!process.env.{name}) throw 1;\n" for name in names)
    stack = stack_of(code, ("pg",))
    assert sorted(item.name for item in stack.environment if not item.required) == sorted(names[1:])
    told = [item.value for item in stack.evidence if item.fact == "database_variable"]
    assert told == [
        "DB_CONN=url",
        "DB_HOST=host",
        "DB_NAME=name",
        "DB_SSL=ssl",
        "PGSSL=ssl",
        "PGUSER=user",
        "PG_CONNECTION=url",
        "POSTGRES_USE_SSL=ssl",
    ]
    assert variables(code, ("express",))["DATABASE_URL"].required


@pytest.mark.parametrize(
    ("names", "driver", "told"),
    [
        (("DATABASE", "DATABASE_PASSWORD"), "mongoose", ["DATABASE=url", "DATABASE_PASSWORD=password"]),
        (("DB", "MONGO_URI"), "mongoose", ["MONGO_URI=url"]),
        (("DB", "MONGO_HOST"), "mongoose", ["DB=name", "MONGO_HOST=host"]),
        (("DATABASE", "DATABASE_USER"), "pg", ["DATABASE=name", "DATABASE_USER=user"]),
        (("DATABASE", "DATABASE_URL"), "pg", []),
        (("DB", "DB_NAME", "DB_USER"), "pg", ["DB_NAME=name", "DB_USER=user"]),
        (("POSTGRES_STORENAME",), "pg", ["POSTGRES_STORENAME=name"]),
    ],
)
def test_what_is_called_like_the_database_alone_is_its_address_or_its_name(
    names: tuple[str, ...], driver: str, told: list[str]
) -> None:
    stack = stack_of("".join(f"x(process.env.{name});\n" for name in names), (driver,))
    assert [item.value for item in stack.evidence if item.fact == "database_variable"] == told


@pytest.mark.parametrize(
    "content",
    ["(" * 9000, "a." * 20_000, "x = " + "[" * 4000, "\x00\xff", "`${" * 3000, "if (!" * 4000, "class {" * 2000],
)
@pytest.mark.parametrize("name", ["b.js", "b.ts", "b.tsx", "bin/www"])
def test_broken_code_ends(name: str, content: str) -> None:
    found = variables("import './b';\nprocess.env.A;\n", **{name: f"process.env.B;\n{content}\n"})
    assert "A" in found


def test_code_that_a_machine_wrote_is_left_out() -> None:
    assert "B" not in variables(
        "process.env.A", **{"b.js": "x=1;" * 1000 + "process.env.B", "c.min.js": "process.env.B"}
    )
    assert "B" not in variables("process.env.A", **{"public/b.js": "process.env.B", "dist/b.js": "process.env.B"})


@pytest.mark.parametrize(
    ("package", "settings"),
    [
        ({"imports": {"#start/*": "./start/*.js"}}, {}),
        ({"imports": {"#start/*": {"types": "./types/*.d.ts", "default": "./start/*.js"}}}, {}),
        ({}, {"tsconfig.json": '{"compilerOptions": {"paths": {"#start/*": ["./start/*"]}}} // as people write it'}),
        ({}, {"tsconfig.json": '{"compilerOptions": {"baseUrl": "src", "paths": {"#start/*": ["../start/*"]}}}'}),
    ],
)
def test_a_module_that_is_imported_by_an_alias_belongs_to_the_application(
    package: dict[str, Any], settings: dict[str, str]
) -> None:
    code = f"{applications.HEAD}import env from '#start/env'\nimport '#start'\nimport 'start/other'\napp.listen(3000)"
    files = {"start/env.ts": "if (!process.env.TOKEN_A) throw new Error('A')", **settings}
    found = {
        item.name: item for item in applications.stack_of(code, {"type": "module", **package}, **files).environment
    }
    assert found["TOKEN_A"].required
    bare = {
        item.name: item
        for item in applications.stack_of(code, {"type": "module"}, **files | {"tsconfig.json": "{}"}).environment
    }
    assert not bare["TOKEN_A"].required


def test_adonis_is_given_a_key_and_its_host() -> None:
    schema = "import { Env } from '@adonisjs/core/env';\nEnv.create(u, { HOST: Env.schema.string(), APP_KEY: Env.schema.secret() })"
    package = {"dependencies": {"@adonisjs/core": "6"}, "scripts": {"start": "node bin/server.js"}}
    files = {"bin/server.ts": "import '../start/env.js'", "start/env.ts": schema}
    found = {item.name: item for item in applications.stack_of("", package, **files).environment}
    assert (found["HOST"].required, found["HOST"].default) == (False, "127.0.0.1")
    assert (found["APP_KEY"].required, found["APP_KEY"].generated) == (True, True)
