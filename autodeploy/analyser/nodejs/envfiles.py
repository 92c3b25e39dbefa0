"""Finds the files of variables that a program ends without, though the host gives the variables themselves."""

from __future__ import annotations

import posixpath
import re
import shlex
from collections.abc import Iterator, Sequence

from autodeploy.analyser.nodejs.code import Module
from autodeploy.analyser.nodejs.manifest import Manifest
from autodeploy.analyser.nodejs.scripts import parts
from autodeploy.analyser.tree import Tree

_NAMED = re.compile(r"(?:^|\s)--env-file(?:=|\s+)(?P<file>[\w./-]+)")
"""Node.js ends where the file is missing: https://nodejs.org/api/cli.html#--env-fileconfig."""

_LOADED = re.compile(rb"\b(?P<name>\w+)\s*(?::[^=;]+)?=\s*(?:dotenv|require\(\s*['\"]dotenv['\"]\s*\))\.config\(\s*\)")


def make_files(tree: Tree, manifest: Manifest, line: str, modules: Sequence[Module]) -> tuple[str, ...]:
    """Return the commands that make the files, empty, of those that are not committed.

    `line` is what is run in the end, `modules` what it imports.
    """
    wanted = (*_named(manifest, line), *(".env" for module in modules if _demands(module)))
    return tuple(f"touch {shlex.quote(file)}" for file in dict.fromkeys(wanted) if file not in tree.index)


def _named(manifest: Manifest, line: str) -> Iterator[str]:
    for part in parts(manifest, line):
        for match in _NAMED.finditer(part.bare if part.bare.startswith("node ") else ""):
            file = posixpath.normpath(match["file"])
            if not file.startswith(("/", "..")):
                yield file


def _demands(module: Module) -> bool:
    """Tell whether a module ends the program where dotenv finds no file: `if (result.error) throw …`."""
    for match in _LOADED.finditer(module.text) if b"dotenv" in module.text else ():
        test = rb"if\s*\(\s*" + match["name"] + rb"\.error\s*\)\s*\{?\s*(?://[^\n]*\s*)*(?:throw\b|process\.exit\()"
        if re.search(test, module.text[match.end() :]):
            return True
    return False
