"""Variables of ardanlabs/conf: the prefix of the program, then the names of the fields that lead to a value."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from tree_sitter import Node

from autodeploy.analyser.golang.syntax import GoFile, line_of, root_of, string_of, text_of
from autodeploy.analyser.golang.tagged import Tagged, tags_of

_PARSES = re.compile(r"^github\.com/ardanlabs/conf(?:/v\d+)?\.Parse\w*$")
_MAX_DEPTH = 60
_WORD = re.compile(r"(?<=[a-z])(?=[A-Z0-9])|(?<=[A-Z])(?=[A-Z][a-z])|(?<=[A-Z])(?=[0-9])|(?<=[0-9])(?=[A-Za-z])")
"""Where a name changes from one word to the next: https://pkg.go.dev/github.com/ardanlabs/conf/v3."""


def configured(files: Sequence[GoFile], known: Mapping[str, Node]) -> Iterator[tuple[GoFile, str, Tagged]]:
    """Yield file, field, and what the tag says, of the fields of structs that the library fills."""
    calls = ((file, call) for file in files for call in file.calls if _PARSES.match(call.name) and call.arguments)
    file, call = next(calls, (None, None))
    if file is None or call is None:
        return
    named = text_of(call.arguments[0])
    value = next((value for name, value in file.values() if name == named), known.get(named, call.arguments[0]))
    prefix, holders = string_of(value) or "", _holders(files)
    for file in files:
        for node in file.nodes("tagged"):
            tags, name = tags_of(node), node.child_by_field_name("name")
            if "conf" in tags and name is not None:
                options = dict(part.partition(":")[::2] for part in tags["conf"].split(","))
                keys = options["env"].split("_") if options.get("env") else _path(node, holders)
                if not keys:
                    continue
                variable = "_".join([*([prefix] if prefix else []), *keys]).upper().replace("-", "_")
                demanded = bool({"required", "notzero"} & options.keys()) and "default" not in options
                yield file, text_of(name), (variable, options.get("default"), demanded, line_of(node))


def _holders(files: Sequence[GoFile]) -> dict[str, list[Node]]:
    """Return the fields that hold each struct, by the struct's name."""
    found: dict[str, list[Node]] = {}
    for node in (held for file in files for held in file.nodes("held")):
        if (kind := node.child_by_field_name("type")) is not None:
            found.setdefault(text_of(kind).strip("*").rpartition(".")[2], []).append(node)
    return found


def _path(field: Node, holders: Mapping[str, list[Node]]) -> list[str]:
    """Return the words of the fields that lead to one, outermost first; [] where several might."""
    words, current = list[str](), field
    for _ in range(_MAX_DEPTH):
        name = current.child_by_field_name("name")
        if current.type == "field_declaration" and name is not None:
            words = [*_WORD.split(text_of(name)), *words]
        above = current.parent
        if current.type == "type_spec" and name is not None:
            held = holders.get(text_of(name), [])
            near = [node for node in held if root_of(node) == root_of(current)]
            # Elsewhere, a field without a tag only uses what was filled.
            held = near or [node for node in held if node.child_by_field_name("tag") is not None]
            if len(held) > 1:
                return []
            above = held[0] if held else None
        if above is None:
            return words
        current = above
    return []
