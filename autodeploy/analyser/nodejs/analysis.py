"""Joins the Node.js detectors: from a Tree to a TechStack, each fact with its evidence. A flag overrides."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from autodeploy.analyser import health, hints
from autodeploy.analyser.database import asked, database_variables
from autodeploy.analyser.language import Home
from autodeploy.analyser.nodejs import database, migrations, ports, routes, versions
from autodeploy.analyser.nodejs.code import Code, Module, read_code
from autodeploy.analyser.nodejs.envfiles import make_files
from autodeploy.analyser.nodejs.environment import detect_environment
from autodeploy.analyser.nodejs.fileroutes import FILE_ROUTES
from autodeploy.analyser.nodejs.frameworks import detect_framework
from autodeploy.analyser.nodejs.manifest import Manifest
from autodeploy.analyser.nodejs.native import detect_packages
from autodeploy.analyser.nodejs.options import PortOption, port_option, with_option
from autodeploy.analyser.nodejs.packages import kept_packages
from autodeploy.analyser.nodejs.places import Place, find_place
from autodeploy.analyser.nodejs.settingsfiles import missing_files
from autodeploy.analyser.nodejs.start import Start, detect_start
from autodeploy.analyser.procfile import Process
from autodeploy.analyser.services import unmade
from autodeploy.analyser.tree import Tree
from autodeploy.model import EnvironmentVariable, Evidence, TechStack

_SERVICES = {
    "redis": ("redis", "ioredis", "bull", "bullmq", "connect-redis", "@nestjs/bull", "kue", "bee-queue"),
    "rabbitmq": ("amqplib", "amqp-connection-manager"),
    "kafka": ("kafkajs", "node-rdkafka"),
    "elasticsearch": ("@elastic/elasticsearch",),
    "memcached": ("memjs", "memcached"),
}


@dataclass(frozen=True)
class _Application:
    """What the facts are read from. `reached` is what the started file imports, () where a build makes that file."""

    place: Place
    code: Code
    framework: tuple[str, str] | None
    start: Start
    file: str
    reached: tuple[Module, ...]
    processes: Mapping[str, Process]
    overrides: Mapping[str, str]
    option: PortOption | None = None

    @property
    def tree(self) -> Tree:
        """The application's folder."""
        return self.place.tree

    @property
    def manifest(self) -> Manifest:
        """The application's package.json."""
        return self.place.manifest

    @property
    def modules(self) -> tuple[Module, ...]:
        """The modules that the running application imports, as far as that is known."""
        return self.reached or self.code.modules

    @property
    def installed(self) -> tuple[Module, ...]:
        """The modules whose imports must be installed where it runs: none where a bundler has taken them in."""
        return self.reached if self.is_bundled else self.modules

    @property
    def is_bundled(self) -> bool:
        """Tell whether a bundler takes in what the code imports."""
        return self.start.server is not None or self.framework_name in FILE_ROUTES

    @property
    def framework_name(self) -> str | None:
        """The framework, None for plain Node.js."""
        return self.framework[0] if self.framework else None


def analyse_nodejs(tree: Tree, home: Home, overrides: Mapping[str, str]) -> TechStack:
    """Return the technology of a Node.js application; raise AnalysisError naming what to type next."""
    place = find_place(tree, overrides.get("package_manager", ""))
    manifest, code, processes = place.manifest, read_code(place.tree), place.processes()
    framework = detect_framework(manifest)
    start = detect_start(place.tree, manifest, processes, overrides, framework[0] if framework else None)
    file = start.file(manifest)
    modules = code.reachable(source_of(code, file)) if file else ()
    made = make_files(place.tree, manifest, start.line, modules)
    is_own = bool(file) and "start_command" not in overrides
    option = port_option(modules or code.modules) if is_own else None
    start = with_option(replace(start, builds=(*start.builds, *made)), option)
    app = _Application(place, code, framework, start, file, modules, processes, overrides, option)
    return _compose(app, home)


def _compose(app: _Application, home: Home) -> TechStack:
    tree, manifest, overrides, framework = app.tree, app.manifest, app.overrides, app.framework_name
    version, constraint, version_because, conflicts = versions.detect_version(app.place.places, overrides)
    port, port_env, port_because = ports.detect_port(
        tree, app.modules, app.processes.get("web"), overrides, app.start, framework, bool(app.reached), app.option
    )
    paths = routes.list_routes(app.code, framework) if app.start.server is None else []
    path, path_because = health.detect_health_path(paths, framework, overrides, hints.health_path(tree))
    needs, needs_because = _needs(app)
    migration, migrating = _migration(app) if needs["requires_database"] else (None, "")
    lines = [app.start.line, migration.line if migration else ""]
    kept = _kept(app, lines)
    build, run, native_because, native_warnings = detect_packages(manifest)
    told = [*app.place.language(home), *_project_evidence(app, kept), version_because, *needs_because, *native_because]
    services = _services(manifest)
    return TechStack(
        language="nodejs",
        framework=framework,
        runtime_version=version,
        build_tool="npm",
        version_constraint=constraint,
        dependencies=manifest.names(),
        package_manager=manifest.package_manager,
        build_command=app.place.build(app.start, app.file, kept),
        start_command=app.place.started(app.start.command, "start_command" in overrides),
        server_package=app.start.server,
        port=port,
        port_env=port_env,
        app_root=tree.root,
        services=services,
        build_packages=build,
        run_packages=run,
        health_check_path=path,
        is_web_service=_is_web(app),
        migration_command=migrating or None,
        evidence=(*told, *app.place.start_evidence(app.start), port_because, path_because,
                  *([migration.evidence] if migration else [])),
        unknowns=(*app.place.unknowns(app.start), *missing_files(tree, app.modules)),
        warnings=(*conflicts, *_warnings(app, services), *native_warnings),
        **needs,
    )  # fmt: skip


def _kept(app: _Application, lines: list[str]) -> tuple[str, ...]:
    """Return the development packages that running needs, be they the workspace's or those of a package of it."""
    kept = set(kept_packages(app.manifest, lines, app.installed))
    if app.place.workspace is not None:
        kept.update(kept_packages(app.place.root_manifest, lines, app.installed) if app.place.member else ())
        for tree, manifest in app.place.shared():
            modules = () if app.is_bundled else read_code(tree).modules
            kept.update(kept_packages(manifest, lines, modules))
    return tuple(sorted(kept - set(app.manifest.dependencies)))


def _needs(app: _Application) -> tuple[dict[str, Any], list[Evidence]]:
    """Return the database that the application needs, and the variables that it reads."""
    kind, because = database.detect_database(app.place.tree, app.manifest, app.overrides, app.place.shared())
    variables = [_settled(app, item) for item in detect_environment(app.code, app.modules)]
    parts = database_variables(variables, kind, hints.variables(app.tree))
    needs = {
        "requires_database": kind is not None,
        "database_type": kind,
        "environment": asked(variables, parts),
    }
    return needs, [*because, *parts]


def _settled(app: _Application, variable: EnvironmentVariable) -> EnvironmentVariable:
    """Ask nobody for what the start command sets itself, nor for Adonis's key, which only has to be random."""
    given = re.search(rf"(?:^|\s){re.escape(variable.name)}=(\S+)", app.start.line)
    if given:
        return variable.but(required=False, default=given[1])
    is_key = variable.name == "APP_KEY" and app.framework_name == "adonis"
    return variable.but(required=True, generated=True, secret=True) if is_key else variable


def _migration(app: _Application) -> tuple[migrations.Migration | None, str]:
    """Return the migration, and its command as it runs where the application is installed."""
    own = migrations.detect_migration(app.tree, app.manifest, app.start.line, app.processes, app.overrides)
    if own is not None:
        return own, app.place.started(own.command, False)
    whole = app.place.workspace.tree if app.place.workspace else app.tree
    shared = None if migrations.migrates(app.start.line) else migrations.shared_migration(app.place.shared(), whole)
    return shared, shared.command if shared else ""


def source_of(code: Code, file: str) -> str:
    """Return the file of the repository that `file`, which may be the compiler's output, is made from."""
    inner = re.sub(r"^(dist|build|lib|out|output|compiled)/", "", file)
    stems = [file, *([inner, f"src/{inner}", inner.removeprefix("src/")] if inner != file else [])]
    ends = [re.sub(r"\.([cm]?)js$", r".\1ts", stem) for stem in stems]
    names = [name for pair in zip(stems, ends, strict=True) for name in pair]
    return next((name for name in names if code.find("", f"./{name}")), file)


def _is_web(app: _Application) -> bool:
    if "web" in app.processes or "port" in app.overrides or "health_check_path" in app.overrides:
        return True
    return app.framework is not None or app.start.server is not None or ports.listens(app.modules)


def _project_evidence(app: _Application, kept: tuple[str, ...]) -> list[Evidence]:
    manifest = app.manifest
    told = [manifest.managed] if manifest.managed else []
    if app.framework:
        told.append(manifest.evidence("framework", app.framework[0], app.framework[1], "dependency"))
    if kept:
        value = ", ".join(kept)
        told.append(manifest.evidence("development_packages", value, kept[0], "needed-at-run"))
    return told


def _services(manifest: Manifest) -> tuple[str, ...]:
    optional = manifest.fields.get("optionalDependencies")
    left_out = set(optional) if isinstance(optional, dict) else set()
    wanted = set(manifest.dependencies) - left_out  # what it does without, it does without a server of
    return tuple(sorted(name for name, packages in _SERVICES.items() if wanted.intersection(packages)))


def _warnings(app: _Application, services: tuple[str, ...]) -> list[str]:
    manager = app.place.root_manifest
    told = unmade(services)
    told += [f"{name} is not honoured: {manager.lock or manager.package_manager} is" for name in manager.other_locks]
    return told + ([app.start.warning] if app.start.warning else [])
