"""What machines and database machines share: one home's containers and networks, their names, labels and addresses.

A container asks for its address itself, so that it keeps it over a reboot. Nothing of another home is touched.
"""

from __future__ import annotations

import asyncio
import hashlib
import ipaddress
import socket
from collections.abc import Awaitable, Callable, Iterable
from pathlib import Path
from typing import Any, NamedTuple

from autodeploy.errors import LocalTargetError
from autodeploy.local.containers import AGENT, ContainerEngine, labels

Speaks = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[bool]]
"""Talks to who has answered; says whether it is who was expected."""

LABELS = ("kind", "name", "deployment", "epoch", "address")


class Member(NamedTuple):
    """One container of this home, as its labels tell it."""

    container: str
    kind: str
    name: str
    deployment: str
    epoch: str
    address: str
    state: str


class Fleet:
    """The containers and networks of one home. `epoch` is the emulated account's, kept on each container."""

    def __init__(self, engine: ContainerEngine, home: Path, epoch: str) -> None:
        self.engine = engine
        self.home = home
        self.epoch = epoch
        self.seal = hashlib.sha256(str(home.absolute()).encode()).hexdigest()[:8]
        self._lock = asyncio.Lock()

    def container(self, kind: str, name: str) -> str:
        """Return the container's name for an instance or database."""
        return f"autodeploy-{self.seal}-{kind}-{name}"

    async def members(self) -> list[Member]:
        """Return all containers of this home, running or not, of any epoch."""
        containers = await self.engine.names("container", {"autodeploy.home": self.seal})
        return [_member(told) for told in await self.engine.inspect_all("container", containers)]

    async def find(self, container: str) -> Member | None:
        """Return one container's labels and state, None when it is not there."""
        told = await self.engine.inspect("container", container)
        return _member(told) if told else None

    async def start(
        self, kind: str, name: str, deployment: str, network: str, image: str, flags: Iterable[str], init: str
    ) -> str:
        """Boot a container on the VPC's network, restarted whenever it ends; return its address."""
        async with self._lock:
            net = await self._network(network, deployment)
            address = await self._free_address(net)
            words = ["run", "--detach", "--restart=always", "--name", self.container(kind, name)]
            words += ["--network", net, "--ip", address, "--mac-address", _mac(address)]
            words += ["--hostname", "ip-" + address.replace(".", "-")]
            words += labels(home=self.seal, kind=kind, name=name, deployment=deployment, epoch=self.epoch)
            words += [*labels(address=address), *self.engine.boot, *self.engine.limits, *flags]
            try:
                await self.engine.run(*words, image, init)
            except LocalTargetError:
                await self.remove(kind, name)
                raise
            return address

    async def resume(self, kind: str, name: str) -> str | None:
        """Return the address of a container of this epoch, started again if it had stopped; None when there is none."""
        member = await self.find(self.container(kind, name))
        if member is None:
            return None
        if member.epoch != self.epoch or not member.address:
            # Of an account that is gone: nobody else can know it.
            await self.remove(kind, name)
            return None
        if member.state != "running":
            await self.engine.run("start", member.container)
        return member.address

    async def remove(self, kind: str, name: str) -> None:
        """Remove a container with its volumes; not there counts as done."""
        await self.discard(self.container(kind, name))

    async def discard(self, container: str) -> None:
        """Remove a container by its own name; not there counts as done."""
        quick = ["--time", "2"] if self.engine.is_podman else []
        for last in (False, False, False, False, True):
            if await self.engine.inspect("container", container) is None:
                return
            try:
                await self.engine.run("rm", "--force", "--volumes", *quick, container)
                return
            except LocalTargetError:
                # podman may meet the container between its end and its restart, and then refuses.
                if last:
                    raise
                await asyncio.sleep(0.5)

    async def stop(self, container: str) -> None:
        """Stop a container; it keeps its data."""
        await self.engine.run("stop", "--time", "10", container)

    async def remove_network(self, network: str) -> None:
        """Remove a VPC's network; not there counts as done."""
        net = self._network_name(network)
        async with self._lock:
            if await self.engine.inspect("network", net) is not None:
                await self.engine.run("network", "rm", net)

    async def reset(self) -> None:
        """Remove every container and network of this home, of any epoch."""
        for container in await self.engine.names("container", {"autodeploy.home": self.seal}):
            await self.discard(container)
        for net in await self.engine.names("network", {"autodeploy.home": self.seal}):
            await self.engine.run("network", "rm", net)

    def _network_name(self, network: str) -> str:
        return f"autodeploy-{self.seal}-{network}"

    async def _network(self, network: str, deployment: str) -> str:
        net = self._network_name(network)
        if await self.engine.inspect("network", net) is not None:
            return net
        words = ["network", "create", *labels(home=self.seal, deployment=deployment, epoch=self.epoch)]
        if self.engine.is_podman:
            await self.engine.run(*words, "--disable-dns", net)
            return net
        # docker grants a fixed address only on a subnet that was named.
        for third in range(64):
            try:
                await self.engine.run(*words, "--subnet", f"10.89.{third}.0/24", net)
                return net
            except LocalTargetError as err:
                if "overlap" not in err.output:
                    raise
        raise LocalTargetError(
            "there is no free subnet for another network",
            "Remove deployments that are no longer needed, or run `autodeploy local reset`.",
            agent=AGENT,
            context="Making the network of a VPC",
        )

    async def _free_address(self, net: str) -> str:
        told = await self.engine.inspect("network", net)
        places = told["subnets"] if self.engine.is_podman else told["IPAM"]["Config"]
        subnet = ipaddress.ip_network(places[0].get("subnet") or places[0]["Subnet"])
        taken = {member.address for member in await self.members()}
        # The first addresses are the bridge's.
        return next(str(host) for host in list(subnet.hosts())[9:] if str(host) not in taken)


def _member(told: Any) -> Member:
    said = told["Config"]["Labels"] or {}
    kind, name, deployment, epoch, address = (said.get(f"autodeploy.{key}", "") for key in LABELS)
    # docker puts a slash before the name.
    return Member(told["Name"].lstrip("/"), kind, name, deployment, epoch, address, told["State"]["Status"])


def _mac(address: str) -> str:
    """Return one hardware address per address: a reused one under another MAC costs half a minute of stale ARP."""
    return "9a:ad:" + ":".join(f"{byte:02x}" for byte in socket.inet_aton(address))


async def await_answer(address: str, port: int, speaks: Speaks, seconds: float) -> bool:
    """Ask a TCP port until it answers as it should; say whether it did in time."""
    deadline = asyncio.get_running_loop().time() + seconds
    while asyncio.get_running_loop().time() < deadline:
        writer = None
        try:
            reader, writer = await asyncio.wait_for(asyncio.open_connection(address, port), 2)
            if await asyncio.wait_for(speaks(reader, writer), 3):
                return True
        except (OSError, asyncio.TimeoutError, asyncio.IncompleteReadError):
            pass
        finally:
            if writer is not None:
                writer.close()
        await asyncio.sleep(0.1)
    return False
