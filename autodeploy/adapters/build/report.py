"""The builder's lines come in, one by one; log, progress and the script's own words come out, bounded."""

from __future__ import annotations

import secrets
from collections import deque
from collections.abc import Callable

from autodeploy.model import Recipe
from autodeploy.ports import Say


class Report:
    """Listens to the container: the script's own lines begin with a mark that the build cannot know.

    Of what the steps say, `log_bytes` are logged and shown; what goes beyond that is counted in `left_out`.
    """

    def __init__(self, recipe: Recipe, say: Say, log: Callable[[str], object], log_bytes: int) -> None:
        self.mark = secrets.token_hex(16)
        self.lines: deque[str] = deque(maxlen=200)
        self.step = 0
        self.failed: tuple[int, int] | None = None
        self.missing = self.checksum = ""
        self.unpacked_bytes = self.left_out = 0
        self._steps = (*recipe.steps, *recipe.tests)
        self._room = log_bytes
        self._say = say
        self._log = log

    def hear(self, line: str) -> None:
        """Take one line of the container's output."""
        before, found, rest = line.partition(self.mark)
        if before.strip():
            self.lines.append(before)
            self._room -= len(before.encode("utf-8", "replace")) + 1
            if self._room >= 0:
                self._log(before + "\n")
                self._say(before)
            else:
                self.left_out += 1
        if found:
            self._told(rest.split())

    def _told(self, words: list[str]) -> None:
        what, values = words[0], words[1:]
        if what == "step":
            self.step = int(values[0])
            self._announce(self._steps[self.step - 1].what)
        elif what == "reused":
            self._announce("Dependencies are unchanged: using those installed before")
        elif what == "packing":
            self._announce("Packing the archive")
        elif what == "failed":
            self.failed = (int(values[0]), int(values[1]))
        elif what == "missing":
            self.missing = values[0]
        elif what == "archive":
            self.checksum = values[0]
            self.unpacked_bytes = int(values[2]) if values[2:] else 0
        elif what == "unsafe":
            self.lines.append("the way to the cloud's metadata address cannot be closed in the container")

    def _announce(self, line: str) -> None:
        self._log(f"== {line}\n")
        self._say(line)
