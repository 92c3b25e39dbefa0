"""unlock: who holds what is said; only what cannot be seen to live is broken, and only when told so."""

from __future__ import annotations

import fcntl
import json
import os
import socket
from pathlib import Path

from autodeploy.model import LockOwner
from tests.unit.cli.conftest import Desk


def foreign(pid: int = 7) -> LockOwner:
    return LockOwner(what="the stack", pid=pid, host="elsewhere", since="2026-11-22T10:00:00")


def test_a_free_deployment_says_so(desk: Desk) -> None:
    identifier = desk.deploy().deployment_id
    done = desk.type("unlock")
    assert (done.code, done.out.strip()) == (0, f"{identifier} is free: nobody holds it.")
    assert desk.type("unlock", "--json").json == []


def test_without_force_it_only_says_who(desk: Desk) -> None:
    identifier = desk.deploy().deployment_id
    desk.line.world.locks[identifier] = [foreign()]
    done = desk.type("unlock", identifier)
    assert done.code == 75
    assert "the stack" in done.out and "process 7 on elsewhere, since 2026-11-22T10:00:00" in done.out
    assert "cannot be seen from here" in done.out
    assert f"autodeploy unlock {identifier} --force" in done.err
    assert desk.type("unlock", "--json").json[0]["host"] == "elsewhere"
    assert desk.line.world.locks[identifier]


def test_force_breaks_what_only_a_person_can_know_to_be_dead(desk: Desk) -> None:
    identifier = desk.deploy().deployment_id
    desk.line.world.locks[identifier] = [foreign()]
    lock = Path(desk.line.store.folder(identifier)) / "lock"
    with lock.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        owner = {"pid": 8, "host": "elsewhere", "command": "autodeploy", "since": "2026-11-22", "reason": "deploy"}
        file.write(json.dumps(owner))
        file.flush()
        done = desk.type("unlock", "--force")
    assert done.code == 0
    assert "was held by process 8 on elsewhere" in done.out and "was held by process 7" in done.out
    assert not desk.line.world.locks[identifier] and not lock.exists()


def test_force_never_robs_a_living_owner(desk: Desk) -> None:
    identifier = desk.deploy().deployment_id
    desk.line.world.locks[identifier] = [foreign()]
    with desk.line.store.lock(identifier, "deploy"):
        done = desk.type("unlock", "--force")
    assert done.code == 75
    assert f"process {os.getpid()} on {socket.gethostname()}" in done.err
    assert desk.line.world.locks[identifier]
