"""Finds how Flask-Migrate's migrations are run, and whether the application runs them itself. Runs none."""

from __future__ import annotations

import ast
import re

from autodeploy.analyser.python.application import Application
from autodeploy.analyser.python.code import speaking
from autodeploy.analyser.python.names import dotted, keyword
from autodeploy.analyser.tree import Tree

_STARTS = re.compile(r"(?:\.sh|Dockerfile|Procfile|ya?ml)$")
_MIGRATE = re.compile(r"\bMigrate\(|\bmigrate\.init_app\(")


def upgrade_command(tree: Tree, app: Application) -> str:
    """Return the command that migrates; "" where the application does it as it is made, and nobody is told to."""
    if _upgrades_itself(tree) and not _is_told_to_upgrade(tree):
        return ""
    inside = f"env PYTHONPATH=/app/src/{app.base} " if app.base.startswith("src") else f"cd {app.base} && "
    flask = f"{inside if app.base else ''}/app/venv/bin/flask --app {app.target} db upgrade"
    return f"{flask}{_folder(tree, app)}"


def uses_flask_migrate(tree: Tree) -> bool:
    """Tell whether the application has Flask-Migrate's command: its folder is there, and Alembic's own file is not."""
    if "alembic.ini" in tree.index and not any(re.search(r"\bMigrate\(", tree.read(path)) for path in tree.modules):
        return False
    return any(path.endswith("migrations/env.py") for path in tree.paths)


def _upgrades_itself(tree: Tree) -> bool:
    """Tell whether the application migrates when it is made: no command of its own calls Flask-Migrate's upgrade."""
    for made in speaking(tree, re.compile(r"\bflask_migrate\b[^\n]*\bupgrade\b")):
        names = {name for name, origin in made.origins.items() if origin == "flask_migrate.upgrade"}
        calls = [call.lineno for call in made.calls if dotted(call.func, {}) in names]
        aside = [item for item in made.functions if item.decorator_list]
        if not made.path.endswith("manage.py") and any(not any(_holds(item, line) for item in aside) for line in calls):
            return True
    return False


def _is_told_to_upgrade(tree: Tree) -> bool:
    """Tell whether what starts the application upgrades first: a script, an image, a chain of commands."""
    near = (path for path in tree.paths if path.count("/") <= 1 and _STARTS.search(path))
    return any("db upgrade" in tree.read(path) for path in near)


def _holds(function: ast.FunctionDef | ast.AsyncFunctionDef, line: int) -> bool:
    return function.lineno <= line <= (function.end_lineno or function.lineno)


def _folder(tree: Tree, app: Application) -> str:
    """Return the option that names the folder of migrations, where it lies in a package and the code names none."""
    places = [path.removesuffix("/env.py") for path in tree.paths if path.endswith("migrations/env.py")]
    told = [call for made in speaking(tree, _MIGRATE) for call in made.calls if _names_folder(call)]
    usual = f"{app.base}/migrations" if app.base else "migrations"
    if len(places) != 1 or places[0] == usual or told or app.base:
        return ""
    return f" --directory {places[0]}"


def _names_folder(call: ast.Call) -> bool:
    is_made = dotted(call.func, {}).rpartition(".")[2] in {"Migrate", "init_app"}
    return is_made and (keyword(call, "directory") is not None or len(call.args) > 2)
