"""The ledger stays quick when it has grown. Measured in processes of their own, on ledgers as deployments leave them."""

from __future__ import annotations

import os
import resource
import statistics
import subprocess
import sys
import textwrap
import time
from datetime import timedelta
from pathlib import Path

import pytest
from fakes.line import Line
from performance.conftest import CPU, Figure

from autodeploy.adapters.store import logfile
from autodeploy.errors import DeploymentError
from autodeploy.model import DeploymentState, LogEntry

ROOT = Path(__file__).parents[2]
MANY_LINES = 100_000

pytestmark = pytest.mark.performance


@pytest.fixture
def line(tmp_path: Path) -> Line:
    return Line(tmp_path / "home")


def deployed(line: Line) -> DeploymentState:
    """Deploy, after two failures that left their output and tracebacks."""
    for _ in range(2):
        line.break_at("deploy", DeploymentError("it does not start", "Mend it.", output="a line of its log\n" * 100))
        line.deploy()
    return line.ledger(line.deploy())


def entries(state: DeploymentState, count: int) -> list[LogEntry]:
    last = state.logs[-1]
    return [
        last.model_copy(update={"timestamp": last.timestamp + timedelta(seconds=n), "message": f"creating Vpc {n}"})
        for n in range(1, count + 1)
    ]


def long_history(line: Line, state: DeploymentState) -> None:
    lines = [f"{logfile.format_line(entry)}\n" for entry in entries(state, MANY_LINES)]
    with (line.store.folder(state.deployment_id) / "logs.txt").open("a") as file:
        file.writelines(lines)


def command_seconds(home: Path, *arguments: str, times: int = 5) -> tuple[float, str]:
    """Return the processor's time of the whole command, from a cold process, and what it printed.

    It works alone and waits for nothing, so that this is the wall's time on a machine that does nothing else.
    """
    command = [sys.executable, "-m", "autodeploy", *arguments]
    environment = {**os.environ, "AUTODEPLOY_HOME": str(home), "PYTHONPATH": str(ROOT)}
    taken, shown = [], ""
    for _ in range(times):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        shown = subprocess.run(command, check=True, capture_output=True, text=True, env=environment, cwd=home).stdout
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        taken.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    return min(taken), shown


def test_1_000_deployments_are_listed_within_a_second(line: Line, figure: Figure) -> None:
    state = deployed(line)
    folder = line.store.folder(state.deployment_id)
    for number in range(999):
        name = f"shop-{number}"
        identifier = f"{name}-20261122-{number:06x}"
        copy = folder.with_name(identifier)
        copy.mkdir()
        text = (folder / "state.json").read_text().replace(state.deployment_id, identifier)
        (copy / "state.json").write_text(text.replace('"name": "guestbook"', f'"name": "{name}"'))
        (copy / "logs.txt").write_bytes((folder / "logs.txt").read_bytes())
    seconds, shown = command_seconds(line.home, "list")
    assert len(shown.splitlines()) == 1_000
    figure("list, 1,000 deployments, whole command", seconds, 1, CPU)
    seconds, shown = command_seconds(line.home, "status", "shop-500")
    assert "shop-500" in shown
    figure("status, one of 1,000 deployments, whole command", seconds, 1, CPU)


def test_a_log_of_100_000_lines_loads_within_a_second(line: Line, figure: Figure) -> None:
    state = deployed(line)
    long_history(line, state)
    program = """
        import sys, time
        from pathlib import Path
        from autodeploy.adapters.store import FileStore
        store = FileStore(Path(sys.argv[1]))
        began = time.process_time()
        found = store.load(sys.argv[2])
        print(time.process_time() - began, len(found.logs))
    """
    command = [sys.executable, "-c", textwrap.dedent(program), str(line.home), state.deployment_id]
    seconds, count = subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()
    assert int(count) == len(state.logs) + MANY_LINES
    figure("a ledger of 100,000 log lines, loaded", float(seconds), 1, CPU)
    seconds, shown = command_seconds(line.home, "status")
    assert "complete" in shown
    figure("status of a ledger of 100,000 log lines, whole command", seconds, 1, CPU)


def test_appending_takes_no_longer_at_the_end_of_a_long_log(line: Line, figure: Figure) -> None:
    state = deployed(line)
    taken = []
    for entry in entries(state, MANY_LINES):
        began = time.perf_counter()
        line.store.append_log(state.deployment_id, entry)
        taken.append(time.perf_counter() - began)
    first, last = statistics.median(taken[:1_000]), statistics.median(taken[-1_000:])
    figure("append to a log, the 100,000th line / the first", last / first, 2, "times")


def test_a_deployment_with_a_long_history_is_not_slowed_down_by_it(line: Line, figure: Figure) -> None:
    """Each stage writes the ledger several times, logs and all."""
    state = deployed(line)

    def seconds_of_an_update() -> float:
        line.world.commit = f"{int(line.world.commit, 16) + 1:040x}"
        began = time.process_time()
        assert line.deploy().status == "complete"
        return time.process_time() - began

    before = statistics.median(seconds_of_an_update() for _ in range(3))
    long_history(line, state)
    line.clock.sleep(2 * MANY_LINES)
    once_loaded = seconds_of_an_update()
    after = statistics.median(seconds_of_an_update() for _ in range(3))
    figure("an update's own work with 100,000 log lines, first", once_loaded - before, 2, CPU)
    figure("an update's own work with 100,000 log lines, later", after - before, 0.5, CPU)
