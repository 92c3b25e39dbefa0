"""Entries of target groups and their members. Every change is served by the data plane at once."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from autodeploy.local.provider import limits, serving
from autodeploy.local.provider.account import ignoring_absent
from autodeploy.local.provider.entry import Call, Entry
from autodeploy.local.provider.schema import Failure
from autodeploy.local.provider.wire import UNKNOWN, Values

_CHECK = {
    "HealthCheckEnabled": "enabled",
    "HealthCheckPath": "path",
    "HealthCheckPort": "port",
    "HealthCheckProtocol": "protocol",
    "HealthCheckIntervalSeconds": "interval",
    "HealthCheckTimeoutSeconds": "timeout",
    "HealthyThresholdCount": "healthyThreshold",
    "UnhealthyThresholdCount": "unhealthyThreshold",
}
_DELAY = "deregistration_delay.timeout_seconds"


def _group_limits(inputs: Values) -> Iterator[Failure]:
    yield from limits.balancer_name(inputs)
    yield from limits.health_check(inputs)
    yield from limits.needs(inputs, "port", "protocol", "vpcId")
    yield from limits.within(inputs, "port", 1, 65535)
    yield from limits.within(inputs, "deregistrationDelay", 0, 3600)
    if inputs.get("protocol", UNKNOWN) not in ("HTTP", UNKNOWN):
        yield "protocol", "the local target's balancer speaks HTTP to its targets"
    if inputs.get("targetType", "instance") not in ("instance", "ip", UNKNOWN):
        yield "targetType", "the local target emulates target groups of type instance and ip"


def _check(inputs: Values) -> dict[str, Any]:
    check = inputs.get("healthCheck", {})
    given = {parameter: check[name] for parameter, name in _CHECK.items() if name in check}
    return {**given, **({"Matcher": {"HttpCode": check["matcher"]}} if "matcher" in check else {})}


def _group_create(call: Call) -> str:
    given = call.given(
        Name="name",
        Port="port",
        Protocol="protocol",
        ProtocolVersion="protocolVersion",
        VpcId="vpcId",
        TargetType="targetType",
    )
    made = call.client("elbv2").create_target_group(**given, **_check(call.inputs))["TargetGroups"][0]
    arn = str(made["TargetGroupArn"])
    _write_delay(call, arn)
    return arn


def _write_delay(call: Call, arn: str) -> None:
    if "deregistrationDelay" in call.inputs:
        pair = {"Key": _DELAY, "Value": str(call.inputs["deregistrationDelay"])}
        call.client("elbv2").modify_target_group_attributes(TargetGroupArn=arn, Attributes=[pair])


def _group_read(call: Call, identity: str) -> Values | None:
    elb = call.client("elbv2")
    found = elb.describe_target_groups(TargetGroupArns=[identity])["TargetGroups"][0]
    attributes = elb.describe_target_group_attributes(TargetGroupArn=identity)["Attributes"]
    check = {name: found[parameter] for parameter, name in _CHECK.items() if parameter in found}
    return {
        "arn": identity,
        "arnSuffix": identity.rpartition(":")[2],
        "name": found["TargetGroupName"],
        "port": found["Port"],
        "protocol": found["Protocol"],
        "protocolVersion": found.get("ProtocolVersion"),
        "targetType": found["TargetType"],
        "vpcId": found["VpcId"],
        "ipAddressType": found.get("IpAddressType"),
        "healthCheck": {**check, "matcher": found.get("Matcher", {}).get("HttpCode", "200")},
        "deregistrationDelay": next(int(item["Value"]) for item in attributes if item["Key"] == _DELAY),
    }


def _group_update(call: Call, identity: str) -> None:
    check = _check(call.inputs)
    if check:
        call.client("elbv2").modify_target_group(TargetGroupArn=identity, **check)
    _write_delay(call, identity)
    serving.refresh(call, lambda listener: identity in serving.groups(listener))


def _member(call: Call) -> tuple[str, dict[str, Any]]:
    values = call.state or call.inputs
    port = {"Port": values["port"]} if "port" in values else {}
    return values["targetGroupArn"], {"Id": values["targetId"], **port}


def _member_create(call: Call) -> str:
    group, target = _member(call)
    call.client("elbv2").register_targets(TargetGroupArn=group, Targets=[target])
    return f"{group}-{target['Id']}-{target.get('Port', '')}"


def _member_read(call: Call, identity: str) -> Values | None:
    group, target = _member(call)
    for item in call.client("elbv2").describe_target_health(TargetGroupArn=group)["TargetHealthDescriptions"]:
        if item["Target"]["Id"] == target["Id"] and target.get("Port") in (None, item["Target"]["Port"]):
            return {"targetGroupArn": group, "targetId": target["Id"], "port": item["Target"]["Port"]}
    return None


def _member_delete(call: Call, identity: str) -> None:
    group, target = _member(call)
    if _member_read(call, identity) is not None:
        ignoring_absent(lambda: call.client("elbv2").deregister_targets(TargetGroupArn=group, Targets=[target]))
    _serve_group(call, group)


def _serve_group(call: Call, group: str) -> None:
    serving.refresh(call, lambda listener: group in serving.groups(listener))


TARGET_GROUP = Entry(
    "aws:lb/targetGroup:TargetGroup",
    _group_create,
    _group_read,
    lambda call, identity: call.client("elbv2").delete_target_group(TargetGroupArn=identity),
    _group_update,
    limits=_group_limits,
    replaces=("port", "protocol", "protocolVersion", "vpcId", "targetType"),
    updates=("healthCheck", "deregistrationDelay"),
    recorded=("loadBalancingAlgorithmType", "slowStart", "stickiness", "ipAddressType"),
    tagged=("elbv2", "id"),
    named=("name", 32),
)
ATTACHMENT = Entry(
    "aws:lb/targetGroupAttachment:TargetGroupAttachment",
    _member_create,
    _member_read,
    _member_delete,
    start=lambda call, identity: _serve_group(call, call.inputs["targetGroupArn"]),
    replaces=("targetGroupArn", "targetId", "port", "availabilityZone"),
    unique=("targetGroupArn", "targetId"),
)
ENTRIES = (TARGET_GROUP, ATTACHMENT)
