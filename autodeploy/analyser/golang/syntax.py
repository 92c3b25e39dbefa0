"""GoFile: what the detectors need of one Go file's syntax tree: imports, calls, values given to names, struct tags."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache, cached_property

import tree_sitter_go
from tree_sitter import Language, Node, Parser, Query, QueryCursor

_LANGUAGE = Language(tree_sitter_go.language())
_WANTED = """
(import_spec) @import
(call_expression) @call
(const_spec) @value
(var_spec) @value
(short_var_declaration) @value
(assignment_statement) @value
(keyed_element) @field
(field_declaration tag: (_)) @tagged
(parameter_declaration) @parameter
(if_statement) @condition
(for_statement) @loop
(select_statement) @select
(package_clause) @package
[(function_declaration) (method_declaration)] @function
"""


_SMALL = 1500
_SPEAKS = re.compile(
    r"[Ee]nv|ENV|(?<!im)[Pp]ort\b|PORT|Addr|Listen|Serve|onfig(?:File|Name|Path)?\(|viper|cobra|\bcli\.|flag\.|\"/|`/"
    r"|\.(?:Run|Start|Get|GET|Handle\w*|Group|Route|Mount|PathPrefix|Any|All|Open|Connect\w*|ApplyURI|ParseURL)\("
    r"|pgx(?:pool)?\.|dotenv|Load\w*\("
)
"""Words of which every fact that is read from calls, values or tags needs one."""

_BODY = re.compile(r"^(?:func|type|var|const)\b", re.MULTILINE)
_SPEC = re.compile(r"^(?:import)?[ \t]*([\w.]+)?[ \t]*\"([^\"\s]+)\"", re.MULTILINE)


@dataclass(frozen=True)
class Call:
    """One call. `name` has the package's path or the operand's text: `net/http.ListenAndServe`, `r.GET`."""

    name: str
    arguments: tuple[Node, ...]
    node: Node = field(repr=False)

    @property
    def line(self) -> int:
        """The line the call begins on."""
        return self.node.start_point[0] + 1

    @property
    def operand(self) -> str:
        """What stands before the method's name; "" for a plain function."""
        return self.name.rpartition(".")[0]

    @property
    def method(self) -> str:
        """The last part of the name."""
        return self.name.rpartition(".")[2]


@dataclass(frozen=True)
class GoFile:
    """One parsed file. `imports` maps the local name to the path; `_` and `.` imports are under their path."""

    path: str
    package: str
    imports: dict[str, str]
    calls: tuple[Call, ...]
    captures: dict[str, list[Node]] = field(repr=False)
    import_lines: tuple[tuple[str, int], ...] = ()

    def nodes(self, kind: str) -> list[Node]:
        """Return the nodes of one kind of the query, in order."""
        return self.captures.get(kind, [])

    def values(self) -> Iterator[tuple[str, Node]]:
        """Yield every name that is given a value, with the value's node."""
        for node in self.nodes("value"):
            left = node.child_by_field_name("left")
            right = node.child_by_field_name("right") or node.child_by_field_name("value")
            names = left.named_children if left else node.children_by_field_name("name")
            given = right.named_children if right else []
            for number, name in enumerate(names):
                if given:
                    yield text_of(name), given[min(number, len(given) - 1)]

    def imported(self) -> frozenset[str]:
        """Return the paths it imports."""
        return self._imported

    @cached_property
    def _imported(self) -> frozenset[str]:
        return frozenset(self.imports.values())


def parse(path: str, text: str) -> GoFile:
    """Return one file's parts; a broken one has those that can be read.

    A file in which no word speaks of any fact is not parsed: of it, the imports are enough.
    """
    if len(text) > _SMALL and not _SPEAKS.search(text):
        return _unparsed(path, text)
    root = Parser(_LANGUAGE).parse(text.encode("utf-8", "replace")).root_node
    captures = QueryCursor(_query()).captures(root)
    for nodes in captures.values():
        nodes.sort(key=lambda node: node.start_byte)
    found = [(*_import(node), line_of(node)) for node in captures.get("import", [])]
    imports = {name: imported for name, imported, _ in found}
    package = next((text_of(node.named_children[0]) for node in captures.get("package", []) if node.named_children), "")
    calls = tuple(_call(node, imports) for node in captures.get("call", []))
    return GoFile(path, package, imports, calls, captures, tuple((imported, line) for _, imported, line in found))


def _unparsed(path: str, text: str) -> GoFile:
    head = _BODY.split(text, maxsplit=1)[0]
    found = [(match, head.count("\n", 0, match.start()) + 1) for match in _SPEC.finditer(head)]
    imports = dict(_named(match[1] or "", match[2]) for match, _ in found)
    package = match[1] if (match := re.search(r"^package\s+(\w+)", text, re.MULTILINE)) else ""
    return GoFile(path, package, imports, (), {}, tuple((match[2], line) for match, line in found))


def text_of(node: Node) -> str:
    """Return a node's text."""
    return (node.text or b"").decode("utf-8", "replace")


def string_of(node: Node | None) -> str | None:
    """Return the text of a string literal; None for anything else."""
    if node is None or node.type not in {"interpreted_string_literal", "raw_string_literal"}:
        return None
    inner = text_of(node)[1:-1]
    return re.sub(r'\\(["\\])', r"\1", inner) if node.type == "interpreted_string_literal" else inner


def line_of(node: Node) -> int:
    """Return the line a node begins on."""
    return node.start_point[0] + 1


def descendants(node: Node) -> Iterator[Node]:
    """Yield a node and all below it."""
    waiting = [node]
    while waiting:
        current = waiting.pop()
        yield current
        waiting += reversed(current.children)


@cache
def _query() -> Query:
    return Query(_LANGUAGE, _WANTED)


def _import(node: Node) -> tuple[str, str]:
    name = node.child_by_field_name("name")
    return _named(text_of(name) if name is not None else "", string_of(node.child_by_field_name("path")) or "")


def _named(name: str, path: str) -> tuple[str, str]:
    """Return what the file calls an import, and its path."""
    if name and name not in {"_", "."}:
        return name, path
    if name:
        return f"{name} {path}", path
    last = re.sub(r"/v\d+$|\.v\d+$", "", path).rsplit("/", 1)[-1]
    return last.removeprefix("go-").removesuffix("-go") if "-" in last else last, path


def _call(node: Node, imports: dict[str, str]) -> Call:
    function, given = node.child_by_field_name("function"), node.child_by_field_name("arguments")
    name = text_of(function) if function else ""
    if len(name) > 200 or "\n" in name:  # a chain of calls: what is called last says what it does
        last = function.child_by_field_name("field") if function else None
        name = f"().{text_of(last)}" if last else ""
    first, dot, rest = name.partition(".")
    if dot and first in imports:
        name = f"{imports[first]}.{rest}"
    return Call(name, tuple(given.named_children) if given else (), node)
