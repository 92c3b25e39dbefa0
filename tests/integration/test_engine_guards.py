"""The real engine refuses, at the last moment, to lose data, to open doors, and to touch somebody else's stack."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from datetime import datetime, timezone
from pathlib import Path

import pulumi
import pulumi_aws as aws
import pytest
from integration.killing import ID, Place
from integration.test_engine_kills import empty, plan

from autodeploy.adapters import tls
from autodeploy.adapters.pulumi import PulumiEngine
from autodeploy.errors import PlanError
from autodeploy.model import DatabasePlan, InfraPlan

pytestmark = pytest.mark.engine


@pytest.fixture
def place(tmp_path: Path, engine_binary: Path, endpoint: str, loop: asyncio.AbstractEventLoop) -> Iterator[Place]:
    empty(endpoint)
    made = Place(tmp_path / "home", engine_binary, endpoint, loop)
    yield made
    made.close()


@pytest.fixture(scope="module")
def wanted() -> tuple[InfraPlan, dict[str, str]]:
    now = datetime.now(timezone.utc)
    certificate, key = tls.issue(tls.make_authority("Test", now), ["localhost"], now)
    return plan(certificate), {"certificateKey": key}


def with_program(place: Place, program: Callable[[], None]) -> PulumiEngine:
    """Return the place's engine over another program."""
    real = place.engine
    return PulumiEngine(program, place.home, place.home, real._environment, refresh=True, executable=real._executable)


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


def public_database(opts: pulumi.ResourceOptions) -> None:
    aws.rds.Instance(
        "d",
        engine="postgres",
        instance_class="db.t3.micro",
        publicly_accessible=True,
        storage_encrypted=True,
        skip_final_snapshot=True,
        opts=opts,
    )


def open_ssh(opts: pulumi.ResourceOptions) -> None:
    aws.vpc.SecurityGroupIngressRule(
        "ssh",
        security_group_id="sg-1",
        ip_protocol="tcp",
        from_port=22,
        to_port=22,
        cidr_ipv4="0.0.0.0/0",
        description="SSH",
        opts=opts,
    )


def disk_in_clear(opts: pulumi.ResourceOptions) -> None:
    aws.ec2.Instance("m", ami="ami-0debian12local00", instance_type="t3.micro", opts=opts)


@pytest.mark.parametrize(
    ("declare", "complaint"),
    [
        (public_database, "aws:rds:Instance d can be reached from the internet"),
        (open_ssh, "aws:vpc:SecurityGroupIngressRule ssh opens port 22 to 0.0.0.0/0"),
        (disk_in_clear, "aws:ec2:Instance m has a disk that is not encrypted"),
    ],
)
def test_what_is_not_safe_is_not_made(
    place: Place,
    wanted: tuple[InfraPlan, dict[str, str]],
    declare: Callable[[pulumi.ResourceOptions], None],
    complaint: str,
) -> None:
    ours, _ = wanted

    def program() -> None:
        declare(pulumi.ResourceOptions(provider=aws.Provider("aws", region=ours.region)))

    engine = with_program(place, program)
    before = place.standing()
    for act in (engine.preview, engine.up):
        with pytest.raises(PlanError, match=complaint):
            act(ours.but(web=None), {}, None, place.say)
    assert place.standing() == before
