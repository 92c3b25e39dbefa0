"""Entries of the network: VPC, subnets, internet gateway, route tables."""

from __future__ import annotations

import ipaddress

from autodeploy.local.provider import limits
from autodeploy.local.provider.account import ignoring_absent, refusal
from autodeploy.local.provider.entry import Call, Entry
from autodeploy.local.provider.wire import Values

Network = ipaddress.IPv4Network


def _arn(call: Call, kind: str, identity: str, owner: str) -> str:
    return f"arn:aws:ec2:{call.region}:{owner}:{kind}/{identity}"


def _vpc_create(call: Call) -> str:
    given = call.given(CidrBlock="cidrBlock", InstanceTenancy="instanceTenancy")
    identity = str(call.client("ec2").create_vpc(**given)["Vpc"]["VpcId"])
    _vpc_update(call, identity)
    return identity


def _vpc_update(call: Call, identity: str) -> None:
    for name in ("EnableDnsSupport", "EnableDnsHostnames"):
        value = call.inputs.get(name[0].lower() + name[1:])
        if value is not None:
            call.client("ec2").modify_vpc_attribute(VpcId=identity, **{name: {"Value": value}})


def _vpc_read(call: Call, identity: str) -> Values | None:
    ec2 = call.client("ec2")
    found = ec2.describe_vpcs(VpcIds=[identity])["Vpcs"][0]
    only = [{"Name": "vpc-id", "Values": [identity]}]
    tables = ec2.describe_route_tables(Filters=[*only, {"Name": "association.main", "Values": ["true"]}])
    groups = ec2.describe_security_groups(Filters=[*only, {"Name": "group-name", "Values": ["default"]}])
    acls = ec2.describe_network_acls(Filters=[*only, {"Name": "default", "Values": ["true"]}])["NetworkAcls"]
    values = {
        name[0].lower() + name[1:]: ec2.describe_vpc_attribute(VpcId=identity, Attribute=name[0].lower() + name[1:])[
            name
        ]["Value"]
        for name in ("EnableDnsSupport", "EnableDnsHostnames")
    }
    main = tables["RouteTables"][0]["RouteTableId"] if tables["RouteTables"] else None
    return values | {
        "arn": _arn(call, "vpc", identity, found["OwnerId"]),
        "cidrBlock": found["CidrBlock"],
        "instanceTenancy": found["InstanceTenancy"],
        "ownerId": found["OwnerId"],
        "dhcpOptionsId": found.get("DhcpOptionsId"),
        "mainRouteTableId": main,
        "defaultRouteTableId": main,
        "defaultSecurityGroupId": groups["SecurityGroups"][0]["GroupId"] if groups["SecurityGroups"] else None,
        "defaultNetworkAclId": acls[0]["NetworkAclId"] if acls else None,
    }


def _refuse_while_used(identity: str, users: list[str]) -> None:
    if users:
        raise refusal(
            f"DependencyViolation: {identity} has dependencies and cannot be deleted: {', '.join(users)}",
            "Delete what is in it first.",
            "Deleting a network",
        )


def _vpc_delete(call: Call, identity: str) -> None:
    only = [{"Name": "vpc-id", "Values": [identity]}]
    ec2 = call.client("ec2")
    groups = ec2.describe_security_groups(Filters=only)["SecurityGroups"]
    users = [item["GroupId"] for item in groups if item["GroupName"] != "default"]
    users += [item["SubnetId"] for item in ec2.describe_subnets(Filters=only)["Subnets"]]
    _refuse_while_used(identity, users)
    ignoring_absent(lambda: ec2.delete_vpc(VpcId=identity))
    call.account.wait(call.account.plane.remove_network(identity))


def _subnet_create(call: Call) -> str:
    ec2, inputs = call.client("ec2"), call.inputs
    vpc = ec2.describe_vpcs(VpcIds=[inputs["vpcId"]])["Vpcs"][0]
    if not Network(inputs["cidrBlock"]).subnet_of(Network(vpc["CidrBlock"])):
        raise refusal(
            f"InvalidSubnet.Range: {inputs['cidrBlock']} lies outside the VPC's {vpc['CidrBlock']}",
            "Give the subnet a CIDR block inside its VPC's.",
        )
    given = call.given(
        VpcId="vpcId",
        CidrBlock="cidrBlock",
        AvailabilityZone="availabilityZone",
        AvailabilityZoneId="availabilityZoneId",
    )
    identity = str(ec2.create_subnet(**given)["Subnet"]["SubnetId"])
    _subnet_update(call, identity)
    return identity


def _subnet_update(call: Call, identity: str) -> None:
    if "mapPublicIpOnLaunch" in call.inputs:
        value = {"Value": call.inputs["mapPublicIpOnLaunch"]}
        call.client("ec2").modify_subnet_attribute(SubnetId=identity, MapPublicIpOnLaunch=value)


def _subnet_read(call: Call, identity: str) -> Values | None:
    found = call.client("ec2").describe_subnets(SubnetIds=[identity])["Subnets"][0]
    return {
        "arn": found["SubnetArn"],
        "ownerId": found["OwnerId"],
        "vpcId": found["VpcId"],
        "cidrBlock": found["CidrBlock"],
        "availabilityZone": found["AvailabilityZone"],
        "availabilityZoneId": found.get("AvailabilityZoneId"),
        "mapPublicIpOnLaunch": found["MapPublicIpOnLaunch"],
    }


def _subnet_delete(call: Call, identity: str) -> None:
    ec2 = call.client("ec2")
    cards = ec2.describe_network_interfaces(Filters=[{"Name": "subnet-id", "Values": [identity]}])["NetworkInterfaces"]
    balancers = call.client("elbv2").describe_load_balancers()["LoadBalancers"]
    users = [card["NetworkInterfaceId"] for card in cards if card["Status"] == "in-use"]
    users += [
        balancer["LoadBalancerArn"]
        for balancer in balancers
        if identity in [zone["SubnetId"] for zone in balancer["AvailabilityZones"]]
    ]
    _refuse_while_used(identity, users)
    ec2.delete_subnet(SubnetId=identity)


def _gateway_create(call: Call) -> str:
    identity = str(call.client("ec2").create_internet_gateway()["InternetGateway"]["InternetGatewayId"])
    if "vpcId" in call.inputs:
        call.client("ec2").attach_internet_gateway(InternetGatewayId=identity, VpcId=call.inputs["vpcId"])
    return identity


def _gateway_read(call: Call, identity: str) -> Values | None:
    found = call.client("ec2").describe_internet_gateways(InternetGatewayIds=[identity])["InternetGateways"][0]
    vpc = found["Attachments"][0]["VpcId"] if found["Attachments"] else None
    owner = found["OwnerId"]
    return {"arn": _arn(call, "internet-gateway", identity, owner), "ownerId": owner, "vpcId": vpc}


def _gateway_update(call: Call, identity: str) -> None:
    if call.changed("vpcId"):
        ec2 = call.client("ec2")
        if call.state.get("vpcId"):
            ec2.detach_internet_gateway(InternetGatewayId=identity, VpcId=call.state["vpcId"])
        if "vpcId" in call.inputs:
            ec2.attach_internet_gateway(InternetGatewayId=identity, VpcId=call.inputs["vpcId"])


def _gateway_delete(call: Call, identity: str) -> None:
    found = _gateway_read(call, identity)
    if found and found["vpcId"]:
        call.client("ec2").detach_internet_gateway(InternetGatewayId=identity, VpcId=found["vpcId"])
    call.client("ec2").delete_internet_gateway(InternetGatewayId=identity)


VPC = Entry(
    "aws:ec2/vpc:Vpc",
    _vpc_create,
    _vpc_read,
    _vpc_delete,
    _vpc_update,
    limits=limits.vpc_block,
    replaces=("cidrBlock",),
    updates=("enableDnsHostnames", "enableDnsSupport"),
    recorded=("instanceTenancy", "enableNetworkAddressUsageMetrics"),
    tagged=("ec2", "id"),
)
SUBNET = Entry(
    "aws:ec2/subnet:Subnet",
    _subnet_create,
    _subnet_read,
    _subnet_delete,
    _subnet_update,
    limits=limits.vpc_block,
    replaces=("vpcId", "cidrBlock", "availabilityZone", "availabilityZoneId"),
    updates=("mapPublicIpOnLaunch",),
    tagged=("ec2", "id"),
)
INTERNET_GATEWAY = Entry(
    "aws:ec2/internetGateway:InternetGateway",
    _gateway_create,
    _gateway_read,
    _gateway_delete,
    _gateway_update,
    updates=("vpcId",),
    tagged=("ec2", "id"),
)
ENTRIES = (VPC, SUBNET, INTERNET_GATEWAY)
