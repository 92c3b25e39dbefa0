"""Lays an InfraPlan out as boxes and arrows on a grid of characters; how they are drawn is not its business."""

from __future__ import annotations

from typing import Literal, NamedTuple

from autodeploy.model import FIRST_MACHINE, DatabasePlan, InfraPlan
from autodeploy.naming import numbered

WIDTH = 78
THING = 32
"""The width of a machine, a balancer, a database."""
LEFT, RIGHT = 3, 43
LONGEST = THING - 4


class Box(NamedTuple):
    """A frame with a title in its edge and lines of text in it."""

    x: int
    y: int
    width: int
    height: int
    title: str
    lines: tuple[str, ...] = ()
    kind: Literal["network", "subnets", "thing"] = "thing"


class Arrow(NamedTuple):
    """A straight way, right or down, from one cell to another, with what goes along it."""

    x: int
    y: int
    to_x: int
    to_y: int
    label: str


class Layout(NamedTuple):
    """All that is drawn; `source` is where the first arrows come from."""

    boxes: tuple[Box, ...]
    arrows: tuple[Arrow, ...]
    source: str
    width: int
    height: int


def lay_out(infra: InfraPlan) -> Layout:
    """Return the picture of a plan: the world above, the subnets below it, and at the foot what watches."""
    machine, web, theirs = _machine(infra), infra.web, infra.network
    boxes, arrows = [machine], [Arrow(48, 1, 48, machine.y - 1, _way_in(infra))]
    if web:
        balancer = _balancer(infra)
        boxes.append(balancer)
        arrows.append(Arrow(18, 1, 18, balancer.y - 1, "443; 80 is redirected"))
        edge = balancer.x + balancer.width
        arrows.append(Arrow(edge, balancer.y + 2, machine.x - 1, balancer.y + 2, str(web.host_port)))
    below = machine.y + machine.height + 1
    private = Box(
        1,
        below,
        WIDTH - 2,
        2,
        _subnets("private", theirs.private_subnet_ids if theirs else infra.private_cidrs),
        kind="subnets",
    )
    if infra.database:
        database = _database(infra.database, below + 3)
        boxes.append(database)
        arrows.append(Arrow(58, below - 1, 58, database.y - 1, f"{infra.database.port}, TLS only"))
        private = private._replace(height=database.height + 4)
    public = Box(
        1,
        3,
        WIDTH - 2,
        below - 3,
        _subnets("public", theirs.public_subnet_ids if theirs else infra.public_cidrs),
        kind="subnets",
    )
    height = private.y + private.height + 1
    title = f"VPC {theirs.vpc_id if theirs else infra.vpc_cidr}, {infra.region}, account {infra.account_id}"
    network = Box(0, 2, WIDTH, height - 2, title, kind="network")
    watch = _watch(infra, height)
    return Layout(
        (network, public, private, *boxes, watch), tuple(arrows), "the internet", WIDTH, height + watch.height
    )


def _machine(infra: InfraPlan) -> Box:
    disk = f"{infra.root_volume_gb} GiB gp3, encrypted"
    if infra.instances == 1:
        return _thing(RIGHT, 6, "machine app", (infra.instance_type, disk, f"in {infra.zones[0]}"))
    places = f"in {' and '.join(map(_short, infra.zones))}"
    last = numbered(FIRST_MACHINE, infra.instances)
    title = f"machines {FIRST_MACHINE} {'and' if infra.instances == 2 else 'to'} {last}"
    return _thing(RIGHT, 6, title, (f"{infra.instances} of {infra.instance_type}", disk, places))


def _way_in(infra: InfraPlan) -> str:
    return "no port: sessions of SSM" if infra.access == "ssm" else f"22 from {infra.admin_cidr}"


def _balancer(infra: InfraPlan) -> Box:
    lines = ("Application Load Balancer", "TLS 1.2 or newer", f"in {' and '.join(map(_short, infra.zones))}")
    return _thing(LEFT, 6, "balancer public", lines)


def _database(database: DatabasePlan, y: int) -> Box:
    lines = (
        f"{database.engine} {database.engine_version}",
        database.instance_class,
        f"{database.storage_gb} GB {database.storage_type}, encrypted",
        f"backups of {database.backup_retention_days} days",
    )
    return _thing(RIGHT, y, "database", lines)


def _watch(infra: InfraPlan, y: int) -> Box:
    told = infra.alarm_email or "nobody"
    return _thing(RIGHT, y, "CloudWatch", ("logs, alarms, dashboard", "alarms are mailed to", told))


def _thing(x: int, y: int, title: str, lines: tuple[str, ...]) -> Box:
    fitting = tuple(line if len(line) <= LONGEST else f"{line[: LONGEST - 1]}…" for line in lines)
    return Box(x, y, THING, len(lines) + 2, title, fitting)


def _short(zone: str) -> str:
    return zone.rpartition("-")[2]


def _subnets(kind: str, names: tuple[str, str]) -> str:
    return f"{kind} subnets {' and '.join(names)}"
