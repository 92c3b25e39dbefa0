"""The log of a deployment, as one process reads and writes it: nothing twice, nothing lost, nothing out of order."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest

from autodeploy.adapters.store.history import History
from autodeploy.model import LogEntry

NOW = datetime(2026, 11, 22, tzinfo=timezone.utc)


def entry(message: str, seconds: float = 0) -> LogEntry:
    return LogEntry(timestamp=NOW + timedelta(seconds=seconds), agent="HiveMind DevOps", level="INFO", message=message)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "logs.txt"


def messages(path: Path) -> list[str]:
    return [line.split("] ")[1] for line in path.read_text().splitlines()]


def test_what_was_appended_comes_back_with_its_ledger_and_is_not_written_again(path: Path) -> None:
    history = History(path)
    first, second, third = entry("1"), entry("2", 1), entry("3", 2)
    history.add_missing((first,))
    history.append(second)
    history.add_missing((first, second))
    history.append(third)
    history.add_missing((first, second, third))
    assert messages(path) == ["1", "2", "3"]
    assert history.entries() == (first, second, third)


def test_what_a_failed_stage_said_stays_and_is_found_again_later(path: Path) -> None:
    history = History(path)
    first, said, next_one = entry("1"), entry("said", 1), entry("2", 2)
    history.add_missing((first,))
    history.append(said)
    history.add_missing((first,))
    history.add_missing((first, next_one))
    history.add_missing((first, said, next_one))
    assert messages(path) == ["1", "said", "2"]
    assert history.entries() == (first, said, next_one)


def test_an_entry_that_is_said_twice_is_there_twice(path: Path) -> None:
    history = History(path)
    history.add_missing((entry("1"), entry("1")))
    history.add_missing((entry("1"), entry("1"), entry("1")))
    assert messages(path) == ["1", "1", "1"]


def test_what_another_process_appended_is_read_and_put_in_order(path: Path) -> None:
    history, other = History(path), History(path)
    history.add_missing((entry("late", 5),))
    assert len(history.entries()) == 1
    other.append(entry("early", 1))
    other.append(entry("later", 6))
    assert [found.message for found in history.entries()] == ["early", "late", "later"]


def test_a_file_that_was_replaced_or_cut_is_read_anew(path: Path) -> None:
    history = History(path)
    history.add_missing((entry("1"), entry("2", 1)))
    path.unlink()
    assert history.entries() == ()
    history.add_missing((entry("1"), entry("2", 1)))
    assert messages(path) == ["1", "2"]
    path.write_text(path.read_text().splitlines(True)[0])
    assert [found.message for found in history.entries()] == ["1"]


def test_a_torn_line_takes_the_time_of_the_one_before_it(path: Path) -> None:
    history = History(path)
    history.append(entry("1", 3))
    assert len(history.entries()) == 1
    with path.open("a") as file:
        file.write("2026-11-")
    assert [found.timestamp for found in history.entries()] == [entry("1", 3).timestamp] * 2
    history.append(entry("2", 4))
    assert [found.level for found in history.entries()] == ["INFO", "WARNING", "INFO"]
