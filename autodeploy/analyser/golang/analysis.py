"""Joins the Go detectors: from a Tree to a TechStack, each fact with its evidence. A flag overrides."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from autodeploy.analyser import health, hints
from autodeploy.analyser.database import asked, database_variables
from autodeploy.analyser.environment import settled
from autodeploy.analyser.golang import building, database, frameworks, migrations, versions
from autodeploy.analyser.golang.commands import serving_command
from autodeploy.analyser.golang.configuration import Setting, missing_settings, named_files, read_settings
from autodeploy.analyser.golang.mains import Program, choose_program
from autodeploy.analyser.golang.missing import missing_parts
from autodeploy.analyser.golang.module import read_modules
from autodeploy.analyser.golang.packages import Code
from autodeploy.analyser.golang.ports import Port, detect_port
from autodeploy.analyser.golang.reads import Flow, Read, flow
from autodeploy.analyser.golang.routes import list_routes
from autodeploy.analyser.golang.syntax import GoFile
from autodeploy.analyser.language import Home
from autodeploy.analyser.procfile import Process, read_procfile
from autodeploy.analyser.services import unmade
from autodeploy.analyser.tree import Tree
from autodeploy.analyser.worker import asks_for_http, left_out, worker_facts, worker_process
from autodeploy.model import DatabaseType, EnvironmentVariable, Evidence, TechStack, Unknown


@dataclass(frozen=True)
class _Application:
    """What the facts are read from: the program, and the files that it reaches."""

    code: Code
    program: Program
    files: tuple[GoFile, ...]
    processes: Mapping[str, Process]
    overrides: Mapping[str, str]

    @cached_property
    def flow(self) -> Flow:
        return flow(self.files)

    @cached_property
    def configured(self) -> tuple[str, ...]:
        return named_files(self.code.tree, self.files, self.flow.known)

    @cached_property
    def settings(self) -> tuple[Setting, ...]:
        return read_settings(self.code.tree, self.configured)

    @property
    def asks_environment(self) -> bool:
        """Whether what a file of variables says may come from the environment as well."""
        return bool(self.reads)

    @property
    def reads(self) -> Sequence[Read]:
        return self.flow.all_reads


def analyse_go(tree: Tree, home: Home, overrides: Mapping[str, str]) -> TechStack:
    """Return the technology of a Go application; raise AnalysisError naming what to type next."""
    code = Code(tree, read_modules(tree))
    processes = read_procfile(tree)
    program = choose_program(code, processes, overrides)
    files = code.reached(program.main)
    if not program.arguments and (command := serving_command(files)):
        program = program.with_arguments(command.name)
    app = _Application(code, program, files, processes, overrides)
    version, constraint, version_because = versions.detect_version(tree, code.modules, overrides)
    framework = frameworks.detect_framework(code, files)
    needs, needs_because, unknowns = _needs(app)
    built, built_because = _built(app, needs["database_type"])
    shown, because = _running(app, needs, needs_because)
    told = [home.evidence, _manager(code), *([framework] if framework else []), program.evidence, *version_because]
    return TechStack(
        language="go",
        framework=framework.value if framework else None,
        runtime_version=version,
        build_tool="go",
        version_constraint=constraint,
        package_manager="go",
        dependencies=tuple(sorted({i.path for module in code.modules for i in module.requires if not i.is_indirect})),
        app_root=home.root,
        evidence=(*told, *built_because, *because),
        unknowns=(*_which_program(program), *unknowns, *missing_settings(tree, app.configured, app.asks_environment)),
        **{**needs, **built, **shown},
    )


def _manager(code: Code) -> Evidence:
    file = code.modules[0].file if code.modules else ""
    return Evidence(fact="package_manager", value="go", file=file, rule="module-file")


def _which_program(program: Program) -> list[Unknown]:
    if not program.others:
        return []
    choices = (program.main.target, *program.others)
    message = f"several programs could be the application: {', '.join(choices)}"
    return [Unknown(fact="app", message=message, choices=choices, flag="--app")]


def _built(app: _Application, kind: DatabaseType | None) -> tuple[dict[str, Any], list[Evidence]]:
    """Return how the program is built, with what, and how its database is migrated."""
    code, files = app.code, app.files
    plan = building.plan_build(code, files)
    migration = None
    if kind is not None or "migration_command" in app.overrides:
        migration = migrations.detect_migration(code, files, app.program, app.processes, app.overrides)
    further = migrations.build_line(migration, plan.environment, plan.tags)
    command = building.build_command(code, app.program.main, files, plan, further)
    build_packages, run_packages, packages = building.system_packages(code, files)
    because = app.program.evidence.but(fact="build_command", value=command, alternatives=())
    return {
        "build_command": command,
        "build_packages": build_packages,
        "run_packages": run_packages,
        "migration_command": migration.command if migration else None,
    }, [because, *plan.because, *packages, *([migration.evidence] if migration else [])]


def _running(
    app: _Application, needs: Mapping[str, Any], told: list[Evidence]
) -> tuple[dict[str, Any], list[Evidence]]:
    """Return what the running program shows: port, health page, variables; and what else its reader should know."""
    code, program, overrides = app.code, app.program, app.overrides
    warnings = [*needs["warnings"], *missing_parts(code, app.files), *left_out(app.processes, program.process)]
    if _is_worker(app):
        shown, begin = worker_facts(overrides.get("start_command") or _command(program, None), program.evidence)
        own = frozenset[str]()
        if frameworks.serves_grpc(app.files):
            warnings.append("it answers gRPC and no HTTP: it is run as a worker, which nothing calls from outside")
    else:
        port = detect_port(code.tree, app.files, app.reads, app.flow, app.settings, program.arguments, overrides)
        routes = list_routes(code, app.files, app.flow.known)
        path, path_because = health.detect_health_path(routes, None, overrides, hints.health_path(code.tree))
        command = overrides.get("start_command") or _command(program, port)
        rule = "--start-command" if "start_command" in overrides else program.evidence.rule
        start = program.evidence.but(fact="start_command", value=command, rule=rule, alternatives=())
        shown = {"start_command": command, "port": port.number, "port_env": port.variable, "health_check_path": path}
        own = frozenset({port.variable or "", port.prefix.partition("=")[0]})
        begin = [start, *_serves(app), port.evidence, *_port_variable(port), path_because]
    variables = [item for item in _variables(app) if item.name not in own]
    kind = needs["database_type"]
    parts = [*told, *database_variables(_unnamed(variables, told), kind, hints.variables(code.tree))]
    environment = asked(variables, parts)
    return {**shown, "environment": environment, "warnings": tuple(warnings)}, [*parts, *begin]


def _serves(app: _Application) -> list[Evidence]:
    found = frameworks.serving_place(app.files)
    file, line = (app.code.tree.where(found[0].path), found[1].line) if found else ("", 0)
    confidence = "certain" if found else "likely"
    return [Evidence(fact="is_web_service", value="true", file=file, line=line, rule="serves", confidence=confidence)]


def _port_variable(port: Port) -> list[Evidence]:
    if port.variable is None:
        return []
    return [port.evidence.but(fact="port_env", value=port.variable, alternatives=())]


def _needs(app: _Application) -> tuple[dict[str, Any], list[Evidence], list[Unknown]]:
    code, files = app.code, app.files
    kind, because, unknowns = database.detect_database(code, files, app.settings, app.reads, app.overrides)
    services = database.detect_services(code, files)
    told = unmade(item.value for item in services)
    told += database.tls_warnings(code, files) if kind == "postgresql" else []
    needs = {
        "requires_database": kind is not None,
        "database_type": kind,
        "services": tuple(item.value for item in services),
        "warnings": tuple(told),
    }
    return needs, [*because, *services, *database.opened(code, files, app.flow, kind)], unknowns


def _unnamed(variables: list[EnvironmentVariable], told: list[Evidence]) -> list[EnvironmentVariable]:
    """Return the variables of which nothing says yet which part of the database's address they hold."""
    named = {item.value.partition("=")[0] for item in told if item.fact == "database_variable"}
    return [item for item in variables if item.name not in named]


def _is_worker(app: _Application) -> bool:
    if asks_for_http(app.overrides) or "port" in app.overrides:
        return not asks_for_http(app.overrides)
    if "web" in app.processes:
        return False
    if worker_process(app.processes) is not None:
        return True
    # A framework without a call that serves: that call is in a module that is not here.
    return frameworks.serving(app.files) is None and frameworks.detect_framework(app.code, app.files) is None


def _command(program: Program, port: Port | None) -> str:
    passed = (
        [port.prefix, building.BINARY, program.arguments, port.flag] if port else [building.BINARY, program.arguments]
    )
    return " ".join(part for part in passed if part)


def _variables(app: _Application) -> list[EnvironmentVariable]:
    tree = app.code.tree
    inside = [
        EnvironmentVariable(
            name=read.name, required=read.is_required, default=read.default, file=tree.where(read.file), line=read.line
        )
        for read in app.reads
    ]
    return settled(tree, inside, ())
