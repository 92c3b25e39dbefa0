"""Read tells the truth: what was deleted or changed behind our back, through the API itself, for every type."""

from __future__ import annotations

from typing import Any

import pytest
from by_hand import CHANGED, DELETED, Aws
from whole import domain, whole

from autodeploy.local.provider.table import TABLE

OF_A_DOMAIN = {"aws:route53/record:Record", "aws:acm/certificateValidation:CertificateValidation"}


@pytest.fixture
def standing(world: Any, engine: Any) -> dict[str, Any]:
    return whole(world, engine)


def test_every_type_is_deleted_behind_our_back_and_read_as_gone(
    standing: dict[str, Any], engine: Any, served: Any
) -> None:
    assert {standing[name].token for name in DELETED} | OF_A_DOMAIN == set(TABLE), "a type without a case"
    # What others refer to goes after them, so that nothing is gone for another's sake.
    for name in [*reversed([name for name in standing if name in DELETED])]:
        made = standing[name]
        assert engine.read(made) is not None, name
        DELETED[name](served.aws, made)
        assert engine.read(made) is None, name
        engine.delete(made)  # and deleting it once more is no trouble


def test_what_proves_a_domain_is_deleted_behind_our_back_and_read_as_gone(engine: Any, served: Any) -> None:
    certificate, record, validation = domain(served.aws, engine).values()
    assert {record.token, validation.token} == OF_A_DOMAIN
    zone, kind = record.inputs["zoneId"], record.inputs["type"]
    (held,) = [
        each
        for each in served.aws("route53").list_resource_record_sets(HostedZoneId=zone)["ResourceRecordSets"]
        if each["Type"] == kind
    ]
    changes = [{"Action": "DELETE", "ResourceRecordSet": held}]
    served.aws("route53").change_resource_record_sets(HostedZoneId=zone, ChangeBatch={"Changes": changes})
    assert engine.read(record) is None
    served.aws("acm").delete_certificate(CertificateArn=certificate.id)
    assert engine.read(validation) is None and engine.read(certificate) is None


def test_what_was_changed_behind_our_back_differs_and_is_put_right(
    standing: dict[str, Any], engine: Any, served: Any
) -> None:
    for name, key, change, expected in CHANGED:
        made = standing[name]
        answered = change(served.aws, standing)
        found = engine.read(made)
        assert found is not None, name
        shown = (found.inputs if key in made.inputs else found.outputs).get(key)
        if expected is ...:
            assert shown != made.inputs.get(key), (name, key)
            assert not isinstance(answered, str | list) or shown == answered, (name, key)
        else:
            assert shown == expected, (name, key)
        if key not in made.inputs:
            continue
        news = {prop: value for prop, value in made.inputs.items() if prop != "__defaults"}
        assert key in engine.diff(found, news).diffs, (name, key)
        engine.update(found, news)
        again = engine.read(made)
        assert again is not None and again.inputs == made.inputs, (name, key)


TAGGED = {
    "ec2": ("vpc", "subnet 1", "gateway", "table", "group", "ingress", "egress", "instance"),
    "rds": ("database", "subnet group", "parameter group"),
    "elbv2": ("balancer", "listener", "target group"),
    "acm": ("certificate",),
}


def _tag(aws: Aws, service: str, made: Any) -> None:
    pairs = [{"Key": "Owner", "Value": "eve"}]
    client = aws(service)
    if service == "ec2":
        client.create_tags(Resources=[made.id], Tags=pairs)
        client.delete_tags(Resources=[made.id], Tags=[{"Key": "DeploymentId"}])
    elif service == "rds":
        client.add_tags_to_resource(ResourceName=made.outputs["arn"], Tags=pairs)
        client.remove_tags_from_resource(ResourceName=made.outputs["arn"], TagKeys=["DeploymentId"])
    elif service == "elbv2":
        client.add_tags(ResourceArns=[made.id], Tags=pairs)
        client.remove_tags(ResourceArns=[made.id], TagKeys=["DeploymentId"])
    else:
        client.add_tags_to_certificate(CertificateArn=made.id, Tags=pairs)
        client.remove_tags_from_certificate(CertificateArn=made.id, Tags=[{"Key": "DeploymentId"}])


def test_tags_that_came_and_went_are_seen(standing: dict[str, Any], engine: Any, served: Any) -> None:
    for service, names in TAGGED.items():
        for name in names:
            made = standing[name]
            _tag(served.aws, service, made)
            found = engine.read(made)
            own = made.inputs.get("tags") or {}
            assert found.outputs["tagsAll"] == {**own, "Owner": "eve"}, name
            news = {prop: value for prop, value in made.inputs.items() if prop != "__defaults"}
            assert "tagsAll" in engine.diff(found, news).diffs, name
            engine.update(found, news)
            assert engine.read(made).outputs["tagsAll"] == {**own, "DeploymentId": "web-1"}, name


def test_a_machine_or_database_that_was_stopped_says_so(standing: dict[str, Any], engine: Any, served: Any) -> None:
    served.aws("ec2").stop_instances(InstanceIds=[standing["instance"].id])
    assert engine.read(standing["instance"]).outputs["instanceState"] == "stopped"
    served.aws("rds").stop_db_instance(DBInstanceIdentifier=standing["database"].id)
    assert engine.read(standing["database"]).outputs["status"] == "stopped"
    served.aws("rds").start_db_instance(DBInstanceIdentifier=standing["database"].id)
    served.aws("ec2").start_instances(InstanceIds=[standing["instance"].id])
    for name, key, well in (("instance", "instanceState", "running"), ("database", "status", "available")):
        assert engine.read(standing[name]).outputs[key] == well
