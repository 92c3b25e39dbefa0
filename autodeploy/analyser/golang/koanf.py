"""koanf: which variable of the environment stands for a key, and the keys' defaults."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tree_sitter import Node

from autodeploy.analyser.golang.syntax import Call, GoFile, string_of, text_of
from autodeploy.analyser.golang.wrappers import keyed_defaults

_PATHS = ("github.com/knadh/koanf", "gitlab.com/knadh/koanf")
_GET = re.compile(r"\.(?:Must)?(?:String|Int|Int64|Bool|Duration|Float64|Get|Bytes|Strings|Ints)$")
_TURNS = re.compile(r'"(_+)",\s*"\."')
"""What a function turns into the dot: strings.ReplaceAll(s, "__", ".")."""


@dataclass(frozen=True)
class KoanfKeys:
    """The prefix of the variables, what stands in them for the dot of a key, the defaults, the instances' names."""

    defaults: Mapping[str, Node]
    prefix: str
    dot: str
    instances: frozenset[str]

    def key(self, _: GoFile, call: Call) -> Node | None:
        """Return the key that a call asks for; None where it asks koanf for nothing."""
        holder = call.operand.rpartition(".")[2]
        return call.arguments[0] if call.arguments and holder in self.instances and _GET.search(call.name) else None

    def variable(self, key: str) -> str:
        """Return the variable that is turned into the key: https://github.com/knadh/koanf#reading-environment-variables."""
        return self.prefix + key.replace(".", self.dot).replace("-", "_").upper()


def koanf_keys(files: Sequence[GoFile]) -> KoanfKeys | None:
    """Return what the program tells koanf; None where koanf does not look into the environment."""
    using = [file for file in files if any(path.startswith(_PATHS) for path in file.imported())]
    providers = [call for file in using for call in file.calls if _is_environment(call)]
    if not providers:
        return None
    said = text_of(providers[0].node)
    strings = [text for argument in providers[0].arguments[:1] if (text := string_of(argument))]
    options = re.search(r"\bPrefix:\s*\"(\w*)\"", said)
    prefix = options[1] if options else next(iter(strings), "")
    turned = _TURNS.search(said)
    made = {name for file in using for name, value in file.values() if _makes(value)}
    given = {
        text_of(name)
        for file in using
        for node in file.nodes("parameter")
        if (kind := node.child_by_field_name("type")) is not None and text_of(kind).endswith("koanf.Koanf")
        for name in node.children_by_field_name("name")
    }
    return KoanfKeys(keyed_defaults(files), prefix, turned[1] if turned else "_", frozenset(made | given))


def _is_environment(call: Call) -> bool:
    package, _, method = call.name.rpartition(".")
    return method.startswith("Provider") and package.startswith(_PATHS) and "/providers/env" in package


def _makes(value: Node) -> bool:
    return text_of(value).startswith("koanf.New")
