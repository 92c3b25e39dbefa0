"""EC2 instances of the local target: an order goes in, a booted Debian that answers SSH comes out."""

from __future__ import annotations

import asyncio
import json
import shutil
from collections.abc import Callable
from pathlib import Path

from autodeploy.errors import LocalTargetError
from autodeploy.local.containers import AGENT
from autodeploy.local.dataplane import MachineOrder
from autodeploy.local.fleet import Fleet, await_answer
from autodeploy.local.images import ensure_image

KIND = "machine"
INIT = "/usr/local/sbin/machine-init"
SEED = "/var/lib/cloud/seed/nocloud"
BOOT_SECONDS = 90.0
SSH_PORT = 22


class Machines:
    """The instances of one home; each has its cloud-init seed under `<home>/local/seeds/<instance id>`."""

    def __init__(self, fleet: Fleet, say: Callable[[str], None]) -> None:
        self.fleet = fleet
        self.say = say

    async def run(self, order: MachineOrder) -> str:
        """Boot a machine and return its address when sshd answers; the same order again finds the same machine."""
        address = await self.fleet.resume(KIND, order.instance_id)
        if address is None:
            image = await asyncio.to_thread(ensure_image, "machine", order.image, self.say)
            seed = self._write_seed(order)
            address = await self.fleet.start(
                KIND,
                order.instance_id,
                order.deployment_id,
                order.network,
                image,
                # The journal outlives a reboot as on a disk; podman would give it a tmpfs.
                ("--volume", f"{seed}:{SEED}:ro", "--volume", "/var/log/journal"),
                INIT,
            )
        if not await await_answer(address, SSH_PORT, _speaks_ssh, BOOT_SECONDS):
            raise LocalTargetError(
                f"the machine {order.instance_id} at {address} does not answer SSH after {BOOT_SECONDS:g} s",
                "See `autodeploy local status`; `autodeploy local reset` starts with an empty account.",
                True,
                agent=AGENT,
                context="Booting a machine of the local target",
                output=await self._console(order.instance_id),
            )
        return address

    async def terminate(self, instance_id: str) -> None:
        """Remove the machine and its seed; not there counts as done."""
        await self.fleet.remove(KIND, instance_id)
        shutil.rmtree(self._seed(instance_id), ignore_errors=True)

    def _seed(self, instance_id: str) -> Path:
        return self.fleet.home / "local" / "seeds" / instance_id

    def _write_seed(self, order: MachineOrder) -> Path:
        folder = self._seed(order.instance_id)
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        meta = {"instance-id": order.instance_id, "public-keys": [order.public_key.strip()]}
        # JSON is YAML.
        (folder / "meta-data").write_text(json.dumps(meta), "utf-8")
        (folder / "user-data").write_text(order.user_data or "#cloud-config\n{}\n", "utf-8")
        (folder / "user-data").chmod(0o600)
        return folder

    async def _console(self, instance_id: str) -> str:
        try:
            name = self.fleet.container(KIND, instance_id)
            return await self.fleet.engine.run("exec", name, "journalctl", "--no-pager", "-n", "40", timeout=20)
        except LocalTargetError as err:
            return err.output


async def _speaks_ssh(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> bool:
    return await reader.readexactly(4) == b"SSH-"
