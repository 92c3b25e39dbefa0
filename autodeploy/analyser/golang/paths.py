"""Reads the paths of routes, be they literals, constants, or both joined; what only a setting knows is the root."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from tree_sitter import Node

from autodeploy.analyser.golang.reads import constants
from autodeploy.analyser.golang.syntax import GoFile, root_of, string_of, text_of

_BEFORE = re.compile(r"(?:base|root|prefix|context)\w*$", re.IGNORECASE)
"""What settings are called that put something before every path: nothing, unless somebody asks for it."""

_SETTINGS = frozenset({"selector_expression", "unary_expression"})
"""How settings are written: a field, or what a flag points to."""

_CONSTANT = re.compile(r"^\w+\.[A-Z]\w*$")
_MAX_DEPTH = 8


@dataclass(frozen=True)
class Paths:
    """What names stand for, in the whole program; those of a file are its own first."""

    known: Mapping[str, Node] = field(default_factory=dict)
    files: Mapping[int, GoFile] = field(default_factory=dict)
    own: dict[int, Mapping[str, Node]] = field(default_factory=dict)

    def text(self, node: Node | None, depth: int = 0) -> str | None:
        """Return the path that a node stands for; None where the code alone does not tell."""
        if node is None or depth > _MAX_DEPTH:
            return None
        if (literal := string_of(node)) is not None:
            return literal
        if node.type == "identifier":
            return self.text(self._named(node, text_of(node)), depth + 1)
        if node.type == "selector_expression" and _CONSTANT.match(text_of(node)):
            return self.text(self.known.get(text_of(node).rpartition(".")[2]), depth + 1)
        if node.type == "parenthesized_expression" and node.named_children:
            return self.text(node.named_children[0], depth + 1)
        if node.type == "binary_expression" and text_of(node).count("+"):
            return self._joined(node, depth)
        return None

    def _joined(self, node: Node, depth: int) -> str | None:
        found = [self._part(node.child_by_field_name(side), depth) for side in ("left", "right")]
        return None if None in found else re.sub(r"/{2,}", "/", "".join(filter(None, found)))

    def _part(self, node: Node | None, depth: int) -> str | None:
        told = self.text(node, depth + 1)
        if told is None and node is not None and node.type in _SETTINGS:
            return "/" if _BEFORE.search(text_of(node)) else None
        return told

    def _named(self, node: Node, name: str) -> Node | None:
        root = root_of(node).id
        if root not in self.own:
            self.own[root] = constants([self.files[root]]) if root in self.files else {}
        return self.own[root].get(name) or self.known.get(name)


def read_paths(files: Sequence[GoFile], known: Mapping[str, Node]) -> Paths:
    """Return what tells the paths of a program; `known` are its names with one value."""
    roots = {part.parent.id: file for file in files for part in file.nodes("package")[:1] if part.parent}
    return Paths(known, roots)
