"""Joins the Node.js detectors: from a Tree to a TechStack, each fact with its evidence. A flag overrides."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from autodeploy.analyser import health, hints
from autodeploy.analyser.database import database_variables
from autodeploy.analyser.language import Home
from autodeploy.analyser.nodejs import database, migrations, ports, routes, versions
from autodeploy.analyser.nodejs.code import Code, Module, read_code
from autodeploy.analyser.nodejs.environment import detect_environment
from autodeploy.analyser.nodejs.frameworks import detect_framework
from autodeploy.analyser.nodejs.manifest import Manifest, read_manifest
from autodeploy.analyser.nodejs.packages import build_command, kept_packages
from autodeploy.analyser.nodejs.start import Start, detect_start
from autodeploy.analyser.procfile import Process, read_procfile
from autodeploy.analyser.tree import Tree
from autodeploy.model import DatabaseType, EnvironmentVariable, Evidence, TechStack

_SERVICES = {
    "redis": ("redis", "ioredis", "bull", "bullmq", "connect-redis", "@nestjs/bull"),
    "rabbitmq": ("amqplib", "amqp-connection-manager"),
    "kafka": ("kafkajs", "node-rdkafka"),
    "elasticsearch": ("@elastic/elasticsearch",),
    "memcached": ("memjs", "memcached"),
}


@dataclass(frozen=True)
class _Application:
    """What the facts are read from. `modules` are those that the running application imports."""

    tree: Tree
    manifest: Manifest
    code: Code
    start: Start
    file: str
    modules: tuple[Module, ...]
    processes: Mapping[str, Process]
    overrides: Mapping[str, str]


def analyse_nodejs(tree: Tree, home: Home, overrides: Mapping[str, str]) -> TechStack:
    """Return the technology of a Node.js application; raise AnalysisError naming what to type next."""
    manifest, code, processes = read_manifest(tree), read_code(tree), read_procfile(tree)
    start = detect_start(tree, manifest, processes, overrides)
    file = start.file(manifest)
    modules = code.reachable(source_of(code, file)) if file else ()
    app = _Application(tree, manifest, code, start, file, modules or code.modules, processes, overrides)
    return _compose(app, home)


def _compose(app: _Application, home: Home) -> TechStack:
    tree, manifest, overrides = app.tree, app.manifest, app.overrides
    framework = detect_framework(manifest)
    version, constraint, version_because = versions.detect_version(tree, manifest, overrides)
    port, port_env, port_because = ports.detect_port(tree, app.modules, app.processes.get("web"), overrides)
    paths = routes.list_routes(app.code, framework[0] if framework else None)
    path, path_because = health.detect_health_path(
        paths, framework[0] if framework else None, overrides, hints.health_path(tree)
    )
    kind, kind_because = database.detect_database(tree, manifest, overrides)
    variables = detect_environment(app.code, app.modules)
    parts = database_variables(variables, kind, hints.variables(tree))
    migration = migrations.detect_migration(tree, manifest, app.start.line, app.processes, overrides) if kind else None
    lines = [app.start.line, migration.line if migration else ""]
    kept = kept_packages(manifest, lines, app.modules)
    told = [home.evidence, *_project_evidence(app, framework, kept), version_because, *kind_because, *parts]
    services = _services(manifest)
    return TechStack(
        language="nodejs",
        framework=framework[0] if framework else None,
        runtime_version=version,
        build_tool="npm",
        version_constraint=constraint,
        dependencies=manifest.names(),
        requires_database=kind is not None,
        database_type=kind,
        package_manager=manifest.package_manager,
        build_command=build_command(tree, manifest, app.start, app.file, kept),
        start_command=app.start.command,
        port=port,
        port_env=port_env,
        app_root=home.root,
        services=services,
        environment=_asked(variables, parts, kind),
        health_check_path=path,
        is_web_service=_is_web(app, framework),
        migration_command=(migration.command or None) if migration else None,
        evidence=(*told, app.start.evidence, port_because, path_because, *([migration.evidence] if migration else [])),
        warnings=tuple(_warnings(manifest, services)),
    )


def source_of(code: Code, file: str) -> str:
    """Return the file of the repository that `file`, which may be the compiler's output, is made from."""
    inner = re.sub(r"^(dist|build|lib|out|output|compiled)/", "", file)
    stems = [file, *([inner, f"src/{inner}", inner.removeprefix("src/")] if inner != file else [])]
    ends = [re.sub(r"\.([cm]?)js$", r".\1ts", stem) for stem in stems]
    names = [name for pair in zip(stems, ends, strict=True) for name in pair]
    return next((name for name in names if code.find("", f"./{name}")), file)


def _is_web(app: _Application, framework: tuple[str, str] | None) -> bool:
    if "web" in app.processes or "port" in app.overrides or "health_check_path" in app.overrides:
        return True
    return framework is not None or ports.listens(app.modules)


def _project_evidence(app: _Application, framework: tuple[str, str] | None, kept: tuple[str, ...]) -> list[Evidence]:
    manifest = app.manifest
    lock = app.tree.where(manifest.lock) if manifest.lock else manifest.file
    told = [
        Evidence(
            fact="package_manager", value=manifest.package_manager, file=lock,
            rule="lock-file" if manifest.lock else "package-file", alternatives=manifest.other_locks,
        )
    ]  # fmt: skip
    if framework:
        told.append(manifest.evidence("framework", framework[0], framework[1], "dependency"))
    if kept:
        value = ", ".join(kept)
        told.append(manifest.evidence("development_packages", value, kept[0], "needed-at-run"))
    return told


def _services(manifest: Manifest) -> tuple[str, ...]:
    return tuple(sorted(name for name, packages in _SERVICES.items() if manifest.has(*packages)))


def _asked(
    variables: list[EnvironmentVariable], parts: list[Evidence], kind: DatabaseType | None
) -> tuple[EnvironmentVariable, ...]:
    """Ask nobody for what AutoDeploy fills in: DATABASE_URL where it makes the database, and that address in parts."""
    filled = {evidence.value.partition("=")[0] for evidence in parts}
    kept = [item for item in variables if not (kind is not None and item.name == "DATABASE_URL")]
    return tuple(item.but(required=False, generated=False) if item.name in filled else item for item in kept)


def _warnings(manifest: Manifest, services: tuple[str, ...]) -> list[str]:
    told = [f"{service} is used and not made: give its address with --env" for service in services]
    return told + [f"{name} is not honoured: {manifest.lock} is" for name in manifest.other_locks]
