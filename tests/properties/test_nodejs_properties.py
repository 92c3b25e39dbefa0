"""The design document's properties of analysis, for Node.js; and that no broken file beside an application crashes it."""

from __future__ import annotations

import json
from typing import Any

import nodesemver
from fixtures.planned import FACTS, planned
from fixtures.sources import memory
from hypothesis import given, settings
from hypothesis import strategies as st

from autodeploy.analyser import analyse, detect_language
from autodeploy.analyser.nodejs.frameworks import FRAMEWORKS
from autodeploy.errors import AnalysisError
from autodeploy.model import NODE_DEFAULT, NODE_RELEASES

EXAMPLES = settings(max_examples=150, deadline=None)
DRIVERS = {
    "pg": "postgresql",
    "pg-promise": "postgresql",
    "postgres": "postgresql",
    "mysql2": "mysql",
    "mysql": "mysql",
    "mariadb": "mariadb",
    "mongodb": "mongodb",
    "mongoose": "mongodb",
}
OTHERS = (
    "lodash",
    "sequelize",
    "knex",
    "typeorm",
    "redis",
    "better-sqlite3",
    "pgpass",
    "my-pg",
    "mysql-x",
    "@types/pg",
)
WEB = ("express", "fastify", "koa", "@hapi/hapi", "@nestjs/core", "next", "hono")
SERVER = "require('http').createServer().listen(process.env.PORT || 3000);\n"

spellings = st.sampled_from(("*", "^1.2.3", "~1", "latest", ">=1 <3", "npm:other@1", "1.x || 2.x"))
dependency_names = st.lists(st.sampled_from((*DRIVERS, *OTHERS)), unique=True, max_size=6)


@st.composite
def repositories(draw: st.DrawFn, **keys: Any) -> dict[str, str]:
    """Draw an application whose package.json declares the packages of `dependencies`, however it is written."""
    package = {"name": "x", "main": "server.js", **keys}
    for key in ("dependencies", "devDependencies"):
        if key in package:
            package[key] = {name: draw(spellings) for name in package[key]}
    text = json.dumps(package, indent=draw(st.sampled_from((None, 1, 2, "\t"))))
    lock = draw(st.sampled_from(({}, {"package-lock.json": "{}"}, {"yarn.lock": ""}, {"pnpm-lock.yaml": ""})))
    return {"package.json": draw(st.sampled_from(("", "\ufeff"))) + text, "server.js": SERVER, **lock}


# Feature: autodeploy-agent, Property 8: Language Detection from Package Files
@EXAMPLES
@given(
    repositories(),
    st.dictionaries(st.sampled_from(("a.md", "Makefile", "lib/x.js", "lib/y.py")), st.text(), max_size=3),
)
def test_package_json_means_nodejs(files: dict[str, str], others: dict[str, str]) -> None:
    source = memory({**others, **files})
    assert detect_language(source).language == "nodejs"
    assert analyse(source).language == "nodejs"


# Feature: autodeploy-agent, Property 9: Framework Detection Consistency
@EXAMPLES
@given(st.data(), st.none() | st.sampled_from(WEB), dependency_names)
def test_the_framework_is_the_declared_one_of_the_language(
    data: st.DataObject, web: str | None, packages: list[str]
) -> None:
    names = [*packages, *([web] if web else [])]
    stack = analyse(memory(data.draw(repositories(dependencies=names, devDependencies=["polka"]))))
    assert stack.framework == (FRAMEWORKS[web] if web else None)
    assert stack.framework is None or stack.framework in FRAMEWORKS.values()


# Feature: autodeploy-agent, Property 10: Runtime Version Extraction
@EXAMPLES
@given(
    st.sampled_from(sorted(NODE_RELEASES)),
    st.sampled_from(("{}", "{}.x", "v{}.1.0", "^{}.0.0", "~{}", "={}", ">={}.0.0 <{}.99.0")),
    st.sampled_from((".nvmrc", ".node-version", ".tool-versions", "engines", "volta")),
)
def test_the_runtime_version_is_the_specified_one(major: str, spelling: str, where: str) -> None:
    constraint = spelling.format(major, major)
    package: dict[str, Any] = {"main": "server.js"}
    files = {"server.js": SERVER}
    if where in {"engines", "volta"}:
        package[where] = {"node": constraint}
    else:
        constraint = constraint.split(" ")[0] if where == ".tool-versions" and " " not in constraint else f"v{major}"
        files[where] = f"nodejs {constraint}\n" if where == ".tool-versions" else f"{constraint}\n"
    stack = analyse(memory({"package.json": json.dumps(package), **files}))
    assert stack.runtime_version == f"{major}.x"
    assert stack.version_constraint == constraint


# Feature: autodeploy-agent, Property 10: Runtime Version Extraction
@EXAMPLES
@given(st.integers(8, 30), st.integers(8, 30))
def test_a_range_gets_a_version_inside_it_one_that_can_be_had_before_others(low: int, high: int) -> None:
    constraint = f">={low} <{high}"
    package = json.dumps({"main": "server.js", "engines": {"node": constraint}})
    version = analyse(memory({"package.json": package, "server.js": SERVER})).runtime_version
    had = [f"{major}.x" for major, release in NODE_RELEASES.items() if nodesemver.satisfies(release, constraint)]
    inside = [f"{major}.x" for major in range(low, high)]
    assert version in (had or inside or [f"{NODE_DEFAULT}.x"])


# Feature: autodeploy-agent, Property 11: Database Requirement Detection
@EXAMPLES
@given(st.data(), dependency_names, dependency_names)
def test_a_database_is_required_exactly_when_a_driver_is_declared(
    data: st.DataObject, packages: list[str], development: list[str]
) -> None:
    files = data.draw(repositories(dependencies=["express", *packages], devDependencies=development))
    stack = analyse(memory(files))
    drivers = [package for package in packages if package in DRIVERS]
    assert stack.requires_database == bool(drivers)
    assert stack.database_type in ({DRIVERS[driver] for driver in drivers} or {None})
    assert {"express", *packages} == set(stack.dependencies)


# Feature: autodeploy-agent, Property 12: Build Tool Selection
# Feature: autodeploy-agent, Property 18: Instance Sizing Based on Language
@EXAMPLES
@given(st.data(), dependency_names.filter(lambda names: not {"mongodb", "mongoose", "redis"} & set(names)))
def test_the_build_tool_and_the_size_are_the_languages(data: st.DataObject, packages: list[str]) -> None:
    files = data.draw(repositories(dependencies=packages))
    stack = analyse(memory(files))
    tool = {"yarn.lock": "yarn", "pnpm-lock.yaml": "pnpm"}
    manager = next((tool[name] for name in tool if name in files), "npm")
    assert (stack.build_tool, stack.package_manager) == ("npm", manager)
    assert stack.build_command.startswith((f"{manager} install", f"{manager} ci"))
    assert planned(stack, FACTS).infra.instance_type == "t3.small"


FRAGMENTS = st.sampled_from(
    ("process.env.", "process.env[", "const { A = } = process.env;", "if (!process.env.A) throw", "app.get('/health', f)",
     "app.use('/a', require('./b'))", "app.use(", "require('./", "import x from './a'", "export * from './b'", "app.listen(",
     "@Controller('x') class A { @Get() f(){} }", "z.object({ A: z.string() })", "`${", "(((", "}}}", "\x00", "\ufffd", "<div>",
     '{"scripts": ', '"start": "npm run start"', "provider = \"x\"", "datasource db {", "web: npm start\n", "v18", "lts/*", "||")
)  # fmt: skip
NAMES = st.sampled_from(
    ("a.js", "b.ts", "b.tsx", "c.mjs", "index.js", "bin/www", "src/main.ts", "tsconfig.json", "project.json", "Procfile",
     ".nvmrc", ".tool-versions", "mise.toml", "prisma/schema.prisma", "knexfile.js", ".env.example", "yarn.lock", "app/page.tsx")
)  # fmt: skip
broken = st.dictionaries(NAMES, st.lists(FRAGMENTS | st.text(max_size=12), max_size=8).map("\n".join), max_size=8)


@settings(max_examples=300, deadline=None)
@given(repositories(scripts={"start": "npm run a && node server.js", "a": "tsc"}), broken)
def test_broken_files_do_not_crash_the_analysis_and_every_answer_is_the_same_again(
    files: dict[str, str], others: dict[str, str]
) -> None:
    def answer() -> str:
        try:
            return analyse(memory({**files, **others})).to_json()
        except AnalysisError as error:
            assert error.remediation
            return str(error)

    assert answer() == answer()


@EXAMPLES
@given(st.text(max_size=60) | st.recursive(st.none() | st.integers() | st.text(max_size=9), st.lists).map(json.dumps))
def test_whatever_package_json_holds_ends_in_an_answer_or_a_refusal(text: str) -> None:
    try:
        assert analyse(memory({"package.json": text, "server.js": SERVER})).language == "nodejs"
    except AnalysisError as error:
        assert error.message
