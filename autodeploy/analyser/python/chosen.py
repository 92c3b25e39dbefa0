"""Leaves out the packages of what a program loads one of by name: stores of which somebody chooses. Imports none."""

from __future__ import annotations

import re
from dataclasses import replace

from autodeploy.analyser.python.code import reachable
from autodeploy.analyser.python.manifest import Manifest
from autodeploy.analyser.tree import Tree

_IMPORTED = re.compile(r"^[ \t]*(?:from[ \t]+(\w+)|import[ \t]+([^\n#;]+))", re.MULTILINE)


def without_chosen(tree: Tree, manifest: Manifest, entries: list[str]) -> Manifest:
    """Return the manifest without the packages that nothing but modules chosen by name imports."""
    sure = reachable(tree, entries, with_chosen=False)
    chosen = reachable(tree, entries) - sure if entries else frozenset()
    if not chosen:
        return manifest
    left_out = {item.name for item in manifest.dependencies if _is_of(item.name, _names(tree, chosen))}
    needed = {item.name for item in manifest.dependencies if _is_of(item.name, _names(tree, sure))}
    kept = tuple(item for item in manifest.dependencies if item.name not in left_out - needed)
    return replace(manifest, dependencies=kept)


def _names(tree: Tree, paths: frozenset[str]) -> frozenset[str]:
    found = (match for path in paths for match in _IMPORTED.finditer(tree.read(path)))
    named = (part.split(".")[0].split() for match in found for part in (match[1] or match[2]).split(","))
    return frozenset(words[0].lower() for words in named if words)


def _is_of(package: str, names: frozenset[str]) -> bool:
    """Tell whether a package is imported, by its own name but for an ending: qdrant-client, psycopg2-binary."""
    bare = re.sub(r"-(?:client|binary|python|py|c)$", "", package)
    return not names.isdisjoint({bare.replace("-", "_"), package.replace("-", "_")})
