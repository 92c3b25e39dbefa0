"""The application's JavaScript and TypeScript as syntax trees, parsed once; which file imports which. Runs nothing."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cache, cached_property
from typing import Any, TypeVar

import tree_sitter_javascript
import tree_sitter_typescript
from tree_sitter import Language, Node, Parser, Query, QueryCursor

from autodeploy.analyser.nodejs.aliases import Alias, read_aliases
from autodeploy.analyser.tree import Tree

MAX_FILES = 600
MAX_FILE_CHARACTERS = 300_000
MAX_CHARACTERS = 8_000_000
MAX_PARSED = 2_000_000
LONGEST_TYPICAL_LINE = 400
"""Beyond these, files add time and no facts; code whose lines are longer was written by a machine."""

_T = TypeVar("_T")
_SUFFIX = re.compile(r"(?<!\.d)\.([cm]?[jt]s|[jt]sx)$")
_ASIDE = frozenset(
    {
        *("test", "tests", "__tests__", "__mocks__", "spec", "specs", "e2e", "cypress", "benchmark", "benchmarks"),
        *("docs", "doc", "examples", "example", "storybook", "coverage", "vendor", "bower_components"),
        *("public", "static", "assets", "client", "frontend", "web-client"),
        *("dist", "build", "out", ".next", ".nuxt"),
    }
)
"""Folders of tests, of words, of what a browser runs, and of what a build makes."""

_ASIDE_NAME = re.compile(
    r"\.(test|spec|stories|min|bundle)\.[cm]?[jt]sx?$|^(gulpfile|Gruntfile|rollup|webpack|jest|karma)[.\w]*$"
)


@dataclass
class Allowance:
    """How many characters of a repository may still be parsed."""

    left: int = MAX_PARSED


@dataclass(frozen=True)
class Module:
    """One file. Parsing costs a hundred times what reading does: no query that cannot match makes it parse."""

    path: str
    where: str
    text: bytes
    language: str
    allowance: Allowance = field(compare=False, repr=False)
    _made: dict[str, Any] = field(default_factory=dict, compare=False, repr=False)

    def once(self, name: str, make: Callable[[], _T]) -> _T:
        """Return what `make` made the first time that this module was asked for what has the name."""
        if name not in self._made:
            self._made[name] = make()
        made: _T = self._made[name]
        return made

    def loads(self) -> frozenset[str]:
        """Return the names of what the module imports or requires, as its text spells them."""
        return self.once("loads", lambda: frozenset(_loaded(self)))

    @cached_property
    def root(self) -> Node:
        """The root of the syntax tree, an empty one where the repository's other files have used up the allowance."""
        self.allowance.left -= len(self.text)
        return Parser(_language(self.language)).parse(self.text if self.allowance.left >= 0 else b"").root_node

    def may_match(self, pattern: str) -> bool:
        """Tell by the words in it, without parsing, whether a query can match."""
        return any(word in self.text for word in words(pattern))

    def matches(self, pattern: str) -> Iterator[dict[str, Node]]:
        """Yield the captures of a tree-sitter query, by name, in the order of the text."""
        if not self.may_match(pattern):
            return
        found = QueryCursor(_query(self.language, pattern)).matches(self.root)
        rows = [{name: nodes[0] for name, nodes in captures.items()} for _, captures in found]
        yield from sorted(rows, key=lambda row: min(node.start_byte for node in row.values()))


@dataclass(frozen=True)
class Code:
    """All modules of a tree that may belong to the running application, shallow ones first."""

    tree: Tree
    modules: tuple[Module, ...] = field(default=())

    @cached_property
    def by_path(self) -> dict[str, Module]:
        """The modules by path."""
        return {module.path: module for module in self.modules}

    @cached_property
    def aliases(self) -> tuple[Alias, ...]:
        """The names under which the project imports its own files."""
        return read_aliases(self.tree)

    def find(self, base: str, name: str) -> Module | None:
        """Return the module that `name`, as an import names it, means in a file of the folder `base`."""
        if name.startswith("."):
            return self._at(posixpath.normpath(posixpath.join(base, name)))
        for place in filter(None, (alias.place(name) for alias in self.aliases)):
            if found := self._at(place):
                return found
        bare = re.sub(r"^[@~#]/", "", name)
        roots = ["src", "app", ""] if bare != name else [""] if name.startswith("src/") else []
        return next((found for root in roots if (found := self._at(posixpath.join(root, bare)))), None)

    def _at(self, path: str) -> Module | None:
        stem = re.sub(r"\.([cm]?)jsx?$", "", path)
        ends = ("", ".js", ".ts", ".mjs", ".cjs", ".mts", ".cts", ".jsx", ".tsx")
        names = [f"{path}{end}" for end in ends] + [f"{stem}{end}" for end in ends[2:]]
        names += [posixpath.join(path, f"index{end}") for end in ends[1:]]
        return next((self.by_path[name] for name in names if name in self.by_path), None)

    def reachable(self, entry: str) -> tuple[Module, ...]:
        """Return the module `entry` and all that it imports, however far; () when there is no such module."""
        waiting, seen = [self._at(posixpath.normpath(entry))], {}
        while waiting:
            module = waiting.pop()
            if module is not None and module.path not in seen:
                seen[module.path] = module
                folder = posixpath.dirname(module.path)
                waiting += [self.find(folder, name) for name in sorted(module.loads())]
        return tuple(module for module in self.modules if module.path in seen)


def read_code(tree: Tree) -> Code:
    """Return the syntax trees of the application's own files."""
    named = (path for path in tree.paths if _SUFFIX.search(path) and not _is_aside(path))
    kept, left, allowance = [], MAX_CHARACTERS, Allowance()
    scripts = [path for path in tree.paths if re.fullmatch(r"bin/[\w-]+", path)]
    for path in [*scripts, *sorted(named, key=lambda path: (path.count("/"), path))][:MAX_FILES]:
        text = tree.read(path)
        left -= len(text)
        if left < 0:
            break
        if len(text) <= MAX_FILE_CHARACTERS and len(text) <= LONGEST_TYPICAL_LINE * (text.count("\n") + 1):
            kept.append(_module(tree, path, text, allowance))
    return Code(tree, tuple(kept))


_IMPORTS = """
(variable_declarator name: (_) @name value: (call_expression function: (identifier) @by
  arguments: (arguments . (string (string_fragment) @from))) (#eq? @by "require"))
(variable_declarator name: (_) @name value: (call_expression function: (call_expression function: (identifier) @by
  arguments: (arguments . (string (string_fragment) @from)))) (#eq? @by "require"))
(import_statement (import_clause) @name source: (string (string_fragment) @from))
(export_statement source: (string (string_fragment) @from)) @name
"""
_LOADED = re.compile(
    rb"""(?:\b(?:require|import)\s*\(\s*|\bfrom\s*|\bimport\s*)(?:'([^'\n]+)'|"([^"\n]+)"|`([^`$\n]+)`)"""
)


def imports(module: Module) -> dict[str, str]:
    """Return what the module names its imports, and where they come from: `{ Router }` counts as `Router`.

    What a required function returns counts as well: `const api = require("./api")(env)`.
    """
    found: dict[str, str] = {}
    for row in module.matches(_IMPORTS):
        names = re.findall(r"[A-Za-z_$][\w$]*", text(row["name"])) if row["name"].type != "export_statement" else []
        for name in names or [text(row["from"])]:
            found.setdefault(name, text(row["from"]))
    return found


def _loaded(module: Module) -> list[str]:
    return [b"".join(match).decode("utf-8", "replace") for match in _LOADED.findall(module.text)]


def text(node: Node | None) -> str:
    """Return the text of a node; "" for none."""
    return (node.text or b"").decode("utf-8", "replace") if node is not None else ""


def string(node: Node | None) -> str | None:
    """Return the value of a string or of a template without substitutions; None for anything else."""
    if node is None or node.type not in {"string", "template_string"}:
        return None
    if any(child.type == "template_substitution" for child in node.named_children):
        return None
    return "".join(text(child) for child in node.named_children)


def literal(node: Node | None) -> str | None:
    """Return the text of a string, number or boolean; None for anything else."""
    if node is not None and node.type in {"number", "true", "false"}:
        return text(node)
    return string(node)


def line(node: Node) -> int:
    """Return the line of a node, counted from 1."""
    return node.start_point[0] + 1


def arguments(call: Node) -> list[Node]:
    """Return the arguments of a call, without comments."""
    given = call.child_by_field_name("arguments")
    return [child for child in given.named_children if child.type != "comment"] if given is not None else []


def pair(node: Node | None, *keys: str) -> Node | None:
    """Return the value under the first of the keys that an object literal has; None when it has none."""
    for item in node.named_children if node is not None and node.type == "object" else ():
        key = item.child_by_field_name("key")
        if item.type == "pair" and text(key).strip("'\"") in keys:
            return item.child_by_field_name("value")
    return None


@cache
def words(pattern: str) -> tuple[bytes, ...]:
    """Return words of which the text must hold one for the query to match; the empty one is in every text."""
    parts = re.split(r"\n(?=\()", pattern.strip())
    return tuple(sorted({word.encode() for part in parts for word in _asked_for(part)}))


def _asked_for(part: str) -> list[str]:
    """Return the names that one pattern of a query asks for."""
    if part.startswith(("(import_statement", "(export_statement")):
        return [part[1:7]]
    for capture, given in re.findall(r'\(#(?:eq|any-of)\? @(\w+)((?: "\w+")+)\)', part):
        dot = "." if f"(property_identifier) @{capture}" in part else ""
        return [f"{dot}{name}" for name in re.findall(r"\w+", given)]
    match = re.search(r'\(#match\? @\w+ "([^"]+)"\)', part)
    return re.findall(r"[\w.]+", match[1].replace("\\", "")) if match else [""]


@cache
def _language(name: str) -> Language:
    if name == "javascript":
        return Language(tree_sitter_javascript.language())
    grammar = tree_sitter_typescript
    return Language(grammar.language_tsx() if name == "tsx" else grammar.language_typescript())


@cache
def _query(language: str, pattern: str) -> Query:
    return Query(_language(language), pattern)


def _module(tree: Tree, path: str, content: str, allowance: Allowance) -> Module:
    end = path.rsplit(".", 1)[-1]
    language = "tsx" if end == "tsx" else "typescript" if end in {"ts", "mts", "cts"} else "javascript"
    return Module(path, tree.where(path), content.encode("utf-8", "replace"), language, allowance)


def _is_aside(path: str) -> bool:
    parts = path.split("/")
    # At the top, x.config.js is a tool's; further down it is Nest's, or an application's own.
    is_tools = len(parts) == 1 and re.search(r"\.config\.[cm]?[jt]sx?$", path)
    folders = parts[:-1]
    if "src" in folders and path.endswith(".ts"):
        # No browser takes TypeScript: below src, what is public is an interface of the application's.
        folders = [name for name in folders if name != "public"]
    return bool(_ASIDE.intersection(folders)) or bool(is_tools or _ASIDE_NAME.search(parts[-1]))
