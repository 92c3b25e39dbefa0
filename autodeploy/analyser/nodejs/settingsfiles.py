"""Files of settings that the code reads and of which only an example is committed. Reads no value of theirs."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Sequence

from autodeploy.analyser.nodejs.code import Module
from autodeploy.analyser.tree import Tree
from autodeploy.model import Unknown

_WORD = r"(?:sample|example|dist|template|default)"
_ENDING = r"(?:ya?ml|toml|json|js)"
_EXAMPLE = re.compile(
    rf"^(?P<stem>config|settings)[.-]{_WORD}(?P<end>\.{_ENDING})$|^(?P<whole>(?:config|settings)\.{_ENDING})\.{_WORD}$"
)


def missing_files(tree: Tree, modules: Sequence[Module]) -> list[Unknown]:
    """Name what somebody has to write before the application starts, with the example of it."""
    told = []
    for path in tree.paths:
        folder, name = posixpath.split(path)
        match = _EXAMPLE.match(name) if folder in {"", "config"} else None
        wanted = (match["whole"] or match["stem"] + match["end"]) if match else ""
        meant = re.compile(rb"['\"`/]" + re.escape(wanted.encode()) + rb"['\"`]") if wanted else None
        is_there = posixpath.join(folder, wanted) in tree.index
        if meant and not is_there and any(meant.search(module.text) for module in modules):
            file, example = tree.where(posixpath.join(folder, wanted)), tree.where(path)
            message = f"the program reads {file}, of which only {example} is committed"
            told.append(Unknown(fact="configuration", message=message))
    return told
