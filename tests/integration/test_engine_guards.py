"""The real engine refuses, at the last moment, to lose data, to open doors, and to touch somebody else's stack."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pulumi
import pulumi_aws as aws
import pytest
from integration.killing import ID, Place
from integration.test_engine_kills import plan

from autodeploy.adapters.pulumi import PulumiEngine
from autodeploy.errors import PlanError
from autodeploy.model import DatabasePlan, InfraPlan
from stacks.program import program

pytestmark = pytest.mark.engine


@pytest.fixture
def wanted(pair: tuple[str, str]) -> tuple[InfraPlan, dict[str, str]]:
    certificate, key = pair
    return plan(certificate), {"certificateKey": key}


def with_program(place: Place, over: Callable[[], None]) -> PulumiEngine:
    """Return the place's engine over another program."""
    real = place.engine
    return PulumiEngine(over, place.home, place.home, real._environment, refresh=True, executable=real._executable)


def test_data_is_lost_only_by_name(place: Place, wanted: tuple[InfraPlan, dict[str, str]], tmp_path: Path) -> None:
    ours, secrets = wanted
    saved = tmp_path / "update-plan.json"
    place.engine.preview(ours, secrets, saved, place.say)
    place.engine.up(ours, secrets, saved, place.say)
    stood, databases = place.standing(), set(place.plane.databases)
    other = ours.but(database=DatabasePlan(engine="mysql", engine_version="8.0", port=3306))
    gone = ours.but(database=None)
    for changed, operation in ((other, "replace"), (gone, "delete")):
        found = place.engine.preview(changed, secrets, saved, place.say)
        assert (operation, "database") in [(change.operation, change.name) for change in found.changes]
        for held in (saved, None):
            with pytest.raises(PlanError, match=f"{operation} aws:rds:Instance database loses") as caught:
                place.engine.up(changed, secrets, held, place.say)
            assert "--allow-data-loss database" in caught.value.remediation
    assert (place.standing(), set(place.plane.databases)) == (stood, databases)

    # An update plan that another process made is looked at as well.
    with pytest.raises(PlanError, match="loses"):
        with_program(place, place.engine._program).up(gone, secrets, saved, place.say)

    (database,) = [urn for urn in place.engine.resources(ID) if urn.endswith("::database") and "rds/instance" in urn]
    assert ours.database
    lifted = ours.but(database=ours.database.but(deletion_protection=False))
    place.engine.up(lifted, secrets, None, place.say, only=[database])
    place.engine.up(gone, secrets, None, place.say, allow_data_loss=("database",))
    assert not place.plane.databases


def test_a_stack_of_another_account_or_region_is_left_alone(
    place: Place, wanted: tuple[InfraPlan, dict[str, str]]
) -> None:
    ours, _ = wanted
    small = ours.but(web=None, database=None)
    place.engine.up(small, {}, None, place.say)
    stood = place.standing()
    for change, complaint in (({"account_id": "999999999999"}, "of account"), ({"region": "eu-west-1"}, "of region")):
        for act in (place.engine.preview, place.engine.up):
            with pytest.raises(PlanError, match=complaint):
                act(small.but(**change), {}, None, place.say)
    assert place.standing() == stood


CHANGED: dict[str, tuple[str, str, dict[str, Any], str]] = {
    "a public database": (
        "aws:rds/instance:Instance",
        "database",
        {"publicly_accessible": True},
        "aws:rds:Instance database can be reached from the internet",
    ),
    "SSH for everybody": (
        "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule",
        "ssh",
        {"cidr_ipv4": "0.0.0.0/0"},
        "aws:vpc:SecurityGroupIngressRule ssh opens port 22 to 0.0.0.0/0",
    ),
    "a disk in clear": (
        "aws:ec2/instance:Instance",
        "app",
        {"root_block_device": aws.ec2.InstanceRootBlockDeviceArgs(volume_type="gp3", volume_size=20, encrypted=False)},
        "aws:ec2:Instance app has a disk that is not encrypted",
    ),
}
"""Type and name of one resource of the program, what somebody makes of its inputs, and what is said of that."""


@pytest.mark.parametrize("case", sorted(CHANGED))
def test_a_program_that_is_not_safe_is_not_applied(
    place: Place, wanted: tuple[InfraPlan, dict[str, str]], case: str
) -> None:
    ours, secrets = wanted
    kind, name, inputs, complaint = CHANGED[case]

    def change(args: pulumi.ResourceTransformationArgs) -> pulumi.ResourceTransformationResult | None:
        if (args.type_, args.name) != (kind, name):
            return None
        return pulumi.ResourceTransformationResult(props={**args.props, **inputs}, opts=args.opts)

    def changed() -> None:
        pulumi.runtime.register_stack_transformation(change)
        program()

    engine = with_program(place, changed)
    before = place.standing()
    for act in (engine.preview, engine.up):
        with pytest.raises(PlanError, match=complaint):
            act(ours, secrets, None, place.say)
    assert place.standing() == before
