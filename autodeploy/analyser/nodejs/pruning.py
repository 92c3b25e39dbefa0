"""Writes the commands that leave out what only development, or others of a workspace, need. Runs nothing."""

from __future__ import annotations

import json
import re
import shlex

from autodeploy.analyser.nodejs.manifest import Manifest
from autodeploy.analyser.nodejs.workspaces import Member, Workspace
from autodeploy.analyser.tree import Tree

_PRUNE = {
    "npm": "npm prune --omit=dev --ignore-scripts --no-audit",
    "pnpm": "CI=true pnpm prune --prod --ignore-scripts",
    "yarn": "yarn install --production --frozen-lockfile --ignore-scripts --prefer-offline",
    "bun": "rm -rf node_modules && bun install --production --frozen-lockfile --ignore-scripts",
}


def is_berry(tree: Tree, manifest: Manifest) -> bool:
    """Tell whether Yarn is one from 2 on, whose lock file is YAML."""
    named = str(manifest.fields.get("packageManager", ""))
    if named.startswith("yarn@") and not manifest.lock:
        return not named.startswith("yarn@1")
    return "__metadata:" in tree.read("yarn.lock")[:2000] or ".yarnrc.yml" in tree.index


def prune(tree: Tree, manifest: Manifest) -> list[str]:
    """Return how a package manager leaves out what only development needs; nothing where it cannot."""
    if manifest.package_manager == "yarn" and is_berry(tree, manifest):
        # Before 4, a plugin brings the command.
        has_focus = re.search(r"^\s+version: ([89]|\d\d)", tree.read("yarn.lock")[:2000], re.MULTILINE)
        is_plugged = "workspace-tools" in tree.read(".yarnrc.yml")
        return ["yarn workspaces focus --production"] if has_focus or is_plugged else []
    if manifest.package_manager == "bun" and manifest.fields.get("trustedDependencies"):
        return []
    return [_PRUNE[manifest.package_manager]]


def prune_workspace(workspace: Workspace, root: Manifest, member: Member) -> list[str]:
    """Return how only what one package needs, with the packages that it is built from, is left of a workspace."""
    chain = workspace.needed(member)
    others = [item for item in workspace.members if item not in chain]
    if not others and not any(item.table("devDependencies") for item in (workspace.root, *chain)):
        return []
    manager = root.package_manager
    if manager == "npm":
        # npm prunes what no package of the workspace asks for: the others are no packages of it any more.
        folders = json.dumps([item.folder for item in chain], separators=(",", ":"))
        left = [f"npm pkg set {shlex.quote(f'workspaces={folders}')} --json"] if others else []
        return [*left, *prune(workspace.tree, root)]
    is_new_yarn = manager == "yarn" and is_berry(workspace.tree, root)
    if (manager == "pnpm" or is_new_yarn) and any(map(_is_generated_into, chain)):
        return []  # both would install again, without what Prisma generated among what is installed
    if manager == "pnpm":
        return _of_pnpm(workspace, member)
    if is_new_yarn:
        return [f"{command} {member.name}" for command in prune(workspace.tree, root)]
    if manager == "yarn":
        left = [f"rm -f {' '.join(shlex.quote(f'{item.folder}/package.json') for item in others)}"] if others else []
        return [*left, *prune(workspace.tree, root)]
    return []  # bun would have to install everything again


def _is_generated_into(member: Member) -> bool:
    return any("@prisma/client" in member.table(key) for key in ("dependencies", "devDependencies"))


def _of_pnpm(workspace: Workspace, member: Member) -> list[str]:
    """pnpm keeps in its store what any package once needed: https://pnpm.io/cli/prune is for single packages."""
    modules = " ".join(shlex.quote(f"{item.folder}/node_modules") for item in workspace.members)
    own = " --filter ." if workspace.root.table("dependencies") else ""
    wanted = f"--filter {shlex.quote(f'{member.name}...')}{own}"
    return [
        f"rm -rf node_modules {modules}",
        f"CI=true pnpm install --prod --frozen-lockfile --offline --ignore-scripts {wanted}",
        f"pnpm {wanted} rebuild",
    ]
