"""The ledger stays quick when it has grown. Measured in a process of its own, so that no tracer slows it down."""

from __future__ import annotations

import subprocess
import sys
import textwrap
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest

from autodeploy.adapters.store import FileStore
from autodeploy.model import DeploymentState

NOW = datetime(2026, 11, 22, 23, 25, 9, 123456, tzinfo=timezone.utc)

pytestmark = pytest.mark.performance


@pytest.fixture
def store(tmp_path: Path) -> FileStore:
    store = FileStore(tmp_path)
    store.save(
        DeploymentState(
            deployment_id="a",
            status="pending",
            repo_url="https://example.org/guestbook.git",
            description="x" * 20_000,
            created_at=NOW,
            updated_at=NOW,
        )
    )
    return store


def cpu_seconds(home: Path, call: str) -> tuple[float, int]:
    program = f"""
        import sys, time
        from pathlib import Path
        from autodeploy.adapters.store import FileStore
        store = FileStore(Path(sys.argv[1]))
        began = time.process_time()
        found = {call}
        print(time.process_time() - began, len(found))
    """
    command = [sys.executable, "-c", textwrap.dedent(program), str(home)]
    seconds, count = subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()
    return float(seconds), int(count)


def test_a_log_of_100_000_lines_loads_within_a_second(store: FileStore) -> None:
    stamps = ((NOW + timedelta(seconds=n)).isoformat(timespec="microseconds") for n in range(100_000))
    lines = (f"{stamp} INFO [HiveMind SysEng] creating aws:ec2:Vpc number {stamp}\n" for stamp in stamps)
    (store.folder("a") / "logs.txt").write_text("".join(lines))
    seconds, count = cpu_seconds(store.home, "store.load('a').logs")
    assert count == 100_000
    assert seconds <= 1


def test_1_000_deployments_are_listed_within_a_second(store: FileStore) -> None:
    text = (store.folder("a") / "state.json").read_bytes()
    for number in range(999):
        (store.folder(f"copy-{number}") / "state.json").write_bytes(text)
    seconds, count = cpu_seconds(store.home, "list(store.list())")
    assert count == 1_000
    assert seconds <= 1
