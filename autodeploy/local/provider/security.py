"""Entries of security groups and their separate rules, in and out."""

from __future__ import annotations

import functools
from typing import Any, Literal

from autodeploy.local.provider import limits
from autodeploy.local.provider.account import refusal
from autodeploy.local.provider.entry import Call, Entry
from autodeploy.local.provider.wire import Values

Direction = Literal["ingress", "egress"]


def _group_create(call: Call) -> str:
    ec2, inputs = call.client("ec2"), call.inputs
    identity = str(
        ec2.create_security_group(GroupName=inputs["name"], Description=inputs["description"], VpcId=inputs["vpcId"])[
            "GroupId"
        ]
    )
    # Like pulumi-aws: what is not declared is not allowed, so the rule that AWS adds is taken away.
    for rule in _rules(call, identity):
        ec2.revoke_security_group_egress(GroupId=identity, SecurityGroupRuleIds=[rule["SecurityGroupRuleId"]])
    return identity


def _group_read(call: Call, identity: str) -> Values | None:
    found = call.client("ec2").describe_security_groups(GroupIds=[identity])["SecurityGroups"][0]
    return {
        "arn": f"arn:aws:ec2:{call.region}:{found['OwnerId']}:security-group/{identity}",
        "ownerId": found["OwnerId"],
        "vpcId": found["VpcId"],
        "name": found["GroupName"],
        "description": found["Description"],
    }


def _group_delete(call: Call, identity: str) -> None:
    ec2 = call.client("ec2")
    if call.inputs.get("revokeRulesOnDelete"):
        for rule in _rules(call, identity):
            _revoke(call, rule)
    users = _users(call, identity)
    if users:
        raise refusal(
            f"DependencyViolation: resource {identity} has a dependent object: {users[0]}",
            "Delete what uses the security group first.",
            "Deleting a security group",
        )
    ec2.delete_security_group(GroupId=identity)


def _users(call: Call, identity: str) -> list[str]:
    ec2 = call.client("ec2")
    cards = ec2.describe_network_interfaces(Filters=[{"Name": "group-id", "Values": [identity]}])["NetworkInterfaces"]
    balancers = call.client("elbv2").describe_load_balancers()["LoadBalancers"]
    databases = call.client("rds").describe_db_instances()["DBInstances"]
    rules = ec2.describe_security_group_rules()["SecurityGroupRules"]
    return [
        *(card["NetworkInterfaceId"] for card in cards if card["Status"] == "in-use"),
        *(item["LoadBalancerArn"] for item in balancers if identity in item.get("SecurityGroups", ())),
        *(
            item["DBInstanceIdentifier"]
            for item in databases
            if identity in [group["VpcSecurityGroupId"] for group in item.get("VpcSecurityGroups", ())]
        ),
        *(
            rule["SecurityGroupRuleId"]
            for rule in rules
            if rule.get("ReferencedGroupInfo", {}).get("GroupId") == identity and rule["GroupId"] != identity
        ),
    ]


def _rules(call: Call, group: str) -> list[dict[str, Any]]:
    only = [{"Name": "group-id", "Values": [group]}]
    found: list[dict[str, Any]] = call.client("ec2").describe_security_group_rules(Filters=only)["SecurityGroupRules"]
    return found


def _revoke(call: Call, rule: dict[str, Any]) -> None:
    verb = "revoke_security_group_egress" if rule["IsEgress"] else "revoke_security_group_ingress"
    getattr(call.client("ec2"), verb)(GroupId=rule["GroupId"], SecurityGroupRuleIds=[rule["SecurityGroupRuleId"]])


def _permission(inputs: Values) -> dict[str, Any]:
    said = {"Description": inputs["description"]} if inputs.get("description") else {}
    permission: dict[str, Any] = {"IpProtocol": inputs["ipProtocol"]}
    if inputs["ipProtocol"] != "-1":
        permission |= {"FromPort": inputs["fromPort"], "ToPort": inputs["toPort"]}
    if "cidrIpv4" in inputs:
        permission["IpRanges"] = [{"CidrIp": inputs["cidrIpv4"], **said}]
    elif "cidrIpv6" in inputs:
        permission["Ipv6Ranges"] = [{"CidrIpv6": inputs["cidrIpv6"], **said}]
    else:
        permission["UserIdGroupPairs"] = [{"GroupId": inputs["referencedSecurityGroupId"], **said}]
    return permission


def _rule_create(direction: Direction, call: Call) -> str:
    authorize = getattr(call.client("ec2"), f"authorize_security_group_{direction}")
    answer = authorize(GroupId=call.inputs["securityGroupId"], IpPermissions=[_permission(call.inputs)])
    return str(answer["SecurityGroupRules"][0]["SecurityGroupRuleId"])


def _rule_read(call: Call, identity: str) -> Values | None:
    found = call.client("ec2").describe_security_group_rules(SecurityGroupRuleIds=[identity])["SecurityGroupRules"]
    if not found:
        return None
    rule = found[0]
    ports = {} if rule["IpProtocol"] == "-1" else {"fromPort": rule["FromPort"], "toPort": rule["ToPort"]}
    # The emulator forgets what a rule that refers to a group was described with.
    forgotten = "ReferencedGroupInfo" in rule and not rule.get("Description")
    said = {} if forgotten else {"description": rule.get("Description") or None}
    return {
        "arn": f"arn:aws:ec2:{call.region}:123456789012:security-group-rule/{identity}",
        "securityGroupRuleId": identity,
        "securityGroupId": rule["GroupId"],
        "ipProtocol": rule["IpProtocol"],
        "cidrIpv4": rule.get("CidrIpv4"),
        "cidrIpv6": rule.get("CidrIpv6"),
        "referencedSecurityGroupId": rule.get("ReferencedGroupInfo", {}).get("GroupId"),
        **said,
        **ports,
    }


def _rule_update(call: Call, identity: str) -> None:
    given = call.given(
        IpProtocol="ipProtocol",
        CidrIpv4="cidrIpv4",
        CidrIpv6="cidrIpv6",
        ReferencedGroupId="referencedSecurityGroupId",
        Description="description",
    )
    given |= {"FromPort": -1, "ToPort": -1} | call.given(FromPort="fromPort", ToPort="toPort")
    call.client("ec2").modify_security_group_rules(
        GroupId=call.inputs["securityGroupId"],
        SecurityGroupRules=[{"SecurityGroupRuleId": identity, "SecurityGroupRule": given}],
    )


def _rule_delete(direction: Direction, call: Call, identity: str) -> None:
    group = (call.state or call.inputs)["securityGroupId"]
    revoke = getattr(call.client("ec2"), f"revoke_security_group_{direction}")
    revoke(GroupId=group, SecurityGroupRuleIds=[identity])


def _rule(token: str, direction: Direction) -> Entry:
    return Entry(
        token,
        functools.partial(_rule_create, direction),
        _rule_read,
        functools.partial(_rule_delete, direction),
        _rule_update,
        limits=limits.security_group_rule,
        replaces=("securityGroupId",),
        updates=(
            *("ipProtocol", "fromPort", "toPort", "description"),
            *("cidrIpv4", "cidrIpv6", "referencedSecurityGroupId"),
        ),
        tagged=("ec2", "id"),
    )


SECURITY_GROUP = Entry(
    "aws:ec2/securityGroup:SecurityGroup",
    _group_create,
    _group_read,
    _group_delete,
    limits=limits.security_group,
    replaces=("description", "vpcId"),
    recorded=("revokeRulesOnDelete",),
    defaults={"description": "Managed by Pulumi"},
    tagged=("ec2", "id"),
    named=("name", 255),
)
INGRESS = _rule("aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule", "ingress")
EGRESS = _rule("aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule", "egress")
ENTRIES = (SECURITY_GROUP, INGRESS, EGRESS)
