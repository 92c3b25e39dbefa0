"""One machine of the local target with its key and the way in: what stands below every test of a host."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from autodeploy.adapters.keys import generate
from autodeploy.adapters.ssh import SshHost, Way, connect
from autodeploy.local.containers import container_engine
from autodeploy.local.dataplane import MachineOrder
from autodeploy.local.local_dataplane import LocalDataPlane
from autodeploy.model import HostFacts, Plan
from autodeploy.releaser import HOST_FACTS_SCRIPT, host_facts


class Machine:
    """`name` is the instance's, its deployment's and, after `vpc-`, its network's; a `plan` says what it boots with."""

    def __init__(self, folder: Path, name: str, image: str = "debian-12", plan: Plan | None = None) -> None:
        self.folder = folder
        private, public = generate()
        self.key = folder / "key"
        self.key.touch(0o600)
        self.key.write_text(private)
        infra = plan and plan.infra
        self.order = MachineOrder(
            instance_id=name,
            deployment_id=name,
            network=f"vpc-{name}",
            image=image,
            public_key=public,
            user_data=infra.user_data.replace(infra.ssh_public_key.strip(), public.strip()) if infra else "",
        )

    @property
    def plane(self) -> LocalDataPlane:
        """What boots it; a new one for each event loop."""
        return LocalDataPlane(container_engine(), self.folder, f"{self.order.instance_id}-epoch")

    async def boot(self, plane: LocalDataPlane) -> None:
        """Return when sshd answers at `address`."""
        self.address = await plane.run_instance(self.order)

    def connect(self, deadline: float = 60, way: Way | None = None) -> SshHost:
        """Return the machine as its operator enters it; by a `way` of its own it is known by its instance's name."""
        address, pinned = self.order.instance_id if way else self.address, self.folder / "known_hosts"
        return connect(address, key_path=self.key, known_hosts=pinned, say=print, deadline=deadline, way=way)

    def facts(self, host: SshHost) -> HostFacts:
        """Return what the machine says of itself."""
        return host_facts(host.run(HOST_FACTS_SCRIPT).stdout)


M = TypeVar("M", bound=Machine)


@contextmanager
def booted(made: M) -> Iterator[M]:
    """Boot it with all that belongs to it, and leave nothing of its folder's behind."""
    try:
        asyncio.run(made.boot(made.plane))
        yield made
    finally:
        asyncio.run(made.plane.fleet.reset())
