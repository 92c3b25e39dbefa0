"""Snapshots of the local target: dumps of real databases, in files of this home that outlive the database's machine.

A dump is read to its end before it counts, and is known again by its checksum. The server's users come along.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

from pydantic import Field, ValidationError

from autodeploy.errors import LocalTargetError
from autodeploy.local import mariadb, postgres
from autodeploy.local.containers import AGENT
from autodeploy.local.databases import KIND
from autodeploy.local.fleet import Fleet
from autodeploy.model import Noun


class Dump(Noun):
    """What is written beside a dump, last: where it stands, the dump is whole. `size` is in bytes.

    `users` are the server's, as SQL with what stands for their passwords.
    """

    engine: str
    database_name: str
    size: int
    sha256: str
    users: str = Field(default="", repr=False)


class DatabaseSnapshots:
    """The dumps of one home. They are no more secret than the databases' own files beside them: 0600."""

    def __init__(self, fleet: Callable[[], Fleet], folder: Path) -> None:
        self._fleet = fleet
        self._folder = folder

    def keep(self, name: str, database: str, engine: str, database_name: str) -> None:
        """Dump the database's data, and prove the dump readable; one of that name is replaced."""
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        part = self._folder / f"{name}.part"
        _open_private(part)
        server = _server(engine)
        self._exec(database, server.dump(database_name), into=part)
        self._exec(database, server.prove(database_name), source=part)
        told = Dump(
            engine=engine,
            database_name=database_name,
            size=part.stat().st_size,
            sha256=_sha256(part),
            users=self._fleet().engine.call("exec", self._container(database), "bash", "-c", server.USERS),
        )
        _to_disk(part)
        self._record(name).unlink(missing_ok=True)
        part.replace(self._data(name))
        _open_private(part)
        _to_disk(part, told.to_json())
        part.replace(self._record(name))

    def check(self, name: str, engine: str) -> None:
        """Raise LocalTargetError where the dump is missing, damaged, or of another engine."""
        told, data = self._told(name), self._data(name)
        if told is None or not data.is_file():
            raise _refusal(f"the data of the snapshot {name} is not there", "Take another one: autodeploy db backup")
        if _server(told.engine) is not _server(engine):
            raise _refusal(f"{name} is of {told.engine}, the database is {engine}", "Choose another snapshot.")
        if told.sha256 != _sha256(data):
            raise _refusal(f"the data of the snapshot {name} is damaged", "Take another one: autodeploy db backup")

    def restore(self, name: str, database: str, engine: str, database_name: str) -> None:
        """Make the database hold what the dump holds, and nothing else; users that the server has keep their rights."""
        self.check(name, engine)
        server, told = _server(engine), self._told(name)
        if told and told.users:
            users = self._folder / f"{name}.part"
            _open_private(users)
            users.write_text(told.users, "utf-8")
            self._exec(database, server.LOAD_USERS, source=users)
            users.unlink()
        self._exec(database, server.prove(database_name), source=self._data(name))
        self._exec(database, server.load(database_name), source=self._data(name))

    def delete(self, name: str) -> None:
        """Forget a dump; gone already counts as done."""
        for path in (self._record(name), self._data(name), self._folder / f"{name}.part"):
            path.unlink(missing_ok=True)

    def _exec(self, database: str, script: str, source: Path | None = None, into: Path | None = None) -> None:
        command = ("exec", "--interactive", self._container(database), "bash", "-c", script)
        self._fleet().engine.stream(*command, source=source, into=into)

    def _container(self, database: str) -> str:
        return self._fleet().container(KIND, database)

    def _told(self, name: str) -> Dump | None:
        try:
            return Dump.model_validate_json(self._record(name).read_text("utf-8"))
        except (OSError, ValidationError):
            return None

    def _data(self, name: str) -> Path:
        return self._folder / f"{name}.dump"

    def _record(self, name: str) -> Path:
        return self._folder / f"{name}.json"


def _server(engine: str) -> ModuleType:
    return postgres if engine == "postgres" else mariadb


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _open_private(path: Path) -> None:
    os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600))


def _to_disk(path: Path, text: str | None = None) -> None:
    with path.open("r+b") as file:
        if text is not None:
            file.truncate()
            file.write(text.encode())
            file.flush()
        os.fsync(file.fileno())


def _refusal(message: str, remediation: str) -> LocalTargetError:
    return LocalTargetError(message, remediation, agent=AGENT)
