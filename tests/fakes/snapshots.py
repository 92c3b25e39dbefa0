"""Snapshots of the world's databases."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timezone

from autodeploy.errors import InfrastructureError
from autodeploy.model import Snapshot
from autodeploy.ports import Say
from fakes.world import World


class FakeSnapshots:
    """A snapshot keeps a database's rows; one of a name that is there is not taken again."""

    def __init__(self, world: World) -> None:
        self._world = world

    def databases(self, deployment_id: str, named: str) -> Sequence[str]:
        return [name for name in self._world.databases if name == f"{deployment_id}-db"]

    def take(self, name: str, database: str, say: Say) -> Snapshot:
        self._world.happens("snapshot")
        if name not in self._world.snapshots:
            self._world.kept[name] = self._world.databases[database]
            number = len(self._world.snapshots)
            self._world.snapshots[name] = Snapshot(
                name=name,
                deployment_id=database.removesuffix("-db"),
                database=database,
                engine="postgres",
                engine_version="15",
                created_at=datetime(2026, 11, 25, 12, number, tzinfo=timezone.utc),
                size_gb=20,
                encrypted=True,
                status="available",
            )
        self._world.happens("after snapshot")
        return self._world.snapshots[name]

    def find(self, name: str) -> Snapshot | None:
        return self._world.snapshots.get(name)

    def of(self, deployment_id: str) -> Sequence[Snapshot]:
        own = [each for each in self._world.snapshots.values() if each.deployment_id == deployment_id]
        return sorted(own, key=lambda each: str(each.created_at), reverse=True)

    def restorable(self, name: str, database: str) -> Snapshot:
        if name not in self._world.kept:
            raise InfrastructureError(f"there is no snapshot {name}", "List them: autodeploy db backups")
        return self._world.snapshots[name]

    def delete(self, name: str) -> None:
        self._world.snapshots.pop(name, None)
        self._world.kept.pop(name, None)
