"""Reads a Django project: settings, WSGI application, migrations, static files, hosts. Imports none of it."""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass

from autodeploy.analyser.python.application import Application
from autodeploy.analyser.python.frameworks import FRAMEWORKS
from autodeploy.analyser.python.names import import_base, imported_modules, imports, module_name, text_of, words_of
from autodeploy.analyser.tree import Tree
from autodeploy.model import Evidence

_DJANGO = FRAMEWORKS[0]
_SETTINGS = re.compile(r"""DJANGO_SETTINGS_MODULE["']\s*,\s*["'](?P<module>[\w.]+)["']""")


@dataclass(frozen=True)
class Project:
    """One Django project. `manage` and `settings` are paths of files, None where there is none."""

    manage: str | None
    settings: str | None
    base: str
    assigned: dict[str, ast.expr]
    """The settings' top-level assignments, those of star-imported modules included."""

    def text(self, name: str) -> str | None:
        """Return a setting that is a literal string."""
        return text_of(self.assigned.get(name))


def read_project(tree: Tree) -> Project | None:
    """Return the project that manage.py or a wsgi.py points to; None without either."""
    manage = next((path for path in tree.modules if path.rsplit("/", 1)[-1] == "manage.py"), None)
    entries = [path for path in tree.modules if path.endswith(("wsgi.py", "asgi.py"))]
    if manage is None and not entries:
        return None
    base = manage.rpartition("/")[0] if manage else import_base(tree, entries[0])
    # Servers load wsgi.py: its default counts before manage.py's, which is often the developer's.
    for path in [*entries, *([manage] if manage else [])]:
        told = _SETTINGS.search(tree.read(path))
        settings = _module_file(tree, base, told["module"]) if told else None
        if settings:
            return Project(manage, settings, base, _assigned(tree, settings, frozenset()))
    return Project(manage, None, base, {})


def find_django(tree: Tree, project: Project) -> list[Application]:
    """Return the project's WSGI application, its ASGI application after it."""
    found: list[Application] = []
    for path in tree.modules:
        syntax = tree.syntax(path)
        if syntax is None or not path.endswith(("wsgi.py", "asgi.py")):
            continue
        for node in syntax.body:
            if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
                is_below = not project.base or path.startswith(f"{project.base}/")
                if is_below and node.targets[0].id in {"application", "app"}:
                    module = module_name(path, project.base)
                    found.append(Application(_DJANGO, path, node.lineno, module, node.targets[0].id, project.base))
    return sorted(found, key=lambda item: (item.file.endswith("asgi.py"), item.attribute == "app", item.file))


def migration_command(project: Project) -> str | None:
    """Return the command that migrates the database, run in /app/src."""
    return f"/app/venv/bin/python {project.manage} migrate --noinput" if project.manage else None


def collects_static(project: Project) -> bool:
    """Tell whether `collectstatic` has a place to collect to."""
    value = project.assigned.get("STATIC_ROOT")
    return bool(project.manage) and value is not None and not (isinstance(value, ast.Constant) and not value.value)


def host_evidence(tree: Tree, project: Project) -> tuple[list[Evidence], list[str]]:
    """Return what ALLOWED_HOSTS says, and a warning where the balancer's requests would be refused."""
    value = project.assigned.get("ALLOWED_HOSTS")
    if project.settings is None or value is None:
        return [], []
    where = {"file": tree.where(project.settings), "line": value.lineno}
    names = [text for node in ast.walk(value) if (text := text_of(node)) and re.fullmatch(r"[A-Z][A-Z0-9_]+", text)]
    if names:
        return [Evidence(fact="allowed_hosts_variable", value=names[0], rule="django-settings", **where)], []
    try:
        hosts = ast.literal_eval(value)
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
        return [], []
    listed = [str(host) for host in hosts] if isinstance(hosts, (list, tuple)) else [str(hosts)]
    noted = [Evidence(fact="allowed_hosts", value=",".join(listed), rule="django-settings", **where)]
    if "*" in listed:
        return noted, []
    return noted, [f"ALLOWED_HOSTS in {where['file']} names only {listed}: requests under another host get 400"]


def database_warnings(project: Project) -> list[str]:
    """Return a warning where DATABASES has a MySQL that is not told to use TLS: here it speaks nothing else."""
    value = project.assigned.get("DATABASES")
    for node in ast.walk(value) if value else ():
        if isinstance(node, ast.Dict):
            engine = [part for key, part in zip(node.keys, node.values, strict=True) if text_of(key) == "ENGINE"]
            if engine and "mysql" in words_of(engine[0]) and "ssl" not in words_of(node):
                advice = '"OPTIONS": {"ssl": {"ca": os.environ["MYSQL_SSL_CA"]}}'
                return [f"DATABASES has a MySQL without TLS, which lets nobody in here; give it {advice}"]
    return []


def _module_file(tree: Tree, base: str, module: str) -> str | None:
    stem = "/".join([*([base] if base else []), *module.split(".")])
    return next((file for file in (f"{stem}.py", f"{stem}/__init__.py") if file in tree.index), None)


def _assigned(tree: Tree, path: str, seen: frozenset[str]) -> dict[str, ast.expr]:
    syntax = tree.syntax(path)
    if syntax is None or path in seen or len(seen) > 20:
        return {}
    found: dict[str, ast.expr] = {}
    for file in sorted(_starred(tree, path)):
        found |= _assigned(tree, file, seen | {path})
    for node in ast.walk(syntax):
        if isinstance(node, ast.Assign):
            found |= {target.id: node.value for target in node.targets if isinstance(target, ast.Name)}
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and node.value is not None:
            found[node.target.id] = node.value
    return found


def _starred(tree: Tree, path: str) -> set[str]:
    origins = {origin.removesuffix(".*") for origin in imports(tree, path).values() if origin.endswith(".*")}
    return {file for file in imported_modules(tree, path) if any(_is_module(file, origin) for origin in origins)}


def _is_module(file: str, origin: str) -> bool:
    stem = file.removesuffix(".py").removesuffix("/__init__").replace("/", ".")
    return bool(origin) and (stem == origin or stem.endswith(f".{origin}"))
