"""Finds the command that migrates the database before a release serves: Django, Procfile, Flask-Migrate, Alembic."""

from __future__ import annotations

import re
from collections.abc import Mapping

from autodeploy.analyser.procfile import Process
from autodeploy.analyser.python.application import Application
from autodeploy.analyser.python.django import Project, manage_command
from autodeploy.analyser.python.flaskmigrate import upgrade_command, uses_flask_migrate
from autodeploy.analyser.python.manifest import Manifest
from autodeploy.analyser.python.serving import in_venv
from autodeploy.analyser.tree import Tree
from autodeploy.model import Evidence


def detect_migration(
    tree: Tree,
    manifest: Manifest,
    project: Project | None,
    app: Application | None,
    processes: Mapping[str, Process],
    overrides: Mapping[str, str],
) -> tuple[str | None, list[Evidence]]:
    """Return the command, None where there is none, and why."""
    if "migration_command" in overrides:
        command = overrides["migration_command"] or None
        return command, [Evidence(fact="migration_command", value=command or "none", rule="--migration-command")]
    release = processes.get("release")
    if project and project.manage:
        others = (release.command,) if release else ()
        return _found(manage_command(project, "migrate"), tree.where(project.manage), "django", others)
    if release:
        return _found(in_venv(release.command), release.file, "procfile-release")
    if app and manifest.find("flask-migrate") and uses_flask_migrate(tree):
        command = upgrade_command(tree, app)
        return _found(command, tree.where(app.file), "flask-migrate") if command else (None, [])
    return _tool(tree, manifest)


def _tool(tree: Tree, manifest: Manifest) -> tuple[str | None, list[Evidence]]:
    """Return the command of a migration tool that finds its configuration where it is called."""
    inis = [path for path in tree.paths if path.rpartition("/")[2] == "alembic.ini" and path.count("/") <= 2]
    ini = min(inis, key=lambda path: (path.count("/"), path)) if inis else None
    if (
        ini
        and manifest.find("alembic", "sqlmodel", "flask-migrate", "advanced-alchemy")
        and _reads_the_environment(tree)
    ):
        folder = ini.rpartition("/")[0]
        # Its configuration names folders as seen from where it lies.
        inside = f"cd {folder} && " if folder else ""
        return _found(f"{inside}/app/venv/bin/alembic upgrade head", tree.where(ini), "alembic")
    if manifest.find("aerich") and "[tool.aerich]" in tree.read("pyproject.toml"):
        return _found("/app/venv/bin/aerich upgrade", tree.where("pyproject.toml"), "aerich")
    if manifest.find("piccolo") and "piccolo_conf.py" in tree.index:
        return _found("/app/venv/bin/piccolo migrations forwards all", tree.where("piccolo_conf.py"), "piccolo")
    return None, []


def _reads_the_environment(tree: Tree) -> bool:
    """A literal address in alembic.ini would migrate the developer's database, or fail."""
    scripts = [tree.read(path) for path in tree.paths if path.endswith("/env.py")]
    return any(re.search(r"set_main_option|create_engine|environ|engine", text) for text in scripts)


def _found(
    command: str | None, file: str, rule: str, others: tuple[str, ...] = ()
) -> tuple[str | None, list[Evidence]]:
    return command, [Evidence(fact="migration_command", value=command or "", file=file, rule=rule, alternatives=others)]
