"""The locks of Pulumi's file backend: a stack's folder of locks goes in, free or LockedError comes out.

A dead owner's lock is removed, an orphaned engine is waited for, a live owner's lock is respected.
"""

from __future__ import annotations

import json
import re
import socket
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from autodeploy.adapters.pulumi import processes
from autodeploy.errors import LockedError
from autodeploy.model import LockOwner
from autodeploy.ports import Say

ORPHAN_SECONDS = 900.0
"""How long an engine may take to finish what it began: a database takes some ten minutes."""
HALF_WRITTEN_SECONDS = 10.0
SAY_EVERY_SECONDS = 15.0
PAUSE_SECONDS = 0.5
AGENT = "HiveMind SysEng"
MOMENT = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.\d+)?(Z|[+-]\d\d:\d\d)")


class Held(NamedTuple):
    """One lock file and its owner."""

    path: Path
    owner: LockOwner


def held(folder: Path) -> list[Held]:
    """Return the locks of a stack, as https://github.com/pulumi/pulumi, pkg/backend/diy/lock.go writes them."""
    # What a write that was cut short left (*.tmp) counts for the engine as a lock too.
    return [Held(path, _owner(path)) for path in sorted(folder.glob("*")) if not path.name.endswith(".attrs")]


def clear(folder: Path, deployment_id: str, say: Say, sleep: Callable[[float], None] = time.sleep) -> None:
    """Return when the stack is free: dead owners' locks removed, an orphan waited for; raise LockedError."""
    waited = 0.0
    spoken = -SAY_EVERY_SECONDS
    while True:
        left = [lock for lock in held(folder) if not _removed(lock, say)]
        if not left:
            return
        owner = left[0].owner
        patience = _patience(owner)
        if waited >= patience:
            raise refused(deployment_id, owner)
        if waited - spoken >= SAY_EVERY_SECONDS:
            spoken = waited
            say(f"waiting for the Pulumi engine of an earlier run to finish what it began: {owner}")
        sleep(PAUSE_SECONDS)
        waited += PAUSE_SECONDS


def break_all(folder: Path, deployment_id: str) -> list[LockOwner]:
    """Remove all locks but a live engine's; return whose they were; raise LockedError for a live engine's."""
    broken = []
    for path, owner in held(folder):
        if owner.lives and owner.pid and "pulumi" in processes.command(owner.pid):
            raise refused(deployment_id, owner)
        path.unlink(missing_ok=True)
        broken.append(owner)
    return broken


def refused(deployment_id: str, owner: LockOwner) -> LockedError:
    """Return the error that names the owner."""
    elsewhere = owner.lives is None or owner.pid is None
    return LockedError(
        f"the stack of {deployment_id} is in use by {owner}",
        f"When that process is known to be gone: autodeploy unlock {deployment_id} --force"
        if elsewhere
        else f"Wait until process {owner.pid} has ended, or end it; then run the same command again.",
        recoverable=True,
        agent=AGENT,
        context=f"Locking the stack of {deployment_id}",
    )


def _owner(path: Path) -> LockOwner:
    try:
        told = json.loads(path.read_text("utf-8"))
        pid, host, since = int(told["pid"]), str(told["hostname"]), str(told.get("timestamp", ""))
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return LockOwner(what="the stack", lives=_age(path) < HALF_WRITTEN_SECONDS)
    alive = processes.lives(pid, _moment(since)) if host == socket.gethostname() else None
    doing = processes.command(pid) if alive else ""
    return LockOwner(what="the stack", pid=pid, host=host, since=since[:19], doing=doing, lives=alive)


def _removed(lock: Held, say: Say) -> bool:
    if lock.owner.lives is not False:
        return False
    lock.path.unlink(missing_ok=True)
    say("an earlier run of the Pulumi engine was killed on this machine; its lock is removed")
    return True


def _patience(owner: LockOwner) -> float:
    if owner.pid is None:
        return HALF_WRITTEN_SECONDS * 2
    return ORPHAN_SECONDS if owner.lives and processes.is_orphan(owner.pid) else 0.0


def _age(path: Path) -> float:
    with suppress(OSError):
        return time.time() - path.stat().st_mtime
    return HALF_WRITTEN_SECONDS


def _moment(text: str) -> datetime | None:
    # Go writes nanoseconds and a Z; Python 3.10 reads neither.
    parts = MOMENT.fullmatch(text)
    return datetime.fromisoformat(parts[1] + parts[2].replace("Z", "+00:00")) if parts else None
