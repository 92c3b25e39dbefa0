"""Lists what an InfraPlan costs a month on AWS, a line a resource and kind of charge, on the local target too."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from autodeploy.model import CostLine, DatabasePlan, InfraPlan, PriceList
from autodeploy.planner.prices import TABLE, kind_of, per_month

MACHINE = "aws:ec2:Instance app"
BALANCER = "aws:lb:LoadBalancer public"
DATABASE = "aws:rds:Instance database"
ALARMS = "aws:cloudwatch:MetricAlarm status"
DASHBOARD = "aws:cloudwatch:Dashboard overview"
HOURS = "730 hours"


class Charge(NamedTuple):
    """One thing that AWS charges for. `key` is the price's, `resource` the one that causes it, by type and name."""

    what: str
    key: str
    amount: float
    basis: str
    resource: str


def bill(infra: InfraPlan, fresh: PriceList = TABLE) -> tuple[CostLine, ...]:
    """Return the monthly bill; `usd_per_month` is None where nobody says what the region charges."""
    return tuple(
        CostLine(
            what=charge.what,
            usd_per_month=per_month(infra.region, charge.key, charge.amount, fresh),
            basis=charge.basis,
            resource=charge.resource,
            kind=kind_of(charge.key),
        )
        for charge in charges(infra)
    )


def keys(infra: InfraPlan) -> tuple[str, ...]:
    """Return the keys of all prices that the bill needs."""
    return tuple(dict.fromkeys(charge.key for charge in charges(infra)))


def notes(infra: InfraPlan, fresh: PriceList = TABLE) -> tuple[str, ...]:
    """Return what the bill leaves open: unknown prices, prices that could not be asked for, and usage."""
    unknown = [line.what for line in bill(infra, fresh) if line.usd_per_month is None]
    gap = (f"no price is known in {infra.region} for: {', '.join(unknown)}",) if unknown else ()
    asked = (f"today's prices could not be had: {fresh.problem}",) if fresh.problem else ()
    return (*gap, *asked, "traffic, capacity units, logs and backups beyond the database's size are charged by use")


def charges(infra: InfraPlan) -> Iterator[Charge]:
    """Yield what AWS charges for as long as it stands, whether or not anybody uses it."""
    kind, size, number = infra.instance_type, infra.root_volume_gb, infra.instances
    sizes = f"{number} of {size} GB" if number > 1 else f"{size} GB"
    yield Charge(f"EC2 instance {kind}", f"instance:{kind}", number, f"{number}, {HOURS}", MACHINE)
    yield Charge("EBS root volume gp3", "volume:gp3", number * size, sizes, MACHINE)
    yield Charge("public IPv4, machine", "address:ipv4", number, f"{number}, {HOURS}", MACHINE)
    if infra.web:
        zones = len(infra.zones)
        yield Charge("Application Load Balancer", "balancer:application", 1, f"1, {HOURS}, without usage", BALANCER)
        yield Charge("public IPv4, balancer", "address:ipv4", zones, f"{zones}, one a zone", BALANCER)
    if infra.database:
        yield from _database(infra.database)
    # As many as stacks/alarms.py declares.
    alarms = number * (1 + infra.is_burstable) + 3 * bool(infra.web) + bool(infra.database)
    yield Charge("CloudWatch alarms", "alarm", alarms, f"{alarms}: the account's first 10 are free", ALARMS)
    yield Charge("CloudWatch dashboard", "dashboard", 1, "1: the account's first 3 are free", DASHBOARD)


def _database(database: DatabasePlan) -> Iterator[Charge]:
    engine, size, storage = database.engine, database.instance_class, database.storage_type
    gigabytes = database.storage_gb
    yield Charge(f"RDS {engine} {size}", f"database:{engine}:{size}", 1, f"1, {HOURS}", DATABASE)
    yield Charge(f"RDS storage {storage}", f"database-storage:{storage}", gigabytes, f"{gigabytes} GB", DATABASE)
    yield Charge("Secrets Manager secret", "secret", 1, "1: the database's master password", DATABASE)
