"""Entries of route tables: the table, one route, one association with a subnet."""

from __future__ import annotations

import zlib
from typing import Any

from autodeploy.local.provider import limits
from autodeploy.local.provider.account import refusal
from autodeploy.local.provider.entry import Call, Entry
from autodeploy.local.provider.wire import Values


def _table(call: Call, identity: str) -> dict[str, Any] | None:
    found = call.client("ec2").describe_route_tables(RouteTableIds=[identity])["RouteTables"]
    return found[0] if found else None


def _table_create(call: Call) -> str:
    return str(call.client("ec2").create_route_table(VpcId=call.inputs["vpcId"])["RouteTable"]["RouteTableId"])


def _table_read(call: Call, identity: str) -> Values | None:
    found = _table(call, identity)
    if found is None:
        return None
    owner = found["OwnerId"]
    arn = f"arn:aws:ec2:{call.region}:{owner}:route-table/{identity}"
    return {"arn": arn, "ownerId": owner, "vpcId": found["VpcId"]}


def _route_key(call: Call) -> dict[str, str]:
    values = call.state or call.inputs
    return {"RouteTableId": values["routeTableId"], "DestinationCidrBlock": values["destinationCidrBlock"]}


def _route_create(call: Call) -> str:
    key = _route_key(call)
    call.client("ec2").create_route(**key, GatewayId=call.inputs["gatewayId"])
    return f"r-{key['RouteTableId']}{zlib.crc32(key['DestinationCidrBlock'].encode())}"


def _route_read(call: Call, identity: str) -> Values | None:
    if not (call.state or call.inputs):
        raise refusal("a route cannot be looked up by its id alone", "Create it instead of importing it.", "Reading")
    key = _route_key(call)
    for route in (_table(call, key["RouteTableId"]) or {"Routes": ()})["Routes"]:
        if route.get("DestinationCidrBlock") == key["DestinationCidrBlock"] and route["Origin"] == "CreateRoute":
            return {
                "routeTableId": key["RouteTableId"],
                "destinationCidrBlock": key["DestinationCidrBlock"],
                "gatewayId": route.get("GatewayId"),
                "origin": route["Origin"],
                "state": route["State"],
            }
    return None


def _route_update(call: Call, identity: str) -> None:
    call.client("ec2").replace_route(**_route_key(call), GatewayId=call.inputs["gatewayId"])


def _association_create(call: Call) -> str:
    subnet = call.inputs["subnetId"]
    ec2 = call.client("ec2")
    tables = ec2.describe_route_tables(Filters=[{"Name": "association.subnet-id", "Values": [subnet]}])["RouteTables"]
    if tables:
        raise refusal(
            f"Resource.AlreadyAssociated: {subnet} is associated with {tables[0]['RouteTableId']} already",
            "Associate a subnet with one route table.",
        )
    return str(ec2.associate_route_table(RouteTableId=call.inputs["routeTableId"], SubnetId=subnet)["AssociationId"])


def _association_read(call: Call, identity: str) -> Values | None:
    only = [{"Name": "association.route-table-association-id", "Values": [identity]}]
    for table in call.client("ec2").describe_route_tables(Filters=only)["RouteTables"]:
        for association in table["Associations"]:
            if association["RouteTableAssociationId"] == identity:
                return {"routeTableId": table["RouteTableId"], "subnetId": association.get("SubnetId")}
    return None


ROUTE_TABLE = Entry(
    "aws:ec2/routeTable:RouteTable",
    _table_create,
    _table_read,
    lambda call, identity: call.client("ec2").delete_route_table(RouteTableId=identity),
    replaces=("vpcId",),
    tagged=("ec2", "id"),
)
ROUTE = Entry(
    "aws:ec2/route:Route",
    _route_create,
    _route_read,
    lambda call, identity: call.client("ec2").delete_route(**_route_key(call)),
    _route_update,
    limits=lambda inputs: limits.needs(inputs, "destinationCidrBlock", "gatewayId"),
    replaces=("routeTableId", "destinationCidrBlock"),
    updates=("gatewayId",),
)
ASSOCIATION = Entry(
    "aws:ec2/routeTableAssociation:RouteTableAssociation",
    _association_create,
    _association_read,
    lambda call, identity: call.client("ec2").disassociate_route_table(AssociationId=identity),
    limits=lambda inputs: limits.needs(inputs, "subnetId"),
    replaces=("routeTableId", "subnetId"),
    unique=("subnetId",),
)
ENTRIES = (ROUTE_TABLE, ROUTE, ASSOCIATION)
