"""Node.js: the runtime at /app/runtime, the dependencies by their own package manager, the build, then a pruning."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from autodeploy.builder import noderuntime
from autodeploy.builder.nodemanagers import manager_package, server_package
from autodeploy.errors import AnalysisError
from autodeploy.model import APP_PATH, NODE_RELEASES, BuildStep, Recipe, Source, TechStack, node_release

MODULES = f"{APP_PATH}/modules"
"""Where dependencies are installed apart from the source, so that a change of source alone leaves them be."""

_INSTALL = re.compile(r"^(npm|pnpm|yarn|bun) (ci|install)\b")
_DECIDING = (
    "package.json", "package-lock.json", "npm-shrinkwrap.json", "yarn.lock", "pnpm-lock.yaml", "pnpm-workspace.yaml",
    "bun.lock", "bun.lockb", ".npmrc", ".yarnrc", ".pnpmfile.cjs", "bunfig.toml",
)  # fmt: skip
_REACH_OUT = ("workspaces", "bundleDependencies", "patchedDependencies")
_SCRIPTS = ("preinstall", "install", "postinstall", "prepublish", "prepare", "preprepare", "postprepare")
_LOCAL = re.compile(r"^(file|link|portal|workspace|patch):|^\.{0,2}/")
_SEES_SOURCE = frozenset({"prisma", "@prisma/client", "patch-package", "electron"})
"""Packages whose own installation scripts look into the application."""

_COMPILES = re.compile(r"gyp|cmake-js|rebuild|\b(i|ci|install)\b")
"""What a script of the application says that may compile for Node.js once more."""

_BUILDING = "Building the application"
_PRUNING = "Leaving out what only the build needs"
_NO_HEADERS = f"rm -rf {noderuntime.RUNTIME}/include"

_PUBLIC = re.compile(r"^(NEXT_PUBLIC|NUXT_PUBLIC|VITE|REACT_APP|PUBLIC|GATSBY|EXPO_PUBLIC)_")
"""Variables that are written into pages while building: nothing made up may stand there."""

_QUIET = {
    "npm_config_nodedir": noderuntime.RUNTIME,
    "NPM_CONFIG_AUDIT": "false",
    "NPM_CONFIG_FUND": "false",
    "NPM_CONFIG_UPDATE_NOTIFIER": "false",
    "NPM_CONFIG_PROGRESS": "false",
    "DISABLE_OPENCOLLECTIVE": "1",
    "HUSKY": "0",
    "HUSKY_SKIP_INSTALL": "1",
    "NEXT_TELEMETRY_DISABLED": "1",
    "YARN_ENABLE_TELEMETRY": "0",
    "YARN_NODE_LINKER": "node-modules",
    "YARN_CACHE_FOLDER": "/cache/npm/yarn",
    "YARN_ENABLE_GLOBAL_CACHE": "false",
    "BUN_INSTALL_CACHE_DIR": "/cache/npm/bun",
    "NODE_OPTIONS": "--max-old-space-size=1536",
}
"""Headers come from the runtime itself; node-gyp before 10 reads small letters alone, and npm passes no others on.
The heap stays below the builder's two gigabytes."""

_PNPM = {"NPM_CONFIG_STORE_DIR": "/cache/npm/pnpm", "NPM_CONFIG_MANAGE_PACKAGE_MANAGER_VERSIONS": "false"}
"""What npm itself would complain of."""


def recipe(stack: TechStack, source: Source) -> Recipe:
    """Return how to build a Node.js application; raise AnalysisError where its Node.js cannot be had."""
    if not stack.start_command:
        raise AnalysisError(
            "nothing says how the application starts: package.json has no start script for production",
            "Add one, or name the command: --start-command 'node FILE' (it listens on $PORT).",
            agent="HiveMind DevOps",
            context="Choosing how to build the application",
        )
    parts = [part.strip() for part in stack.build_command.split(" && ") if part.strip()]
    # Yarn prunes by another installation: only what comes first is the installation that all else waits for.
    installs = [part for part in parts[:1] if _INSTALL.match(part)]
    builds = parts[len(installs) :]
    runtime = noderuntime.fetch_command(_release(stack.runtime_version))
    other = stack.package_manager if stack.package_manager not in {"", "npm"} else ""
    brought = [_brought(manager_package(other, source))] if other else []
    if other != "bun" and _runs_bun(source.read("package.json")):
        brought.append(_brought(manager_package("bun", source)))
    brought += [_brought(server_package(stack.server_package))] if stack.server_package else []
    # Pages need nothing of what made them.
    left_out = " node_modules" if stack.server_package else ""
    return Recipe(
        base_image="debian-13",
        steps=(
            BuildStep(what="Bringing Node.js", command=runtime, inputs=()),
            *brought,
            *(_install(installs[0], builds, source) if installs else _built(builds)),
            # The headers were needed for native modules alone.
            BuildStep(what="Tidying up", command=f"{_NO_HEADERS}{left_out}"),
        ),
        keep=("src", "runtime"),
        exclude=(".git", "__pycache__", "node_modules/.cache", "node_gyp_bins"),
        packages=stack.build_packages,
        environment={**_QUIET, **(_PNPM if other == "pnpm" else {}), **_placeholders(stack)},
    )


def _install(command: str, builds: Sequence[str], source: Source) -> list[BuildStep]:
    """Return installation and build; what a change of source alone leaves as it is comes first and says so."""
    what, package = "Installing dependencies", source.read("package.json")
    if _sees_source(package) or _is_in_place(source):
        return [BuildStep(what=what, command=command), *_built(builds)]
    deciding = tuple(path for path in _DECIDING if path in source)
    apart = f"mkdir -p {MODULES} && cp {' '.join(deciding)} {MODULES} && cd {MODULES} && {command}"
    brought = f"rm -rf node_modules && mkdir -p {MODULES}/node_modules && mv {MODULES}/node_modules node_modules"
    # Where nothing is built, nothing waits for what only a build needs.
    early = [] if any(_title(build) == _BUILDING for build in builds) else builds
    left_out = [f"cd {MODULES} && {build}" for build in early]
    # More than half of all files of the runtime are headers, and each of them would have to be brought again.
    left_out += [] if _compiles(package, source) else [_NO_HEADERS]
    return [
        BuildStep(what=what, command=apart, inputs=deciding),
        *(BuildStep(what=_PRUNING, command=command, inputs=()) for command in left_out),
        BuildStep(what="Bringing the dependencies to the application", command=brought),
        *_built([] if early else builds),
    ]


def _built(commands: Sequence[str]) -> list[BuildStep]:
    return [BuildStep(what=_title(command), command=command) for command in commands]


def _compiles(text: str, source: Source) -> bool:
    """Tell whether the application's own build may want the headers of Node.js."""
    scripts = _table(json.loads(text), "scripts").values()
    is_native = any(path.endswith("binding.gyp") for path in source.paths)
    return is_native or any(_COMPILES.search(str(script)) for script in scripts)


def _runs_bun(text: str) -> bool:
    """Tell whether a script starts the application by bun, whatever installs its packages."""
    return bool(re.search(r'"start(:prod(uction)?)?"\s*:\s*"bunx? ', text))


def _is_in_place(source: Source) -> bool:
    """Tell whether the installation leaves more than node_modules, or concerns several packages."""
    is_berry = "__metadata:" in source.read("yarn.lock")[:2000] or ".yarnrc.yml" in source
    return is_berry or "packages:" in source.read("pnpm-workspace.yaml")


def _brought(spec: str) -> BuildStep:
    command = f"cd /tmp && npm install --global --prefix {noderuntime.RUNTIME} {spec}"
    return BuildStep(what=f"Bringing {spec}", command=command, inputs=())


def _sees_source(text: str) -> bool:
    """Tell whether more than the package files decides what an installation does."""
    try:
        package: Any = json.loads(text)
    except ValueError:
        return True
    if not isinstance(package, dict) or any(package.get(key) for key in _REACH_OUT):
        return True
    if isinstance(package.get("pnpm"), dict) and package["pnpm"].get("patchedDependencies"):
        return True
    if set(_SCRIPTS).intersection(_table(package, "scripts")):
        return True
    declared = {**_table(package, "dependencies"), **_table(package, "devDependencies")}
    declared |= _table(package, "optionalDependencies")
    local = any(isinstance(wish, str) and _LOCAL.search(wish) for wish in declared.values())
    return local or bool(_SEES_SOURCE.intersection(declared))


def _table(package: Mapping[str, Any], key: str) -> dict[str, Any]:
    value = package.get(key)
    return value if isinstance(value, dict) else {}


def _title(command: str) -> str:
    is_pruning = re.search(r"prun|--prod|npm pkg set|^rm -r?f", command)
    return _PRUNING if is_pruning else _BUILDING


def _placeholders(stack: TechStack) -> dict[str, str]:
    """Return values for what a build may look for without using it: none of the running system's."""
    names = [item.name for item in stack.environment if item.required and not _PUBLIC.match(item.name)]
    made = dict.fromkeys(names, "build")
    scheme = "postgresql" if stack.database_type in {None, "postgresql"} else stack.database_type
    return made | ({"DATABASE_URL": f"{scheme}://build:build@127.0.0.1:1/build"} if stack.requires_database else {})


def _release(version: str) -> str:
    if release := node_release(version):
        return release
    raise AnalysisError(
        f"Node.js {version} is not available: there are {', '.join(NODE_RELEASES)}",
        "Relax the version the repository asks for (engines.node, .nvmrc), or override it: --runtime-version 24.x",
        agent="HiveMind DevOps",
        context="Choosing the Node.js of the application",
    )
