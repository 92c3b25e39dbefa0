"""Entries of what a database instance refers to: subnet groups and parameter groups."""

from __future__ import annotations

from typing import Any

from autodeploy.local.provider import limits
from autodeploy.local.provider.account import refusal
from autodeploy.local.provider.entry import Call, Entry
from autodeploy.local.provider.wire import Values
from autodeploy.local.provider.zones import two_zones


def _subnets_create(call: Call) -> str:
    two_zones(call, call.inputs["subnetIds"], "DBSubnetGroupDoesNotCoverEnoughAZs")
    given = call.given(DBSubnetGroupName="name", DBSubnetGroupDescription="description", SubnetIds="subnetIds")
    return str(call.client("rds").create_db_subnet_group(**given)["DBSubnetGroup"]["DBSubnetGroupName"])


def _subnets_read(call: Call, identity: str) -> Values | None:
    found = call.client("rds").describe_db_subnet_groups(DBSubnetGroupName=identity)["DBSubnetGroups"][0]
    return {
        "arn": found["DBSubnetGroupArn"],
        "name": found["DBSubnetGroupName"],
        "description": found["DBSubnetGroupDescription"],
        "subnetIds": [subnet["SubnetIdentifier"] for subnet in found["Subnets"]],
        "vpcId": found["VpcId"],
    }


def _subnets_update(call: Call, identity: str) -> None:
    two_zones(call, call.inputs["subnetIds"], "DBSubnetGroupDoesNotCoverEnoughAZs")
    given = call.given(DBSubnetGroupDescription="description", SubnetIds="subnetIds")
    call.client("rds").modify_db_subnet_group(DBSubnetGroupName=identity, **given)
    # The emulator (moto 5.2.5) loses a group by modifying it.
    call.client("rds").create_db_subnet_group(DBSubnetGroupName=identity, **given)


def _free(call: Call, kind: str, identity: str) -> None:
    for item in call.client("rds").describe_db_instances()["DBInstances"]:
        groups = [item.get("DBSubnetGroup", {}).get("DBSubnetGroupName")]
        groups += [group["DBParameterGroupName"] for group in item.get("DBParameterGroups", ())]
        if identity in groups:
            raise refusal(
                f"InvalidDB{kind}State: {identity} is in use by {item['DBInstanceIdentifier']}",
                "Delete the database first.",
                "Deleting a group of a database",
            )


def _subnets_delete(call: Call, identity: str) -> None:
    _free(call, "SubnetGroup", identity)
    call.client("rds").delete_db_subnet_group(DBSubnetGroupName=identity)


SUBNET_GROUP = Entry(
    "aws:rds/subnetGroup:SubnetGroup",
    _subnets_create,
    _subnets_read,
    _subnets_delete,
    _subnets_update,
    limits=limits.database_group,
    updates=("subnetIds", "description"),
    defaults={"description": "Managed by Pulumi"},
    tagged=("rds", "arn"),
    named=("name", 255),
)


def _parameters(inputs: Values) -> dict[str, dict[str, str]]:
    return {
        item["name"]: {
            "ParameterName": item["name"],
            "ParameterValue": item["value"],
            "ApplyMethod": item.get("applyMethod", "immediate"),
        }
        for item in inputs.get("parameters", ())
    }


def _parameters_create(call: Call) -> str:
    given = call.given(DBParameterGroupName="name", DBParameterGroupFamily="family", Description="description")
    made = call.client("rds").create_db_parameter_group(**given)["DBParameterGroup"]
    name = str(made["DBParameterGroupName"])
    _write(call, name, list(_parameters(call.inputs).values()))
    return name


def _write(call: Call, name: str, parameters: list[dict[str, str]]) -> None:
    for first in range(0, len(parameters), 20):
        batch = parameters[first : first + 20]
        call.client("rds").modify_db_parameter_group(DBParameterGroupName=name, Parameters=batch)


def _parameters_read(call: Call, identity: str) -> Values | None:
    rds = call.client("rds")
    groups = rds.describe_db_parameter_groups(DBParameterGroupName=identity)["DBParameterGroups"]
    if not groups:
        return None
    found = groups[0]
    held: list[dict[str, Any]] = rds.describe_db_parameters(DBParameterGroupName=identity, Source="user")["Parameters"]
    listed = [
        {"name": item["ParameterName"], "value": item["ParameterValue"], "applyMethod": item["ApplyMethod"]}
        for item in held
        if item.get("ParameterValue")
    ]
    order = list(_parameters(call.inputs))
    listed.sort(key=lambda item: (order.index(item["name"]) if item["name"] in order else len(order), item["name"]))
    return {
        "arn": found["DBParameterGroupArn"],
        "name": found["DBParameterGroupName"],
        "family": found["DBParameterGroupFamily"],
        "description": found["Description"],
        "parameters": listed,
    }


def _parameters_update(call: Call, identity: str) -> None:
    wanted = _parameters(call.inputs)
    # The emulator cannot reset a parameter to its default; one without a value counts as not set.
    dropped = [{**item, "ParameterValue": ""} for name, item in _parameters(call.state).items() if name not in wanted]
    _write(call, identity, [*wanted.values(), *dropped])


def _parameters_delete(call: Call, identity: str) -> None:
    _free(call, "ParameterGroup", identity)
    call.client("rds").delete_db_parameter_group(DBParameterGroupName=identity)


PARAMETER_GROUP = Entry(
    "aws:rds/parameterGroup:ParameterGroup",
    _parameters_create,
    _parameters_read,
    _parameters_delete,
    _parameters_update,
    limits=limits.database_group,
    replaces=("family", "description"),
    updates=("parameters",),
    defaults={"description": "Managed by Pulumi"},
    tagged=("rds", "arn"),
    named=("name", 255),
)
ENTRIES = (SUBNET_GROUP, PARAMETER_GROUP)
