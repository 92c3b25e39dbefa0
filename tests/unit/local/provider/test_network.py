"""VPC, subnets, gateway, routes, security groups: made, read, changed, refused and deleted as AWS does it."""

from __future__ import annotations

from typing import Any

import grpc
import pytest

VPC, SUBNET = "aws:ec2/vpc:Vpc", "aws:ec2/subnet:Subnet"
GROUP = "aws:ec2/securityGroup:SecurityGroup"
INGRESS = "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule"
EGRESS = "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule"
TABLE, ROUTE = "aws:ec2/routeTable:RouteTable", "aws:ec2/route:Route"
ASSOCIATION = "aws:ec2/routeTableAssociation:RouteTableAssociation"
GATEWAY = "aws:ec2/internetGateway:InternetGateway"


def test_a_vpc_is_tagged_with_its_urn_and_the_default_tags(engine: Any, served: Any) -> None:
    vpc = engine.make(VPC, "vpc", cidrBlock="10.0.0.0/16", enableDnsHostnames=True, tags={"Name": "web"})
    assert served.tags(vpc.id) == {"Name": "web", "DeploymentId": "web-1", "autodeploy:urn": vpc.urn}
    assert vpc.outputs["tagsAll"] == {"Name": "web", "DeploymentId": "web-1"}
    assert vpc.outputs["tags"] == {"Name": "web"}
    assert vpc.outputs["enableDnsHostnames"] is True
    assert vpc.outputs["arn"] == f"arn:aws:ec2:us-east-1:123456789012:vpc/{vpc.id}"
    assert vpc.outputs["defaultSecurityGroupId"].startswith("sg-")
    assert vpc.outputs["mainRouteTableId"].startswith("rtb-")

    vpc = engine.change(vpc, tags={"Team": "blue"}, enableDnsHostnames=False)
    assert served.tags(vpc.id) == {"Team": "blue", "DeploymentId": "web-1", "autodeploy:urn": vpc.urn}
    vpc = engine.change(vpc, tags=None)
    assert vpc.outputs["tagsAll"] == {"DeploymentId": "web-1"}


def test_other_default_tags_are_a_change(engine: Any, served: Any, another_engine: Any) -> None:
    vpc = engine.make(VPC, "vpc", cidrBlock="10.0.0.0/16")
    other = another_engine()
    other.default_tags = {"DeploymentId": "web-1", "Team": "blue"}
    other.configure()
    answer = other.diff(vpc, {"cidrBlock": "10.0.0.0/16"})
    assert (list(answer.diffs), list(answer.replaces)) == (["tagsAll"], [])


def test_a_resource_may_name_its_own_region(engine: Any, served: Any) -> None:
    vpc = engine.make(VPC, "vpc", cidrBlock="10.0.0.0/16", region="eu-west-1")
    assert vpc.outputs["arn"].startswith("arn:aws:ec2:eu-west-1:")
    assert list(engine.diff(vpc, {"cidrBlock": "10.0.0.0/16", "region": "us-east-1"}).replaces) == ["region"]
    engine.delete(vpc)
    assert engine.read(vpc) is None


def test_a_vpc_with_something_in_it_is_not_deleted(engine: Any, world: Any, served: Any) -> None:
    vpc = world.vpc()
    subnet = world.subnet(vpc)
    with pytest.raises(grpc.RpcError, match="DependencyViolation"):
        engine.delete(vpc)
    engine.delete(subnet)
    engine.delete(subnet)
    group = world.group(vpc)
    with pytest.raises(grpc.RpcError, match=group.id):
        engine.delete(vpc)
    engine.delete(group)
    assert served.plane.removed_networks == []
    engine.delete(vpc)
    assert engine.read(vpc) is None
    engine.delete(vpc)
    assert served.plane.removed_networks == [vpc.id, vpc.id]


def test_a_subnet_lies_in_its_vpc_and_overlaps_no_other(engine: Any, world: Any) -> None:
    vpc = world.vpc()
    world.subnet(vpc)
    for block, code in (("10.1.0.0/24", "InvalidSubnet.Range"), ("10.0.1.128/25", "InvalidSubnet.Conflict")):
        with pytest.raises(grpc.RpcError, match=code):
            engine.make(SUBNET, "other", vpcId=vpc.id, cidrBlock=block)


def test_a_subnet_in_use_is_not_deleted(engine: Any, world: Any) -> None:
    vpc = world.vpc()
    subnet, group = world.subnet(vpc), world.group(vpc)
    machine = world.instance(subnet, group, world.key())
    for used in (subnet, group):
        with pytest.raises(grpc.RpcError, match="DependencyViolation"):
            engine.delete(used)
    for thing in (machine, subnet, group):
        engine.delete(thing)


def test_a_subnet_can_be_changed_and_forces_replacement(engine: Any, world: Any) -> None:
    subnet = world.subnet(world.vpc())
    assert engine.change(subnet, mapPublicIpOnLaunch=True).outputs["mapPublicIpOnLaunch"] is True
    news = {"vpcId": "vpc-2", "cidrBlock": "10.0.9.0/24", "availabilityZone": "us-east-1b"}
    answer = engine.diff(subnet, news)
    assert sorted(answer.replaces) == ["availabilityZone", "cidrBlock", "vpcId"]


def test_a_gateway_moves_between_vpcs(engine: Any, world: Any) -> None:
    first = world.vpc()
    second = engine.make(VPC, "second", cidrBlock="10.1.0.0/16")
    gateway = engine.make(GATEWAY, "gateway", vpcId=first.id)
    gateway = engine.change(gateway, vpcId=second.id)
    assert gateway.outputs["vpcId"] == second.id
    gateway = engine.change(gateway, vpcId=None)
    engine.delete(gateway)
    assert engine.read(gateway) is None
    engine.delete(gateway)


def test_routes_and_associations(engine: Any, world: Any) -> None:
    vpc = world.vpc()
    subnet = world.subnet(vpc)
    gateway = engine.make(GATEWAY, "gateway", vpcId=vpc.id)
    other = engine.make(GATEWAY, "other")
    table = engine.make(TABLE, "public", vpcId=vpc.id)
    route = engine.make(ROUTE, "default", routeTableId=table.id, destinationCidrBlock="0.0.0.0/0", gatewayId=gateway.id)
    assert route.outputs["state"] == "active"
    assert engine.change(route, gatewayId=other.id).outputs["gatewayId"] == other.id
    association = engine.make(ASSOCIATION, "public", routeTableId=table.id, subnetId=subnet.id)
    with pytest.raises(grpc.RpcError, match="AlreadyAssociated"):
        engine.make(ASSOCIATION, "twice", routeTableId=table.id, subnetId=subnet.id)
    answer = engine.diff(association, {"routeTableId": "rtb-2", "subnetId": subnet.id})
    assert (list(answer.replaces), answer.deleteBeforeReplace) == (["routeTableId"], True)
    for thing in (association, route, table):
        engine.delete(thing)
        assert engine.read(thing) is None
        engine.delete(thing)


def test_a_security_group_allows_nothing_until_told(engine: Any, world: Any, served: Any) -> None:
    group = world.group(world.vpc())
    held = served.aws("ec2").describe_security_groups(GroupIds=[group.id])["SecurityGroups"][0]
    assert (held["IpPermissions"], held["IpPermissionsEgress"]) == ([], [])
    assert group.outputs["description"] == "Managed by Pulumi"
    assert group.outputs["name"] == "app-abcdabc"


def test_rules_are_made_changed_and_told_apart(engine: Any, world: Any, served: Any) -> None:
    vpc = world.vpc()
    app, balancer = world.group(vpc), world.group(vpc, "balancer")
    rule = {"securityGroupId": app.id, "ipProtocol": "tcp", "fromPort": 22, "toPort": 22, "cidrIpv4": "192.0.2.7/32"}
    ssh = engine.make(INGRESS, "ssh", description="SSH", **rule)
    with pytest.raises(grpc.RpcError, match=r"InvalidPermission\.Duplicate"):
        engine.make(INGRESS, "again", **rule)
    assert engine.change(ssh, cidrIpv4="192.0.2.9/32").outputs["cidrIpv4"] == "192.0.2.9/32"
    out = engine.make(EGRESS, "out", securityGroupId=app.id, ipProtocol="-1", cidrIpv4="0.0.0.0/0")
    assert "fromPort" not in out.outputs
    six = engine.make(EGRESS, "six", securityGroupId=app.id, ipProtocol="-1", cidrIpv6="::/0")
    web = engine.make(
        INGRESS,
        "web",
        securityGroupId=app.id,
        ipProtocol="tcp",
        fromPort=80,
        toPort=80,
        referencedSecurityGroupId=balancer.id,
        description="Balancer",
    )
    assert engine.change(out, description="Anywhere", tags={"a": "b"}).outputs["tagsAll"]["a"] == "b"
    with pytest.raises(grpc.RpcError, match="DependencyViolation"):
        engine.delete(balancer)
    for thing in (ssh, out, six, web, balancer, app):
        engine.delete(thing)
        assert engine.read(thing) is None
        engine.delete(thing)


def test_rules_can_go_with_their_group(engine: Any, world: Any, served: Any) -> None:
    group = engine.make(GROUP, "app", vpcId=world.vpc().id, revokeRulesOnDelete=True)
    rule = {"securityGroupId": group.id, "ipProtocol": "tcp", "fromPort": 1, "toPort": 2}
    engine.make(INGRESS, "self", referencedSecurityGroupId=group.id, **rule)
    engine.make(EGRESS, "self", cidrIpv4="10.0.0.0/8", **rule)
    engine.delete(group)
    assert engine.read(group) is None


def test_refresh_sees_what_somebody_changed_by_hand(engine: Any, world: Any, served: Any) -> None:
    vpc = world.vpc()
    ec2 = served.aws("ec2")
    ec2.create_tags(Resources=[vpc.id], Tags=[{"Key": "Owner", "Value": "somebody"}])
    ec2.modify_vpc_attribute(VpcId=vpc.id, EnableDnsHostnames={"Value": True})
    seen = engine.read(vpc)
    assert seen.outputs["enableDnsHostnames"] is True
    assert seen.outputs["tags"] == {"Owner": "somebody"}
    answer = engine.diff(seen, {"cidrBlock": "10.0.0.0/16"})
    assert "tagsAll" in list(answer.diffs)


def test_an_import_reads_the_inputs_too(engine: Any, world: Any) -> None:
    vpc = world.vpc()
    vpc.inputs, vpc.outputs = {}, {}
    seen = engine.read(vpc)
    assert seen.inputs["cidrBlock"] == "10.0.0.0/16"
    assert "arn" not in seen.inputs
