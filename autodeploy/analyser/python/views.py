"""Views that are classes, as aiohttp takes them: which answer GET, and on which path where a loop adds them."""

from __future__ import annotations

import ast
from dataclasses import dataclass

from autodeploy.analyser.python.code import Code
from autodeploy.analyser.python.names import dotted, path_text
from autodeploy.analyser.tree import Tree

_METHODS = frozenset({"get", "post", "put", "patch", "delete", "head", "options"})


@dataclass(frozen=True)
class Views:
    """The classes of the application by name, with the module that each is in, and lists of names."""

    classes: dict[str, tuple[Code, ast.ClassDef]]
    listed: dict[str, list[str]]

    def answers_get(self, name: str) -> bool:
        """Tell whether a handler answers GET; what is no class with methods of HTTP does."""
        found = self.classes.get(name)
        methods = self._methods(name, 3) if found else set()
        return not methods or "get" in methods

    def paths(self, tree: Tree, made: Code, call: ast.Call) -> list[str] | None:
        """Return the paths of `for view in VIEWS: router.add_route("*", view.PATH, view)` that answer GET.

        None: the call adds no views of a loop.
        """
        handler = call.args[-1] if call.args else None
        path = next((item for item in call.args if isinstance(item, ast.Attribute)), None)
        if not isinstance(handler, ast.Name) or path is None or dotted(path.value, {}) != handler.id:
            return None
        loops = (node for node in ast.walk(made.syntax) if isinstance(node, ast.For))
        sources = [dotted(node.iter, {}) for node in loops if dotted(node.target, {}) == handler.id]
        names = [name for source in sources for name in self.listed.get(source, [])]
        found = (self._constant(tree, name, path.attr) for name in names if self.answers_get(name))
        return [text for text in found if text] if names else None

    def _methods(self, name: str, depth: int) -> set[str]:
        if name not in self.classes or depth == 0:
            return set()
        node = self.classes[name][1]
        own = {item.name for item in node.body if isinstance(item, (ast.FunctionDef, ast.AsyncFunctionDef))}
        above = (self._methods(dotted(base, {}).rpartition(".")[2], depth - 1) for base in node.bases)
        return (own & _METHODS).union(*above)

    def _constant(self, tree: Tree, name: str, attribute: str) -> str | None:
        made, node = self.classes.get(name, (None, None))
        for item in node.body if node else ():
            if made and isinstance(item, ast.Assign) and getattr(item.targets[0], "id", "") == attribute:
                return path_text(tree, made, item.value)
        return None


def read_views(speakers: list[Code]) -> Views:
    """Return the classes and the lists of names of an application's modules."""
    classes = {node.name: (made, node) for made in speakers for node in made.classes}
    listed = {
        name: [dotted(item, {}).rpartition(".")[2] for item in value.elts]
        for made in speakers
        for name, value, _ in made.assigned
        if isinstance(value, (ast.Tuple, ast.List)) and value.elts
    }
    return Views(classes, listed)
