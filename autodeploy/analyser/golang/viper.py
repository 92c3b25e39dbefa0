"""viper: which variable of the environment stands for a key, and the keys' defaults."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tree_sitter import Node

from autodeploy.analyser.golang.syntax import Call, GoFile, string_of
from autodeploy.analyser.golang.wrappers import Wrapper, by_name, find_wrappers

_VIPER = "github.com/spf13/viper"
_GET = re.compile(r"\.(?:Get(?:String|Int|Bool|Duration|Float|Uint|Time|Size)?\w*|IsSet)$")


@dataclass(frozen=True)
class ViperKeys:
    """Defaults and bound variables by key, the prefix of all others, and what asks for a key."""

    defaults: Mapping[str, Node]
    bound: Mapping[str, str]
    prefix: str
    is_automatic: bool
    instances: frozenset[str]
    wrappers: Mapping[str, Wrapper]
    """The program's own functions that ask viper for what they are given."""

    known: Mapping[str, Node]
    has_replacer: bool = False
    """Whether dots in keys are replaced: without that, no variable stands for what is within a table."""

    def key(self, _: GoFile, call: Call) -> Node | None:
        """Return the key that a call asks for; None where it asks viper for nothing."""
        if given := _asked(call, self.instances, _GET):
            return given
        wrapper = self.wrappers.get(call.method)
        return by_name(self.known, wrapper.name(call)) if wrapper else None

    def variable(self, key: str) -> str:
        """Return the variable that https://pkg.go.dev/github.com/spf13/viper looks for; "" for none."""
        if key.lower() in self.bound:
            return self.bound[key.lower()]
        return self.prefix + re.sub(r"[.-]", "_", key).upper() if self.is_automatic else ""

    def stands_for(self, names: Sequence[str]) -> str:
        """Return the variable that goes before what a file or a default says under the names; "" for none."""
        is_found = ".".join(names) in self.bound or self.has_replacer or len(names) == 1
        return self.variable(".".join(names)) if is_found else ""


def viper_keys(files: Sequence[GoFile], known: Mapping[str, Node]) -> ViperKeys | None:
    """Return what the program tells viper; None where viper does not look into the environment."""
    using = [file for file in files if _VIPER in file.imported()]
    instances = frozenset(
        name for file in using for name, value in file.values() if (value.text or b"").startswith(b"viper.New")
    )
    calls = [
        call for file in using for call in file.calls if call.name.startswith(f"{_VIPER}.") or call.operand in instances
    ]
    is_automatic = any(call.method == "AutomaticEnv" for call in calls)
    bound, prefix = dict[str, str](), ""
    for call in calls:
        key = string_of(call.arguments[0]) if call.arguments else None
        if call.method == "SetEnvPrefix" and key:
            prefix = f"{key.upper()}_"
        elif call.method in {"BindEnv", "MustBindEnv"} and key:
            named = string_of(call.arguments[1]) if len(call.arguments) > 1 else None
            bound[key.lower()] = named or prefix + key.upper()
    if not is_automatic and not bound:
        return None
    wrappers = find_wrappers(using, lambda _, call: _asked(call, instances, _GET))
    defaults = _defaults(using, files, instances, known)
    has_replacer = any(call.method in {"SetEnvKeyReplacer", "EnvKeyReplacer"} for call in calls)
    return ViperKeys(defaults, bound, prefix, is_automatic, instances, wrappers, known, has_replacer)


_SET = re.compile(r"\.SetDefault$")


def _defaults(
    using: Sequence[GoFile], files: Sequence[GoFile], instances: frozenset[str], known: Mapping[str, Node]
) -> dict[str, Node]:
    """Return the defaults by key, those too that functions of the program's own hand on."""
    setters = find_wrappers(using, lambda _, call: _asked(call, instances, _SET))
    found: dict[str, Node] = {}
    for file in files if setters else using:
        for call in file.calls:
            key, value = _asked(call, instances, _SET), call.arguments[1:2]
            if key is None and (wrapper := setters.get(call.method)):
                further = wrapper.position + 1
                key, value = by_name(known, wrapper.name(call)), call.arguments[further : further + 1]
            named = string_of(key)
            if named and value:
                found[named.lower()] = value[0]
    return found


def _asked(call: Call, instances: frozenset[str], methods: re.Pattern[str]) -> Node | None:
    """Return the key of a call of viper's own methods."""
    if not call.arguments or not methods.search(call.name):
        return None
    is_own = call.name.startswith(f"{_VIPER}.") or call.operand in instances
    return call.arguments[0] if is_own else None
