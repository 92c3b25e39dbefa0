"""Fixtures of all tests."""

from __future__ import annotations

import gc
import os
import random
import shutil
import signal
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

# How long an example takes is no property: the machine may have other things to do.
settings.register_profile("exploring", deadline=None, suppress_health_check=[HealthCheck.too_slow])
# What is drawn changes with the test: a change is judged by the same examples on every machine. `make test-properties`
# and `make test-nightly` draw others each time.
settings.register_profile("here", settings.get_profile("exploring"), derandomize=True)
settings.load_profile("here")


@pytest.fixture(scope="session")
def engine_binary() -> Path:
    """The real Pulumi engine: $AUTODEPLOY_ENGINE, else the one `make setup` built, else the one on PATH."""
    cache = Path(os.environ.get("AUTODEPLOY_CACHE", "~/.cache/autodeploy")).expanduser()
    on_path = shutil.which("pulumi")
    candidates = [
        os.environ.get("AUTODEPLOY_ENGINE"),
        cache / "engine" / "v3.250.0" / "bin" / "pulumi",
        on_path,
    ]
    for candidate in candidates:
        if candidate and Path(candidate).is_file():
            return Path(candidate)
    pytest.fail("there is no Pulumi engine to test with; build it: make setup")


SEED = "AUTODEPLOY_SEED"
MEMORY = "/dev/shm"
LONGEST = (
    *("test_stopping", "test_scenarios", "test_database", "test_interruptions", "test_deploy", "test_worker"),
    *("test_several_machines", "test_build_nodejs", "test_build", "test_engine_kills", "test_drift", "test_matrix"),
    *("test_build_walls", "test_host", "test_refusals", "test_mysql", "test_closed_machine", "test_local_machines"),
    *("test_plan_properties", "test_infrastructure_properties", "test_bad_days", "test_database_families"),
)
"""The files that take longest, in turn. Begun last, one of them alone would keep all waiting."""


def pytest_configure(config: pytest.Config) -> None:
    """Choose the seed of what is drawn by chance, and where tests write; the workers of a parallel run inherit both."""
    os.environ.setdefault(SEED, str(random.randrange(1_000_000)))
    if config.option.in_memory and _has_room(MEMORY):
        os.environ["TMPDIR"] = os.environ["PYTEST_DEBUG_TEMPROOT"] = MEMORY
    # Pulumi, moto and botocore fill a large heap that stays: looked through as often as usual, it costs a quarter.
    gc.set_threshold(50_000, 20, 20)
    # What runs in the background may be started deaf to Ctrl-C and hang-ups, and so would be all that tests start.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGHUP, signal.SIG_DFL)


def _has_room(folder: str) -> bool:
    """Tell whether tests can write and run programs there; what they write is some 200 MB."""
    if not os.access(folder, os.W_OK):
        return False
    found = os.statvfs(folder)
    return not found.f_flag & os.ST_NOEXEC and found.f_bavail * found.f_frsize > 2_000_000_000


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with what takes longest; `--no-loadscope-reorder` keeps the order for the workers of a parallel run."""
    items.sort(key=lambda item: LONGEST.index(item.path.stem) if item.path.stem in LONGEST else len(LONGEST))
    for item in items:
        if item.path.parent.name == "properties":
            # They repeat by the hundred what the others cover once, and twice as slowly where every line is counted.
            item.add_marker(pytest.mark.no_cover)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say how to draw the same samples again."""
    terminalreporter.write_line(f"samples were drawn with {SEED}={os.environ[SEED]}")


@pytest.fixture
def chance() -> random.Random:
    """What draws samples, begun anew for each test."""
    return random.Random(int(os.environ[SEED]))


def pytest_addoption(parser: pytest.Parser) -> None:
    """Let the scenarios run on a real account, nothing does by default; and spare tests that wait for the disk."""
    parser.addoption(
        "--aws-account", metavar="PROFILE", help="the AWS profile of a test account: what runs there costs money"
    )
    parser.addoption(
        "--in-memory",
        action="store_true",
        help="let tests write to memory where it has room: ledgers wait for the disk",
    )
