"""A TechStack -> what `analyze --json` prints: every fact under a key of its own, and its evidence. Keys are kept."""

from __future__ import annotations

import posixpath
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from autodeploy.errors import AgentError
    from autodeploy.model import EnvironmentVariable, Evidence, Source, TechStack, Unknown


def as_json(stack: TechStack, source: Source) -> dict[str, Any]:
    """Return the facts as plain values."""
    return {
        "url": source.url,
        "commit": source.commit,
        "language": stack.language,
        "framework": stack.framework,
        "runtime_version": stack.runtime_version,
        "version_constraint": stack.version_constraint,
        "package_manager": stack.package_manager,
        "build_tool": stack.build_tool,
        "build_command": stack.build_command,
        "start_command": stack.start_command,
        "server_package": stack.server_package,
        "port": stack.port if stack.is_web_service else None,
        "port_env": stack.port_env,
        "app_root": stack.app_root,
        "requires_database": stack.requires_database,
        "database_type": stack.database_type,
        "services": list(stack.services),
        "system_packages": {"build": list(stack.build_packages), "run": list(stack.run_packages)},
        "environment": [_variable(variable) for variable in stack.environment],
        "health_check_path": stack.health_check_path if stack.is_web_service else None,
        "is_web_service": stack.is_web_service,
        "migration_command": stack.migration_command,
        "dependencies": list(stack.dependencies),
        "evidence": [_plain(evidence) for evidence in stack.evidence],
        "unknowns": [_plain(unknown) for unknown in stack.unknowns],
        "warnings": list(stack.warnings),
        "secrets": [
            {"kind": leak.value, "file": leak.file, "line": leak.line}
            for leak in stack.evidence
            if leak.fact == "committed_secret"
        ],
    }


def placed(stack: TechStack, folder: str) -> TechStack:
    """Return the stack with its places as the repository knows them, where one folder of it was analysed."""
    if posixpath.normpath(folder or ".") == ".":
        return stack

    def place(file: str) -> str:
        return posixpath.normpath(posixpath.join(folder, file)) if file else ""

    moved: TechStack = stack.but(
        app_root=place(stack.app_root),
        evidence=tuple(
            item.but(file=place(item.file), **({"value": place(item.value)} if item.fact == "app_root" else {}))
            for item in stack.evidence
        ),
        environment=tuple(item.but(file=place(item.file)) for item in stack.environment),
    )
    return moved


def _plain(noun: Evidence | Unknown) -> dict[str, Any]:
    """Return the noun's fields in their order: they are named as the contract names them."""
    return noun.model_dump(mode="json")


def _variable(variable: EnvironmentVariable) -> dict[str, Any]:
    return {
        "name": variable.name,
        "required": variable.required,
        "secret": variable.secret,
        "default": variable.default,
        "generated": variable.generated,
        "evidence": {"file": variable.file, "line": variable.line},
    }


def error_as_json(error: AgentError) -> dict[str, Any]:
    """Return a refusal as plain values: no language, and what the four lines say."""
    return {
        "language": None,
        "error": {
            "type": type(error).__name__,
            "agent": error.agent,
            "message": error.message,
            "context": error.context,
            "remediation": error.remediation,
            "exit_code": error.exit_code,
        },
    }
