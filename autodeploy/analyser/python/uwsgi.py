"""uWSGI: what its configuration file serves and where, and its command line bound to the host's port. Runs nothing.

See https://uwsgi-docs.readthedocs.io/en/latest/Configuration.html.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from autodeploy.analyser.tree import Tree

_PLACES = re.compile(r"(?:(?:docker|etc|deploy|conf|config|uwsgi|\.docker)/)?(?:[\w-]*\.)?[\w-]*uwsgi[\w-]*\.ini")
_NAMED = re.compile(r"(?:^|\s)(?:--ini[= ])?(?P<file>[\w./-]+\.ini)\b")
_LINE = re.compile(r"^([\w-]+)\s*=\s*(.*)$")
_SPEAKS_HTTP = ("http-socket", "http", "http11-socket")
_BOUND = re.compile(r"\s(?:--http(?:11)?(?:-socket)?|--socket|-s|--protocol)(?:=|\s+)(?:\"[^\"]*\"|'[^']*'|\S+)")
_SOCKET = "--http-socket 127.0.0.1:$PORT"


@dataclass(frozen=True)
class Option:
    """One line of a configuration file."""

    name: str
    value: str
    file: str
    line: int


def configuration(tree: Tree, file: str = "") -> tuple[Option, ...]:
    """Return the options of a file, "" for the one that the repository has in a usual place."""
    shallow = (path for path in tree.paths if "uwsgi" in path and path.count("/") <= 1)
    file = file or next((path for path in shallow if _PLACES.fullmatch(path)), "")
    matches = ((number, _LINE.match(line.strip())) for number, line in (tree.lines(file) if file else ()))
    return tuple(Option(match[1], match[2].strip(), tree.where(file), number) for number, match in matches if match)


def served(options: tuple[Option, ...]) -> Iterator[tuple[str, str, Option]]:
    """Yield module, attribute ("" for none said) and the line of what the options serve."""
    callables = [option.value for option in options if option.name == "callable"]
    for option in options:
        if option.name in {"module", "wsgi", "wsgi-file", "file"}:
            module, _, attribute = option.value.removesuffix(".py").partition(":")
            name = re.sub(r"\(.*\)$", "", attribute) or next(iter(callables), "")
            if re.fullmatch(r"[A-Za-z_][\w./]*", module):
                yield module.replace("/", "."), name, option


def port(options: tuple[Option, ...]) -> tuple[str | int, Option] | None:
    """Return the variable or the number of the port that speaks HTTP, and its line; None where none does."""
    for option in (option for name in _SPEAKS_HTTP for option in options if option.name == name):
        if variable := re.search(r"\$\((\w+)\)$|:\$\{?(\w+)\}?$", option.value):
            return variable[1] or variable[2], option
        if number := re.search(r"(?:^|:)(\d{2,5})$", option.value):
            return int(number[1]), option
    return None


def bound(tree: Tree, command: str) -> tuple[str, str | int]:
    """Return a command that speaks HTTP on the host's port, and the port's variable, or its number.

    Where the file that the command names says where to speak HTTP, a further socket would add nothing.
    """
    named = _NAMED.search(command)
    told = port(configuration(tree, named["file"].removeprefix("./"))) if named else None
    if told is not None:
        return command, told[0]
    return re.sub(r"\buwsgi\b", f"uwsgi {_SOCKET}", _BOUND.sub("", command), count=1), "PORT"
