"""Finds the application object by reading syntax trees: instances, then factories. Imports and assumes nothing."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from autodeploy.analyser.failures import refusal
from autodeploy.analyser.python.frameworks import BY_CLASS, Framework
from autodeploy.analyser.python.names import dotted, import_base, imports, module_name, on_import
from autodeploy.analyser.tree import Tree

_FILES = ("wsgi", "asgi", "app", "main", "application", "server", "run", "index", "api", "web", "__init__")
_ATTRIBUTES = ("app", "application", "server", "api")
_FACTORY = re.compile(
    r"^(create|make|build|get|init)_?(\w+_)?(app|application|api|server)$|^app_factory$|^application_factory$"
)


@dataclass(frozen=True)
class Application:
    """One application object, `module:attribute`, importable with `base` on sys.path ("" is the root)."""

    framework: Framework
    file: str
    line: int
    module: str
    attribute: str
    base: str
    is_factory: bool = False
    runs_on_import: bool = False

    @property
    def target(self) -> str:
        """The object as a server's command line names it, without the call of a factory."""
        return f"{self.module}:{self.attribute}"

    def rank(self) -> tuple[bool, bool, bool, int, int, int]:
        """Order candidates: a made object before a factory, an entry file before the rest, the root before folders."""
        stem = self.file.rsplit("/", 1)[-1].removesuffix(".py")
        file = _FILES.index(stem) if stem in _FILES else len(_FILES)
        attribute = _ATTRIBUTES.index(self.attribute) if self.attribute in _ATTRIBUTES else len(_ATTRIBUTES)
        return (self.runs_on_import, self.is_factory, file > 1, self.file.count("/"), file, attribute)


def find_applications(tree: Tree) -> list[Application]:
    """Return all application objects, the most likely first."""
    factories = [found for path in tree.modules for found in _factories(tree, path)]
    made = [found for path in tree.modules for found in _instances(tree, path, factories)]
    shared = [found for path in tree.modules for found in _re_exports(tree, path, made)]
    usable = [factory for factory in factories if factory.line]
    return sorted([*made, *shared, *usable], key=lambda found: (found.rank(), found.file, found.line))


def choose(found: list[Application]) -> Application | None:
    """Return the best candidate, None among none; raise AnalysisError when two in different files are as good."""
    if len(found) > 1 and found[0].rank() == found[1].rank() and found[0].file != found[1].file:
        names = [item.target for item in found if item.rank() == found[0].rank()]
        raise refusal(
            f"there are several applications: {', '.join(names)}",
            f"Name the one to serve, e.g. --app {names[0]}, or its folder with --path.",
        )
    return found[0] if found else None


def _instances(tree: Tree, path: str, factories: list[Application]) -> Iterator[Application]:
    syntax = tree.syntax(path)
    if syntax is None:
        return
    origins = imports(tree, path)
    body = list(on_import(syntax.body))
    for node in body:
        for name, value in _assignments(node):
            framework = _maker(tree, path, value, origins, factories)
            if framework:
                yield replace(_here(tree, path, framework, node.lineno, name), runs_on_import=_is_run(body, name))


def _assignments(node: ast.stmt) -> Iterator[tuple[str, ast.expr]]:
    if isinstance(node, ast.Assign):
        for target in node.targets:
            if isinstance(target, ast.Name):
                yield target.id, node.value
    elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and node.value is not None:
        yield node.target.id, node.value


def _maker(
    tree: Tree, path: str, value: ast.expr, origins: dict[str, str], factories: list[Application]
) -> Framework | None:
    if not isinstance(value, ast.Call):
        return None
    called = dotted(value.func, origins)
    if called in BY_CLASS:
        return BY_CLASS[called]
    own = module_name(path, import_base(tree, path))
    for factory in factories:
        qualified = f"{factory.module}.{factory.attribute}"
        if called == qualified or (called == factory.attribute and own == factory.module):
            return factory.framework
    # A package may hand its factory on under another module's name.
    last = called.rsplit(".", 1)[-1]
    return next((item.framework for item in factories if item.attribute == last and _FACTORY.match(last)), None)


def _factories(tree: Tree, path: str) -> Iterator[Application]:
    """Yield functions that make and return an application; `line` is 0 where arguments are needed."""
    syntax = tree.syntax(path)
    if syntax is None:
        return
    origins = imports(tree, path)
    for node in on_import(syntax.body):
        if isinstance(node, ast.FunctionDef) and not node.decorator_list:
            framework = _made_within(node, origins)
            if framework:
                needed = len(node.args.args) + len(node.args.posonlyargs) - len(node.args.defaults)
                needed += sum(default is None for default in node.args.kw_defaults)
                yield replace(
                    _here(tree, path, framework, 0 if needed > 0 else node.lineno, node.name), is_factory=True
                )


def _made_within(function: ast.FunctionDef, origins: dict[str, str]) -> Framework | None:
    returned = [node.value for node in ast.walk(function) if isinstance(node, ast.Return)]
    names = {value.id for value in returned if isinstance(value, ast.Name)}
    for node in ast.walk(function):
        if isinstance(node, ast.Call) and dotted(node.func, origins) in BY_CLASS:
            assigned = {
                name
                for part in ast.walk(function)
                if isinstance(part, ast.stmt)
                for name, v in _assignments(part)
                if v is node
            }
            if node in returned or assigned & names:
                return BY_CLASS[dotted(node.func, origins)]
    return None


def _re_exports(tree: Tree, path: str, made: list[Application]) -> Iterator[Application]:
    """Yield objects that an entry file imports from where they are made: it may add routes before it serves."""
    stem = path.rsplit("/", 1)[-1].removesuffix(".py")
    syntax = tree.syntax(path)
    if syntax is None or stem not in _FILES[:-1]:
        return
    origins = imports(tree, path)
    body = list(on_import(syntax.body))
    known = {f"{item.module}.{item.attribute}": item for item in made}
    for node in body:
        if isinstance(node, ast.ImportFrom):
            for alias in node.names:
                name = alias.asname or alias.name
                item = known.get(origins.get(name, ""))
                if item and item.file != path:
                    found = _here(tree, path, item.framework, node.lineno, name)
                    yield replace(found, runs_on_import=_is_run(body, name))


def _is_run(body: list[ast.stmt], name: str) -> bool:
    """Tell whether importing the module would start a server and never return."""
    calls = (node.value for node in body if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call))
    return any(dotted(call.func, {}) in {f"{name}.run", "uvicorn.run", "serve"} for call in calls)


def _here(tree: Tree, path: str, framework: Framework, line: int, attribute: str) -> Application:
    base = import_base(tree, path)
    return Application(framework, path, line, module_name(path, base), attribute, base)
