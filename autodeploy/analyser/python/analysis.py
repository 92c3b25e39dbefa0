"""Joins the Python detectors: from a Tree to a TechStack, each fact with its evidence. A flag overrides."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from autodeploy.analyser import health, hints
from autodeploy.analyser.database import database_variables
from autodeploy.analyser.failures import refusal
from autodeploy.analyser.language import Home
from autodeploy.analyser.procfile import Process, read_procfile
from autodeploy.analyser.python import database, django, environment, migrations, ports, start, versions, workers
from autodeploy.analyser.python.application import Application, choose, find_applications
from autodeploy.analyser.python.djangoroutes import list_django_routes
from autodeploy.analyser.python.frameworks import FRAMEWORKS, Framework, declared_framework
from autodeploy.analyser.python.manifest import Manifest, read_manifest
from autodeploy.analyser.python.names import imported_modules
from autodeploy.analyser.python.routes import list_routes
from autodeploy.analyser.tree import Tree
from autodeploy.analyser.worker import worker_facts
from autodeploy.model import DatabaseType, EnvironmentVariable, Evidence, TechStack

_STAND_INS = {
    "ca": "/etc/ssl/certs/ca-certificates.crt",
    "sslmode": "require",
    "ssl": "true",
    **dict.fromkeys(("host", "port", "name", "user", "password"), "1"),
    "url": "{spelled}://build:build@127.0.0.1:1/build",
    "engine": "django.db.backends.{spelled}",
}
"""Values of no use to anybody, by part of a database's address. `spelled`: as Django spells the database's kind."""
_SERVICES = {"redis": "redis", "celery": "celery", "elasticsearch": "elasticsearch", "pika": "rabbitmq"}


def analyse_python(tree: Tree, home: Home, overrides: Mapping[str, str]) -> TechStack:
    """Return the technology of a Python application; raise AnalysisError naming what to type next."""
    manifest = read_manifest(tree)
    project = django.read_project(tree) if _speaks_of_django(tree, manifest) else None
    app = _application(tree, manifest, project, overrides)
    return _compose(tree, home, manifest, project, app, overrides)


def _compose(
    tree: Tree,
    home: Home,
    manifest: Manifest,
    project: django.Project | None,
    app: Application | None,
    overrides: Mapping[str, str],
) -> TechStack:
    processes = read_procfile(tree)
    framework = app.framework if app else declared_framework(manifest)
    version, constraint, version_because = versions.detect_version(tree, overrides)
    running, running_because = _running(tree, manifest, project, app, processes, overrides)
    migration, migration_because = migrations.detect_migration(tree, manifest, project, app, processes, overrides)
    hosts, warnings = django.host_evidence(tree, project) if project else ([], [])
    warnings += django.database_warnings(project) if project else []
    services = tuple(sorted({_SERVICES[name] for name in manifest.names if name in _SERVICES}))
    needs, needs_because = _needs(tree, manifest, project, app, overrides)
    told = [home.evidence, *_project_evidence(tree, manifest, framework, app), version_because, *needs_because]
    return TechStack(
        language="python",
        framework=framework.name if framework else None,
        runtime_version=version,
        build_tool="pip",
        version_constraint=constraint,
        app_root=home.root,
        services=services,
        migration_command=migration,
        evidence=(*told, *running_because, *migration_because, *hosts),
        warnings=(*_warnings(manifest, services), *warnings),
        **running,
        **needs,
    )


def _running(
    tree: Tree,
    manifest: Manifest,
    project: django.Project | None,
    app: Application | None,
    processes: Mapping[str, Process],
    overrides: Mapping[str, str],
) -> tuple[dict[str, Any], list[Evidence]]:
    """Return how the application runs and, unless it is a worker, where it answers."""
    framework = app.framework if app else declared_framework(manifest)
    if worker := workers.find_worker(tree, processes, bool(app or project or framework), overrides):
        return worker_facts(*worker)
    begin = start.start(tree, manifest, app, processes.get("web"), overrides)
    port, port_because = ports.detect_port(tree, processes.get("web"), overrides)
    routes = list_django_routes(tree, project) if project else list_routes(tree)
    path, path_because = health.detect_health_path(
        routes, framework.name if framework else None, overrides, hints.health_path(tree)
    )
    fields = {
        "start_command": begin.command,
        "server_package": begin.server_package,
        "port": port,
        "health_check_path": path,
    }
    return fields, [begin.evidence, port_because, path_because]


def _needs(
    tree: Tree,
    manifest: Manifest,
    project: django.Project | None,
    app: Application | None,
    overrides: Mapping[str, str],
) -> tuple[dict[str, Any], list[Evidence]]:
    """Return what the application needs around it: dependencies, database, packages, variables."""
    kind, because = database.detect_database(manifest, overrides, hints.databases(tree))
    variables = environment.detect_environment(tree, _reachable(tree, app, project))
    parts = database_variables(variables, kind, hints.variables(tree))
    build_packages, run_packages = database.driver_packages(manifest)
    return {
        "dependencies": tuple(sorted(manifest.names)),
        "requires_database": kind is not None,
        "database_type": kind,
        "package_manager": manifest.package_manager,
        "build_command": _build_command(manifest, project, kind, parts),
        "build_packages": build_packages,
        "run_packages": run_packages,
        "environment": _asked(variables, parts, kind is not None),
    }, [*because, *parts]


def _speaks_of_django(tree: Tree, manifest: Manifest) -> bool:
    return manifest.find("django") is not None or any(
        "DJANGO_SETTINGS_MODULE" in tree.read(path) for path in tree.modules if path.endswith("manage.py")
    )


def _application(
    tree: Tree, manifest: Manifest, project: django.Project | None, overrides: Mapping[str, str]
) -> Application | None:
    found = django.find_django(tree, project) if project else find_applications(tree)
    if "app" not in overrides:
        return found[0] if project and found else None if "start_command" in overrides else choose(found)
    asked = overrides["app"]
    if not re.fullmatch(r"[\w.]+:[\w.]+(\(.*\))?", asked):
        raise refusal(f"{asked!r} names no application object", "Give module and attribute: --app module:attribute")
    attribute = asked.partition(":")[2]
    same = next((item for item in found if item.target == asked.partition("(")[0]), None)
    if same:
        return replace(same, attribute=attribute)
    framework = declared_framework(manifest) or (found[0].framework if found else FRAMEWORKS[2])
    return Application(framework, "", 0, asked.partition(":")[0], attribute, "")


def _reachable(tree: Tree, app: Application | None, project: django.Project | None) -> frozenset[str]:
    entries = [app.file if app else None, project.settings if project else None]
    waiting = [path for path in entries if path] or list(tree.modules)
    seen: set[str] = set()
    while waiting:
        path = waiting.pop()
        if path not in seen:
            seen.add(path)
            waiting += sorted(imported_modules(tree, path))
    return frozenset(seen)


def _project_evidence(
    tree: Tree, manifest: Manifest, framework: Framework | None, app: Application | None
) -> list[Evidence]:
    told = []
    if manifest.file:
        where = tree.where(manifest.file)
        told.append(
            Evidence(
                fact="package_manager",
                value=manifest.package_manager,
                file=where,
                rule="manifest",
                alternatives=manifest.alternatives,
            )
        )
    if framework:
        item = manifest.find(framework.package)
        file, line = (item.file, item.line) if item else (tree.where(app.file), app.line) if app else ("", 0)
        rule = "dependency" if item else "import"
        told.append(Evidence(fact="framework", value=framework.name, file=file, line=line, rule=rule))
    if app:
        file = tree.where(app.file) if app.file else ""
        rule = "--app" if not app.file else "factory" if app.is_factory else "application-object"
        told.append(Evidence(fact="app", value=app.target, file=file, line=app.line, rule=rule))
    return told


def _build_command(
    manifest: Manifest, project: django.Project | None, kind: DatabaseType | None, parts: list[Evidence]
) -> str:
    commands = [manifest.install_command] if manifest.install_command else []
    if project and django.collects_static(project):
        # Settings are loaded to collect files. The builder gives what people would be asked for; nobody is asked
        # for the parts of the database's address.
        spelled = "mysql" if kind in {"mysql", "mariadb"} else "postgresql"
        pairs = (item.value.partition("=") for item in parts)
        given = [f"{name}={_STAND_INS[part].format(spelled=spelled)}" for name, _, part in pairs]
        commands.append(" ".join([*given, f"/app/venv/bin/python {project.manage} collectstatic --noinput"]))
    return " && ".join(commands)


def _asked(
    variables: list[EnvironmentVariable], parts: list[Evidence], has_database: bool
) -> tuple[EnvironmentVariable, ...]:
    """Ask nobody for what AutoDeploy fills in: DATABASE_URL where it makes the database, and that address in parts."""
    filled = {evidence.value.partition("=")[0] for evidence in parts}
    kept = [variable for variable in variables if not (has_database and variable.name == "DATABASE_URL")]
    return tuple(item.but(required=False, generated=False) if item.name in filled else item for item in kept)


def _warnings(manifest: Manifest, services: tuple[str, ...]) -> list[str]:
    told = [f"{service} is used and not made: give its address with --env" for service in services]
    return told + [
        f"{name} is not honoured: versions are those that {manifest.file} allows" for name in manifest.ignored
    ]
