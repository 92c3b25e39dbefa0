"""Chooses the program to run: flag, Procfile, Dockerfile, what serves HTTP, a server's name; ties are told."""

from __future__ import annotations

import posixpath
import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass, replace

from autodeploy.analyser.failures import refusal
from autodeploy.analyser.golang.frameworks import serving
from autodeploy.analyser.golang.packages import STARTS, Code, Main
from autodeploy.analyser.hints.dockerfile import joined_lines
from autodeploy.analyser.procfile import Process
from autodeploy.analyser.worker import worker_process
from autodeploy.model import Evidence

_NAMES = ("server", "web", "app", "api", "http", "httpd", "main", "service", "site", "backend")
_ASIDE = re.compile(
    r"^(?:_?examples?|samples?|demos?|tools?|scripts?|hack|docs?|tests?|testing|e2e|bench(?:mark)?s?|integration|internal"
    r"|clients?|migrat(?:e|ions?|or)|gen|generate|seed|fixtures?|mocks?|third_party"
    r"|(?:.*[-_])?(?:workers?|consumers?|cron|cronjobs?|jobs?|scheduler|seed(?:er|s)?|cli|ctl|migrator|lambdas?))$"
)
"""Folders and names of programs that are not the application."""


@dataclass(frozen=True)
class Program:
    """The program that is built. `arguments` follow its name, `process` is the Procfile's line that says so."""

    main: Main
    arguments: str
    evidence: Evidence
    process: str = ""
    others: tuple[str, ...] = ()
    """Programs that are as likely."""

    def with_arguments(self, arguments: str) -> Program:
        """Return the program with other words after its name."""
        return replace(self, arguments=arguments)


def choose_program(code: Code, processes: Mapping[str, Process], overrides: Mapping[str, str]) -> Program:
    """Return the program to build and run; raise AnalysisError when there is none, or several as good."""
    if not code.mains:
        raise refusal(
            f"{code.modules[0].file if code.modules else 'go.mod'} holds a library: nothing in it is a package main",
            "Name the folder of an application with --path; a library is not deployed.",
        )
    if "app" in overrides:
        return _named(code, overrides["app"])
    process = processes.get("web") or worker_process(processes)
    told = _from_procfile(code, process) if process else None
    return told or _from_dockerfile(code) or _by_looks(code, process)


def _named(code: Code, asked: str) -> Program:
    wanted = asked.removeprefix("./").rstrip("/") or "."
    for main in code.mains:
        if wanted in {main.target.removeprefix("./"), main.name}:
            return _program(code, main, "", "--app")
    there = ", ".join(main.target for main in code.mains)
    raise refusal(
        f"there is no program {asked!r}", f"The programs are: {there}. Name one: --app {code.mains[0].target}"
    )


def program_of(code: Code, process: Process, is_certain: bool = False) -> tuple[Main, str] | None:
    """Return the program that a process runs, and its arguments; None where it is none of them.

    Where there is one program alone, any name is its, unless that has to be certain.
    """
    words = _words(process.command)
    if words[:2] == ["go", "run"]:
        words = words[2:]
    if not words or not code.mains:
        return None
    name, arguments = posixpath.basename(words[0]), " ".join(_quoted(word) for word in words[1:])
    names = {name, name.removesuffix(".go"), posixpath.normpath(words[0])}
    main = next((main for main in code.mains if {_binary(code, main), *_places(main)} & names), None)
    main = main or (code.mains[0] if len(code.mains) == 1 and not is_certain else None)
    return (main, arguments) if main else None


def _from_procfile(code: Code, process: Process) -> Program | None:
    told = program_of(code, process)
    if told is None:
        return None
    main, arguments = told
    evidence = _program(code, main, arguments, process.rule).evidence.but(file=process.file, line=process.line)
    return Program(main, arguments, evidence, process.name)


def _places(main: Main) -> tuple[str, ...]:
    return (main.target.removeprefix("./"), *main.files)


def _from_dockerfile(code: Code) -> Program | None:
    """A Dockerfile that builds one of the programs, and only one, says which one is served, and with what words."""
    for file in ("Dockerfile", "build/Dockerfile", "docker/Dockerfile", "build/package/Dockerfile"):
        built: dict[Main, tuple[int, str]] = {}
        for number, line in joined_lines(code.tree, file):
            for match in re.finditer(r"\bgo (?:build|install)\b((?:(?!\s*(?:&&|;)).)*)", line):
                words = {word.removeprefix("./").rstrip("/\\;") or "." for word in match[1].split()}
                for main in code.mains:
                    if words.intersection(_places(main)):
                        output = re.search(r"-o[= ]?(\S+)", match[1])
                        built[main] = (number, posixpath.basename(output[1]) if output else _binary(code, main))
        if len(built) == 1:
            main, (number, binary) = next(iter(built.items()))
            program = _program(code, main, _docker_arguments(code, file, binary), "dockerfile")
            return Program(main, program.arguments, program.evidence.but(file=code.tree.where(file), line=number))
    return None


def _docker_arguments(code: Code, file: str, binary: str) -> str:
    """Return the words after the binary in ENTRYPOINT and CMD."""
    words: list[str] = []
    for keyword in ("ENTRYPOINT", "CMD"):
        lines = [line for _, line in code.tree.lines(file) if line.upper().startswith(keyword)]
        if lines and (match := re.match(r"\w+\s*\[(.*)\]\s*$", lines[-1])):
            words += re.findall(r'"((?:[^"\\]|\\.)*)"', match[1])
        elif lines:
            words += _words(lines[-1].partition(" ")[2])
    if len(words) > 1 and posixpath.basename(words[0]) == binary:
        return " ".join(_quoted(word) for word in words[1:])
    return ""


def _by_looks(code: Code, process: Process | None) -> Program:
    near = [main for main in code.mains if not any(map(_ASIDE.match, main.target.removesuffix(".go").split("/")))]
    likely = near or list(code.mains)
    if process is None or process.name == "web":
        likely = [main for main in likely if serving(code.reached(main))] or likely
    # Of those that are as likely, the largest is shown first, and one that has an image of its own goes before.
    best = sorted(likely, key=lambda main: (_rank(code, main), -len(code.reached(main)), main.target))
    equal = tuple(main.target for main in best if _rank(code, main) == _rank(code, best[0]))
    program = _program(code, best[0], "", "only-program" if len(code.mains) == 1 else "serves-http")
    if len(equal) == 1:
        return program
    return Program(program.main, "", program.evidence.but(confidence="likely"), others=equal[1:])


def _rank(code: Code, main: Main) -> tuple[int, bool]:
    folder = posixpath.normpath(main.target)
    images = (path for path in code.tree.paths if "Dockerfile" in path and posixpath.dirname(path) == folder)
    return _called(code, main), next(images, None) is None


def _called(code: Code, main: Main) -> int:
    """Return how much a program is called as servers are, 0 the most."""
    if main.target == ".":
        return 0
    module = _module_name(code)
    served = [f"{module}{end}" for end in ("d", "-server", "_server", "-api", "-web", "-service", "")]
    names = [*served, *_NAMES]
    if main.name in names:
        return names.index(main.name) + 1
    is_server = re.search(r"(?:server|api|web|http|service|backend|gateway|app)$", main.name)
    return len(names) + (1 if is_server else 2)


def _program(code: Code, main: Main, arguments: str, rule: str) -> Program:
    first = next((path for path in main.files if STARTS.search(code.tree.read(path))), main.files[0])
    others = tuple(other.target for other in code.mains if other is not main)
    evidence = Evidence(fact="app", value=main.target, file=code.tree.where(first), rule=rule, alternatives=others)
    return Program(main, arguments, evidence)


def _binary(code: Code, main: Main) -> str:
    return main.name or _module_name(code)


def _module_name(code: Code) -> str:
    path = code.modules[0].path if code.modules else ""
    return posixpath.basename(re.sub(r"/v\d+$", "", path))


def _words(command: str) -> list[str]:
    """Return a command's words; () where it is more than one program."""
    if re.search(r"[;&|<>`]|\$\(", command):
        return []
    try:
        words = shlex.split(command)
    except ValueError:
        return []
    while words and (words[0] == "exec" or re.match(r"[A-Za-z_]\w*=", words[0])):
        words = words[1:]
    return words


def _quoted(word: str) -> str:
    """Return a word as a shell takes it; a variable in it is still one."""
    return f'"{word}"' if re.search(r"\$\{?\w", word) and '"' not in word else shlex.quote(word)
