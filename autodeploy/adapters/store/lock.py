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
