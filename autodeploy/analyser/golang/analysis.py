"""Joins the Go detectors: from a Tree to a TechStack, each fact with its evidence. A flag overrides."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from autodeploy.analyser import health, hints
from autodeploy.analyser.database import database_variables
from autodeploy.analyser.environment import settled
from autodeploy.analyser.golang import building, database, frameworks, versions
from autodeploy.analyser.golang.mains import Program, choose_program
from autodeploy.analyser.golang.module import read_modules
from autodeploy.analyser.golang.packages import Code
from autodeploy.analyser.golang.ports import Port, detect_port
from autodeploy.analyser.golang.reads import Flow, Read, flow, read_variables
from autodeploy.analyser.golang.routes import list_routes
from autodeploy.analyser.golang.syntax import GoFile
from autodeploy.analyser.language import Home
from autodeploy.analyser.procfile import Process, read_procfile
from autodeploy.analyser.tree import Tree
from autodeploy.analyser.worker import asks_for_http, left_out, worker_facts, worker_process
from autodeploy.model import EnvironmentVariable, Evidence, TechStack


def analyse_go(tree: Tree, home: Home, overrides: Mapping[str, str]) -> TechStack:
    """Return the technology of a Go application; raise AnalysisError naming what to type next."""
    code = Code(tree, read_modules(tree))
    processes = read_procfile(tree)
    program = choose_program(code, processes, overrides)
    files = code.reached(program.main)
    version, constraint, version_because = versions.detect_version(tree, code.modules, overrides)
    framework = frameworks.detect_framework(code, files)
    command, cgo = building.build_command(code, program.main, files)
    build_packages, run_packages = building.system_packages(code)
    facts, because = _running(code, files, program, processes, overrides)
    told = [home.evidence, *([framework] if framework else []), program.evidence, *version_because, *cgo]
    return TechStack(
        language="go",
        framework=framework.value if framework else None,
        runtime_version=version,
        build_tool="go",
        version_constraint=constraint,
        package_manager="go",
        dependencies=tuple(sorted({i.path for module in code.modules for i in module.requires if not i.is_indirect})),
        build_command=command,
        app_root=home.root,
        build_packages=build_packages,
        run_packages=run_packages,
        evidence=(*told, *because),
        **facts,
    )


def _running(
    code: Code,
    files: Sequence[GoFile],
    program: Program,
    processes: Mapping[str, Process],
    overrides: Mapping[str, str],
) -> tuple[dict[str, Any], list[Evidence]]:
    """Return what the running program shows and needs: port, health page, database, variables."""
    values = flow(files)
    reads = read_variables(files, values.known)
    needs, because = _needs(code, files, values, overrides)
    if _is_worker(files, processes, overrides):
        shown, begin = worker_facts(overrides.get("start_command") or _command(program, None), program.evidence)
        own = frozenset[str]()
    else:
        port = detect_port(code.tree, files, reads, values, program.arguments, overrides)
        path, path_because = health.detect_health_path(
            list_routes(code, files), None, overrides, hints.health_path(code.tree)
        )
        command = overrides.get("start_command") or _command(program, port)
        rule = "--start-command" if "start_command" in overrides else "program"
        start = Evidence(fact="start_command", value=command, file=program.evidence.file, rule=rule)
        shown = {"start_command": command, "port": port.number, "port_env": port.variable, "health_check_path": path}
        own = frozenset({port.variable or "", port.prefix.partition("=")[0]})
        begin = [start, port.evidence, path_because]
    variables = [item for item in _variables(code, reads) if item.name not in own]
    parts = [
        *because,
        *database_variables(_unnamed(variables, because), needs["database_type"], hints.variables(code.tree)),
    ]
    environment = _asked(variables, parts, needs["requires_database"])
    warnings = (*needs["warnings"], *left_out(processes, program.process))
    return {**needs, **shown, "environment": environment, "warnings": warnings}, [*parts, *begin]


def _needs(
    code: Code, files: Sequence[GoFile], values: Flow, overrides: Mapping[str, str]
) -> tuple[dict[str, Any], list[Evidence]]:
    kind, because = database.detect_database(code, files, overrides)
    services = database.detect_services(files)
    told = [f"{name} is used and not made: give its address with --env" for name in services]
    told += database.tls_warnings(code, files) if kind == "postgresql" else []
    needs = {
        "requires_database": kind is not None,
        "database_type": kind,
        "services": services,
        "warnings": tuple(told),
    }
    return needs, [*because, *database.opened(code, files, values, kind)]


def _unnamed(variables: list[EnvironmentVariable], told: list[Evidence]) -> list[EnvironmentVariable]:
    """Return the variables of which nothing says yet which part of the database's address they hold."""
    named = {item.value.partition("=")[0] for item in told if item.fact == "database_variable"}
    return [item for item in variables if item.name not in named]


def _asked(
    variables: list[EnvironmentVariable], told: list[Evidence], has_database: bool
) -> tuple[EnvironmentVariable, ...]:
    """Ask nobody for what AutoDeploy fills in: DATABASE_URL where it makes the database, and that address in parts."""
    kept = [item for item in variables if not (has_database and item.name == "DATABASE_URL")]
    asked = {item.name for item in _unnamed(kept, told)}
    return tuple(item if item.name in asked else item.but(required=False, generated=False) for item in kept)


def _is_worker(files: Sequence[GoFile], processes: Mapping[str, Process], overrides: Mapping[str, str]) -> bool:
    if asks_for_http(overrides) or "port" in overrides:
        return not asks_for_http(overrides)
    return "web" not in processes and (worker_process(processes) is not None or frameworks.serving(files) is None)


def _command(program: Program, port: Port | None) -> str:
    passed = (
        [port.prefix, building.BINARY, program.arguments, port.flag] if port else [building.BINARY, program.arguments]
    )
    return " ".join(part for part in passed if part)


def _variables(code: Code, reads: Sequence[Read]) -> list[EnvironmentVariable]:
    inside = [
        EnvironmentVariable(
            name=read.name,
            required=read.is_required,
            default=read.default,
            file=code.tree.where(read.file),
            line=read.line,
        )
        for read in reads
    ]
    return settled(code.tree, inside, ())
