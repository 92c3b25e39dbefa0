"""A throttled, lost or out-of-order AWS at every call that the adapter makes: met again as often as the document says."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import botocore.loaders
import botocore.model
import pytest
from botocore import xform_name
from botocore.exceptions import BotoCoreError, ClientError
from fakes.faults import BadDay, Fault, bad_day

from autodeploy.adapters.aws import AwsCloud, finding
from autodeploy.errors import InfrastructureError
from autodeploy.stages import attempts

REGION = "us-east-1"
SOURCES = Path(finding.__file__).parent
TIMES: dict[Fault, int] = {"throttled": 5, "overloaded": 5, "out of order": 3, "gateway": 3, "lost": 3, "refused": 1}
"""The design document: AWS throttling 5 attempts, network 3, what does not pass once."""
NARROWED = {
    "DescribeImages": {"Owners": ["self"]},
    "DescribeInstanceTypes": {"InstanceTypes": ["t3.small"]},
    "DescribeInstanceTypeOfferings": {"Filters": [{"Name": "instance-type", "Values": ["t3.small"]}]},
}
"""Of these the emulator has thousands."""
SECRET = "arn:aws:secretsmanager:us-east-1:123456789012:secret:none"


class Call(NamedTuple):
    """An operation of a service that the adapter may ask for."""

    service: str
    operation: str


@functools.cache
def model(service: str) -> botocore.model.ServiceModel:
    return botocore.model.ServiceModel(botocore.loaders.Loader().load_service_model(service, "service-2"), service)


def calls() -> list[Call]:
    """Return every operation that the adapter's text names, of every service that it names."""
    text = "\n".join(path.read_text() for path in sorted(SOURCES.glob("*.py")))
    words = set("".join(sign if sign.isalnum() or sign == "_" else " " for sign in text).split())
    known = botocore.loaders.Loader().list_available_services("service-2")
    services = [name for name in known if f'"{name}"' in text and name != "pricing"]  # for which nobody waits
    named = [Call(name, operation) for name in services for operation in model(name).operation_names]
    return [call for call in named if xform_name(call.operation) in words]


def least(shape: Any) -> Any:
    """Return the least that the API takes for a shape."""
    if shape.type_name == "structure":
        return {name: least(shape.members[name]) for name in shape.required_members}
    if shape.type_name == "list":
        return [least(shape.member)]
    plain = {"string": "x" * max(20, shape.metadata.get("min", 1)), "integer": 1, "boolean": False}
    return (
        (shape.enum or [plain.get(shape.type_name, "x")])[0] if shape.type_name == "string" else plain[shape.type_name]
    )


def outcome(cloud: AwsCloud, call: Call) -> str:
    """Return how a call ends: well, or with which refusal."""
    shape = model(call.service).operation_model(call.operation).input_shape
    given = {**(least(shape) if shape else {}), **NARROWED.get(call.operation, {})}
    try:
        cloud._client(call.service)._make_api_call(call.operation, given)
    except ClientError as err:
        return str(err.response["Error"]["Code"])
    except BotoCoreError as err:
        return type(err).__name__
    return "well"


class Bench(NamedTuple):
    """The adapter as it is on AWS, over an emulated account behind a bad day; `slept` are its waits."""

    day: BadDay
    cloud: AwsCloud
    slept: list[float]

    def fail(self, fault: Fault, times: int) -> None:
        """Let the next requests meet a fault."""
        left = [fault] * times
        self.day.asked.clear()
        self.slept.clear()
        self.day.fate = lambda asked: left.pop() if left else None


@pytest.fixture(scope="module")
def bench(endpoint: str) -> Iterator[Bench]:
    slept: list[float] = []
    with bad_day(endpoint) as day, pytest.MonkeyPatch.context() as shell:
        shell.setenv("AWS_ACCESS_KEY_ID", "testing")
        shell.setenv("AWS_SECRET_ACCESS_KEY", "testing")
        yield Bench(day, AwsCloud("aws", REGION, endpoint_url=day.endpoint, sleep=slept.append), slept)


def are_doubling(waits: list[float]) -> bool:
    return all(2.0**number <= wait < 2.0**number + 0.9 for number, wait in enumerate(waits, 1))


def test_the_table_has_the_calls_of_every_service() -> None:
    found = calls()
    assert {"ec2", "rds", "elbv2", "acm", "sts", "secretsmanager", "resourcegroupstaggingapi"} <= {
        call.service for call in found
    }
    assert len(found) > 30
    assert {"DescribeVpcs", "GetConsoleOutput", "GetResources", "DeleteSecurityGroup", "GetSecretValue"} <= {
        call.operation for call in found
    }


@pytest.mark.parametrize("call", calls(), ids="-".join)
def test_a_call_is_met_again_until_it_is_answered(bench: Bench, call: Call) -> None:
    bench.fail("throttled", 0)
    undisturbed = outcome(bench.cloud, call)
    for fault, times in TIMES.items():
        if fault == "refused":
            continue
        bench.fail(fault, times - 1)
        assert outcome(bench.cloud, call) == undisturbed, fault
        waits = bench.slept[: times - 1]  # an emulator that fails by itself is waited for too
        assert len(waits) == times - 1 and are_doubling(waits), (fault, waits)


@pytest.mark.parametrize("call", calls(), ids="-".join)
def test_a_call_is_given_up_in_the_end(bench: Bench, call: Call) -> None:
    for fault, times in TIMES.items():
        bench.fail(fault, 99)
        assert outcome(bench.cloud, call) != "well"
        assert len(bench.day.asked) == times, fault
        assert sum(bench.slept) < 35


@pytest.mark.parametrize("fault", TIMES)
def test_what_did_not_pass_is_told_and_nobody_tries_it_as_often_again(bench: Bench, fault: Fault) -> None:
    bench.fail(fault, 99)
    with pytest.raises(InfrastructureError) as caught:
        bench.cloud.database_password(SECRET)
    kind = {"throttled": "throttling", "overloaded": "throttling", "refused": None}.get(fault, "network")
    assert caught.value.transience == kind
    assert caught.value.recoverable is (fault != "refused")
    assert attempts(caught.value) == 1


def test_nobody_waits_long_for_the_local_target(endpoint: str) -> None:
    slept: list[float] = []
    with bad_day(endpoint) as day:
        day.fate = lambda asked: "throttled"
        with pytest.raises(InfrastructureError):
            AwsCloud("local", REGION, endpoint_url=day.endpoint, sleep=slept.append).database_password(SECRET)
    assert len(slept) == 4 and sum(slept) < 2


def test_a_deletion_whose_answer_was_lost_is_done(bench: Bench, client: Any) -> None:
    vpc = client("ec2").create_vpc(CidrBlock="10.7.0.0/16")["Vpc"]["VpcId"]
    group = client("ec2").create_security_group(GroupName="half", Description="half", VpcId=vpc)["GroupId"]

    def fate(asked: Any) -> Fault | None:
        if asked.operation == "DeleteSecurityGroup" and not bench.slept:
            client("ec2").delete_security_group(GroupId=group)  # it was heard, and only its answer is not
            return "lost"
        return None

    bench.day.fate = fate
    said: list[str] = []
    found = bench.cloud.claim(finding.GROUP, {"vpcId": vpc, "name": "half"}, "web-1", (), said.append)
    assert found is None and said == [f"deleted the half-made security group {group}"]
