"""Effects: what a run does to the world, each with a name of its own, and the point at which the run is struck.

A name is stable from run to run: the port, what it was asked to do, and the how-manieth time it was ("store.save#3").
"""

from __future__ import annotations

import os
import signal
import threading
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

Namer = Callable[..., str]


class Point(NamedTuple):
    """Where a run is struck, and by what: "KILL before store.save#3"."""

    strike: str
    moment: str
    effect: str

    def __str__(self) -> str:
        return " ".join(self)

    def fits(self, moment: str, effect: str) -> bool:
        """Say whether this is the moment."""
        return (self.moment, self.effect) == (moment, effect)

    @classmethod
    def parse(cls, text: str) -> Point:
        """Read what `str` wrote."""
        strike, moment, effect = text.split(" ", 2)
        return cls(strike, moment, effect)


class Unseen:
    """The first effect of a kind that is not in the file `seen`, before it happens; from then on it is."""

    def __init__(self, strike: str, seen: Path) -> None:
        self.strike = strike
        self._seen = seen

    def fits(self, moment: str, effect: str) -> bool:
        """Say whether nothing was struck at this kind of effect before."""
        kind = effect.rpartition("#")[0]
        known = self._seen.read_text().splitlines() if self._seen.exists() else []
        if moment != "before" or kind in known:
            return False
        self._seen.write_text("".join(f"{line}\n" for line in (*known, kind)))
        return True


class Effects:
    """Counts effects, writes each moment to `trace` at once, and calls `strike` when it comes to `point`."""

    def __init__(self, trace: Path | None, point: Point | Unseen | None, strike: Callable[[Any], None]) -> None:
        self._trace = os.open(trace, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600) if trace else None
        self._point = point
        self._strike = strike
        self._seen: Counter[str] = Counter()
        self._turn = threading.Lock()

    def around(self, name: str, action: Callable[[], Any]) -> Any:
        """Let an effect happen between its two moments."""
        with self._turn:
            self._seen[name] += 1
            effect = f"{name}#{self._seen[name]}"
        self._moment("before", effect)
        result = action()
        self._moment("after", effect)
        return result

    def said(self, name: str) -> None:
        """Note that something has begun of which only a message is heard."""
        self.around(name, lambda: None)

    def _moment(self, moment: str, effect: str) -> None:
        if self._trace is not None:
            os.write(self._trace, f"{moment} {effect}\n".encode())
        if self._point and self._point.fits(moment, effect):
            self._strike(self._point)


def strike(point: Point | Unseen) -> None:
    """End this process as kill -9 does, or send what a terminal sends to all of its processes on Ctrl-C."""
    if point.strike == "KILL":
        os.kill(os.getpid(), signal.SIGKILL)
    os.killpg(os.getpgrp(), signal.SIGINT)


class Counted:
    """A port, with the methods in `names` counted as effects; each maps to a name, or to what makes one of its arguments."""

    def __init__(self, port: Any, prefix: str, names: Mapping[str, Namer | None], effects: Effects) -> None:
        self._port = port
        self._prefix = prefix
        self._names = names
        self._effects = effects

    def __getattr__(self, method: str) -> Any:
        found = getattr(self._port, method)
        if method not in self._names:
            return found
        namer = self._names[method]

        def counted(*args: Any, **kwargs: Any) -> Any:
            suffix = f" {namer(*args, **kwargs)}" if namer else ""
            return self._effects.around(f"{self._prefix}.{method}{suffix}", lambda: found(*args, **kwargs))

        return counted
