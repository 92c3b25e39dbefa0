"""Writes the build command: install by the lock, build, leave out what only development needs. Installs nothing."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from autodeploy.analyser.failures import refusal
from autodeploy.analyser.nodejs.code import Module, text
from autodeploy.analyser.nodejs.database import prisma_schema, uses_prisma
from autodeploy.analyser.nodejs.manifest import LOCKS, Manifest
from autodeploy.analyser.nodejs.scripts import development_packages
from autodeploy.analyser.nodejs.start import Start
from autodeploy.analyser.tree import Tree

_IMPORTED = """
(call_expression function: (identifier) @by arguments: (arguments . (string (string_fragment) @from))
  (#eq? @by "require"))
(import_statement source: (string (string_fragment) @from)) @statement
"""
_COMPILED = re.compile(r"^(dist|build|lib|out|output|\.output|\.next|compiled)/")
_BUILD_SCRIPTS = ("heroku-postbuild", "build", "build:prod", "build:production", "build:server", "compile", "tsc")
_PRUNE = {
    "npm": "npm prune --omit=dev --ignore-scripts --no-audit",
    "pnpm": "CI=true pnpm prune --prod --ignore-scripts",
    "yarn": "yarn install --production --frozen-lockfile --ignore-scripts --prefer-offline",
}


def build_command(tree: Tree, manifest: Manifest, start: Start, file: str, kept: Sequence[str]) -> str:
    """Return the commands that build, joined by &&; raise AnalysisError for a tool that cannot be had.

    `file` is what node is told to run, `kept` are the development packages that production needs after all.
    """
    commands = [_install(tree, manifest)]
    if uses_prisma(manifest) and (schema := prisma_schema(tree, manifest)):
        commands.append(f"node_modules/.bin/prisma generate --schema {schema}")
    script = next((name for name in _BUILD_SCRIPTS if name in manifest.scripts), None)
    if script in {"heroku-postbuild", "build"} or (script and _awaits_build(tree, file)):
        commands.append(f"npm run {script}")
    elif _awaits_build(tree, file) and "tsconfig.json" in tree.index:
        commands.append("npx tsc")
    commands += [_local(command) for command in start.builds]
    if manifest.development and not kept:
        commands.append(_prune(tree, manifest))
    return " && ".join(commands)


def kept_packages(manifest: Manifest, lines: Iterable[str], modules: Iterable[Module]) -> tuple[str, ...]:
    """Return the development packages that running needs: whose programs are called, or which the code imports."""
    called = {package for line in lines for package in development_packages(manifest, line)}
    return tuple(sorted(called | {name for module in modules for name in _imported(manifest, module)}))


def _imported(manifest: Manifest, module: Module) -> Iterable[str]:
    for row in module.matches(_IMPORTED):
        if "statement" in row and text(row["statement"]).startswith("import type"):
            continue
        name = re.match(r"(@[\w.-]+/)?[\w.-]+", text(row["from"]))
        if name and name[0] in manifest.development and name[0] not in manifest.dependencies:
            yield name[0]


def _install(tree: Tree, manifest: Manifest) -> str:
    has_lock = bool(manifest.lock) and LOCKS[manifest.lock] == manifest.package_manager
    if manifest.package_manager == "npm":
        return "npm ci" if has_lock else "npm install"
    if manifest.package_manager == "pnpm":
        return "pnpm install --frozen-lockfile" if has_lock else "pnpm install"
    if manifest.package_manager == "yarn":
        option = "--immutable" if is_berry(tree, manifest) else "--frozen-lockfile"
        return f"yarn install {option}" if has_lock else "yarn install"
    raise refusal(
        f"{manifest.file} is managed by {manifest.package_manager}, which AutoDeploy does not install",
        "Commit a package-lock.json beside it: npm install --package-lock-only, and drop packageManager.",
    )


def is_berry(tree: Tree, manifest: Manifest) -> bool:
    """Tell whether Yarn is one from 2 on, whose lock file is YAML."""
    return "__metadata:" in tree.read("yarn.lock")[:2000] or ".yarnrc.yml" in tree.index


def _prune(tree: Tree, manifest: Manifest) -> str:
    if manifest.package_manager == "yarn" and is_berry(tree, manifest):
        return "yarn workspaces focus --production"
    return _PRUNE[manifest.package_manager]


def _awaits_build(tree: Tree, file: str) -> bool:
    return bool(_COMPILED.match(file)) and file not in tree.index and f"{file}.js" not in tree.index


def _local(command: str) -> str:
    """Run a program of the dependencies as npm's scripts would."""
    is_known = re.match(r"(node|npm|npx|yarn|pnpm)\b", command)
    return command if is_known else f"PATH=$PWD/node_modules/.bin:$PATH {command}"
