"""What stands in for a variable because callers of the function that reads it hand it on: `EnvPortOr("3000")`."""

from __future__ import annotations

import re
from collections.abc import Sequence

from tree_sitter import Node

from autodeploy.analyser.golang.syntax import Call, GoFile, string_of, text_of


def handed(files: Sequence[GoFile], call: Call) -> Node | None:
    """Return what callers give the function around a read to stand in for it: `EnvPortOr("3000")`."""
    function: Node | None = call.node
    while function is not None and function.type != "function_declaration":
        function = function.parent
    name, listed, body = (
        (function.child_by_field_name(key) for key in ("name", "parameters", "body")) if function else (None,) * 3
    )
    if name is None or listed is None or body is None:
        return None
    names = [text_of(part) for item in listed.named_children for part in item.children_by_field_name("name")]
    given = [place for place, item in enumerate(names) if re.search(rf"\breturn\b[^\n]*\b{item}\b", text_of(body))]
    found = [
        other.arguments[place]
        for file in files
        for other in file.calls
        for place in given[:1]
        if other.method == text_of(name) and len(other.arguments) > place
    ]
    return next((node for node in found if string_of(node) or node.type == "int_literal"), None)
