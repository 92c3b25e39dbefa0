"""Lists what an InfraPlan costs a month on AWS, a line a resource, on the local target too."""

from __future__ import annotations

from collections.abc import Iterator

from autodeploy.model import CostLine, InfraPlan
from autodeploy.planner.prices import per_month


def bill(infra: InfraPlan) -> tuple[CostLine, ...]:
    """Return the monthly bill; `usd_per_month` is None where the table has no price for the region."""
    return tuple(_lines(infra))


def notes(infra: InfraPlan) -> tuple[str, ...]:
    """Return what the bill leaves open: unknown prices, and usage."""
    lines = tuple(_lines(infra))
    unknown = [line.what for line in lines if line.usd_per_month is None]
    gap = (f"no price is known in {infra.region} for: {', '.join(unknown)}",) if unknown else ()
    return (*gap, "traffic, balancer capacity units and backups beyond the database's size are charged by use")


def _lines(infra: InfraPlan) -> Iterator[CostLine]:
    yield _line(infra, f"EC2 instance {infra.instance_type}", f"instance:{infra.instance_type}", 1, "1, 730 hours")
    size = infra.root_volume_gb
    yield _line(infra, "EBS root volume gp3", "volume:gp3", size, f"{size} GB")
    addresses = 1 + (len(infra.zones) if infra.web else 0)
    where = "instance, and the balancer in each zone" if infra.web else "instance"
    yield _line(infra, "public IPv4 addresses", "address:ipv4", addresses, f"{addresses}: {where}")
    if infra.web:
        yield _line(infra, "Application Load Balancer", "balancer:application", 1, "1, 730 hours, without usage")
    database = infra.database
    if database:
        kind = f"{database.engine}:{database.instance_class}"
        yield _line(infra, f"RDS {database.engine} {database.instance_class}", f"database:{kind}", 1, "1, 730 hours")
        storage, gigabytes = database.storage_type, database.storage_gb
        yield _line(infra, f"RDS storage {storage}", f"database-storage:{storage}", gigabytes, f"{gigabytes} GB")
        yield _line(infra, "Secrets Manager secret", "secret", 1, "1: the database's master password")


def _line(infra: InfraPlan, what: str, key: str, amount: float, basis: str) -> CostLine:
    return CostLine(what=what, usd_per_month=per_month(infra.region, key, amount), basis=basis)
