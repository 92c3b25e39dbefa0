"""Who holds a deployment, and whose lock a person may break."""

from __future__ import annotations

import fcntl
import json
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from autodeploy.adapters.store import FileStore
from autodeploy.errors import LockedError


@pytest.fixture
def store(tmp_path: Path) -> FileStore:
    return FileStore(tmp_path)


@contextmanager
def held_from(store: FileStore, host: str) -> Iterator[None]:
    """Hold the lock as a process of that machine would."""
    with (store.folder("a") / "lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        owner = {"pid": 7, "host": host, "command": "autodeploy deploy", "since": "2026-11-22", "reason": "deploy"}
        file.write(json.dumps(owner))
        file.flush()
        yield


def test_nobody_holds_what_was_never_locked_or_is_free_again(store: FileStore) -> None:
    assert store.owner("a") is None and store.unlock("a") is None
    with store.lock("a", "deploy"):
        pass
    assert store.owner("a") is None and store.unlock("a") is None


def test_the_owner_is_named_and_never_robbed_while_it_lives_here(store: FileStore) -> None:
    with store.lock("a", "deploying"):
        owner = store.owner("a")
        assert owner is not None and (owner.pid, owner.host, owner.lives) == (os.getpid(), socket.gethostname(), True)
        assert owner.doing.endswith(": deploying")
        with pytest.raises(LockedError, match=f"process {os.getpid()}"):
            store.unlock("a")
        assert store.owner("a") == owner


def test_one_that_has_not_signed_yet_lives(store: FileStore) -> None:
    with store.lock("a", "deploying"):
        (store.folder("a") / "lock").write_text("")
        owner = store.owner("a")
        assert owner is not None and owner.lives and str(owner) == "a process that did not sign"
        with pytest.raises(LockedError):
            store.unlock("a")


def test_another_machines_lock_can_be_broken(store: FileStore) -> None:
    with held_from(store, "elsewhere"):
        owner = store.owner("a")
        assert owner is not None and owner.lives is None
        assert str(owner) == "process 7 on elsewhere (autodeploy deploy: deploy), since 2026-11-22"
        with pytest.raises(LockedError), store.lock("a", "mine"):
            pass
        assert store.unlock("a") == owner
        with store.lock("a", "mine"):
            assert store.owner("a") is not None
