"""The ledger on disk: round trips, privacy, locks, damage, and what happens when the disk will not."""

from __future__ import annotations

import errno
import os
import signal
import stat
import subprocess
import sys
import textwrap
import time
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest

from autodeploy.adapters.store import FileStore, files
from autodeploy.errors import LockedError, StateError
from autodeploy.model import DeploymentState, LogEntry

NOW = datetime(2026, 11, 22, 23, 25, 9, 123456, tzinfo=timezone.utc)


def entry(message: str, seconds: float = 0, agent: str = "HiveMind DevOps") -> LogEntry:
    return LogEntry(timestamp=NOW + timedelta(seconds=seconds), agent=agent, level="INFO", message=message)


def ledger(deployment_id: str = "guestbook-20261122-7f3a9c", **fields: object) -> DeploymentState:
    return DeploymentState.model_validate(
        {
            "deployment_id": deployment_id,
            "status": "pending",
            "repo_url": "https://example.org/guestbook.git",
            "description": "a guestbook",
            "created_at": NOW,
            "updated_at": NOW,
            **fields,
        }
    )


@pytest.fixture
def store(tmp_path: Path) -> FileStore:
    return FileStore(tmp_path / "home")


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


class TestRoundTrip:
    def test_of_a_ledger_with_logs(self, store: FileStore) -> None:
        state = ledger(logs=(entry("analysing"), entry("found\nFlask \\n [x]", 1)))
        store.save(state)
        assert store.load(state.deployment_id) == state

    def test_saving_again_neither_doubles_nor_loses_log_entries(self, store: FileStore) -> None:
        first, second = entry("one"), entry("two", 1)
        store.append_log("a", first)
        store.save(ledger("a", logs=(first, second, second)))
        store.save(ledger("a", logs=(first, second, second)))
        store.save(ledger("a"))
        assert store.load("a").logs == (first, second, second)

    def test_logs_are_lines_for_people(self, store: FileStore) -> None:
        store.append_log("a", entry("first\nsecond"))
        assert (store.folder("a") / "logs.txt").read_text() == (
            "2026-11-22T23:25:09.123456+00:00 INFO [HiveMind DevOps] first\\nsecond\n"
        )

    def test_the_ledger_holds_no_logs(self, store: FileStore) -> None:
        store.save(ledger("a", logs=(entry("only in logs.txt"),)))
        assert "only in logs.txt" not in (store.folder("a") / "state.json").read_text()

    def test_logs_come_back_in_order_of_time(self, store: FileStore) -> None:
        store.save(ledger("a"))
        for seconds in (5, 1, 3):
            store.append_log("a", entry(str(seconds), seconds))
        assert [log.message for log in store.load("a").logs] == ["1", "3", "5"]

    def test_list_is_newest_first_and_without_logs(self, store: FileStore) -> None:
        assert list(store.list()) == []
        store.save(ledger("old", logs=(entry("x"),)))
        store.save(ledger("new", created_at=NOW + timedelta(days=1)))
        assert [state.deployment_id for state in store.list()] == ["new", "old"]
        assert all(state.logs == () for state in store.list())

    def test_secrets(self, store: FileStore) -> None:
        assert store.secrets("a") == {}
        store.save_secrets("a", {"DATABASE_URL": "postgres://ü"})
        assert store.secrets("a") == {"DATABASE_URL": "postgres://ü"}
        store.save_secrets("a", {})
        assert store.secrets("a") == {}
        assert not (store.folder("a") / "secrets.json").exists()


class TestPrivacy:
    def test_folders_are_0700_and_files_0600(self, store: FileStore) -> None:
        before = os.umask(0)
        try:
            store.save(ledger("a", logs=(entry("x"),)))
            store.save(ledger("a", status="failed"))
            store.save_secrets("a", {"k": "v"})
            with store.lock("a", "testing"):
                pass
        finally:
            os.umask(before)
        folder = store.folder("a")
        assert {mode(path) for path in (store.home, folder.parent, folder, folder / "artifacts")} == {0o700}
        written = {path.name: mode(path) for path in folder.iterdir() if path.is_file()}
        assert written == dict.fromkeys(
            ("state.json", "state.previous.json", "logs.txt", "secrets.json", "lock"), 0o600
        )

    @pytest.mark.parametrize("bad", ["", ".", "..", "../a", "a/b", "/etc", "A", "-a", "a\n", "a\0", "ü", "a" * 64])
    def test_an_id_never_leaves_the_folder(self, store: FileStore, bad: str) -> None:
        for call in (store.load, store.folder, store.secrets):
            with pytest.raises(StateError, match="is not a deployment's id"):
                call(bad)
        with pytest.raises(StateError, match="is not a deployment's id"):
            store.save(ledger(bad))
        with pytest.raises(StateError, match="is not a deployment's id"), store.lock(bad, "x"):
            pass
        assert not store.home.exists()


class TestDamage:
    def test_an_unknown_id_names_the_near_ones(self, store: FileStore) -> None:
        for known in ("guestbook-20261122-7f3a9c", "wiki-20261120-000000"):
            store.save(ledger(known))
        with pytest.raises(StateError) as caught:
            store.load("guestbook")
        assert "guestbook-20261122-7f3a9c" in caught.value.remediation
        assert "wiki" not in caught.value.remediation
        with pytest.raises(StateError) as caught:
            store.load("guestbook-20261122-7f3a9d")
        assert "guestbook-20261122-7f3a9c" in caught.value.remediation
        assert caught.value.exit_code == 12

    def test_a_locked_folder_without_a_ledger_is_no_deployment(self, store: FileStore) -> None:
        with store.lock("a", "deploying"):
            assert list(store.list()) == []
            with pytest.raises(StateError, match="no deployment 'a'"):
                store.load("a")

    @pytest.mark.parametrize("text", ["", "{", "[]", '{"deployment_id": "a"}', "\udcff"])
    def test_a_damaged_ledger_is_left_as_it_is(self, store: FileStore, text: str) -> None:
        store.save(ledger("a"))
        store.save(ledger("a", status="complete"))
        store.save(ledger("b"))
        path = store.folder("a") / "state.json"
        path.unlink()
        path.write_text(text, errors="surrogateescape")
        with pytest.raises(StateError, match="is damaged") as caught:
            store.load("a")
        assert f"cp {path.with_name('state.previous.json')} {path}" in caught.value.remediation
        assert path.read_text(errors="surrogateescape") == text
        assert [state.deployment_id for state in store.list()] == ["b"]
        assert store.survey()[1] == ["a"]
        path.write_bytes(path.with_name("state.previous.json").read_bytes())
        assert store.load("a").status == "pending"

    def test_a_first_ledger_has_none_before_it(self, store: FileStore) -> None:
        (store.folder("a") / "state.json").write_text("{")
        with pytest.raises(StateError) as caught:
            store.load("a")
        assert "cp " not in caught.value.remediation

    @pytest.mark.parametrize("text", ["{", "[]", '"hunter2'])
    def test_damaged_secrets_are_not_repeated(self, store: FileStore, text: str) -> None:
        (store.folder("a") / "secrets.json").write_text(text)
        with pytest.raises(StateError, match="is damaged") as caught:
            store.secrets("a")
        assert "hunter2" not in str(caught.value)

    def test_a_torn_line_stays_alone_and_is_shown_once(self, store: FileStore) -> None:
        store.save(ledger("a", logs=(entry("whole"),)))
        with (store.folder("a") / "logs.txt").open("a") as file:
            file.write("2026-11-22T23:25")
        store.append_log("a", entry("after", 1))
        for _ in range(3):
            logs = store.load("a").logs
            assert [log.message for log in logs] == ["whole", "unreadable line in logs.txt: 2026-11-22T23:25", "after"]
            assert logs[1].level == "WARNING"
            store.save(store.load("a").but(status="analyzing", logs=logs))

    def test_a_log_that_begins_with_rubbish(self, store: FileStore) -> None:
        store.save(ledger("a"))
        (store.folder("a") / "logs.txt").write_bytes(b"\xff\xfe\nnever INFO [x] y\n")
        assert [log.level for log in store.load("a").logs] == ["WARNING", "WARNING"]


class TestDisk:
    def test_a_home_that_cannot_be_made(self, tmp_path: Path) -> None:
        (tmp_path / "file").write_text("")
        store = FileStore(tmp_path / "file" / "home")
        with pytest.raises(StateError, match="a part of the path is a file") as caught:
            store.save(ledger("a"))
        assert "AUTODEPLOY_HOME" in caught.value.remediation

    def test_a_home_of_the_kernel(self) -> None:
        with pytest.raises(StateError, match="the home cannot be used at"):
            FileStore(Path("/proc/autodeploy")).save(ledger("a"))

    @pytest.mark.parametrize(
        ("number", "reason", "remedy"),
        [
            (errno.ENOSPC, "the disk is full", "Free some space"),
            (errno.EDQUOT, "quota", "Free some space"),
            (errno.EROFS, "read-only", "AUTODEPLOY_HOME"),
            (errno.EACCES, "permission is denied", "AUTODEPLOY_HOME"),
            (errno.EIO, "Input/output error", "AUTODEPLOY_HOME"),
        ],
    )
    def test_says_what_the_system_said(self, number: int, reason: str, remedy: str) -> None:
        with pytest.raises(StateError, match=reason) as caught, files.translated(Path("/x"), "Saving"):
            raise OSError(number, os.strerror(number), "/x/y")
        assert remedy in caught.value.remediation
        assert caught.value.context == "Saving"

    def test_a_write_that_fails_leaves_the_old_file_and_no_other(self, tmp_path: Path) -> None:
        path = tmp_path / "state.json"
        files.write(path, "old")
        with pytest.raises(UnicodeEncodeError):
            files.write(path, "new \udcff")
        assert path.read_text() == "old"
        assert list(tmp_path.iterdir()) == [path]

    def test_kill_9_while_saving_leaves_a_whole_ledger(self, store: FileStore) -> None:
        store.save(ledger("a"))
        program = """
            import sys
            from pathlib import Path
            from autodeploy.adapters.store import FileStore
            store = FileStore(Path(sys.argv[1]))
            state = store.load("a")
            print("ready", flush=True)
            while True:
                store.save(state.but(description="x" * 500_000))
        """
        for pause in (0.05, 0.11, 0.17):
            process = _python(program, str(store.home))
            time.sleep(pause)
            process.kill()
            process.communicate()
            assert store.load("a").repo_url == "https://example.org/guestbook.git"


def _python(program: str, *arguments: str) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(program), *arguments], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    return process


class TestLock:
    HOLDER = """
        import sys, time
        from pathlib import Path
        from autodeploy.adapters.store import FileStore
        with FileStore(Path(sys.argv[1])).lock("a", "deploying release 7"):
            print("ready", flush=True)
            time.sleep(60)
    """

    def test_of_another_process_names_it_and_dies_with_it(self, store: FileStore) -> None:
        process = _python(self.HOLDER, str(store.home))
        with pytest.raises(LockedError) as caught, store.lock("a", "destroying"):
            pass
        assert f"process {process.pid}" in caught.value.message
        assert "deploying release 7" in caught.value.message
        assert caught.value.exit_code == 75
        assert caught.value.recoverable
        process.send_signal(signal.SIGKILL)
        process.communicate()
        with store.lock("a", "destroying"):
            pass

    def test_excludes_the_same_process_too_and_not_another_deployment(self, store: FileStore) -> None:
        with store.lock("a", "one"), store.lock("b", "two"):  # noqa: SIM117
            with pytest.raises(LockedError, match="one"), store.lock("a", "three"):
                pass
        with store.lock("a", "three"):
            pass

    def test_of_an_owner_that_has_not_signed_yet(self, store: FileStore) -> None:
        with store.lock("a", "one"):
            (store.folder("a") / "lock").write_text("")
            with pytest.raises(LockedError, match="another process"), store.lock("a", "two"):
                pass

    def test_is_free_again_after_an_error_and_lets_it_through(self, store: FileStore) -> None:
        with pytest.raises(OSError, match="of the work"), store.lock("a", "one"):
            raise OSError("of the work")
        with store.lock("a", "two"):
            pass
