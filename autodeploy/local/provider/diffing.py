"""Diff: old inputs, new inputs, last outputs come in; what changed, and what that forces, goes out. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from autodeploy.local.provider.checking import DEFAULTS
from autodeploy.local.provider.entry import Entry
from autodeploy.local.provider.wire import Values, has_unknown

_SETS = frozenset(
    {
        *("securityGroups", "subnets", "subnetIds", "vpcSecurityGroupIds", "parameters", "routes"),
        *("alarmActions", "okActions", "insufficientDataActions"),
    }
)
"""Inputs that AWS holds without an order."""


@dataclass(frozen=True)
class Difference:
    """What changed. `kinds` maps each changed property to "add", "delete" or "update"."""

    kinds: Mapping[str, str]
    replaces: tuple[str, ...] = ()
    deletes_first: bool = False


def difference(
    entry: Entry, olds: Values, news: Values, state: Values, tags: Any, ignored: Iterable[str] = ()
) -> Difference:
    """Return the difference. `tags` are all tags the resource is to carry; UNKNOWN, or None where it takes none."""
    names = (olds.keys() | news.keys()) - {DEFAULTS} - {path.partition(".")[0] for path in ignored if "[" not in path}
    kinds = {name: _kind(name, olds, news) for name in sorted(names) if _differs(name, olds.get(name), news.get(name))}
    if tags is not None and "tags" not in ignored and tags != state.get("tagsAll", {}):
        kinds["tagsAll"] = "update"
    replaces = tuple(name for name in kinds if entry.forces_replacement(name, news))
    return Difference(kinds, replaces, bool(replaces) and _collides(entry, olds, news))


def _kind(name: str, olds: Values, news: Values) -> str:
    return "add" if name not in olds else "delete" if name not in news else "update"


def same(name: str, old: Any, new: Any) -> bool:
    """Say whether two values of an input mean the same; order does not count where AWS keeps none."""
    return bool(_canonical(name, old) == _canonical(name, new))


def _differs(name: str, old: Any, new: Any) -> bool:
    return has_unknown(new) or not same(name, old, new)


def _canonical(name: str, value: Any) -> Any:
    if name == "parameters" and isinstance(value, list):
        value = [{"applyMethod": "immediate", **item} if isinstance(item, dict) else item for item in value]
    if name in _SETS and isinstance(value, list):
        return sorted(value, key=lambda item: json.dumps(item, sort_keys=True))
    return value


def _collides(entry: Entry, olds: Values, news: Values) -> bool:
    if entry.named and olds.get(entry.named[0]) == news.get(entry.named[0]) and entry.named[0] not in news[DEFAULTS]:
        return True
    return bool(entry.unique) and all(olds.get(name) == news.get(name) for name in entry.unique)
