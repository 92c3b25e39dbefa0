"""Measured figures, shown when the tests are over: a limit that holds does not say by how much.

Limits of the processor's time are those of the machine that they were first kept on. A slower one is given the more
time, by how much longer it takes over the same piece of work; a quicker one is given no less.
"""

from __future__ import annotations

import gc
import json
import time
from collections.abc import Callable

import pytest

Figure = Callable[[str, float, float, str], None]
"""Takes what was measured, the figure, its limit and the unit of both; fails where the figure is over the limit."""

CPU = "s CPU"
"""The unit of the processor's time, whose limits go with the machine's pace."""

REFERENCE_SECONDS = 0.04
"""What the piece of work takes where the limits were set: 2 cores, CPython 3.11."""

_SHOWN = pytest.StashKey[list[str]]()


def pytest_configure(config: pytest.Config) -> None:
    config.stash[_SHOWN] = []


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    if config.stash[_SHOWN]:
        terminalreporter.section("measured")
        for line in config.stash[_SHOWN]:
            terminalreporter.write_line(line)


def work_seconds() -> float:
    """Return the processor's time of a fixed piece of work, as the measured code does it: text, tables, objects."""
    gc.disable()  # what else this process holds is not the machine's pace
    try:
        began = time.process_time()
        table = {f"p{n % 100}/d{n % 11}/f{n}": str(n).split("1") for n in range(20_000)}
        assert len(json.loads(json.dumps(sorted(table.items())))) == len(table)
        return time.process_time() - began
    finally:
        gc.enable()


def slowness() -> float:
    """Return how many times longer this machine takes than the one the limits were set on; never below 1."""
    return max(1.0, sorted(work_seconds() for _ in range(9))[4] / REFERENCE_SECONDS)


@pytest.fixture
def figure(request: pytest.FixtureRequest) -> Figure:
    def hold(what: str, found: float, limit: float, unit: str) -> None:
        slower = slowness() if unit == CPU else 1.0
        allowed = limit * slower
        pace = f" × {slower:.2f}, this machine's pace" if slower > 1 else ""
        request.config.stash[_SHOWN].append(f"{what:58}{found:>10.2f} {unit:6} limit {limit:g}{pace}")
        assert found <= allowed, f"{what}: {found:.2f} {unit}, over {allowed:.2f}"

    return hold
