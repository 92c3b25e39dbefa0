"""Reads a Django project: settings, applications, migrations, static files, hosts. Imports none of it."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass

from autodeploy.analyser.python.application import Application
from autodeploy.analyser.python.code import Code, code, import_base, imported_modules, module_name, modules
from autodeploy.analyser.python.djangosettings import Settings, choose_settings
from autodeploy.analyser.python.frameworks import DJANGO
from autodeploy.analyser.python.names import dotted, text_of, words_of
from autodeploy.analyser.tree import Tree
from autodeploy.model import Evidence

_VARIABLE = re.compile(r"[A-Z][A-Z0-9_]+")


@dataclass(frozen=True)
class Project:
    """One Django project. `manage` is the path of manage.py, None where there is none."""

    manage: str | None
    base: str
    chosen: Settings | None
    assigned: dict[str, list[tuple[ast.expr, str, int]]]
    """What the settings give each name, those of star-imported modules first: value, file, line."""

    @property
    def settings(self) -> str | None:
        """The path of the settings that production loads."""
        return self.chosen.file if self.chosen else None

    @property
    def named(self) -> str:
        """The settings' module, where a server has to be told it; "" where its WSGI file loads it anyway."""
        return self.chosen.module if self.chosen and self.chosen.named else ""

    def value(self, name: str) -> ast.expr | None:
        """Return what a setting is given last."""
        given = self.assigned.get(name)
        return given[-1][0] if given else None

    def text(self, name: str) -> str | None:
        """Return a setting that is a literal string."""
        return text_of(self.value(name))

    def mentions(self, name: str, word: str) -> bool:
        """Tell whether some value of a setting names a word."""
        return any(word in words_of(value) for value, _, _ in self.assigned.get(name, ()))

    def engines(self) -> list[tuple[str, int]]:
        """Return the kinds of database that DATABASES may be given, with lines: an engine, or `url` for an address."""
        values = [value for value, _, _ in self.assigned.get("DATABASES", ())]
        inner = [node.id for value in values for node in ast.walk(value) if isinstance(node, ast.Name)]
        values += [value for name in dict.fromkeys(inner) for value, _, _ in self.assigned.get(name, ())]
        return [found for value in values for found in _engines(value)]


def read_project(tree: Tree) -> Project | None:
    """Return the project that manage.py or a wsgi.py points to; None without either."""
    speaking = [path for path in modules(tree) if _is_django(tree.read(path))]
    entries = [path for path in speaking if path.endswith(("wsgi.py", "asgi.py"))]
    entries.sort(key=lambda path: (path.endswith("asgi.py"), path.count("/"), path))
    commands = [path for path in speaking if path.rpartition("/")[2] == "manage.py"]
    if not commands and not entries:
        return None
    projects = [_project(tree, path.rpartition("/")[0], path, entries) for path in commands]
    projects += [_project(tree, import_base(tree, path), None, entries) for path in entries]
    # The folder from which the settings can be imported is where the project lies.
    return next((project for project in projects if project.chosen), projects[0])


def _project(tree: Tree, base: str, manage: str | None, entries: list[str]) -> Project:
    below = [path for path in entries if not base or path.startswith(f"{base}/")]
    chosen = choose_settings(tree, base, manage, below)
    return Project(manage, base, chosen, _assigned(tree, chosen.file, frozenset()) if chosen else {})


def find_django(tree: Tree, project: Project, speaks_asgi: bool) -> list[Application]:
    """Return the project's applications; the ASGI one first where the project is made for it."""
    found: list[Application] = []
    for path in modules(tree):
        if not path.endswith(("wsgi.py", "asgi.py")) or not _is_django(tree.read(path)):
            continue
        made = code(tree, path)
        is_below = not project.base or path.startswith(f"{project.base}/")
        for name, line in _defined(made) if made and is_below else ():
            if name in {"application", "app"}:
                found.append(Application(DJANGO, path, line, module_name(path, project.base), name, project.base))
    wanted = "asgi.py" if speaks_asgi and project.text("ASGI_APPLICATION") else "wsgi.py"
    return sorted(found, key=lambda item: (not item.file.endswith(wanted), item.attribute == "app", item.file))


def _defined(made: Code) -> Iterator[tuple[str, int]]:
    """Yield what the module defines, by name and line: objects, and functions around them."""
    for node in made.syntax.body:
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            yield node.targets[0].id, node.lineno
        elif isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            yield node.name, node.lineno


def manage_command(project: Project, verb: str) -> str | None:
    """Return a command of manage.py, run in /app/src; None without manage.py."""
    if not project.manage:
        return None
    settings = f" --settings={project.named}" if project.named else ""
    return f"/app/venv/bin/python {project.manage} {verb} --noinput{settings}"


def collects_static(project: Project) -> bool:
    """Tell whether `collectstatic` has a place to collect to."""
    value = project.value("STATIC_ROOT")
    has_place = value is not None and not (isinstance(value, ast.Constant) and not value.value)
    apps = project.assigned.get("INSTALLED_APPS")
    return bool(project.manage) and has_place and (not apps or _is_installed(project, apps[0][0]))


def _is_installed(project: Project, apps: ast.expr) -> bool:
    is_whole = isinstance(apps, (ast.List, ast.Tuple)) and len(project.assigned["INSTALLED_APPS"]) == 1
    return not is_whole or "staticfiles" in words_of(apps)


def host_evidence(tree: Tree, project: Project) -> tuple[list[Evidence], list[str]]:
    """Return what ALLOWED_HOSTS says, and a warning where the balancer's requests would be refused."""
    given = project.assigned.get("ALLOWED_HOSTS")
    if not given:
        return [], []
    value, file, line = given[-1]
    where = {"file": tree.where(file), "line": line}
    named = [(text, item) for item, _, _ in reversed(given) for text in _variables(project, item)]
    if named:
        told = {"allowed_hosts_variable": named[0][0], "allowed_hosts_separator": _separator(project, named[0][1])}
        return [Evidence(fact=fact, value=value, rule="django-settings", **where) for fact, value in told.items()], []
    try:
        hosts = ast.literal_eval(value)
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
        return [], []
    listed = [str(host) for host in hosts] if isinstance(hosts, (list, tuple)) else [str(hosts)]
    noted = [Evidence(fact="allowed_hosts", value=",".join(listed), rule="django-settings", **where)]
    if "*" in listed:
        return noted, []
    return noted, [f"ALLOWED_HOSTS in {where['file']} names only {listed}: requests under another host get 400"]


def _variables(project: Project, value: ast.expr) -> list[str]:
    named = [text_of(item) for node in _nodes(project, value) for item in _arguments(node)]
    return [text for text in named if text and _VARIABLE.fullmatch(text)]


def _separator(project: Project, value: ast.expr) -> str:
    """Return what stands between the hosts of a variable; "" where it holds one, as an item of the list."""
    for node in _nodes(project, value):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "split":
            return text_of(node.args[0]) or "," if node.args else " "
    items = [item for node in ast.walk(value) if isinstance(node, (ast.List, ast.Tuple)) for item in node.elts]
    return "" if any(isinstance(item, (ast.Call, ast.Subscript, ast.Name)) for item in items) else ","


def _nodes(project: Project, value: ast.expr) -> Iterator[ast.AST]:
    """Yield the nodes of an expression, then of what the names in it stand for."""
    yield from ast.walk(value)
    for name in [node.id for node in ast.walk(value) if isinstance(node, ast.Name)]:
        for item, _, _ in project.assigned.get(name, ())[-1:]:
            yield from ast.walk(item) if item is not value else ()


def _arguments(node: ast.AST) -> list[ast.expr]:
    if isinstance(node, ast.Call):
        return node.args[:1]
    return [node.slice] if isinstance(node, ast.Subscript) else []


def request_warnings(project: Project, speaks_mysql: bool) -> list[str]:
    """Return warnings for what the project's settings would refuse behind a balancer that ends TLS."""
    told = database_warnings(project) if speaks_mysql else []
    is_told = project.assigned.get("CSRF_TRUSTED_ORIGINS") or project.assigned.get("SECURE_PROXY_SSL_HEADER")
    if project.assigned.get("MIDDLEWARE") and project.mentions("MIDDLEWARE", "CsrfViewMiddleware") and not is_told:
        told.append(
            "neither SECURE_PROXY_SSL_HEADER nor CSRF_TRUSTED_ORIGINS is set: forms sent over HTTPS get 403; "
            'set SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")'
        )
    return told


def database_warnings(project: Project) -> list[str]:
    """Return a warning where DATABASES has a MySQL that is not told to use TLS: here it speaks nothing else."""
    for value, _, _ in project.assigned.get("DATABASES", ()):
        for node in ast.walk(value):
            if isinstance(node, ast.Dict):
                engine = [part for key, part in zip(node.keys, node.values, strict=True) if text_of(key) == "ENGINE"]
                if engine and "mysql" in words_of(engine[0]) and "ssl" not in words_of(node):
                    advice = '"OPTIONS": {"ssl": {"ca": os.environ["MYSQL_SSL_CA"]}}'
                    return [f"DATABASES has a MySQL without TLS, which lets nobody in here; give it {advice}"]
    return []


def _engines(value: ast.expr) -> Iterator[tuple[str, int]]:
    for node in ast.walk(value):
        if isinstance(node, ast.Dict):
            for key, part in zip(node.keys, node.values, strict=True):
                if text_of(key) == "ENGINE":
                    words = words_of(part)
                    kinds = [kind for kind in ("postgresql", "mysql", "sqlite3") if kind in words]
                    kinds += ["postgresql"] if "postgis" in words else []
                    # An engine that a variable names may be any.
                    is_open = not isinstance(part, ast.Constant)
                    yield from ((kind, node.lineno) for kind in (kinds or ["other"]) + (["other"] if is_open else []))
        elif isinstance(node, ast.Call) and not dotted(node.func, {}).endswith((".join", "str", "Path")):
            called = dotted(node.func, {})
            if re.search(r"dj_database_url|(^|\.)(db|db_url|dj_db_url|parse|config|get_database\w*)$", called):
                yield "url", node.lineno


def _is_django(text: str) -> bool:
    return "django" in text.lower()


def _assigned(tree: Tree, path: str, seen: frozenset[str]) -> dict[str, list[tuple[ast.expr, str, int]]]:
    made = code(tree, path)
    if made is None or path in seen or len(seen) > 20:
        return {}
    found: dict[str, list[tuple[ast.expr, str, int]]] = {}
    for file in sorted(_starred(tree, path, made.origins)):
        for name, values in _assigned(tree, file, seen | {path}).items():
            found.setdefault(name, []).extend(values)
    for name, value, line in made.assigned:
        found.setdefault(name, []).append((value, path, line))
    for call in made.calls:
        target, _, verb = dotted(call.func, {}).rpartition(".")
        if verb in {"append", "extend"} and call.args and target.isupper():
            more = call.args[0] if verb == "extend" else ast.List([call.args[0]], ast.Load())
            found.setdefault(target, []).insert(0, (more, path, call.lineno))
    for value, line in _put(made) if "DATABASES[" in tree.read(path) else ():
        found.setdefault("DATABASES", []).append((value, path, line))
    return found


def _put(made: Code) -> Iterator[tuple[ast.expr, int]]:
    """Yield what is put into DATABASES once it is made: `DATABASES["default"] = …`, or updated with."""
    for node in ast.walk(made.syntax):
        if isinstance(node, ast.Assign) and _is_of_databases(node.targets[0]):
            yield node.value, node.lineno
        elif (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Attribute)
            and node.func.attr == "update"
            and _is_of_databases(node.func.value)
            and node.args
        ):
            yield node.args[0], node.lineno


def _is_of_databases(node: ast.expr) -> bool:
    return isinstance(node, ast.Subscript) and dotted(node.value, {}) == "DATABASES"


def _starred(tree: Tree, path: str, origins: dict[str, str]) -> set[str]:
    names = {origin.removesuffix(".*") for origin in origins.values() if origin.endswith(".*")}
    return {file for file in imported_modules(tree, path) if any(_is_module(file, name) for name in names)}


def _is_module(file: str, origin: str) -> bool:
    stem = file.removesuffix(".py").removesuffix("/__init__").replace("/", ".")
    return bool(origin) and (stem == origin or stem.endswith(f".{origin}"))
