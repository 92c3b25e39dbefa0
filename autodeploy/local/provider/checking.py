"""Check: what a program gives comes in; inputs with defaults and names filled in, and what is wrong with them, go out.

Pure: it asks nothing of AWS.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from autodeploy.local.provider.entry import Entry
from autodeploy.local.provider.schema import Failure, failures, schema
from autodeploy.local.provider.wire import UNKNOWN, Values

DEFAULTS = "__defaults"
"""The inputs that Check filled in, as pulumi-aws keeps them."""


def check(entry: Entry, news: Values, olds: Values, logical_name: str, seed: bytes) -> tuple[Values, list[Failure]]:
    """Return the checked inputs and the failures; `seed` makes a generated name repeatable."""
    given = {name: value for name, value in news.items() if not name.startswith("__")}
    found = list(failures(entry.token, given))
    found += _unemulated(entry, given)
    inputs = {**{name: value for name, value in entry.defaults.items() if name not in given}, **given}
    filled = [name for name in entry.defaults if name not in given]
    if entry.named and entry.named[0] not in given:
        name, longest = entry.named
        inputs[name] = _kept(name, olds) or _generated(logical_name, seed, longest, entry)
        filled.append(name)
    if not found:
        found += _tags(inputs)
        found += entry.limits(inputs)
    return {**inputs, DEFAULTS: sorted(filled)}, found


def _unemulated(entry: Entry, given: Mapping[str, object]) -> Iterator[Failure]:
    known = schema(entry.token).inputs
    for name in sorted((given.keys() & known.keys()) - entry.handled()):
        yield name, f"the local target does not emulate '{name}' of {entry.token}"


def _kept(name: str, olds: Values) -> str | None:
    return olds.get(name) if name in olds.get(DEFAULTS, ()) else None


def _generated(logical_name: str, seed: bytes, longest: int, entry: Entry) -> str:
    suffix = seed.hex()[:7] or "0000000"
    name = f"{logical_name[: longest - 8]}-{suffix}"
    return name.lower() if entry.token.startswith("aws:rds/") else name


def _tags(inputs: Values) -> Iterator[Failure]:
    """https://docs.aws.amazon.com/tag-editor/latest/userguide/best-practices-and-strats.html"""
    tags = inputs.get("tags")
    if not isinstance(tags, dict):
        return
    if len(tags) > 50:
        yield "tags", f"a resource takes 50 tags at most, not {len(tags)}"
    for key, value in tags.items():
        if key.startswith("aws:") or not 1 <= len(key) <= 128:
            yield f"tags.{key}", f"{key!r} cannot be a tag's key: 1 to 128 characters, not beginning with 'aws:'"
        if value != UNKNOWN and (len(value) > 256 or not re.fullmatch(r"[\w\s+\-=.:/@]*", value)):
            yield f"tags.{key}", f"{value!r} cannot be a tag's value: 256 letters, digits, spaces and + - = . _ : / @"
