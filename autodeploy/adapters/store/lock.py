"""The lock of one deployment: flock on a file that says who holds it and why; a dead owner's lock is free."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import shlex
import socket
import sys
from collections.abc import Iterator
from datetime import datetime, timezone
from pathlib import Path

from autodeploy.errors import LockedError
from autodeploy.model import LockOwner


@contextlib.contextmanager
def held(path: Path, deployment_id: str, reason: str, wait: bool = False) -> Iterator[None]:
    """Hold the lock; raise LockedError naming the owner, unless told to wait.

    The file stays: unlinking it would let two in.
    """
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        except BlockingIOError as err:
            raise _locked(path, deployment_id, reason) from err
        os.ftruncate(descriptor, 0)
        os.write(descriptor, json.dumps(_owner(reason)).encode())
        try:
            yield
        finally:
            os.ftruncate(descriptor, 0)
    finally:
        os.close(descriptor)


def owner(path: Path) -> LockOwner | None:
    """Return who holds the lock now; None when nobody does."""
    try:
        descriptor = os.open(path, os.O_RDWR)
    except FileNotFoundError:
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return _signed(path)
    finally:
        os.close(descriptor)
    return None


def break_foreign(path: Path, deployment_id: str) -> LockOwner | None:
    """Take the lock from a process on another machine and return whose it was; raise LockedError for one that is here.

    A process of this machine needs no breaking: the system frees its lock when it ends, however it ends.
    """
    held_by = owner(path)
    if held_by is None:
        return None
    if held_by.lives is not None or not held_by.host:
        raise _locked(path, deployment_id, "unlock")
    path.unlink(missing_ok=True)  # whoever still holds the old file holds nothing that anybody asks for
    return held_by


def _signed(path: Path) -> LockOwner:
    try:
        told = json.loads(path.read_text("utf-8"))
        host, doing = str(told["host"]), f"{told['command']}: {told['reason']}"
        lives = True if host == socket.gethostname() else None
        return LockOwner(
            what="the deployment", pid=told["pid"], host=host, since=told["since"], doing=doing, lives=lives
        )
    except (OSError, ValueError, KeyError, TypeError):  # the owner has the lock, but has not signed yet
        return LockOwner(what="the deployment", lives=True)


def _owner(reason: str) -> dict[str, str | int]:
    return {
        "pid": os.getpid(),
        "host": socket.gethostname(),
        "command": shlex.join([Path(sys.argv[0]).name, *sys.argv[1:2]]),
        "since": datetime.now(timezone.utc).isoformat(timespec="seconds"),
        "reason": reason,
    }


def _locked(path: Path, deployment_id: str, reason: str) -> LockedError:
    try:
        owner = json.loads(path.read_text("utf-8"))
        who = f"process {owner['pid']} on {owner['host']} ({owner['command']}), since {owner['since']}"
        message = f"{deployment_id} is in use by {who}: {owner['reason']}"
        remediation = f"Wait until process {owner['pid']} has ended, then run the same command again."
    except (OSError, ValueError, KeyError, TypeError):  # the owner has the lock, but has not signed yet
        message = f"{deployment_id} is in use by another process"
        remediation = "Wait until it has ended, then run the same command again."
    return LockedError(message, remediation, recoverable=True, context=f"Locking {deployment_id}: {reason}")
