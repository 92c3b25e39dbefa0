"""An emulated AWS that throttles or fails at every call that the provider makes: met again, and nothing is lost."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import grpc
import pytest
from fakes.faults import BadDay, Fault, bad_day, refuses_each_first
from fakes.plane import FakePlane
from protocol_engine import Engine
from whole import whole

from autodeploy.local.provider import serve_provider


@pytest.fixture
def slept() -> list[float]:
    return []


@pytest.fixture
def day(served: Any) -> Iterator[BadDay]:
    with bad_day(served.endpoint) as made:
        yield made


@pytest.fixture
def patient(day: BadDay, served: Any, slept: list[float]) -> Iterator[Engine]:
    """An engine at a provider whose account has a bad day."""
    plane = FakePlane()
    server = served.run(serve_provider(day.endpoint, plane, sleep=slept.append))
    made = Engine(server.port).configure()
    yield made
    made.channel.close()
    served.run(server.stop())


@pytest.mark.parametrize("fault", ["throttled", "out of order"])
def test_every_call_of_a_whole_life_is_refused_once_and_met_again(
    day: BadDay, patient: Engine, world: Any, slept: list[float], fault: Fault
) -> None:
    day.fate = refuses_each_first(fault)
    made = whole(type(world)(patient), patient)
    patient.change(made["target group"], deregistrationDelay=20)
    patient.change(made["vpc"], enableDnsHostnames=False)
    for thing in reversed(made.values()):
        patient.delete(thing)
        assert patient.read(thing) is None
    operations = {asked.operation for asked in day.served}
    assert len(operations) > 60
    refused = {asked for asked in day.asked if day.asked.count(asked) > 1}
    assert {asked.operation for asked in refused} == operations
    assert slept and max(slept) < 0.5


def test_what_never_passes_is_told_to_the_engine(day: BadDay, patient: Engine, slept: list[float]) -> None:
    day.fate = lambda asked: "throttled" if asked.operation == "CreateVpc" else None
    with pytest.raises(grpc.RpcError, match="Throttling"):
        patient.make("aws:ec2/vpc:Vpc", "vpc", cidrBlock="10.0.0.0/16")
    assert len(slept) == 4


def test_what_may_have_been_done_is_not_done_twice(day: BadDay, patient: Engine, served: Any) -> None:
    day.fate = lambda asked: "lost" if asked.operation == "CreateVpc" else None
    with pytest.raises(grpc.RpcError):
        patient.make("aws:ec2/vpc:Vpc", "vpc", cidrBlock="10.0.0.0/16")
    assert [asked.operation for asked in day.asked].count("CreateVpc") == 1
