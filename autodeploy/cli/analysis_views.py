"""How an analysis looks on standard output: the facts in short, or each with where it comes from."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator

from autodeploy.cli.views import Row, show_row
from autodeploy.model import EnvironmentVariable, Evidence, TechStack

OF_A_PIPE = 240
"""Columns of what nobody's window limits."""


def show_facts(stack: TechStack) -> None:
    """Print the facts, one a line, then what is open and what to know."""
    for name, value in (*_facts(stack), *_open(stack)):
        if value:
            show_row(name, value)


def _facts(stack: TechStack) -> Iterator[Row]:
    asked = f" (asked for: {stack.version_constraint})" if stack.version_constraint else ""
    yield "language", f"{stack.language} {stack.runtime_version}{asked}"
    yield "framework", stack.framework or "none"
    yield "folder", stack.app_root
    yield "packages by", stack.package_manager
    yield "build", stack.build_command
    yield "start", stack.start_command
    yield "migration", stack.migration_command
    if stack.is_web_service:
        yield "port", f"{stack.port}{f', set by {stack.port_env}' if stack.port_env else ''}"
        yield "health page", stack.health_check_path
    else:
        yield "answers", "no HTTP: a worker"
    yield "database", stack.database_type or "none"
    yield "services", ", ".join(stack.services)
    for when, packages in (("builds with", stack.build_packages), ("runs with", stack.run_packages)):
        yield when, ", ".join(packages)
    for number, variable in enumerate(stack.environment):
        yield "" if number else "environment", _variable(variable)


def _variable(variable: EnvironmentVariable) -> str:
    kind = "generated" if variable.generated else "required" if variable.required else "optional"
    secret = ", secret" if variable.secret else ""
    default = f", default {variable.default}" if variable.default else ""
    return f"{variable.name}: {kind}{secret}{default}"


def _open(stack: TechStack) -> Iterator[Row]:
    for unknown in stack.unknowns:
        choices = f" ({unknown.flag} {' | '.join(unknown.choices)})" if unknown.choices else f" ({unknown.flag})"
        yield "open", f"{unknown.message}{choices if unknown.flag else ''}"
    for warning in stack.warnings:
        yield "note", warning


def show_evidence(stack: TechStack) -> None:
    """Print every fact with its value, the place that told it, the rule, what else there was, and how sure it is."""
    from autodeploy.adapters.terminal import evidence_view

    width = shutil.get_terminal_size().columns if sys.stdout.isatty() else OF_A_PIPE
    evidence_view.write([*stack.evidence, *_of_variables(stack)], sys.stdout, width)
    for name, value in _open(stack):
        show_row(name, value or "")


def _of_variables(stack: TechStack) -> Iterator[Evidence]:
    for variable in stack.environment:
        yield Evidence(
            fact="environment", value=_variable(variable), file=variable.file, line=variable.line, rule="read-by-code"
        )
