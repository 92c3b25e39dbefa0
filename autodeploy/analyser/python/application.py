"""Finds the application objects by reading syntax trees: instances, factories, plain callables. Imports none."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from autodeploy.analyser.python.code import Code, speaking
from autodeploy.analyser.python.frameworks import BY_CLASS, BY_NAME, PLAIN_ASGI, PLAIN_WSGI, Framework
from autodeploy.analyser.python.hints import Hint, served_targets
from autodeploy.analyser.python.names import assignments, dotted, keyword, on_import
from autodeploy.analyser.tree import Tree

_FILES = ("wsgi", "asgi", "app", "main", "application", "server", "run", "index", "api", "web", "manage", "__init__")
_ATTRIBUTES = ("app", "application", "server", "api")
_FACTORY = re.compile(
    r"^(create|make|build|get|init|setup)_?(\w+_)?(app|application|api|server)$|^app_factory$|^application_factory$"
)
_CLASSES = sorted({re.escape(name.rsplit(".", 1)[-1]) for name in BY_CLASS})
_SPEAKING = re.compile(
    "|".join(
        [
            # Each alternative begins with a letter of its own: the matcher passes over all else at once.
            *(rf"{name}(?:\s*\(|\s+as\b)" for name in _CLASSES),
            rf"class\s+\w+\s*\([^)]*\b(?:{'|'.join(_CLASSES)})\b",
            *("make_wsgi_app", "start_response", "app_factory", "application_factory", r"\(\s*scope\s*[,:]"),
            *(
                rf"{verb}_?(?:\w+_)?(?:app|application|api|server)\b"
                for verb in ("create", "make", "build", "get", "init", "setup")
            ),
            r"import\b[^\n]*\bapp(?:lication)?\b",
        ]
    )
)
"""What a module says that makes, is, or hands on an application."""

_Function = ast.FunctionDef | ast.AsyncFunctionDef


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
    hinted: int = 1_000
    """Which mention in the repository names it, counted from 0."""

    @property
    def target(self) -> str:
        """The object as a server's command line names it, without the call of a factory."""
        return f"{self.module}:{self.attribute}"

    @property
    def spelled(self) -> str:
        """The object with the folder that its module is imported from, as --app takes it too: `api/main:app`."""
        return f"{self.base}/{self.target}" if self.base else self.target

    @property
    def path(self) -> str:
        """The module as seen from the repository's root: `api.main`."""
        return self.file.removesuffix(".py").removesuffix("/__init__").replace("/", ".") or self.module

    def rank(self) -> tuple[object, ...]:
        """Order candidates: what is named elsewhere, made objects before factories, entry files, the root first."""
        stem = self.file.rsplit("/", 1)[-1].removesuffix(".py")
        file = _FILES.index(stem) if stem in _FILES else len(_FILES)
        attribute = _ATTRIBUTES.index(self.attribute) if self.attribute in _ATTRIBUTES else len(_ATTRIBUTES)
        is_plain = not self.framework.name
        if self.framework.name == "dash":
            attribute = -1 if self.attribute == "server" else attribute  # the WSGI application within
        return (
            self.runs_on_import,
            self.hinted,
            is_plain,
            self.is_factory,
            file > 1,
            self.file.count("/"),
            file,
            attribute,
        )


def find_applications(tree: Tree) -> list[Application]:
    """Return all application objects, the most likely first."""
    speakers = list(speaking(tree, _SPEAKING))
    classes = {**BY_CLASS, **_own_classes(speakers)}
    factories = [found for made in speakers for found in _factories(made, classes)]
    further = [found for made in speakers for found in _factories(made, classes, factories)]
    factories += [found for found in further if found not in factories]
    instances = [found for made in speakers for found in _instances(made, classes, factories)]
    shared = [found for made in speakers for found in _re_exports(made, instances)]
    usable = [factory for factory in factories if factory.line]
    hints = served_targets(tree)
    named = [*instances, *shared, *usable]
    spelled = frozenset(hint for hint in hints if any(hint.spells(item.path, item.attribute) for item in named))
    found = [_hinted(item, hints, spelled) for item in named]
    return sorted(found, key=lambda item: (item.rank(), item.file, item.line))


def rivals(found: list[Application]) -> list[Application]:
    """Return the candidates that are as good as the best, one a file; the best comes first."""
    equal = [item for item in found if item.rank() == found[0].rank()]
    return list({item.file: item for item in reversed(equal)}.values())[::-1]


def _hinted(item: Application, hints: list[Hint], spelled: frozenset[Hint]) -> Application:
    """Note the first mention of an object; one of those that spell an object out speaks of no other."""
    for number, hint in enumerate(hints):
        said = hint.spells(item.path, item.attribute) if hint in spelled else hint.names(item.module, item.attribute)
        if said and hint.module == item.path:  # people stand at the root: so does what its imports name
            return replace(item, hinted=number, module=item.path, base="")
        if said:
            return replace(item, hinted=number)
    return item


def _own_classes(speakers: list[Code]) -> dict[str, Framework]:
    found: dict[str, Framework] = {}
    for made in speakers:
        for node in made.classes:
            bases = (BY_CLASS.get(dotted(base, made.origins)) for base in node.bases)
            framework = next((base for base in bases if base), None)
            if framework:
                found |= {f"{made.name}.{node.name}": framework, node.name: framework}
    return found


def _instances(made: Code, classes: Mapping[str, Framework], factories: list[Application]) -> Iterator[Application]:
    body = list(on_import(made.syntax.body))
    for node in body:
        for name, value in assignments(node):
            framework = _maker(made, value, classes, factories)
            if framework:
                yield replace(_here(made, framework, node.lineno, name), runs_on_import=_is_run(body, name))
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) and not node.decorator_list:
            plain = _plain(node)
            if plain:
                yield _here(made, plain, node.lineno, node.name)


def _plain(function: _Function) -> Framework | None:
    """Return the protocol of a function that is an application by itself (PEP 3333, the ASGI specification)."""
    names = [argument.arg for argument in function.args.args]
    if isinstance(function, ast.FunctionDef) and len(names) == 2 and names[1] == "start_response":
        return PLAIN_WSGI
    if isinstance(function, ast.AsyncFunctionDef) and names == ["scope", "receive", "send"]:
        return PLAIN_ASGI
    return None


def _maker(
    made: Code, value: ast.expr, classes: Mapping[str, Framework], factories: list[Application]
) -> Framework | None:
    if isinstance(value, ast.Attribute) and value.attr in {"server", "app"} and isinstance(value.value, ast.Name):
        # `server = app.server` of Dash: the Flask application within.
        inner = next((item for name, item, _ in made.assigned if name == value.value.id), None)
        within = _called(made, inner, classes) if inner is not None else None
        return BY_NAME["dash"] if within is BY_NAME["dash"] else None
    if not isinstance(value, ast.Call):
        return None
    framework = _called(made, value, classes)
    if framework:
        return framework
    called = dotted(value.func, made.origins)
    if called.endswith(".make_wsgi_app") or (called == "make_wsgi_app"):
        return BY_NAME["pyramid"]
    for factory in factories:
        qualified = f"{factory.module}.{factory.attribute}"
        if called == qualified or (called == factory.attribute and made.name == factory.module):
            return factory.framework
    # A package may hand its factory on under another module's name.
    last = called.rsplit(".", 1)[-1]
    return next((item.framework for item in factories if item.attribute == last and _FACTORY.match(last)), None)


def _called(made: Code, value: ast.expr, classes: Mapping[str, Framework]) -> Framework | None:
    called = dotted(value.func, made.origins) if isinstance(value, ast.Call) else ""
    return classes.get(called) or classes.get(f"{made.name}.{called}")


def _factories(
    made: Code, classes: Mapping[str, Framework], known: list[Application] | None = None
) -> Iterator[Application]:
    """Yield functions that make and return an application; `line` is 0 where arguments are needed."""
    for node in on_import(made.syntax.body):
        if not isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            continue
        framework = _made_within(made, node, classes, known or [])
        is_awaited = isinstance(node, ast.AsyncFunctionDef)
        if framework and (not is_awaited or framework.protocol == "aiohttp"):
            needed = len(node.args.args) + len(node.args.posonlyargs) - len(node.args.defaults)
            needed += sum(default is None for default in node.args.kw_defaults)
            line = 0 if needed > 0 or (known and not _FACTORY.match(node.name)) else node.lineno
            attribute = f"{node.name}" if is_awaited else node.name
            yield replace(_here(made, framework, line, attribute), is_factory=True)


def _made_within(
    made: Code, function: _Function, classes: Mapping[str, Framework], known: list[Application]
) -> Framework | None:
    returned = [node.value for node in made.returned if node.value is not None and _holds(function, node.lineno)]
    names = {value.id for value in returned if isinstance(value, ast.Name)}
    given = [value for name, value, line in made.assigned if name in names and _holds(function, line)]
    for value in (*returned, *given):
        framework = _maker(made, value, classes, known)
        if framework:
            return framework
    return None


def _holds(function: _Function, line: int) -> bool:
    return function.lineno <= line <= (function.end_lineno or function.lineno)


def _re_exports(made: Code, instances: list[Application]) -> Iterator[Application]:
    """Yield objects that an entry file imports from where they are made: it may add routes before it serves."""
    stem = made.path.rsplit("/", 1)[-1].removesuffix(".py")
    if stem not in _FILES:
        return
    body = list(on_import(made.syntax.body))
    known = {f"{item.module}.{item.attribute}": item for item in instances}
    starred = {f"{item.module}.*": item for item in instances if stem == "__init__"}
    for node in body:
        if isinstance(node, ast.ImportFrom):
            for alias in node.names:
                name = alias.asname or alias.name
                origin = made.origins.get(name, "")
                item = known.get(origin)
                if alias.name == "*":
                    item = next((found for star, found in starred.items() if star in made.origins), None)
                    name = item.attribute if item else name
                if item and item.file != made.path and (stem != "__init__" or alias.name == "*"):
                    yield replace(_here(made, item.framework, node.lineno, name), runs_on_import=_is_run(body, name))


def _is_run(body: list[ast.stmt], name: str) -> bool:
    """Tell whether importing the module would start a server and never return."""
    calls = (node.value for node in body if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call))
    return any(_runs(call, name) for call in calls)


def _runs(call: ast.Call, name: str) -> bool:
    called = dotted(call.func, {})
    if called in {f"{name}.run", f"{name}.run_server", "uvicorn.run", "serve"}:
        return True
    given = [*call.args[:1], keyword(call, "app")]
    return called.rsplit(".", 1)[-1] in {"run", "run_app", "serve"} and any(dotted(item, {}) == name for item in given)


def _here(made: Code, framework: Framework, line: int, attribute: str) -> Application:
    return Application(framework, made.path, line, made.name, attribute, made.base)
