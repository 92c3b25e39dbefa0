"""Measured figures, shown when the tests are over: a limit that holds does not say by how much."""

from __future__ import annotations

from collections.abc import Callable

import pytest

Figure = Callable[[str, float, float, str], None]
"""Takes what was measured, the figure, its limit and the unit of both; fails where the figure is over the limit."""

_SHOWN = pytest.StashKey[list[str]]()


def pytest_configure(config: pytest.Config) -> None:
    config.stash[_SHOWN] = []


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    if config.stash[_SHOWN]:
        terminalreporter.section("measured")
        for line in config.stash[_SHOWN]:
            terminalreporter.write_line(line)


@pytest.fixture
def figure(request: pytest.FixtureRequest) -> Figure:
    def hold(what: str, found: float, limit: float, unit: str) -> None:
        request.config.stash[_SHOWN].append(f"{what:58}{found:>10.2f} {unit:6} limit {limit:g}")
        assert found <= limit, f"{what}: {found:.2f} {unit}, over {limit:g}"

    return hold
