"""Rules that somebody added to the deployment's security groups."""

from __future__ import annotations

from typing import Any

from autodeploy.adapters.aws import AwsCloud


def test_are_named_by_what_they_let_through_and_taken_away_where_that_is_wanted(cloud: AwsCloud, client: Any) -> None:
    ec2 = client("ec2")
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    group, other = (
        ec2.create_security_group(GroupName=name, Description=name, VpcId=vpc)["GroupId"] for name in ("a", "b")
    )
    for each in (group, other):  # AWS's own rule that lets everything out
        everything = [{"IpProtocol": "-1", "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}]
        ec2.revoke_security_group_egress(GroupId=each, IpPermissions=everything)

    def opened(to: str, way: str = "ingress", **permission: Any) -> str:
        answer = getattr(ec2, f"authorize_security_group_{way}")(GroupId=to, IpPermissions=[permission])
        return str(answer["SecurityGroupRules"][0]["SecurityGroupRuleId"])

    ssh = {"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22}
    ours = opened(group, **ssh, IpRanges=[{"CidrIp": "198.51.100.7/32"}])
    assert cloud.foreign_rules([group, other], [ours]) == {}
    assert cloud.foreign_rules([], []) == {}
    by_hand = opened(group, **ssh, IpRanges=[{"CidrIp": "0.0.0.0/0"}])
    range_ = {"IpProtocol": "udp", "FromPort": 1, "ToPort": 9}
    many = opened(group, **range_, UserIdGroupPairs=[{"GroupId": other}])
    out = opened(other, "egress", IpProtocol="-1", Ipv6Ranges=[{"CidrIpv6": "::/0"}])
    assert cloud.foreign_rules([group, other], [ours]) == {
        group: {by_hand: "tcp 22 in from 0.0.0.0/0", many: f"udp 1-9 in from {other}"},
        other: {out: "everything out to ::/0"},
    }
    cloud.revoke_rules({group: [by_hand, many], other: ["sgr-0gone"]})
    assert cloud.foreign_rules([group, other], [ours]) == {other: {out: "everything out to ::/0"}}
    cloud.revoke_rules({group: [by_hand], other: [out]})
    assert cloud.foreign_rules([group, other], []) == {group: {ours: "tcp 22 in from 198.51.100.7/32"}}
    cloud.revoke_rules({})
