"""YAML, JSON and TOML texts as entries that know their lines. A broken text is an empty entry; none is expanded."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, TypeAlias

import yaml

from autodeploy.analyser.toml import table

MAX_CHARACTERS = 200_000
MAX_DEPTH = 40
MAX_MERGED = 200
"""What people write stays far below; beyond, a text is meant to cost time."""

_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


_Value: TypeAlias = "str | list[Entry] | dict[str, Entry]"


@dataclass(frozen=True)
class Entry:
    """A text, a list of entries, or entries by name; `line` counts from 1, and 0 is unknown."""

    value: _Value = ""
    line: int = 0

    def get(self, *names: str) -> Entry:
        """Return the entry under a chain of names; an empty one when there is none."""
        entry = self
        for name in names:
            entry = entry.value.get(name, _NOTHING) if isinstance(entry.value, dict) else _NOTHING
        return entry

    def items(self) -> list[tuple[str, Entry]]:
        """Return names and entries; [] where it has no names."""
        return list(self.value.items()) if isinstance(self.value, dict) else []

    def entries(self) -> list[Entry]:
        """Return the entries of a list; [] where it is none."""
        return self.value if isinstance(self.value, list) else []

    @property
    def text(self) -> str:
        """The text; "" where it is none."""
        return self.value if isinstance(self.value, str) else ""

    def __bool__(self) -> bool:
        return bool(self.value)


_NOTHING = Entry()


@lru_cache(maxsize=64)
def from_yaml(text: str) -> Entry:
    """Return the first document of a YAML text, aliases and merges resolved."""
    if len(text) > MAX_CHARACTERS:
        return _NOTHING
    try:
        return _composed(yaml.parse(text, Loader=_LOADER))
    except (yaml.YAMLError, UnicodeError, ValueError):
        return _NOTHING


def from_json(text: str) -> Entry:
    """Return a JSON text's entries."""
    if read := from_yaml(text):
        return read  # it is YAML too, whose parser tells the lines
    try:
        return _plain(json.loads(text), "") if len(text) <= MAX_CHARACTERS else _NOTHING
    except (ValueError, RecursionError):
        return _NOTHING


def from_toml(text: str) -> Entry:
    """Return a TOML text's entries; each line is the first that fits name and value."""
    return _plain(table(text), text) if len(text) <= MAX_CHARACTERS else _NOTHING


def _composed(events: Iterator[Any]) -> Entry:
    """Join the parser's events without recursion, which a hostile text would exhaust."""
    anchors: dict[str, Entry] = {}
    open_: list[tuple[Any, list[Entry]]] = []
    for event in events:
        if isinstance(event, yaml.CollectionStartEvent):
            open_.append((event, []))
            if len(open_) > MAX_DEPTH:
                return _NOTHING
            continue
        if isinstance(event, yaml.ScalarEvent):
            begin, entry = event, Entry(event.value, event.start_mark.line + 1)
        elif isinstance(event, yaml.AliasEvent):
            begin, entry = event, anchors.get(event.anchor, _NOTHING)
        elif isinstance(event, yaml.CollectionEndEvent):
            begin, parts = open_.pop()
            entry = Entry(_collected(begin, parts), begin.start_mark.line + 1)
        else:
            continue
        if begin.anchor and not isinstance(begin, yaml.AliasEvent):
            anchors[begin.anchor] = entry
        if not open_:
            return entry
        open_[-1][1].append(entry)
    return _NOTHING


def _collected(begin: Any, parts: list[Entry]) -> _Value:
    if isinstance(begin, yaml.SequenceStartEvent):
        return parts
    pairs = [(key.text, value) for key, value in zip(parts[::2], parts[1::2], strict=False)]
    merged: dict[str, Entry] = {}
    for key, value in pairs:
        if key == "<<":
            for other in value.entries() or [value]:
                merged = dict(other.items()[:MAX_MERGED]) | merged
    return merged | {key: value for key, value in pairs if key != "<<"}


def _plain(value: Any, text: str, line: int = 0) -> Entry:
    if isinstance(value, dict):
        return Entry({str(key): _plain(part, text, _line(text, str(key), part)) for key, part in value.items()}, line)
    if isinstance(value, list):
        return Entry([_plain(part, text, line) for part in value], line)
    return Entry("" if value is None else str(value).lower() if isinstance(value, bool) else str(value), line)


def _line(text: str, key: str, value: Any) -> int:
    is_text = isinstance(value, (str, int, float)) and not isinstance(value, bool)
    said = re.escape(str(value)[:40]) if is_text else ""
    pattern = rf"^[ \t]*(?:\[+[^\]\n]*\b{re.escape(key)}\b|[\"']?{re.escape(key)}[\"']?[ \t]*=[^\n]*{said})"
    match = re.search(pattern, text, re.MULTILINE)
    return text.count("\n", 0, match.start()) + 1 if match else 0


def texts(entry: Entry) -> Sequence[Entry]:
    """Return a text, or the texts of a list."""
    return [part for part in entry.entries() if part.text] or ([entry] if entry.text else [])
