"""One log entry <-> one line of logs.txt: `2026-11-22T23:25:09.123456+00:00 INFO [HiveMind DevOps] message`.

Newlines and backslashes are escaped, so that a line is an entry. A line that cannot be read (the torn last line
of a process that was killed) comes out as a WARNING that holds it: nothing is dropped.
"""

from __future__ import annotations

import contextlib
import gc
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import datetime, timezone
from typing import Any

from pydantic import TypeAdapter, ValidationError

from autodeploy.model import LogEntry

_LINE = re.compile(r"(\S+) (INFO|WARNING|ERROR) \[((?:[^\]\\]|\\.)*)\] (.*)", re.DOTALL)
_ESCAPES = {"\\": "\\\\", "\n": "\\n", "\r": "\\r"}
_PLAIN = {"n": "\n", "r": "\r"}
_ENTRIES = TypeAdapter(list[LogEntry])
_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)


def format_line(entry: LogEntry) -> str:
    """Return the entry as one line, without its newline, its time in UTC."""
    when = entry.timestamp.astimezone(timezone.utc).isoformat(timespec="microseconds")
    return f"{when} {entry.level} [{_escape(entry.agent, ']')}] {_escape(entry.message)}"


def parse(text: str) -> list[LogEntry]:
    """Return the entries of a whole file in order of time; entries of one instant keep the file's order."""
    lines = [line for line in text.split("\n") if line]
    with _collector_at_rest():
        try:
            entries = _ENTRIES.validate_python([_fields(line) or {} for line in lines])
        except ValidationError:
            entries = _parse_damaged(lines)
        return sorted(entries, key=lambda entry: entry.timestamp)


def missing(entries: Iterable[LogEntry], text: str) -> list[str]:
    """Return the lines of those entries that `text` does not hold yet, each as often as it is lacking."""
    lines = [format_line(entry) for entry in entries]
    if not _lacking(lines, text.split("\n")):
        return []
    # Only now the slow way, in which a damaged line equals the entry that it was read as.
    return _lacking(lines, [format_line(entry) for entry in parse(text)])


def _lacking(lines: list[str], held_lines: list[str]) -> list[str]:
    held, lacking = Counter(held_lines), []
    for line in lines:
        if held[line] > 0:
            held[line] -= 1
        else:
            lacking.append(line)
    return lacking


@contextlib.contextmanager
def _collector_at_rest() -> Iterator[None]:
    """Keep the cyclic collector from walking 100,000 acyclic entries again and again: a third of the time."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def _fields(line: str) -> dict[str, Any] | None:
    match = _LINE.fullmatch(line)
    if match is None:
        return None
    when, level, agent, message = match.groups()
    return {"timestamp": when, "level": level, "agent": _unescape(agent), "message": _unescape(message)}


def _parse_damaged(lines: list[str]) -> list[LogEntry]:
    entries: list[LogEntry] = []
    for line in lines:
        try:
            entries.append(LogEntry.model_validate(_fields(line) or {}))
        except ValidationError:
            when = entries[-1].timestamp if entries else _EPOCH
            message = f"unreadable line in logs.txt: {line}"
            entries.append(LogEntry(timestamp=when, agent="HiveMind Control Plane", level="WARNING", message=message))
    return entries


def _escape(text: str, also: str = "") -> str:
    for plain, escaped in _ESCAPES.items():
        if plain in text:
            text = text.replace(plain, escaped)
    return text.replace(also, f"\\{also}") if also else text


def _unescape(text: str) -> str:
    if "\\" not in text:
        return text
    return re.sub(r"\\(.)", lambda match: _PLAIN.get(match[1], match[1]), text, flags=re.DOTALL)
