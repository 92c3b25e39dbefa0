"""The data plane of one home: machines, databases and balancers behind the protocol that the provider knows."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from pathlib import Path

from autodeploy.local.authority import public_certificate
from autodeploy.local.balancer import Balancers
from autodeploy.local.containers import ContainerEngine
from autodeploy.local.databases import Databases
from autodeploy.local.dataplane import DatabaseOrder, Listener, MachineOrder
from autodeploy.local.fleet import Fleet
from autodeploy.local.machines import Machines
from autodeploy.local.records import Records
from autodeploy.local.snapshots import DatabaseSnapshots

LOG = logging.getLogger("autodeploy.local")


class LocalDataPlane:
    """Fulfils the DataPlane protocol with containers and a proxy in this process."""

    def __init__(self, engine: ContainerEngine, home: Path, epoch: str) -> None:
        self.fleet = Fleet(engine, home, epoch)
        self.balancers = Balancers(home / "local")
        self._machines = Machines(self.fleet, LOG.info)
        self._databases = Databases(self.fleet, LOG.info)
        self._snapshots = DatabaseSnapshots(lambda: self.fleet, Records(home).snapshots)

    async def run_instance(self, order: MachineOrder) -> str:
        """Boot a machine, return its IP address when sshd answers."""
        LOG.info("boot machine %s of %s", order.instance_id, order.deployment_id)
        return await self._machines.run(order)

    async def terminate_instance(self, instance_id: str) -> None:
        """Remove the machine; not there counts as done."""
        LOG.info("remove machine %s", instance_id)
        await self._machines.terminate(instance_id)

    async def run_database(self, order: DatabaseOrder) -> tuple[str, int]:
        """Boot a database machine with TLS, return address and port when it accepts connections."""
        LOG.info("boot database %s of %s", order.identifier, order.deployment_id)
        found = await self._databases.run(order)
        if order.snapshot and not await self._databases.is_filled(order.identifier):
            LOG.info("fill database %s from the snapshot %s", order.identifier, order.snapshot)
            filling = (order.snapshot, order.identifier, order.engine, order.database_name)
            await asyncio.to_thread(self._snapshots.restore, *filling)
            await self._databases.run(order)  # the master came along with the password of then
            await self._databases.mark_filled(order.identifier)
        return found

    async def delete_database(self, identifier: str) -> None:
        """Remove the database machine; not there counts as done."""
        LOG.info("remove database %s", identifier)
        await self._databases.delete(identifier)

    async def remove_network(self, network: str) -> None:
        """Remove the VPC's network; not there counts as done."""
        await self.fleet.remove_network(network)

    async def balancer_name(self, arn: str) -> str:
        """Return the stable public name of a balancer, `localhost:<https port>`."""
        return self.balancers.name(arn)

    async def serve(self, arn: str, listeners: Sequence[Listener]) -> None:
        """Make the balancer serve exactly these listeners; () removes it."""
        LOG.info("serve balancer %s with %d listeners", arn, len(listeners))
        await self.balancers.serve(arn, listeners)

    async def issue(self, domain: str) -> tuple[str, str]:
        """Return certificate and key, PEM, of a domain, signed by the local authority."""
        LOG.info("issue a certificate for %s", domain)
        return await asyncio.to_thread(public_certificate, self.fleet.home / "local", domain)

    async def health(self, group_arn: str) -> dict[str, str]:
        """Return each target's address with its health."""
        return self.balancers.health(group_arn)

    async def stop(self) -> None:
        """Close the balancers' ports; machines keep running."""
        await self.balancers.stop()
