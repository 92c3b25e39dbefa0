"""The log of one deployment: logs.txt in, entries out; each byte is read once in a process, however often it is asked.

Never rewrites a line; an entry that was appended before it came back with its ledger is not written twice.
"""

from __future__ import annotations

import os
from collections import Counter
from datetime import datetime
from pathlib import Path

from autodeploy.adapters.store import collector, files, logfile
from autodeploy.model import LogEntry


class History:
    """What this process knows of one file, which only grows."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._inode = self._offset = 0
        self._last = logfile.EPOCH
        self._entries: tuple[LogEntry, ...] = ()
        self._known: tuple[LogEntry, ...] = ()
        """Entries of a ledger that are known to be in the file."""
        self._spare: Counter[LogEntry] = Counter()
        """Entries of the file beside those."""

    def entries(self) -> tuple[LogEntry, ...]:
        """Return all entries in order of time; entries of one instant keep the file's order."""
        self._read_on()
        self._known, self._spare = self._entries, Counter()
        return self._entries

    def append(self, entry: LogEntry) -> None:
        """Append one entry, in a time that does not grow with the file."""
        files.append(self._path, f"{logfile.format_line(entry)}\n")

    def add_missing(self, entries: tuple[LogEntry, ...]) -> None:
        """Append, durably, those of `entries` that the file does not hold, each as often as it is lacking."""
        if not entries:
            return
        appended = self._read_on()  # which may find another file, and forget
        self._spare.update(appended)
        known, spare = self._known, self._spare.copy()
        if entries[: len(known)] != known:  # elements that are the same object are not compared
            known, spare = (), Counter(self._entries)
        lacking = []
        for entry in entries[len(known) :]:
            if spare[entry] > 0:
                spare[entry] -= 1
            else:
                lacking.append(entry)
        if lacking:
            files.append(self._path, "".join(f"{logfile.format_line(entry)}\n" for entry in lacking), durable=True)
            self._read_on()
        self._known, self._spare = entries, spare

    def _forget(self) -> None:
        self._inode = self._offset = 0
        self._last, self._entries, self._known, self._spare = logfile.EPOCH, (), (), Counter()

    def _read_on(self) -> list[LogEntry]:
        """Take in what was appended since the last time; return it."""
        try:
            file = self._path.open("rb")
        except FileNotFoundError:
            self._forget()
            return []
        with file, collector.at_rest():
            found = os.fstat(file.fileno())
            if found.st_ino != self._inode or found.st_size < self._offset:
                self._forget()
            file.seek(self._offset)
            data = file.read()
            self._inode, self._offset = found.st_ino, self._offset + len(data)
            fresh = logfile.parse(data.decode("utf-8", errors="replace"), self._last)
            if fresh:
                self._last = fresh[-1].timestamp
                self._entries = _in_order(self._entries, fresh)
        return fresh


def _in_order(before: tuple[LogEntry, ...], fresh: list[LogEntry]) -> tuple[LogEntry, ...]:
    added = sorted(fresh, key=_time)
    if before and added[0].timestamp < before[-1].timestamp:
        return tuple(sorted((*before, *added), key=_time))
    return (*before, *added)


def _time(entry: LogEntry) -> datetime:
    return entry.timestamp
