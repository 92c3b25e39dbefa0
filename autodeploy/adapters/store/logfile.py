"""One log entry <-> one line of logs.txt: `2026-11-22T23:25:09.123456+00:00 INFO [HiveMind DevOps] message`.

Newlines and backslashes are escaped, so that a line is an entry. A line that cannot be read (the torn last line
of a process that was killed) comes out as a WARNING that holds it: nothing is dropped.
"""

from __future__ import annotations

import re
from datetime import datetime, timezone
from typing import Any

from pydantic import TypeAdapter, ValidationError

from autodeploy.model import LogEntry

_LINE = re.compile(r"(\S+) (INFO|WARNING|ERROR) \[((?:[^\]\\]|\\.)*)\] (.*)", re.DOTALL)
_ESCAPES = {"\\": "\\\\", "\n": "\\n", "\r": "\\r"}
_PLAIN = {"n": "\n", "r": "\r"}
_ENTRIES = TypeAdapter(list[LogEntry])
EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)


def format_line(entry: LogEntry) -> str:
    """Return the entry as one line, without its newline, its time in UTC."""
    when = entry.timestamp.astimezone(timezone.utc).isoformat(timespec="microseconds")
    return f"{when} {entry.level} [{_escape(entry.agent, ']')}] {_escape(entry.message)}"


def parse(text: str, after: datetime = EPOCH) -> list[LogEntry]:
    """Return the entries in the order of their lines; `after` dates what cannot be read at the beginning."""
    lines = [line for line in text.split("\n") if line]
    try:
        return _ENTRIES.validate_python([_fields(line) or {} for line in lines])
    except ValidationError:
        return _parse_damaged(lines, after)


def _fields(line: str) -> dict[str, Any] | None:
    match = _LINE.fullmatch(line)
    if match is None:
        return None
    when, level, agent, message = match.groups()
    return {"timestamp": when, "level": level, "agent": _unescape(agent), "message": _unescape(message)}


def _parse_damaged(lines: list[str], after: datetime) -> list[LogEntry]:
    entries: list[LogEntry] = []
    for line in lines:
        try:
            entries.append(LogEntry.model_validate(_fields(line) or {}))
        except ValidationError:
            when = entries[-1].timestamp if entries else after
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
