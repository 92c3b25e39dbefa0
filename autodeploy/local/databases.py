"""RDS instances of the local target: an order goes in, a database machine that speaks only TLS comes out."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import NamedTuple

from autodeploy.errors import LocalTargetError
from autodeploy.local import mariadb, postgres
from autodeploy.local.authority import server_certificate
from autodeploy.local.containers import AGENT
from autodeploy.local.dataplane import DatabaseOrder
from autodeploy.local.fleet import Fleet, Speaks, await_answer
from autodeploy.local.images import ensure_image
from autodeploy.local.machines import INIT
from autodeploy.local.recipes import ImageKind
from autodeploy.model import BaseImage

KIND = "database"
BOOT_SECONDS = 60.0
FILLED = "/var/lib/filled"
"""The file that a database has once all of a snapshot is in it: what is written later must not be replaced."""


class Server(NamedTuple):
    """What serves an engine: an image, the script that sets a machine of it up, and how it is asked for TLS."""

    image: ImageKind
    base_image: BaseImage
    port: int
    setup: Callable[[DatabaseOrder, str, str], str]
    offers_tls: Speaks


class Databases:
    """The database instances of one home."""

    def __init__(self, fleet: Fleet, say: Callable[[str], None]) -> None:
        self.fleet = fleet
        self.say = say

    async def run(self, order: DatabaseOrder) -> tuple[str, int]:
        """Boot a database machine, return address and port; the same order again finds the same machine."""
        server = server_of(order.engine, order.engine_version)
        address = await self.fleet.resume(KIND, order.identifier)
        if address is None:
            image = await asyncio.to_thread(ensure_image, server.image, server.base_image, self.say)
            volumes = ("--volume", "/var/log/journal")
            address = await self.fleet.start(
                KIND, order.identifier, order.deployment_id, order.network, image, volumes, INIT
            )
        certificate, key = await asyncio.to_thread(server_certificate, self.fleet.home / "local", address)
        script = server.setup(order, certificate, key)
        name = self.fleet.container(KIND, order.identifier)
        await self.fleet.engine.run("exec", "--interactive", name, "sh", "-s", stdin=script, timeout=BOOT_SECONDS)
        if not await await_answer(address, server.port, server.offers_tls, BOOT_SECONDS):
            raise LocalTargetError(
                f"the database {order.identifier} at {address} accepts no TLS connection after {BOOT_SECONDS:g} s",
                "See `autodeploy local status`; `autodeploy local reset` starts with an empty account.",
                True,
                agent=AGENT,
                context="Booting a database of the local target",
            )
        return address, server.port

    async def is_filled(self, identifier: str) -> bool:
        """Say whether the database holds all of the snapshot that it was made from."""
        name = self.fleet.container(KIND, identifier)
        return bool((await self.fleet.engine.run("exec", name, "sh", "-c", f"! [ -e {FILLED} ] || echo yes")).strip())

    async def mark_filled(self, identifier: str) -> None:
        """Write down that the database holds all of its snapshot."""
        await self.fleet.engine.run("exec", self.fleet.container(KIND, identifier), "touch", FILLED)

    async def delete(self, identifier: str) -> None:
        """Remove the database machine with its data; not there counts as done."""
        await self.fleet.remove(KIND, identifier)


def server_of(engine: str, engine_version: str) -> Server:
    """Return what serves an engine; raise LocalTargetError for what the local target does not have."""
    if engine == "postgres" and (version := postgres.version(engine_version)):
        return Server("postgres", postgres.IMAGES[version], postgres.PORT, postgres.setup, postgres.offers_tls)
    version = mariadb.MYSQL if engine == "mysql" else mariadb.version(engine_version) if engine == "mariadb" else ""
    if version:
        return Server("mariadb", mariadb.IMAGES[version], mariadb.PORT, mariadb.setup, mariadb.offers_tls)
    raise LocalTargetError(
        f"the local target has no database engine {engine} {engine_version}".rstrip(),
        f"Here there is postgres {' and '.join(postgres.IMAGES)}, mariadb {' and '.join(mariadb.IMAGES)}, and mysql, "
        f"which MariaDB {mariadb.MYSQL} stands in for; use --target aws for other engines.",
        agent=AGENT,
        context="Booting a database of the local target",
    )
