"""The deployment's security groups and the rules that it made -> the rules in them that somebody else made.

The engine sees what it made and nothing beside it; a way in that was opened by hand would stay unseen.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from autodeploy.adapters.aws.leftovers import Connect


def rules(connect: Connect, groups: Collection[str], known: Collection[str]) -> dict[str, dict[str, str]]:
    """Return, by group and by the rule's id, what each rule that is not `known` lets through."""
    if not groups:
        return {}
    filters = [{"Name": "group-id", "Values": sorted(groups)}]
    found: dict[str, dict[str, str]] = {}
    for page in connect("ec2").get_paginator("describe_security_group_rules").paginate(Filters=filters):
        for rule in page["SecurityGroupRules"]:
            if rule["SecurityGroupRuleId"] not in known:
                found.setdefault(rule["GroupId"], {})[rule["SecurityGroupRuleId"]] = _said(rule)
    return found


def revoke(ec2: Any, unwanted: Mapping[str, Collection[str]]) -> None:
    """Delete rules, by group their ids; gone already counts as done."""
    for group, names in unwanted.items():
        pages = ec2.get_paginator("describe_security_group_rules").paginate(
            Filters=[{"Name": "group-id", "Values": [group]}]
        )
        there = [rule for page in pages for rule in page["SecurityGroupRules"] if rule["SecurityGroupRuleId"] in names]
        for is_egress, take_away in (
            (False, ec2.revoke_security_group_ingress),
            (True, ec2.revoke_security_group_egress),
        ):
            gone = [rule["SecurityGroupRuleId"] for rule in there if rule["IsEgress"] == is_egress]
            if gone:
                take_away(GroupId=group, SecurityGroupRuleIds=gone)


def _said(rule: Mapping[str, Any]) -> str:
    way = "out to" if rule["IsEgress"] else "in from"
    group = (rule.get("ReferencedGroupInfo") or {}).get("GroupId")
    peer = rule.get("CidrIpv4") or rule.get("CidrIpv6") or rule.get("PrefixListId") or group
    if rule["IpProtocol"] == "-1":
        return f"everything {way} {peer}"
    first, last = rule.get("FromPort"), rule.get("ToPort")
    return f"{rule['IpProtocol']} {first if first == last else f'{first}-{last}'} {way} {peer}"
