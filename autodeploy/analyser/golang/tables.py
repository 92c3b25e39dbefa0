"""Tables of options: a map whose keys are the names of variables, of which a program takes what its environment has."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from tree_sitter import Node

from autodeploy.analyser.golang.syntax import GoFile, descendants, line_of, string_of

_VARIABLE = re.compile(r"^[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)*$")
_LEAST = 5
"""A map with fewer such keys may be of anything."""


def tabled(files: Sequence[GoFile]) -> Iterator[tuple[GoFile, str, Node | None, int]]:
    """Yield file, name, what stands in where nothing is set, and line of the variables of the program's table."""
    if not any(call.name == "os.Environ" for file in files for call in file.calls):
        return
    for file in files:
        rows: dict[int, list[tuple[str, Node]]] = {}
        for node in file.nodes("field"):
            key, name = node.child_by_field_name("key"), ""
            if key is not None and key.named_children:
                name = string_of(key.named_children[0]) or ""
            if _VARIABLE.match(name) and node.parent is not None:
                rows.setdefault(node.parent.id, []).append((name, node))
        for named in rows.values():
            for name, node in named if len(named) >= _LEAST else ():
                value = node.child_by_field_name("value")
                texts = (part for part in descendants(value) if string_of(part) is not None) if value else ()
                preset = next(iter(texts), None)
                yield file, name, None if _names(string_of(preset), name) else preset, line_of(node)


def _names(text: str | None, variable: str) -> bool:
    """Tell whether a text is the key of the settings that a variable stands for: `"APP_DB_HOST": "db.host"`."""
    spelled = re.sub(r"[.-]", "_", text or "").upper()
    return bool(spelled) and (variable == spelled or variable.endswith(f"_{spelled}"))
