"""What stands behind the emulated API, as the provider sees it: machines, databases, balancers. All are idempotent."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Protocol

from autodeploy.model import BaseImage, Noun


class MachineOrder(Noun):
    """An EC2 instance to boot. `network` is the VPC's id; `user_data` is cloud-init's, in clear."""

    instance_id: str
    deployment_id: str
    network: str
    image: BaseImage
    public_key: str
    user_data: str


class DatabaseOrder(Noun):
    """An RDS instance to boot. `password` is the managed master password, `snapshot` whose data it begins with."""

    identifier: str
    deployment_id: str
    network: str
    engine: str
    engine_version: str
    username: str
    password: str
    database_name: str
    snapshot: str = ""


def plain(name: str) -> str:
    """Return a database's name, which stands in scripts as it is; raise ValueError for one that RDS would not take."""
    if not re.fullmatch(r"[a-zA-Z]\w{0,62}", name, re.ASCII):
        raise ValueError(f"not a database's name: {name!r}")
    return name


class Target(Noun):
    """One member of a target group."""

    address: str
    port: int


class TargetGroup(Noun):
    """Where a listener forwards to, and how health is asked. Times in seconds."""

    arn: str
    targets: tuple[Target, ...]
    health_check_path: str
    interval: int = 5
    healthy_threshold: int = 2
    unhealthy_threshold: int = 2
    drain: int = 10


class Listener(Noun):
    """One listener of a balancer: forward to a group, or redirect to HTTPS when `group` is None."""

    port: int
    certificate_pem: str | None = None
    certificate_key: str | None = None
    certificate_chain: str | None = None
    group: TargetGroup | None = None


class DataPlane(Protocol):
    """The hands of the emulated account. Errors are LocalTargetError."""

    async def run_instance(self, order: MachineOrder) -> str:
        """Boot a machine, return its IP address when sshd answers; the same order again returns the same machine."""

    async def terminate_instance(self, instance_id: str) -> None:
        """Remove the machine; not there counts as done."""

    async def run_database(self, order: DatabaseOrder) -> tuple[str, int]:
        """Boot a database machine with TLS, return address and port when it accepts connections."""

    async def delete_database(self, identifier: str) -> None:
        """Remove the database machine; not there counts as done."""

    async def remove_network(self, network: str) -> None:
        """Remove the VPC's network; not there counts as done."""

    async def balancer_name(self, arn: str) -> str:
        """Return the stable public name of a balancer, `localhost:<https port>`, reserving its ports."""

    async def serve(self, arn: str, listeners: Sequence[Listener]) -> None:
        """Make the balancer serve exactly these listeners; () removes it and frees its ports."""

    async def issue(self, domain: str) -> tuple[str, str]:
        """Return certificate and key, PEM, of a domain, signed by the local target's own public authority."""

    async def health(self, group_arn: str) -> dict[str, str]:
        """Return each target's address with "healthy", "unhealthy: <reason>" or "initial"."""
