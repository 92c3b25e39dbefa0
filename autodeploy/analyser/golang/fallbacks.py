"""What stands in where a variable of the environment is empty, and whether the program ends there instead."""

from __future__ import annotations

import re

from tree_sitter import Node

from autodeploy.analyser.golang.syntax import Call, GoFile, descendants, string_of, text_of

_ENDS = re.compile(r"(?:^|\.)(?:Fatal\w*|Panic\w*|panic|Exit)$")
_FAILURE = re.compile(r"\berrors\.\w+\(|\bfmt\.Errorf\(|\bNew\w*Error\(")
_DECISIVE = re.compile(r"config|load|env|setting|validate|^(?:run|setup|init)", re.IGNORECASE)
"""Functions whose failure ends the program: what only one of several parts fails without is nobody's must."""

_HOLDERS = frozenset({"short_var_declaration", "assignment_statement", "var_spec", "if_statement", "block"})
_NEAR_BYTES = 300
"""How far after a variable is read its test is looked for."""


def alternative(call: Call) -> Node | None:
    """Return the value beside the call in cmp.Or(os.Getenv("X"), "y")."""
    around = call.node.parent
    outer = around.parent if around else None
    function = outer.child_by_field_name("function") if outer else None
    if (
        around is None
        or function is None
        or not re.search(r"(?:^|\.)(?:Or|Coalesce|FirstNonEmpty)$", text_of(function))
    ):
        return None
    return around.named_children[-1]


def tested(file: GoFile, call: Call) -> tuple[Node | None, bool]:
    """Return the value that is given where the variable is empty, and whether the program ends there instead."""
    statement = call.node.parent
    while statement is not None and statement.type not in _HOLDERS:
        statement = statement.parent
    if statement is None:
        return None, False
    left = statement.child_by_field_name("left") or statement.child_by_field_name("name")
    names = [text_of(node) for node in (left.named_children or [left])] if left else []
    for test in file.nodes("condition"):
        condition, body = test.child_by_field_name("condition"), test.child_by_field_name("consequence")
        is_near = test.start_byte <= call.node.start_byte < test.end_byte or (
            0 <= test.start_byte - statement.end_byte < _NEAR_BYTES
        )
        if condition is None or body is None or not is_near:
            continue
        if _asks_empty(text_of(condition), names, text_of(call.node)):
            return _given(body, names), _ends_in(body) or _fails_in(body)
        if any(re.sub(r"\s+", "", text_of(condition)) in {f'{name}!=""', name} for name in names):
            after = test.child_by_field_name("alternative") or test.next_named_sibling
            return (_given(after, names), _ends_in(after)) if after else (None, False)
    return None, False


def _asks_empty(condition: str, names: list[str], called: str) -> bool:
    bare = re.sub(r"\s+", "", condition)
    for name in names:
        if bare in {f'{name}==""', f"!{name}", f"len({name})==0", f'""=={name}'} or f'{name}==""' in bare.split("||"):
            return True
    return re.sub(r"\s+", "", called) + '==""' == bare


def _given(body: Node, names: list[str]) -> Node | None:
    for node in descendants(body):
        if node.type == "assignment_statement":
            left, right = node.child_by_field_name("left"), node.child_by_field_name("right")
            if left and right and text_of(left) in names and right.named_children:
                return right.named_children[0]
        if node.type == "return_statement":
            if _FAILURE.search(text_of(node)):
                return None
            return next((child for child in descendants(node) if string_of(child)), None)
    return None


def _fails_in(body: Node) -> bool:
    """Tell whether a function that the program cannot go on without returns an error in a block."""
    parts = (part for child in body.named_children for part in (child, *child.named_children))
    if not any(part.type == "return_statement" and _FAILURE.search(text_of(part)) for part in parts):
        return False
    function: Node | None = body
    while function is not None and function.type not in {"function_declaration", "method_declaration"}:
        function = function.parent
    name = function.child_by_field_name("name") if function is not None else None
    return name is not None and bool(_DECISIVE.search(text_of(name)))


def _ends(node: Node) -> bool:
    function = node.child_by_field_name("function") if node.type == "call_expression" else None
    return function is not None and bool(_ENDS.search(text_of(function)))


def _ends_in(body: Node) -> bool:
    """Tell whether the program ends in a block whatever else is true: not within a further condition."""
    waiting = [body]
    while waiting:
        node = waiting.pop()
        if _ends(node):
            return True
        waiting += [child for child in node.children if child.type not in {"if_statement", "for_statement"}]
    return False
