"""Writes the build command: install by the lock, build, leave out what only development needs. Installs nothing."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from autodeploy.analyser.nodejs.code import Module, text
from autodeploy.analyser.nodejs.database import prisma_schema, uses_prisma
from autodeploy.analyser.nodejs.manifest import Manifest
from autodeploy.analyser.nodejs.migrations import migrates
from autodeploy.analyser.nodejs.pruning import is_berry, prune, prune_workspace
from autodeploy.analyser.nodejs.scripts import development_packages, parts, run_script
from autodeploy.analyser.nodejs.start import Start
from autodeploy.analyser.nodejs.workspaces import Member, Workspace
from autodeploy.analyser.tree import Tree

_IMPORTED = """
(call_expression function: (identifier) @by arguments: (arguments . (string (string_fragment) @from))
  (#eq? @by "require"))
(import_statement source: (string (string_fragment) @from)) @statement
"""
_PACKAGE = re.compile(r"(@[\w.-]+/)?[\w.-]+")
_COMPILED = re.compile(r"^(dist|build|lib|out|output|\.output|\.next|compiled)/")
_BUILD_SCRIPTS = ("heroku-postbuild", "build", "build:prod", "build:production", "build:server", "compile", "tsc")
_FRONT_ENDS = (
    "build:frontend",
    "build:client",
    "build:ui",
    "build:web",
    "build-frontend",
    "build-client",
    "client:build",
)
"""Scripts that make the pages which a server without a build of its own shows."""

_GENERATES = re.compile(r"\bprisma generate\b")
_LOCKED = {"npm": "npm ci", "pnpm": "pnpm install --frozen-lockfile", "bun": "bun install --frozen-lockfile"}


def build_command(tree: Tree, manifest: Manifest, start: Start, file: str, kept: Sequence[str]) -> str:
    """Return the commands that build, joined by &&.

    `file` is what node is told to run, `kept` are the development packages that production needs after all.
    """
    script = _script(tree, manifest, file)
    commands = [install_command(tree, manifest)]
    if schema := _ungenerated(tree, manifest, script):
        commands.append(f"node_modules/.bin/prisma generate --schema {schema}")
    commands += _scripted(manifest, script) if script else _unscripted(tree, manifest, start, file)
    commands += [_local(command) for command in start.builds]
    if manifest.development and not kept and start.server is None:
        commands += prune(tree, manifest)
    return " && ".join(commands)


def workspace_build(
    workspace: Workspace,
    root: Manifest,
    member: Member,
    tree: Tree,
    manifest: Manifest,
    start: Start,
    file: str,
    kept: Sequence[str],
) -> str:
    """Return the commands that build one package of a workspace from its root, with what it depends on.

    What only others of its packages need is left out in the end, unless development packages are `kept`.
    """
    commands = [install_command(workspace.tree, root)]
    chain = workspace.needed(member)
    script = _script(tree, manifest, file)
    built = [item for item in chain if "build" in item.table("scripts") and item is not member]
    for item in chain:
        inner = workspace.tree.below(workspace.tree.where(item.folder))
        if schema := _member_schema(inner, item):
            commands.append(f"cd {item.folder}; npx prisma generate --schema {schema}")
    if "turbo.json" in workspace.tree.index and _has(workspace.root, "turbo") and script == "build":
        commands.append(f"npx turbo run build --filter={member.name}...")
    elif root.package_manager == "pnpm" and script == "build":
        commands.append(f"pnpm --filter {member.name}... run build")
    else:
        commands += [_member_script(root, item, "build") for item in built]
        own = _unscripted(tree, manifest, start, file)
        commands += (
            [_member_script(root, member, script)] if script else [f"cd {member.folder}; {own[0]}"] if own else []
        )
    commands += [f"cd {member.folder}; {_local(command)}" for command in start.builds]
    pruned = [] if kept or start.server is not None else prune_workspace(workspace, root, member)
    return " && ".join([*commands, *pruned])


def install_command(tree: Tree, manifest: Manifest) -> str:
    """Return the command that installs what the lock file says, or what package.json asks for without one."""
    manager = manifest.package_manager
    if manager == "yarn" and manifest.lock:
        return f"yarn install {'--immutable' if is_berry(tree, manifest) else '--frozen-lockfile'}"
    return _LOCKED[manager] if manifest.lock else f"{manager} install"


def kept_packages(manifest: Manifest, lines: Iterable[str], modules: Iterable[Module]) -> tuple[str, ...]:
    """Return the development packages that running needs: whose programs are called, or which the code imports."""
    called = {package for line in lines for package in development_packages(manifest, line)}
    return tuple(sorted(called | {name for module in modules for name in _imported(manifest, module)}))


def _script(tree: Tree, manifest: Manifest, file: str) -> str | None:
    """Return the script that builds what is started; None where nothing has to be built by one."""
    script = next((name for name in _BUILD_SCRIPTS if name in manifest.scripts), None)
    if script in {"heroku-postbuild", "build"} or (script and _awaits_build(tree, file)):
        return script
    return next((name for name in _FRONT_ENDS if _is_built(manifest, name)), None)


def _is_built(manifest: Manifest, name: str) -> bool:
    line = parts(manifest, manifest.scripts.get(name, ""))
    return bool(line) and all(part.builds for part in line)


def _scripted(manifest: Manifest, script: str) -> list[str]:
    """Return how a script is run, part by part where one of them asks for the database, which no build can reach."""
    lines = [manifest.scripts.get(name, "") for name in (f"pre{script}", script, f"post{script}")]
    if not any(_asks_database(manifest, line) for line in lines):
        return [run_script(manifest, script)]
    hooks = [[part.command for part in parts(manifest, line)] for line in (lines[0], lines[2])]
    chain = [part for part in re.split(r"\s*(?:&&|;)\s*", lines[1]) if part]
    return [_local(part) for part in (*hooks[0], *chain, *hooks[1]) if not _asks_database(manifest, part)]


def _asks_database(manifest: Manifest, line: str) -> bool:
    return any(migrates(part.command) for part in parts(manifest, line))


def _unscripted(tree: Tree, manifest: Manifest, start: Start, file: str) -> list[str]:
    if start.default_build:
        return [_local(start.default_build)]
    return ["npx tsc"] if _awaits_build(tree, file) and "tsconfig.json" in tree.index else []


def _ungenerated(tree: Tree, manifest: Manifest, script: str | None) -> str | None:
    """Return the schema of a Prisma client that no script makes; None where there is none to be made."""
    names = ("postinstall", "prepare", "prebuild", *([script] if script else []))
    run = (part.command for name in names for part in parts(manifest, manifest.scripts.get(name, "")))
    if not uses_prisma(manifest) or any(map(_GENERATES.search, run)):
        return None
    return prisma_schema(tree, manifest)


def _member_schema(tree: Tree, member: Member) -> str | None:
    scripts = member.table("scripts")
    run = (str(scripts.get(name, "")) for name in ("postinstall", "prepare", "prebuild", "build"))
    if not _has(member, "@prisma/client", "prisma") or any(map(_GENERATES.search, run)):
        return None
    return next((path for path in ("prisma/schema.prisma", "schema.prisma") if path in tree.index), None)


def _member_script(root: Manifest, member: Member, script: str) -> str:
    return {
        "npm": f"npm run {script} --workspace {member.folder}",
        "pnpm": f"pnpm --filter {member.name} run {script}",
        "yarn": f"yarn workspace {member.name} run {script}",
        "bun": f"bun run --cwd {member.folder} {script}",
    }[root.package_manager]


def _has(member: Member, *names: str) -> bool:
    return any(name in member.table(key) for key in ("dependencies", "devDependencies") for name in names)


def _imported(manifest: Manifest, module: Module) -> Iterable[str]:
    names = {match[0] for name in module.loads() if (match := _PACKAGE.match(name))}
    if not any(name in manifest.development and name not in manifest.dependencies for name in names):
        return
    for row in module.matches(_IMPORTED):
        if "statement" in row and text(row["statement"]).startswith("import type"):
            continue
        name = _PACKAGE.match(text(row["from"]))
        if name and name[0] in manifest.development and name[0] not in manifest.dependencies:
            yield name[0]


def _awaits_build(tree: Tree, file: str) -> bool:
    made = (file, f"{file}.js", f"{file}/index.js")
    return bool(_COMPILED.match(file)) and not any(name in tree.index for name in made)


def _local(command: str) -> str:
    """Run a program of the dependencies as npm's scripts would."""
    is_known = re.match(r"(node|npm|npx|yarn|pnpm|bun|cp|rm|if|touch)\b", command)
    return command if is_known else f"PATH=$PWD/node_modules/.bin:$PATH {command}"
