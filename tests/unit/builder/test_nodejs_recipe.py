"""TechStack and Source to Recipe: Node.js's runtime, its steps, what decides them, and what is refused."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

import pytest

from autodeploy.builder import noderuntime, recipe
from autodeploy.errors import AnalysisError
from autodeploy.model import NODE_DEFAULT, NODE_RELEASES, EnvironmentVariable, Evidence, Recipe, Source, TechStack

STACK = TechStack(
    language="nodejs", runtime_version="22.x", build_tool="npm", package_manager="npm", start_command="npm start",
    build_command="npm ci && npm run build && npm prune --omit=dev",
)  # fmt: skip


def source(root: Path, **files: str) -> Source:
    for name, content in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(content)
    return Source("u", "c", root, tuple(sorted(files)))


def package(**keys: object) -> dict[str, str]:
    return {"package.json": json.dumps({"dependencies": {"express": "4"}, **keys}), "package-lock.json": "{}"}


APART = "mkdir -p /app/modules && cp {} /app/modules && cd /app/modules"


def steps(made: Recipe) -> list[str]:
    return [step.command for step in made.steps[1:]]


def test_dependencies_are_installed_apart_so_that_they_outlive_the_source(tmp_path: Path) -> None:
    made = recipe(STACK, source(tmp_path, **package(), **{"server.js": "", ".npmrc": ""}))
    assert steps(made) == [
        f"{APART.format('package.json package-lock.json .npmrc')} && npm ci",
        "rm -rf /app/runtime/include",
        "rm -rf node_modules && mkdir -p /app/modules/node_modules && mv /app/modules/node_modules node_modules",
        "npm run build",
        "npm prune --omit=dev",
        "rm -rf /app/runtime/include",
    ]
    decided = [step.inputs for step in made.steps]
    assert decided == [(), ("package.json", "package-lock.json", ".npmrc"), (), None, None, None, None]
    assert (made.base_image, made.keep) == ("debian-13", ("src", "runtime"))


def test_where_nothing_is_built_all_but_the_source_is_done_before_it_comes(tmp_path: Path) -> None:
    made = recipe(STACK.but(build_command="npm ci && npm prune --omit=dev"), source(tmp_path, **package()))
    assert steps(made) == [
        f"{APART.format('package.json package-lock.json')} && npm ci",
        "cd /app/modules && npm prune --omit=dev",
        "rm -rf /app/runtime/include",
        "rm -rf node_modules && mkdir -p /app/modules/node_modules && mv /app/modules/node_modules node_modules",
        "rm -rf /app/runtime/include",
    ]
    assert [step.inputs is None for step in made.steps[1:]] == [False] * 3 + [True] * 2


@pytest.mark.parametrize(
    ("script", "others", "kept"),
    [
        ("tsc -p .", {}, False),
        ("tsc -p . && vite build", {"src/bindings.ts": ""}, False),
        ("node-gyp rebuild", {}, True),
        ("cmake-js compile", {}, True),
        ("npm rebuild --update-binary && tsc", {}, True),
        ("cd native && npm ci && npm run build", {}, True),
        ("cd native; yarn install", {}, True),
        ("tsc", {"native/binding.gyp": "{}"}, True),
    ],
)
def test_headers_stay_where_the_build_may_compile(
    tmp_path: Path, script: str, others: dict[str, str], kept: bool
) -> None:
    made = recipe(STACK, source(tmp_path, **package(scripts={"build": script}), **others))
    assert steps(made).count("rm -rf /app/runtime/include") == (1 if kept else 2)
    assert steps(made)[-1] == "rm -rf /app/runtime/include"


@pytest.mark.parametrize(
    "keys",
    [
        {"scripts": {"postinstall": "node x.js"}},
        {"scripts": {"prepare": "husky"}},
        {"workspaces": ["packages/*"]},
        {"pnpm": {"patchedDependencies": {"a": "patches/a.patch"}}},
        {"dependencies": {"mine": "file:./mine"}},
        {"devDependencies": {"mine": "../mine"}},
        {"dependencies": {"@prisma/client": "5"}},
    ],
)
def test_what_looks_into_the_source_is_installed_in_it(tmp_path: Path, keys: dict[str, object]) -> None:
    made = recipe(STACK, source(tmp_path, **package(**keys)))
    assert steps(made)[0] == "npm ci"
    assert made.steps[1].inputs is None


@pytest.mark.parametrize("text", ["{", "[]"])
def test_a_package_json_that_only_people_can_read_is_installed_in_place(tmp_path: Path, text: str) -> None:
    assert steps(recipe(STACK, source(tmp_path, **{"package.json": text})))[0] == "npm ci"


@pytest.mark.parametrize(
    ("manager", "named", "lock", "brought"),
    [
        ("pnpm", None, "lockfileVersion: '9.0'\n", "pnpm@9.15.9"),
        ("pnpm", None, "lockfileVersion: '6.0'\n", "pnpm@8.15.9"),
        ("pnpm", None, "lockfileVersion: 5.4\n", "pnpm@7.33.7"),
        ("pnpm", "pnpm@9.1.0+sha512.abc", "", "pnpm@9.1.0"),
        ("yarn", None, "# yarn lockfile v1\n", "yarn@1.22.22"),
        ("yarn", None, "__metadata:\n  version: 8\n", "@yarnpkg/cli-dist@4.18.1"),
        ("yarn", None, "__metadata:\n  version: 6\n", "@yarnpkg/cli-dist@3.8.7"),
        ("yarn", "yarn@4.1.1", "__metadata:\n", "@yarnpkg/cli-dist@4.1.1"),
        ("yarn", "yarn@1.22.19", "", "yarn@1.22.19"),
        ("yarn", "yarn@; rm -rf /", "", "yarn@1.22.22"),
        ("bun", None, "", "bun@1.4.5"),
        ("bun", "bun@1.2.3", "", "bun@1.2.3"),
    ],
)
def test_other_package_managers_are_brought_first(
    tmp_path: Path, manager: str, named: str | None, lock: str, brought: str
) -> None:
    stack = STACK.but(package_manager=manager, build_command=f"{manager} install")
    lock_file = {"pnpm": "pnpm-lock.yaml", "yarn": "yarn.lock", "bun": "bun.lock"}[manager]
    made = recipe(stack, source(tmp_path, **{**package(packageManager=named), lock_file: lock}))
    assert steps(made)[0] == f"cd /tmp && npm install --global --prefix /app/runtime {brought}"
    in_place = "__metadata" in lock
    assert steps(made)[1].endswith(f"{manager} install")
    assert steps(made)[1].startswith("mkdir -p /app/modules") is not in_place
    assert [step.inputs is None for step in made.steps[2:]] == [True, True] if in_place else [False, False, True, True]
    assert ("NPM_CONFIG_STORE_DIR" in made.environment) is (manager == "pnpm")


def test_a_workspace_is_installed_from_its_root(tmp_path: Path) -> None:
    root = {"type": "workspace", "pnpm-workspace.yaml": "packages:\n  - 'apps/*'\n"}
    stack = STACK.but(
        package_manager="pnpm", build_command="pnpm install && pnpm --filter web... run build", app_root="apps/web",
        start_command="cd apps/web && pnpm start", evidence=(Evidence(fact="install_root", value="."),),
    )  # fmt: skip
    files = {"package.json": "{}", "pnpm-lock.yaml": "", "apps/web/package.json": "{}", **root}
    made = recipe(stack, source(tmp_path, **files))
    assert steps(made)[1:3] == ["pnpm install", "pnpm --filter web... run build"]
    assert made.steps[2].inputs is None


def test_what_serves_pages_is_brought(tmp_path: Path) -> None:
    stack = STACK.but(server_package="serve", start_command="serve -s dist -l $PORT")
    made = recipe(stack, source(tmp_path, **package()))
    assert steps(made)[0] == "cd /tmp && npm install --global --prefix /app/runtime serve@14.2.7"


def test_what_nothing_starts_is_refused(tmp_path: Path) -> None:
    with pytest.raises(AnalysisError, match="nothing says how") as caught:
        recipe(STACK.but(start_command=""), source(tmp_path, **package()))
    assert "--start-command" in caught.value.remediation


def test_yarns_second_installation_comes_after_the_build(tmp_path: Path) -> None:
    commands = ["yarn install --frozen-lockfile", "npm run build", "yarn install --production"]
    stack = STACK.but(package_manager="yarn", build_command=" && ".join(commands))
    made = recipe(stack, source(tmp_path, **package(), **{"yarn.lock": ""}))
    assert steps(made)[4:6] == commands[1:]
    assert steps(made)[1].endswith(commands[0])
    assert made.steps[6].what == "Leaving out what only the build needs"


def test_the_build_has_stand_ins_but_none_that_pages_would_show(tmp_path: Path) -> None:
    wanted = [EnvironmentVariable(name=name, required=True) for name in ("API_URL", "NEXT_PUBLIC_URL", "VITE_KEY")]
    variables = (*wanted, EnvironmentVariable(name="OPTIONAL"))
    stack = STACK.but(environment=variables, requires_database=True, database_type="mysql")
    made = recipe(stack, source(tmp_path, **package()))
    given = {name: made.environment.get(name) for name in ("API_URL", "NEXT_PUBLIC_URL", "VITE_KEY", "OPTIONAL")}
    assert given == {"API_URL": "build", "NEXT_PUBLIC_URL": None, "VITE_KEY": None, "OPTIONAL": None}
    assert made.environment["DATABASE_URL"] == "mysql://build:build@127.0.0.1:1/build"
    assert "DATABASE_URL" not in recipe(STACK, source(tmp_path, **package())).environment


def test_a_version_that_is_not_pinned_is_refused(tmp_path: Path) -> None:
    with pytest.raises(AnalysisError, match=r"Node.js 12.x is not available") as caught:
        recipe(STACK.but(runtime_version="12.x"), source(tmp_path, **package()))
    assert "--runtime-version" in caught.value.remediation


@pytest.mark.parametrize("release", NODE_RELEASES.values())
def test_every_release_is_pinned_by_hash(release: str) -> None:
    command = noderuntime.fetch_command(release)
    assert subprocess.run(["sh", "-n"], input=command, text=True, check=False).returncode == 0
    assert command.count(release) >= 2
    assert len(re.findall(r"\b[0-9a-f]{64}\b", command)) >= 3
    assert command.count("sha256sum --check") + command.count("--require-hashes") >= 2


def test_the_default_is_one_that_can_be_had() -> None:
    assert NODE_DEFAULT in NODE_RELEASES
