"""Whose lock goes, whose is waited for, whose is respected; with real processes behind the locks."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pytest

from autodeploy.adapters.pulumi import locks, processes
from autodeploy.errors import LockedError

HERE = socket.gethostname()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "locks"
    made.mkdir()
    return made


@pytest.fixture
def gone() -> int:
    process = subprocess.Popen(["true"])
    process.wait()
    return process.pid


@pytest.fixture
def living() -> Iterator[int]:
    with subprocess.Popen(["sleep", "60"]) as process:
        yield process.pid
        process.kill()


def now() -> str:
    return f"{datetime.now(timezone.utc):%Y-%m-%dT%H:%M:%S}.123456789Z"


def lock(folder: Path, pid: int, host: str = HERE, since: str | None = None) -> Path:
    path = folder / f"{pid}-{host}.json"
    owner = {"pid": pid, "hostname": host, "username": "u", "timestamp": since or now()}
    path.write_text(json.dumps(owner))
    return path


def clear(folder: Path, said: list[str] | None = None, **more: Any) -> None:
    locks.clear(folder, "x-1", (said if said is not None else []).append, **more)


def test_no_lock_is_free(folder: Path) -> None:
    clear(folder)
    clear(folder / "nowhere")


def test_a_dead_owners_lock_goes(folder: Path, gone: int) -> None:
    lock(folder, gone)
    said: list[str] = []
    clear(folder, said)
    assert list(folder.iterdir()) == [] and "its lock is removed" in said[0]


def test_a_process_that_nobody_has_reaped_is_dead(folder: Path) -> None:
    with subprocess.Popen(["true"]) as process:
        while processes.lives(process.pid):
            time.sleep(0.02)
        lock(folder, process.pid)
        clear(folder)
    assert list(folder.iterdir()) == []


def test_a_process_id_that_something_else_has_now_is_dead(folder: Path, living: int) -> None:
    lock(folder, living, since="2020-01-01T00:00:00.5+01:00")
    clear(folder)
    assert list(folder.iterdir()) == []


def test_a_living_owner_is_respected_and_named(folder: Path, living: int) -> None:
    path = lock(folder, living)
    with pytest.raises(LockedError, match=rf"process {living} on {HERE} \(sleep\), since 20") as caught:
        clear(folder)
    assert caught.value.exit_code == 75 and f"process {living} has ended" in caught.value.remediation
    assert path.exists()
    lock(folder, living, since="not a time")
    with pytest.raises(LockedError):
        clear(folder)


def test_another_machines_lock_is_left_to_a_person(folder: Path, gone: int) -> None:
    lock(folder, gone, "elsewhere")
    with pytest.raises(LockedError, match="elsewhere") as caught:
        clear(folder)
    assert caught.value.remediation.endswith("autodeploy unlock x-1 --force")
    broken = locks.break_all(folder, "x-1")
    assert [owner.host for owner in broken] == ["elsewhere"] and list(folder.iterdir()) == []


def test_an_orphaned_engine_is_waited_for(folder: Path, tmp_path: Path) -> None:
    script = tmp_path / "starter.py"
    script.write_text(
        "import os, subprocess, sys\n"
        f"env = {{**os.environ, {processes.STARTER!r}: str(os.getpid())}}\n"
        "quiet = {'stdout': subprocess.DEVNULL, 'stderr': subprocess.DEVNULL}\n"
        f"working = 'until [ -e {tmp_path}/go ]; do sleep 0.05; done'\n"
        "print(subprocess.Popen(['sh', '-c', working], env=env, start_new_session=True, **quiet).pid)\n"
    )

    def wait(seconds: float) -> None:
        (tmp_path / "go").touch()
        time.sleep(seconds)

    pid = int(subprocess.run([sys.executable, script], capture_output=True, text=True, check=True).stdout)
    lock(folder, pid)
    said: list[str] = []
    clear(folder, said, sleep=wait)
    assert said[0].startswith("waiting for the Pulumi engine of an earlier run") and "removed" in said[-1]
    assert not processes.lives(pid)


def test_an_orphan_is_not_waited_for_for_ever(folder: Path, monkeypatch: pytest.MonkeyPatch, living: int) -> None:
    monkeypatch.setattr(processes, "is_orphan", lambda pid: True)
    monkeypatch.setattr(locks, "PAUSE_SECONDS", locks.SAY_EVERY_SECONDS)
    lock(folder, living)
    said: list[str] = []
    waits: list[float] = []
    with pytest.raises(LockedError):
        clear(folder, said, sleep=waits.append)
    assert sum(waits) == locks.ORPHAN_SECONDS
    assert len(said) == locks.ORPHAN_SECONDS // locks.SAY_EVERY_SECONDS


def test_a_lock_that_was_half_written_is_removed_once_it_is_old(folder: Path) -> None:
    fresh = folder / "a.json.18c2.tmp"
    fresh.write_text("")
    (folder / "b.json.attrs").write_text("{}")

    def sleep(seconds: float) -> None:
        os.utime(fresh, (time.time() - locks.HALF_WRITTEN_SECONDS - 1,) * 2)

    clear(folder, sleep=sleep)
    assert [path.name for path in folder.iterdir()] == ["b.json.attrs"]


def test_force_takes_a_foreign_process_id_but_never_a_living_engine(folder: Path, living: int, tmp_path: Path) -> None:
    lock(folder, living)
    assert [owner.pid for owner in locks.break_all(folder, "x-1")] == [living]
    engine = tmp_path / "pulumi"
    engine.symlink_to("/bin/sleep")
    with subprocess.Popen([str(engine), "60"]) as process:
        path = lock(folder, process.pid)
        with pytest.raises(LockedError, match=f"process {process.pid}"):
            locks.break_all(folder, "x-1")
        assert path.exists()
        process.kill()


def test_a_system_that_cannot_be_asked_says_alive(monkeypatch: pytest.MonkeyPatch, living: int) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    assert processes.lives(living, datetime.now(timezone.utc)) and not processes.is_orphan(living)
    assert processes.command(living) == ""
