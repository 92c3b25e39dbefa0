"""What no apply may do: data lost unasked, doors open to the world, storage in clear, somebody else's stack."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from fixtures.planned import planned

from autodeploy.errors import PlanError
from autodeploy.model import InfraPlan, Preview, ResourceChange, TechStack
from autodeploy.safeguards import (
    STATEFUL,
    Registered,
    Standing,
    check_data_loss,
    check_plan,
    check_registered,
    check_standing,
    is_wide,
)

ACCOUNT = "123456789012"


def stack() -> TechStack:
    sample = Path(__file__).parents[1] / "fixtures/sample_repos/flask-postgres/techstack.json"
    return TechStack.model_validate_json(sample.read_text())


def change(operation: str, kind: str = "aws:rds:Instance", name: str = "database", *reasons: str) -> ResourceChange:
    return ResourceChange.model_validate(
        {"urn": f"urn::{name}", "type": kind, "name": name, "operation": operation, "reasons": reasons}
    )


def preview(*changes: ResourceChange) -> Preview:
    return Preview(changes=changes)


def plan(**fields: Any) -> InfraPlan:
    infra: InfraPlan = planned(stack()).infra.but(**fields)
    return infra


class TestData:
    @pytest.mark.parametrize("operation", ["replace", "delete"])
    @pytest.mark.parametrize("kind", sorted(STATEFUL))
    def test_is_not_lost_unless_its_resource_is_named(self, kind: str, operation: str) -> None:
        found = preview(change(operation, kind, "store", 'engine: "postgres" -> "mysql" (forces replacement)'))
        with pytest.raises(PlanError, match=f"{operation} {kind} store loses {STATEFUL[kind]}") as caught:
            check_data_loss(found, ())
        assert "--allow-data-loss store" in caught.value.remediation
        assert '"postgres" -> "mysql"' in caught.value.message
        with pytest.raises(PlanError):
            check_data_loss(found, ("another",))
        check_data_loss(found, ("store",))

    def test_each_resource_is_named_by_itself(self) -> None:
        found = preview(change("replace"), change("delete", "aws:ebs:Volume", "uploads"))
        with pytest.raises(PlanError) as caught:
            check_data_loss(found, ("database",))
        assert "--allow-data-loss uploads" in caught.value.remediation
        assert "aws:rds:Instance" not in caught.value.message

    @pytest.mark.parametrize("operation", ["same", "create", "update", "read", "refresh", "import"])
    def test_what_stays_needs_no_name(self, operation: str) -> None:
        check_data_loss(preview(change(operation)), ())

    @pytest.mark.parametrize("kind", ["aws:ec2:Instance", "aws:ec2:Vpc", "aws:lb:LoadBalancer", "aws:ec2:KeyPair"])
    def test_what_a_deploy_makes_again_needs_no_name(self, kind: str) -> None:
        check_data_loss(preview(change("replace", kind), change("delete", kind)), ())


class TestTheWorld:
    @pytest.mark.parametrize("cidr", ["0.0.0.0/0", "::/0", "0.0.0.0/1", "128.0.0.0/1", "2000::/3", "", "everywhere"])
    def test_is_wide(self, cidr: str) -> None:
        assert is_wide(cidr)
        with pytest.raises(PlanError, match="open SSH") as caught:
            check_plan(plan(admin_cidr=cidr))
        assert "--admin-cidr" in caught.value.remediation

    @pytest.mark.parametrize("cidr", ["10.0.0.0/8", "203.0.113.7/32", "2001:db8::/32"])
    def test_an_office_is_not(self, cidr: str) -> None:
        assert not is_wide(cidr)
        check_plan(plan(admin_cidr=cidr))


def rule(first: int, last: int, cidr: str = "0.0.0.0/0", protocol: str = "tcp", key: str = "cidrIpv4") -> Registered:
    inputs = {"ipProtocol": protocol, "fromPort": first, "toPort": last, key: cidr}
    return Registered("aws:vpc:SecurityGroupIngressRule", "door", inputs)


def inline(**door: Any) -> Registered:
    return Registered("aws:ec2:SecurityGroup", "group", {"ingress": [door]})


SAFE = {"publiclyAccessible": False, "storageEncrypted": True}
UNSAFE = {
    "a public database": (Registered("aws:rds:Instance", "d", SAFE | {"publiclyAccessible": True}), "internet"),
    "a database in clear": (Registered("aws:rds:Instance", "d", SAFE | {"storageEncrypted": False}), "unencrypted"),
    "a database that says nothing": (Registered("aws:rds:Instance", "d", {}), "unencrypted"),
    "a cluster in clear": (Registered("aws:rds:Cluster", "d", {}), "unencrypted"),
    "a machine's disk": (Registered("aws:ec2:Instance", "m", {"rootBlockDevice": {"encrypted": False}}), "disk"),
    "a machine that says nothing": (Registered("aws:ec2:Instance", "m", {}), "disk"),
    "a machine's second disk": (
        Registered(
            "aws:ec2:Instance", "m", {"rootBlockDevice": {"encrypted": True}, "ebsBlockDevices": [{"volumeSize": 8}]}
        ),
        "disk",
    ),
    "a template's disk": (
        Registered("aws:ec2:LaunchTemplate", "t", {"blockDeviceMappings": [{"ebs": {"volumeSize": 8}}]}),
        "disk",
    ),
    "a template that says nothing": (Registered("aws:ec2:LaunchTemplate", "t", {}), "disk"),
    "a volume": (Registered("aws:ebs:Volume", "v", {"size": 8}), "disk"),
    "a file system": (Registered("aws:efs:FileSystem", "f", {}), "disk"),
    "SSH": (rule(22, 22), "opens port 22 to 0.0.0.0/0"),
    "SSH over IPv6": (rule(22, 22, "::/0", key="cidrIpv6"), "opens port 22 to ::/0"),
    "SSH to half the world": (rule(22, 22, "128.0.0.0/1"), "opens port 22"),
    "a range with SSH in it": (rule(20, 30), "opens 20-30"),
    "a database's port": (rule(5432, 5432), "opens port 5432"),
    "everything": (Registered("aws:vpc:SecurityGroupIngressRule", "door", {"ipProtocol": "-1", "cidrIpv4": "0.0.0.0/0"}), "every port"),
    "a rule within its group": (inline(protocol="tcp", fromPort=22, toPort=22, cidrBlocks=["0.0.0.0/0"]), "port 22"),
    "a rule within its group, IPv6": (inline(protocol="-1", ipv6CidrBlocks=["::/0"]), "every port"),
    "a rule of the older kind": (
        Registered(
            "aws:ec2:SecurityGroupRule",
            "old",
            {"type": "ingress", "protocol": "tcp", "fromPort": 22, "toPort": 22, "cidrBlocks": ["0.0.0.0/0"]},
        ),
        "port 22",
    ),
}  # fmt: skip


class TestWhatTheEngineRegisters:
    @pytest.mark.parametrize("case", sorted(UNSAFE))
    def test_unsafe_is_refused(self, case: str) -> None:
        resource, complaint = UNSAFE[case]
        with pytest.raises(PlanError, match=complaint) as caught:
            check_registered([Registered("aws:ec2:Vpc", "vpc", {}), resource])
        assert caught.value.exit_code == 50
        assert f"{resource.type} {resource.name}" in caught.value.message

    def test_safe_passes(self) -> None:
        egress = Registered("aws:ec2:SecurityGroupRule", "out", {"type": "egress", "cidrBlocks": ["0.0.0.0/0"]})
        check_registered(
            [rule(80, 80), rule(443, 443), rule(22, 22, "203.0.113.7/32"), egress, inline(protocol="tcp", fromPort=443, toPort=443, cidrBlocks=["0.0.0.0/0"])]
        )  # fmt: skip
        check_registered([Registered("aws:rds:Instance", "d", SAFE)])

    @pytest.mark.parametrize(
        "door",
        [
            rule(22, 22, "203.0.113.7/32"),
            rule(20, 30, "203.0.113.7/32"),
            rule(22, 22, "203.0.113.7/32", protocol="6"),
            Registered("aws:vpc:SecurityGroupIngressRule", "door", {"ipProtocol": "-1", "cidrIpv4": "10.0.0.0/16"}),
            Registered("aws:vpc:SecurityGroupIngressRule", "door", {"ipProtocol": "tcp", "fromPort": 22, "toPort": 22, "referencedSecurityGroupId": "sg-1"}),
            inline(protocol="tcp", fromPort=22, toPort=22, cidrBlocks=["203.0.113.7/32"]),
        ],
    )  # fmt: skip
    def test_no_door_leads_to_ssh_where_the_machine_is_reached_by_sessions(self, door: Registered) -> None:
        check_registered([door], "ssh")
        with pytest.raises(PlanError, match="opens SSH, though the machine is to be reached by sessions"):
            check_registered([rule(443, 443), door], "ssm")

    def test_other_doors_may_be_there_then(self) -> None:
        udp = rule(22, 22, "203.0.113.7/32", protocol="udp")
        check_registered([rule(80, 80), rule(443, 443), rule(8000, 8000, "10.0.0.0/16"), udp], "ssm")


class TestAnotherStack:
    @pytest.mark.parametrize(
        ("standing", "complaint"),
        [
            (Standing("aws:ec2:Vpc", "vpc", f"arn:aws:ec2:eu-west-1:{ACCOUNT}:vpc/vpc-1"), "region eu-west-1"),
            (Standing("aws:ec2:Vpc", "vpc", "arn:aws:ec2:us-east-1:999999999999:vpc/vpc-1"), "account 999999999999"),
            (Standing("aws:ec2:Vpc", "vpc", deployment_id="shop-20260101-aaaaaa"), "deployment shop-20260101-aaaaaa"),
        ],
    )
    def test_is_refused(self, standing: Standing, complaint: str) -> None:
        with pytest.raises(PlanError, match=complaint) as caught:
            check_standing(plan(), [standing])
        assert "--new" in caught.value.remediation

    def test_its_own_is_not(self) -> None:
        ours = plan()
        check_standing(
            ours,
            [
                Standing("aws:ec2:Vpc", "vpc", f"arn:aws:ec2:us-east-1:{ACCOUNT}:vpc/vpc-1", ours.deployment_id),
                Standing("aws:ec2:Route", "route"),
                Standing("aws:iam:Role", "role", f"arn:aws:iam::{ACCOUNT}:role/app"),
                Standing("aws:s3:Bucket", "logs", "arn:aws:s3:::logs"),
                Standing("aws:iam:RolePolicyAttachment", "ssm", "arn:aws:iam::aws:policy/AmazonSSMManagedInstanceCore"),
            ],
        )
