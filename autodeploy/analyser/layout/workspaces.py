"""Which folders belong to a workspace root: what npm, pnpm, Nx, Turborepo and Lerna say, and go.work."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable
from fnmatch import fnmatchcase

from autodeploy.analyser.layout.projects import Project
from autodeploy.analyser.nodejs import jsonc
from autodeploy.analyser.tree import Tree

_CUSTOM = ("apps/*", "packages/*", "libs/*")
_ORCHESTRATED = ("nx.json", "lerna.json", "turbo.json", "rush.json")


def members(tree: Tree, root: Project, folders: Iterable[str]) -> frozenset[str]:
    """Return those of the folders that belong to the workspace whose root the project is; none where it is none."""
    patterns = _node_patterns(tree, root) if root.language == "nodejs" else _used(tree, root)
    below = [folder for folder in folders if folder.startswith(root.prefix) and folder != root.folder]
    return frozenset(folder for folder in below if _matches(folder[len(root.prefix) :], patterns))


def _node_patterns(tree: Tree, root: Project) -> list[str]:
    declared = jsonc.table(tree.read(f"{root.prefix}package.json")).get("workspaces")
    listed = declared.get("packages") if isinstance(declared, dict) else declared
    patterns = [item for item in listed if isinstance(item, str)] if isinstance(listed, list) else []
    text = tree.read(f"{root.prefix}pnpm-workspace.yaml").partition("packages:")[2]
    patterns += re.findall(r"(?m)^\s*-\s*[\"']?([^\s\"'#]+)", text)
    if not patterns and any(f"{root.prefix}{name}" in tree.index for name in _ORCHESTRATED):
        patterns = list(_CUSTOM)
    return patterns


def _used(tree: Tree, root: Project) -> list[str]:
    text = tree.read(f"{root.prefix}go.work") if root.language == "go" else ""
    blocks = re.findall(r"(?m)^use\s+(?:\(([^)]*)\)|(\S+))", text)
    return [posixpath.normpath(name.strip('"')) for block in blocks for name in " ".join(block).split()]


def _matches(folder: str, patterns: list[str]) -> bool:
    wanted = [pattern for pattern in patterns if not pattern.startswith("!")]
    left_out = [pattern[1:] for pattern in patterns if pattern.startswith("!")]
    return any(_fits(folder, item) for item in wanted) and not any(_fits(folder, item) for item in left_out)


def _fits(folder: str, pattern: str) -> bool:
    bare = pattern.removeprefix("./").rstrip("/")
    if "**" in bare:
        return fnmatchcase(folder, bare.replace("**", "*"))
    return folder.count("/") == bare.count("/") and fnmatchcase(folder, bare)
