"""A data plane that only remembers: no machine boots, no port opens."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Sequence
from datetime import datetime, timezone

from autodeploy.adapters.tls import issue, make_authority
from autodeploy.local.dataplane import DatabaseOrder, Listener, MachineOrder


class FakePlane:
    """Remembers what it was asked. `failure` is raised by the next boot; `gate` holds boots back until it is set."""

    def __init__(self) -> None:
        self.machines: dict[str, MachineOrder] = {}
        self.databases: dict[str, DatabaseOrder] = {}
        self.served: dict[str, tuple[Listener, ...]] = {}
        self.removed_networks: list[str] = []
        self.failure: Exception | None = None
        self.gate: threading.Event | None = None
        self.begun = threading.Event()
        self.authority = make_authority("public", datetime.now(timezone.utc))

    async def run_instance(self, order: MachineOrder) -> str:
        await self._boot()
        self.machines[order.instance_id] = order
        return f"10.88.0.{len(self.machines) + 1}"

    async def terminate_instance(self, instance_id: str) -> None:
        self.machines.pop(instance_id, None)

    async def run_database(self, order: DatabaseOrder) -> tuple[str, int]:
        await self._boot()
        self.databases[order.identifier] = order
        return f"10.88.1.{len(self.databases) + 1}", 5432 if order.engine == "postgres" else 3306

    async def delete_database(self, identifier: str) -> None:
        self.databases.pop(identifier, None)

    async def remove_network(self, network: str) -> None:
        self.removed_networks.append(network)

    async def balancer_name(self, arn: str) -> str:
        return "localhost:8443"

    async def serve(self, arn: str, listeners: Sequence[Listener]) -> None:
        if listeners:
            self.served[arn] = tuple(listeners)
        else:
            self.served.pop(arn, None)

    async def issue(self, domain: str) -> tuple[str, str]:
        return issue(self.authority, [domain], datetime.now(timezone.utc))

    async def health(self, group_arn: str) -> dict[str, str]:
        return {}

    async def _boot(self) -> None:
        self.begun.set()
        if self.failure is not None:
            raise self.failure
        while self.gate is not None and not self.gate.is_set():
            await asyncio.sleep(0.01)
