"""Finds the command that migrates the database before a release serves: Django, Procfile, Flask-Migrate, Alembic."""

from __future__ import annotations

import re
from collections.abc import Mapping

from autodeploy.analyser.procfile import Process
from autodeploy.analyser.python.application import Application
from autodeploy.analyser.python.django import Project, migration_command
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
        return _found(migration_command(project), tree.where(project.manage), "django", others)
    if release:
        return _found(in_venv(release.command), release.file, "procfile-release")
    if app and manifest.find("flask-migrate") and any(path.endswith("migrations/env.py") for path in tree.paths):
        return _found(f"/app/venv/bin/flask --app {app.target} db upgrade", tree.where(app.file), "flask-migrate")
    if "alembic.ini" in tree.index and manifest.find("alembic") and _reads_the_environment(tree):
        return _found("/app/venv/bin/alembic upgrade head", tree.where("alembic.ini"), "alembic")
    return None, []


def _reads_the_environment(tree: Tree) -> bool:
    """A literal address in alembic.ini would migrate the developer's database, or fail."""
    scripts = [tree.read(path) for path in tree.paths if path.endswith("/env.py")]
    return any(re.search(r"set_main_option|create_engine|environ|engine", text) for text in scripts)


def _found(
    command: str | None, file: str, rule: str, others: tuple[str, ...] = ()
) -> tuple[str | None, list[Evidence]]:
    return command, [Evidence(fact="migration_command", value=command or "", file=file, rule=rule, alternatives=others)]
