"""TechStack: what the repository is, and the evidence for each fact. Made by the analyser."""

from __future__ import annotations

from typing import Literal

from autodeploy.model.noun import Noun, WebPath

Language = Literal["nodejs", "python", "go"]
DatabaseType = Literal["postgresql", "mysql", "mariadb", "mongodb"]


class Evidence(Noun):
    """Why a fact is believed: `rule` names the detector's rule, `line` counts from 1 (0: the whole file)."""

    fact: str
    value: str
    file: str = ""
    line: int = 0
    rule: str = ""
    alternatives: tuple[str, ...] = ()
    confidence: Literal["certain", "likely", "default"] = "certain"


class EnvironmentVariable(Noun):
    """A variable the application reads. `generated`: AutoDeploy makes a random value where none is given."""

    name: str
    required: bool = False
    secret: bool = False
    generated: bool = False
    default: str | None = None
    file: str = ""
    line: int = 0


class Unknown(Noun):
    """A fact that the repository leaves open: what was taken for it is the first of `choices`; `flag` settles it."""

    fact: str
    message: str
    choices: tuple[str, ...] = ()
    flag: str = ""


class TechStack(Noun):
    """The application's technology. Field meanings follow the design document; the added ones have defaults."""

    language: Language
    framework: str | None = None
    runtime_version: str
    dependencies: tuple[str, ...] = ()
    requires_database: bool = False
    database_type: DatabaseType | None = None
    build_tool: Literal["npm", "pip", "go"]
    version_constraint: str = ""
    package_manager: str = ""
    build_command: str = ""
    start_command: str = ""
    server_package: str | None = None
    port: int = 8000
    port_env: str | None = "PORT"
    app_root: str = "."
    services: tuple[str, ...] = ()
    build_packages: tuple[str, ...] = ()
    run_packages: tuple[str, ...] = ()
    environment: tuple[EnvironmentVariable, ...] = ()
    health_check_path: WebPath = "/"
    is_web_service: bool = True
    migration_command: str | None = None
    evidence: tuple[Evidence, ...] = ()
    unknowns: tuple[Unknown, ...] = ()
    warnings: tuple[str, ...] = ()

    def facts(self, fact: str) -> tuple[str, ...]:
        """Return the values that are known of a fact, in the order of the evidence."""
        return tuple(evidence.value for evidence in self.evidence if evidence.fact == fact)
