"""The command that migrates the database before a release: from a Procfile, a subcommand, or a program of its own."""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from autodeploy.analyser.golang.building import BINARY
from autodeploy.analyser.golang.commands import migrating_command
from autodeploy.analyser.golang.mains import Program, program_of
from autodeploy.analyser.golang.packages import Code, Main
from autodeploy.analyser.golang.syntax import GoFile
from autodeploy.analyser.procfile import Process
from autodeploy.model import Evidence

_NAME = re.compile(r"^(?:(?:db[-_]?)?migrat(?:e|or|ion|ions)|automigrate)$")
_TAKES_WORDS = re.compile(r"os\.Args|flag\.(?:Parse|Arg)|cobra\.Command|cli\.(?:App|Command)")


@dataclass(frozen=True)
class Migration:
    """What runs. `main` is the program of its own that has to be built for it, as `binary`."""

    command: str
    evidence: Evidence
    main: Main | None = None
    binary: str = ""


def detect_migration(
    code: Code,
    files: Sequence[GoFile],
    program: Program,
    processes: Mapping[str, Process],
    overrides: Mapping[str, str],
) -> Migration | None:
    """Return how the database is migrated; None where the program does so itself, or nothing that is shipped can."""
    if "migration_command" in overrides:
        return None
    if "release" in processes and (released := _released(code, program, processes["release"])):
        return released
    if found := migrating_command(files):
        line = f"{BINARY} {found.name}"
        return Migration(line, _because(line, code.tree.where(found.file), found.line, "subcommand"))
    for main in code.mains:
        if _NAME.match(main.name) and main is not program.main and not _takes_words(code, main):
            binary = f"bin/{main.name}"
            file = code.tree.where(main.files[0])
            return Migration(f"./{binary}", _because(f"./{binary}", file, 0, "program"), main, binary)
    return None


def _released(code: Code, program: Program, process: Process) -> Migration | None:
    told = program_of(code, process, is_certain=True)
    if told is None:
        return None
    main, arguments = told
    binary = "" if main == program.main else f"bin/{main.name or 'release'}"
    line = " ".join(part for part in (f"./{binary}" if binary else BINARY, arguments) if part)
    evidence = _because(line, process.file, process.line, "procfile")
    return Migration(line, evidence, main if binary else None, binary)


def build_line(migration: Migration | None, environment: str, tags: str) -> list[str]:
    """Return the command that builds the migration's own program; [] where it has none."""
    if migration is None or migration.main is None:
        return []
    return [f"{environment} go build {tags}-o {shlex.quote(migration.binary)} {shlex.quote(migration.main.target)}"]


def _takes_words(code: Code, main: Main) -> bool:
    return any(_TAKES_WORDS.search(code.tree.read(path)) for path in main.files)


def _because(command: str, file: str, line: int, rule: str) -> Evidence:
    return Evidence(fact="migration_command", value=command, file=file, line=line, rule=rule)
