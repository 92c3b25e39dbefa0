"""What a resource is for."""

from __future__ import annotations

from fixtures.planned import planned

from autodeploy.model import Preview, ResourceChange, TechStack
from autodeploy.planner import explained

INFRA = planned(TechStack(language="go", runtime_version="1.24", build_tool="go")).infra


def change(kind: str, name: str) -> ResourceChange:
    return ResourceChange(urn=f"urn:{name}", type=kind, name=name, operation="create")


def test_is_added_to_a_preview() -> None:
    before = Preview(changes=(change("aws:ec2:Vpc", "vpc"), change("aws:ec2:Subnet", "public-2")), unchanged=3)
    after = explained(before, INFRA)
    assert [found.purpose for found in after.changes] == [
        "a network of the deployment's own",
        "where the machine and the balancer stand, in reach of the internet",
    ]
    assert (after.unchanged, [found.urn for found in after.changes]) == (3, ["urn:vpc", "urn:public-2"])


def test_is_found_by_a_type_as_pulumi_writes_it() -> None:
    (found,) = explained(Preview(changes=(change("aws:rds/instance:Instance", "database"),)), INFRA).changes
    assert found.purpose == "the application's data, backed up every day"


def test_of_what_the_program_does_not_declare_is_nothing() -> None:
    (found,) = explained(Preview(changes=(change("aws:s3:Bucket", "logs"),)), INFRA).changes
    assert found.purpose == ""
