"""Example environments: the port they set, and what their addresses speak of."""

from __future__ import annotations

import re
from collections.abc import Iterator

from autodeploy.analyser.hints import kinds
from autodeploy.analyser.tree import Tree
from autodeploy.model import Evidence

FILES = (
    ".env.example",
    ".env.sample",
    ".env.template",
    ".env.dist",
    ".example.env",
    ".sample.env",
    ".env-example",
    ".env-sample",
    ".env_example",
    ".env_sample",
    ".env_rename_me",
    ".env.local.example",
    "env.example",
    "example.env",
    "sample.env",
    ".env.development",
    ".env",
)
_SPEAKS = re.compile(
    r"(?:^|_)(?:URL|URI|DSN|CONN(?:ECTION)?(?:_?STR(?:ING)?)?|DIALECT|DRIVER|ENGINE|CLIENT|TYPE)$|^(?:DB|DATABASE)_PORT$"
)
_LINE = re.compile(r"^(?:export\s+)?([A-Za-z_][A-Za-z0-9_]*)\s*=\s*(.*)$")


def value(tree: Tree, name: str) -> tuple[str, str, int] | None:
    """Return the value that an example gives a variable, its file and line; None for none."""
    for file in (*FILES, "app.env", "config.env"):
        for number, line in tree.lines(file) if file in tree.index else ():
            match = _LINE.match(line)
            if match and match[1] == name and (given := match[2].strip().strip("\"'")):
                return given, tree.where(file), number
    return None


def read(tree: Tree) -> Iterator[Evidence]:
    """Yield the facts that example files tell, in the order of the files."""
    for file in FILES:
        where = tree.where(file)
        for number, line in tree.lines(file) if file in tree.index else ():
            match = _LINE.match(line)
            if not match:
                continue
            name, value = match[1].upper(), match[2].strip().strip("\"'")
            if name == "PORT" and re.match(r"\d{2,5}\b", value):
                port = re.split(r"\D", value)[0]
                yield Evidence(
                    fact="port", value=port, file=where, line=number, rule="env-example", confidence="likely"
                )
            elif _SPEAKS.search(name):
                yield from kinds.told(kinds.of_address(value), where, number, "env-example")
