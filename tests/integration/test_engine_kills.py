"""kill -9 of the engine anywhere in `up` and in `destroy`: the next run takes over what was half made and ends right.

Every point runs in `make test-nightly`; `make test` takes a random sample within a minute, its seed printed.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections import Counter
from pathlib import Path
from typing import NamedTuple

import pytest
from integration.killing import ID, Place

from autodeploy.errors import InfrastructureError
from autodeploy.model import DatabasePlan, InfraPlan, WebPlan

pytestmark = pytest.mark.engine

POINTS = 20
UP_CALLS = 100
DESTROY_CALLS = 70
PHASES = ("lost", "amid", "after")
SAMPLE_SECONDS = 60
WHOLE = Counter(
    {
        "vpc": 1,
        "subnet": 4,
        "gateway": 1,
        "table": 2,
        "association": 4,
        "route": 1,
        "group": 4,
        "rule": 7,
        "key": 1,
        "instance": 1,
        "database": 1,
        "subnet group": 1,
        "parameter group": 1,
        "certificate": 1,
        "balancer": 1,
        "listener": 2,
        "target group": 1,
        "member": 1,
        "secret": 1,
        "role": 1,
        "role policy": 1,
        "instance profile": 1,
        "log group": 1,
        "alarm": 6,
        "dashboard": 1,
        "topic": 1,
        "subscription": 1,
    }
)
"""All that the program makes: each once."""


class Point(NamedTuple):
    """Where the engine is killed: at which of the provider's calls, and when of it."""

    call: int
    phase: str


def spread(calls: int) -> list[Point]:
    """Return points over a whole run, the phases in turn."""
    return [Point(1 + number * (calls - 1) // (POINTS - 1), PHASES[number % 3]) for number in range(POINTS)]


CHAINS = list(zip(spread(UP_CALLS), spread(DESTROY_CALLS), strict=True))


def plan(certificate: str) -> InfraPlan:
    return InfraPlan(
        deployment_id=ID,
        name="web",
        target="local",
        account_id="123456789012",
        region="us-east-1",
        zones=("us-east-1a", "us-east-1b"),
        image_id="ami-0debian12local00",
        instance_type="t3.micro",
        ssh_public_key="ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHSeTcFcwYwpbbsaH0ziTKA1uV6tVGSo4BTqT6x2cKdP op@example.org",
        admin_cidr="198.51.100.7/32",
        user_data="#cloud-config\n",
        web=WebPlan(health_check_path="/health", certificate_pem=certificate),
        database=DatabasePlan(engine="postgres", engine_version="15.8"),
        alarm_email="ops@example.org",
    )


def survives(place: Place, pair: tuple[str, str], up: Point, destroy: Point) -> None:
    """Kill the engine once on the way up and once on the way down; nothing is doubled, nothing left."""
    certificate, key = pair
    secrets, before = {"certificateKey": key}, place.standing()
    saved = place.home / "update-plan.json"
    place.engine.preview(plan(certificate), secrets, saved, place.say)
    place.executioner.order(*up)
    with pytest.raises(InfrastructureError, match="killed"):
        place.engine.up(plan(certificate), secrets, saved, place.say)
    assert place.executioner.killed
    place.executioner.order(0, "")
    outputs = place.engine.up(plan(certificate), secrets, None, place.say)
    assert place.standing() - before == WHOLE, place.said
    assert len(place.plane.machines) == len(place.plane.databases) == len(place.plane.served) == 1
    assert outputs["instanceId"] in place.plane.machines
    assert place.engine.preview(plan(certificate), secrets, None, place.say).changes == ()

    place.executioner.order(*destroy)
    with pytest.raises(InfrastructureError, match="killed"):
        place.destroy(plan(certificate))
    assert place.executioner.killed
    place.executioner.order(0, "")
    assert place.destroy(plan(certificate)) == (), place.said
    assert place.engine.resources(ID) == []
    assert place.standing() == before, place.said
    assert not (place.plane.machines or place.plane.databases or place.plane.served)
    assert place.cloud.leftovers(ID) == []


@pytest.mark.nightly
@pytest.mark.parametrize(("up", "destroy"), CHAINS, ids=lambda point: f"{point.call}-{point.phase}")
def test_an_engine_killed_at_any_point(place: Place, pair: tuple[str, str], up: Point, destroy: Point) -> None:
    survives(place, pair, up, destroy)


def test_an_engine_killed_at_a_sample_of_points(
    tmp_path: Path,
    engine_binary: Path,
    endpoint: str,
    loop: asyncio.AbstractEventLoop,
    pair: tuple[str, str],
    chance: random.Random,
) -> None:
    begun, number, longest = time.monotonic(), 0, 0.0
    while number == 0 or time.monotonic() - begun + longest < SAMPLE_SECONDS:
        number += 1
        since = time.monotonic()
        place = Place(tmp_path / f"home-{number}", engine_binary, endpoint, loop, pair[1])
        up = Point(chance.randint(1, UP_CALLS), chance.choice(PHASES))
        destroy = Point(chance.randint(1, DESTROY_CALLS), chance.choice(PHASES))
        print(up, destroy)
        try:
            survives(place, pair, up, destroy)
        finally:
            place.close()
        longest = max(longest, time.monotonic() - since)
