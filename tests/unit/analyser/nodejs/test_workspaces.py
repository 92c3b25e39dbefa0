"""Which package of a workspace is the application, what it is built from, and where it runs."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from fixtures.sources import memory

from autodeploy.analyser import analyse
from autodeploy.analyser.nodejs.workspaces import read_workspace
from autodeploy.analyser.tree import Tree
from autodeploy.model import TechStack

SERVER = "require('express')().listen(process.env.PORT)\n"
EXPRESS = {"dependencies": {"express": "4"}, "scripts": {"start": "node index.js"}}
NEXT = {"dependencies": {"next": "15"}, "scripts": {"start": "next start", "build": "next build"}}


def texts(root: dict[str, Any], members: dict[str, dict[str, Any]], **files: str) -> dict[str, str]:
    told = {
        f"{folder}/package.json": json.dumps({"name": folder.split("/")[-1], **item})
        for folder, item in members.items()
    }
    code = {f"{folder}/index.js": SERVER for folder in members}
    return {"package.json": json.dumps(root, indent=1), **told, **code, **files}


def stack_of(root: dict[str, Any], members: dict[str, dict[str, Any]], **files: str) -> TechStack:
    return analyse(memory(texts(root, members, **files)))


NPM: dict[str, Any] = {"workspaces": ["apps/*", "packages/*"]}
CHOICES: dict[str, tuple[dict[str, Any], dict[str, dict[str, Any]], str, tuple[str, ...]]] = {
    "the only one that serves": (NPM, {"apps/site": NEXT, "packages/ui": {}}, "apps/site", ()),
    "a server before pages, apps before packages": (
        NPM, {"apps/web": NEXT, "apps/api": EXPRESS, "packages/server": EXPRESS}, "apps/api", ("apps/api", "apps/web", "packages/server"),
    ),
    "what is for readers and tests comes last": (NPM, {"apps/docs": NEXT, "apps/shop": NEXT, "apps/shop-e2e": EXPRESS}, "apps/shop", ()),
    "npm's --workspace": ({**NPM, "scripts": {"start": "npm start --workspace web"}}, {"apps/web": NEXT, "apps/api": EXPRESS}, "apps/web", ()),
    "a folder": ({**NPM, "scripts": {"start": "npm start -w apps/web"}}, {"apps/web": NEXT, "apps/api": EXPRESS}, "apps/web", ()),
    "turbo's --filter": ({**NPM, "scripts": {"start": "turbo run start --filter=web"}}, {"apps/web": NEXT, "apps/api": EXPRESS}, "apps/web", ()),
    "pnpm's --filter": ({**NPM, "scripts": {"start": "pnpm --filter web start"}}, {"apps/web": NEXT, "apps/api": EXPRESS}, "apps/web", ()),
    "yarn's": ({**NPM, "scripts": {"start": "yarn workspace web start"}}, {"apps/web": NEXT, "apps/api": EXPRESS}, "apps/web", ()),
    "cd": ({**NPM, "scripts": {"start": "cd apps/web && npm start"}}, {"apps/web": NEXT, "apps/api": EXPRESS}, "apps/web", ()),
    "several that are named in one script": (
        {**NPM, "scripts": {"build": "pnpm --filter api build && pnpm --filter site build"}},
        {"apps/site": {"scripts": {"build": "vite build"}, "devDependencies": {"vite": "7"}}, "apps/api": EXPRESS}, "apps/api", (),
    ),
    "a library for servers": (NPM, {"apps/web": NEXT, "packages/router": {"dependencies": {"next": "15"}}}, "apps/web", ()),
    "the object of Yarn": ({"workspaces": {"packages": ["apps/**"]}}, {"apps/a/web": NEXT}, "apps/a/web", ()),
}  # fmt: skip


@pytest.mark.parametrize("name", CHOICES)
def test_the_application_among_the_packages(name: str) -> None:
    root, members, taken, choices = CHOICES[name]
    stack = stack_of(root, members)
    assert (stack.app_root, stack.facts("install_root")) == (taken, (".",))
    assert stack.start_command.startswith(f"cd {taken} && npm start")
    assert [unknown.choices for unknown in stack.unknowns] == ([choices] if choices else [])
    assert all(unknown.flag == "--path" for unknown in stack.unknowns)


@pytest.mark.parametrize(
    ("patterns", "folders"),
    [
        (["apps/*"], ["apps/a", "apps/b"]),
        (["./apps/*/"], ["apps/a", "apps/b"]),
        (["apps/*", "!apps/b"], ["apps/a"]),
        (["apps/**"], ["apps/a", "apps/b", "apps/b/inner"]),
        (["**"], ["apps/a", "apps/b", "apps/b/inner", "x"]),
        (["apps/a", 3], ["apps/a"]),
    ],
)
def test_globs_name_the_packages(patterns: list[Any], folders: list[str]) -> None:
    names = ("apps/a", "apps/b", "apps/b/inner", "x")
    files = {"package.json": json.dumps({"workspaces": patterns}), **{f"{name}/package.json": "{}" for name in names}}
    workspace = read_workspace(Tree(memory(files)))
    assert workspace is not None
    assert [member.folder for member in workspace.members] == folders


def test_a_root_that_serves_by_itself_is_the_application() -> None:
    stack = stack_of({**EXPRESS, "workspaces": ["docs"]}, {"docs": NEXT}, **{"index.js": SERVER})
    assert (stack.app_root, stack.framework, stack.start_command) == (".", "express", "npm start")
    assert stack.facts("install_root") == ()


@pytest.mark.parametrize("text", ["packages: [\n", "- a\n", "packages: 3\n", "onlyBuiltDependencies:\n  - x\n"])
def test_settings_that_name_no_packages_make_no_workspace(text: str) -> None:
    stack = stack_of(EXPRESS, {}, **{"index.js": SERVER, "pnpm-workspace.yaml": text})
    assert (stack.app_root, stack.start_command) == (".", "pnpm start")


NPM_PRUNED = (
    """ && npm pkg set 'workspaces=["packages/lib","apps/web"]' --json"""
    " && npm prune --omit=dev --ignore-scripts --no-audit"
)
PNPM_PRUNED = (
    " && rm -rf node_modules apps/web/node_modules packages/lib/node_modules packages/other/node_modules"
    " && CI=true pnpm install --prod --frozen-lockfile --offline --ignore-scripts --filter web..."
    " && pnpm --filter web... rebuild"
)
YARN_PRUNED = (
    " && rm -f packages/other/package.json"
    " && yarn install --production --frozen-lockfile --ignore-scripts --prefer-offline"
)
MANAGERS: dict[str, tuple[dict[str, str], dict[str, Any], str]] = {
    "npm": ({"package-lock.json": "{}"}, {}, "npm ci && npm run build --workspace packages/lib && npm run build --workspace apps/web" + NPM_PRUNED),
    "pnpm": (
        {"pnpm-lock.yaml": "", "pnpm-workspace.yaml": "packages:\n  - apps/*\n  - packages/*\n"}, {},
        "pnpm install --frozen-lockfile && pnpm --filter web... run build" + PNPM_PRUNED,
    ),
    "yarn": ({"yarn.lock": ""}, {}, "yarn install --frozen-lockfile && yarn workspace lib run build && yarn workspace web run build" + YARN_PRUNED),
    "berry": (
        {"yarn.lock": "__metadata:\n  version: 8\n"}, {},
        "yarn install --immutable && yarn workspace lib run build && yarn workspace web run build && yarn workspaces focus --production web",
    ),
    "bun": ({"bun.lock": ""}, {}, "bun install --frozen-lockfile && bun run --cwd packages/lib build && bun run --cwd apps/web build"),
    "turbo": (
        {"package-lock.json": "{}", "turbo.json": "{}"}, {"devDependencies": {"turbo": "2"}}, "npm ci && npx turbo run build --filter=web..." + NPM_PRUNED,
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", MANAGERS)
def test_it_is_installed_from_the_root_and_built_behind_what_it_needs(name: str) -> None:
    files, root, command = MANAGERS[name]
    web = {**NEXT, "dependencies": {"next": "15", "lib": "*"}}
    lib = {"scripts": {"build": "tsc"}, "dependencies": {"web": "*"}}
    stack = stack_of({**NPM, **root}, {"apps/web": web, "packages/lib": lib, "packages/other": lib}, **files)
    assert stack.build_command == command


@pytest.mark.parametrize(
    ("root", "lib", "code"),
    [
        ({"devDependencies": {"tsx": "4"}}, {}, "import lib from 'lib'"),
        ({"devDependencies": {"dotenv": "16"}}, {}, "require('dotenv')"),
        ({}, {"devDependencies": {"pino": "9"}}, "require('lib')"),
    ],
)
def test_a_workspace_whose_application_runs_by_development_packages_is_not_pruned(
    root: dict[str, Any], lib: dict[str, Any], code: str
) -> None:
    api = {"scripts": {"start": "tsx index.ts" if "tsx" in str(root) else "node index.js"}}
    api |= {"dependencies": {"express": "4", "lib": "*"}}
    files = {
        "apps/api/index.js": f"{code}\n{SERVER}",
        "apps/api/index.ts": SERVER,
        "packages/lib/index.js": "require('pino')",
    }
    stack = stack_of({**NPM, **root}, {"apps/api": api, "packages/lib": lib}, **{"package-lock.json": "{}"}, **files)
    assert "prune" not in stack.build_command


def test_what_prisma_generated_stays_where_pnpm_installed_it() -> None:
    api = {**EXPRESS, "dependencies": {"express": "4", "@prisma/client": "5"}}
    files = {"pnpm-lock.yaml": "", "pnpm-workspace.yaml": "packages:\n  - apps/*\n", "apps/api/index.js": SERVER}
    stack = stack_of({}, {"apps/api": api, "apps/other": NEXT}, **files)
    assert "--prod" not in stack.build_command


def test_lernas_packages_and_a_package_that_no_script_builds() -> None:
    files = {"lerna.json": '{"packages": ["services/*"]}', "services/web/tsconfig.json": "{}"}
    stack = stack_of({}, {"services/web": {"dependencies": {"next": "15"}}}, **files)
    assert stack.app_root == "services/web"
    assert stack.build_command == "npm install && cd services/web; PATH=$PWD/node_modules/.bin:$PATH next build"


def test_version_and_manager_come_from_the_root_and_the_database_from_a_package_of_its_own() -> None:
    web = {**NEXT, "dependencies": {"next": "15", "db": "*"}}
    database = {"dependencies": {"@prisma/client": "5"}}
    schema = 'datasource db {\n  provider = "mysql"\n}\n'
    files = {".nvmrc": "20", "yarn.lock": "", "packages/db/prisma/schema.prisma": schema}
    stack = stack_of(NPM, {"apps/web": web, "packages/db": database}, **files)
    assert (stack.runtime_version, stack.package_manager, stack.database_type) == ("20.x", "yarn", "mysql")
    assert "cd packages/db; npx prisma generate --schema prisma/schema.prisma" in stack.build_command
    assert stack.migration_command is None
    files["packages/db/prisma/migrations/1/migration.sql"] = ""
    database["scripts"] = {"generate": "prisma generate"}
    stack = stack_of(NPM, {"apps/web": web, "packages/db": database}, **files)
    assert stack.migration_command == "cd packages/db && npx prisma migrate deploy --schema prisma/schema.prisma"
    assert "npx prisma generate" in stack.build_command


def test_the_root_s_procfile_tells_which_package_is_started() -> None:
    files = {"Procfile": "web: npm start --workspace web\n"}
    stack = stack_of(NPM, {"apps/web": NEXT, "apps/api": EXPRESS}, **files)
    assert (stack.app_root, stack.unknowns) == ("apps/web", ())


def test_a_package_that_is_named_by_its_path_is_installed_from_the_root_still() -> None:
    whole = memory(texts(NPM, {"apps/web": NEXT, "apps/api": EXPRESS}, **{"package-lock.json": "{}"}))
    inner = {path.removeprefix("apps/web/"): text for path, text in whole.texts.items() if path.startswith("apps/web/")}
    stack = analyse(replace(memory(inner), subdirectory="apps/web", around=whole))
    assert (stack.app_root, stack.facts("install_root"), stack.unknowns) == ("apps/web", (".",), ())
    pruned = "npm pkg set 'workspaces=[\"apps/web\"]' --json && npm prune --omit=dev --ignore-scripts --no-audit"
    assert stack.build_command == f"npm ci && npm run build --workspace apps/web && {pruned}"
    assert stack.start_command == "cd apps/web && npm start"


def test_a_folder_that_belongs_to_no_workspace_stands_for_itself() -> None:
    whole = memory(texts({}, {"apps/web": NEXT}))
    inner = {"package.json": json.dumps(NEXT)}
    stack = analyse(replace(memory(inner), subdirectory="apps/web", around=whole))
    assert (stack.app_root, stack.facts("install_root"), stack.start_command) == (".", (), "npm start")
