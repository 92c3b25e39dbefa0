"""viper: which variable of the environment stands for a key, and the keys' defaults."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tree_sitter import Node

from autodeploy.analyser.golang.syntax import Call, GoFile, string_of

_VIPER = "github.com/spf13/viper"
_GET = re.compile(r"\.(?:Get(?:String|Int|Bool|Duration|Float|Uint|Time|Size)?\w*|IsSet)$")


@dataclass(frozen=True)
class ViperKeys:
    """Defaults and bound variables by key, the prefix of all others, and what the instances are called."""

    defaults: Mapping[str, Node]
    bound: Mapping[str, str]
    prefix: str
    is_automatic: bool
    instances: frozenset[str]

    def reads(self, file: GoFile, call: Call) -> bool:
        """Tell whether a call asks viper for a value."""
        if not call.arguments or not _GET.search(call.name):
            return False
        return call.name.startswith(f"{_VIPER}.") or call.operand in self.instances

    def variable(self, key: str) -> str:
        """Return the variable that https://pkg.go.dev/github.com/spf13/viper looks for; "" for none."""
        if key.lower() in self.bound:
            return self.bound[key.lower()]
        return self.prefix + re.sub(r"[.-]", "_", key).upper() if self.is_automatic else ""


def viper_keys(files: Sequence[GoFile]) -> ViperKeys | None:
    """Return what the program tells viper; None where viper does not look into the environment."""
    using = [file for file in files if _VIPER in file.imported()]
    instances = frozenset(
        name for file in using for name, value in file.values() if (value.text or b"").startswith(b"viper.New")
    )
    calls = [
        call for file in using for call in file.calls if call.name.startswith(f"{_VIPER}.") or call.operand in instances
    ]
    is_automatic = any(call.method == "AutomaticEnv" for call in calls)
    bound, defaults, prefix = dict[str, str](), dict[str, Node](), ""
    for call in calls:
        key = string_of(call.arguments[0]) if call.arguments else None
        if call.method == "SetDefault" and key and len(call.arguments) > 1:
            defaults[key.lower()] = call.arguments[1]
        elif call.method == "SetEnvPrefix" and key:
            prefix = f"{key.upper()}_"
        elif call.method in {"BindEnv", "MustBindEnv"} and key:
            named = string_of(call.arguments[1]) if len(call.arguments) > 1 else None
            bound[key.lower()] = named or prefix + key.upper()
    return ViperKeys(defaults, bound, prefix, is_automatic, instances) if is_automatic or bound else None
