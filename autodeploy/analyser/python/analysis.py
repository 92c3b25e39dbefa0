"""Joins the Python detectors: from a Tree to a TechStack, each fact with its evidence. A flag overrides."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from autodeploy.analyser import health, hints
from autodeploy.analyser.database import asked, database_variables
from autodeploy.analyser.failures import refusal
from autodeploy.analyser.language import Home
from autodeploy.analyser.ports import HIGHEST, LOWEST
from autodeploy.analyser.procfile import Process, read_procfile
from autodeploy.analyser.python import (
    database,
    django,
    environment,
    facts,
    migrations,
    ports,
    services,
    start,
    versions,
    workers,
)
from autodeploy.analyser.python.application import Application, find_applications
from autodeploy.analyser.python.chosen import without_chosen
from autodeploy.analyser.python.code import modules, reachable
from autodeploy.analyser.python.djangoroutes import list_django_routes
from autodeploy.analyser.python.frameworks import FLASK, Framework, declared_framework
from autodeploy.analyser.python.manifest import Manifest, read_manifest
from autodeploy.analyser.python.packages import system_packages
from autodeploy.analyser.python.routes import list_routes
from autodeploy.analyser.python.scripts import find_script
from autodeploy.analyser.python.uvworkspace import uv_workspace
from autodeploy.analyser.tree import Tree
from autodeploy.analyser.worker import worker_facts
from autodeploy.model import DatabaseType, Evidence, TechStack, Unknown

_STAND_INS = {
    "ca": "/etc/ssl/certs/ca-certificates.crt",
    "sslmode": "require",
    "ssl": "true",
    **dict.fromkeys(("host", "port", "name", "user", "password"), "1"),
    "url": "{spelled}://build:build@127.0.0.1:1/build",
    "engine": "django.db.backends.{spelled}",
}
"""Values of no use to anybody, by part of a database's address. `spelled`: as Django spells the database's kind."""


@dataclass(frozen=True)
class _Project:
    """What was read first, and what all that follows looks at."""

    tree: Tree
    home: Home
    manifest: Manifest
    django: django.Project | None
    app: Application | None
    framework: Framework | None
    processes: Mapping[str, Process]
    overrides: Mapping[str, str]
    unknowns: tuple[Unknown, ...] = ()


def analyse_python(tree: Tree, home: Home, overrides: Mapping[str, str]) -> TechStack:
    """Return the technology of a Python application; raise AnalysisError naming what to type next."""
    workspace = uv_workspace(tree)
    stack = _analysed(workspace.tree if workspace else tree, home, overrides)
    if workspace is None:
        return stack
    given = "start_command" in overrides
    settled: TechStack = stack.but(
        app_root=workspace.tree.root,
        build_command=workspace.built(stack.build_command),
        start_command=stack.start_command if given else workspace.started(stack.start_command),
        migration_command=workspace.started(stack.migration_command or "") or None,
        evidence=(*stack.evidence, workspace.evidence),
    )
    return settled


def _analysed(tree: Tree, home: Home, overrides: Mapping[str, str]) -> TechStack:
    manifest = read_manifest(tree, overrides.get("package_manager", ""))
    project = django.read_project(tree) if _speaks_of_django(tree, manifest) else None
    app, unknowns = _application(tree, manifest, project, overrides)
    proven = facts.proven_frameworks(tree)
    framework = app.framework if app and app.framework.name else None
    framework = framework or (None if app else declared_framework(manifest, proven))
    read = _Project(tree, home, manifest, project, app, framework, read_procfile(tree), overrides, tuple(unknowns))
    return _compose(read)


def _compose(read: _Project) -> TechStack:
    version, constraint, version_because, conflicts = versions.detect_version(read.tree, read.overrides)
    running, running_because = _running(read)
    migration, migration_because = migrations.detect_migration(
        read.tree, read.manifest, read.django, read.app, read.processes, read.overrides
    )
    hosts, warnings = django.host_evidence(read.tree, read.django) if read.django else ([], [])
    beside, beside_because, beside_warnings = services.detect_services(read.tree, _needed(read), read.processes)
    needs, needs_because, open_database = _needs(read)
    speaks_mysql = needs["database_type"] in {"mysql", "mariadb"}
    warnings += django.request_warnings(read.django, speaks_mysql) if read.django else []
    told = [
        read.home.evidence,
        *facts.project_evidence(read.tree, read.manifest, read.framework, read.app),
        *_settings_evidence(read),
        version_because,
        *needs_because,
        *running_because,
        *migration_because,
        *beside_because,
        *hosts,
    ]
    fields = {**running, **needs, "services": beside, "migration_command": migration}
    is_served = any(item.fact == "start_command" and item.rule == "application" for item in told)
    return TechStack(
        language="python",
        framework=read.framework.name if read.framework else None,
        runtime_version=version,
        build_tool="pip",
        version_constraint=constraint,
        app_root=read.home.root,
        evidence=(*told, *facts.absent(fields, told)),
        unknowns=(*(read.unknowns if is_served else ()), *open_database),
        warnings=(*conflicts, *read.manifest.warnings, *beside_warnings, *warnings),
        **fields,
    )


def _running(read: _Project) -> tuple[dict[str, Any], list[Evidence]]:
    """Return how the application runs and, unless it is a worker, where it answers."""
    tree, name = read.tree, read.framework.name if read.framework else ""
    is_web = bool(read.app or read.django or read.framework) or find_script(tree, name) is not None
    if worker := workers.find_worker(tree, read.processes, is_web, read.overrides):
        return worker_facts(*worker)
    settings = read.django.named if read.django else ""
    web = read.processes.get("web")
    begin = start.start(tree, read.manifest, read.app, name, web, settings, read.overrides)
    told_port, port_env_because = facts.port_evidence(begin.port, begin.evidence)
    port, port_because = _port(read, begin)
    path, path_because = _health(read, name)
    fields = {
        "start_command": begin.command,
        "server_package": begin.server_package,
        "port": port,
        "health_check_path": path,
        **told_port,
    }
    return fields, [begin.evidence, port_because, port_env_because, path_because]


def _port(read: _Project, begin: start.Start) -> tuple[int, Evidence]:
    usual = read.framework.port if read.framework and begin.evidence.rule == "program" else ports.DEFAULT
    told = begin.port.default or 0
    literal = told if LOWEST <= told <= HIGHEST else 0
    is_served = begin.evidence.rule == "application"
    own = begin.evidence.file if is_served else ""
    port, because = ports.detect_port(read.tree, read.processes.get("web"), literal or usual, read.overrides, own)
    if begin.port.variable or "port" in read.overrides or not literal:
        return port, because
    where = {"file": begin.evidence.file, "line": begin.evidence.line}
    return literal, because.but(value=str(literal), confidence="certain", rule="literal-port", **where)


def _health(read: _Project, name: str) -> tuple[str, Evidence]:
    if name == "streamlit" and "health_check_path" not in read.overrides:
        path = "/_stcore/health"
        return path, Evidence(fact="health_check_path", value=path, rule="streamlit-health")
    routes = list_django_routes(read.tree, read.django) if read.django else list_routes(read.tree)
    if entries := _entries(read):
        # A program beside the application may answer as well; what is loaded by its name alone is seen nowhere.
        inside = {read.tree.where(path) for path in reachable(read.tree, entries)}
        own = [route for route in routes if route.file in inside]
        routes = own if any(map(health.is_named, own)) else routes
    documents = facts.documentation_path(read.tree) if name == "fastapi" else None
    path, because = health.detect_health_path(
        routes, name if documents else None, read.overrides, hints.health_path(read.tree)
    )
    if because.rule == "fastapi-docs" and documents:
        return documents, because.but(value=documents)
    return path, because


def _needs(read: _Project) -> tuple[dict[str, Any], list[Evidence], list[Unknown]]:
    """Return what the application needs around it: dependencies, database, packages, variables."""
    tree, manifest, project = read.tree, read.manifest, read.django
    kind, because, unknowns = database.detect_database(tree, _needed(read), project, read.overrides)
    entries = _entries(read)
    variables = environment.detect_environment(tree, reachable(tree, entries, with_chosen=False))
    parts = database_variables(variables, kind, hints.variables(tree))
    hosts = django.host_evidence(tree, project)[0] if project else []
    build_packages, run_packages = system_packages(manifest, _is_geographic(project))
    return (
        {
            "dependencies": tuple(sorted(manifest.names)),
            "requires_database": kind is not None,
            "database_type": kind,
            "package_manager": manifest.package_manager,
            "build_command": _build_command(manifest, project, kind, parts),
            "build_packages": build_packages,
            "run_packages": run_packages,
            "environment": asked(variables, [*parts, *hosts]),
        },
        [*because, *parts],
        unknowns,
    )


def _needed(read: _Project) -> Manifest:
    return read.tree.once("needed packages", lambda: without_chosen(read.tree, read.manifest, _entries(read)))


def _entries(read: _Project) -> list[str]:
    """Return the files that the running application begins with; none where that is not known."""
    project, name = read.django, read.framework.name if read.framework else ""
    known = [path for path in (read.app.file if read.app else None, project.settings if project else None) if path]
    script = None if known or "app" in read.overrides else find_script(read.tree, name)
    return [script.file] if script else known


def _is_geographic(project: django.Project | None) -> bool:
    return project is not None and project.mentions("INSTALLED_APPS", "django.contrib.gis")


def _speaks_of_django(tree: Tree, manifest: Manifest) -> bool:
    return manifest.find("django", "djangorestframework", "wagtail") is not None or any(
        "DJANGO_SETTINGS_MODULE" in tree.read(path) for path in modules(tree) if path.endswith("manage.py")
    )


def _application(
    tree: Tree, manifest: Manifest, project: django.Project | None, overrides: Mapping[str, str]
) -> tuple[Application | None, list[Unknown]]:
    speaks_asgi = manifest.find("channels", "daphne") is not None
    found = django.find_django(tree, project, speaks_asgi) if project else []
    unknowns: list[Unknown] = []
    if not found:
        found, unknowns = facts.app_unknown(find_applications(tree))
    if "app" not in overrides:
        is_told = "start_command" in overrides and not project
        return (None if is_told or not found else found[0]), ([] if is_told else unknowns)
    asked = overrides["app"]
    if not re.fullmatch(r"[\w./-]+:[\w.]+(\(.*\))?", asked):
        raise refusal(f"{asked!r} names no application object", "Give module and attribute: --app module:attribute")
    attribute = asked.partition(":")[2]
    bare = asked.partition("(")[0]
    same = next((item for item in found if bare in {item.target, item.spelled}), None)
    if same:
        return replace(same, attribute=attribute, runs_on_import=False), []
    framework = declared_framework(manifest) or (found[0].framework if found else FLASK)
    base, _, module = asked.partition(":")[0].rpartition("/")
    return Application(framework, "", 0, module, attribute, base), []


def _settings_evidence(read: _Project) -> list[Evidence]:
    chosen = read.django.chosen if read.django else None
    if chosen is None:
        return []
    return [
        Evidence(
            fact="django_settings",
            value=chosen.module,
            file=read.tree.where(chosen.file),
            rule=chosen.reason,
            alternatives=chosen.alternatives,
            confidence="likely" if chosen.named else "certain",
        )
    ]


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
        commands.append(" ".join([*given, django.manage_command(project, "collectstatic") or ""]))
    return " && ".join(commands)
