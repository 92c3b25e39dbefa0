"""The real engine over an emulated account: what is changed by hand shows, and compute goes and comes alone."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
from integration.killing import ID, Place
from integration.test_engine_kills import plan

from autodeploy.agents.dismantling import of_part
from autodeploy.agents.drifting import with_foreign
from autodeploy.errors import InfrastructureError
from autodeploy.model import Drift

pytestmark = pytest.mark.engine

GROUP = "aws:ec2/securityGroup:SecurityGroup"


def up(place: Place, pair: tuple[str, str]) -> dict[str, Any]:
    return place.engine.up(plan(pair[0]), {"certificateKey": pair[1]}, None, place.say)


def state_of(place: Place) -> bytes:
    return (place.home / "pulumi" / ".pulumi" / "stacks" / "autodeploy" / f"{ID}.json").read_bytes()


def drift(place: Place) -> Drift:
    """Return the drift as the provisioner puts it together; neither account nor state changes."""
    before = state_of(place), place.standing()
    found, made = place.engine.drift(ID, place.say), place.engine.standing(ID)
    groups = {each.id: each for each in made if each.type == GROUP}
    foreign = place.cloud.foreign_rules(groups, [each.id for each in made])
    assert (state_of(place), place.standing()) == before
    return with_foreign(found, {groups[group]: rules for group, rules in foreign.items()})


def ids(place: Place) -> dict[str, str]:
    """Return the id of each resource by type and name."""
    return {
        f"{each.type.rpartition(':')[2]} {each.urn.rpartition('::')[2]}": each.id for each in place.engine.standing(ID)
    }


def test_what_is_changed_by_hand_shows_and_is_put_right(place: Place, pair: tuple[str, str]) -> None:
    up(place, pair)
    untouched = drift(place)
    assert untouched.resources == ()
    made, ec2 = ids(place), place.aws("ec2")
    assert untouched.unchanged == len(made)

    ssh, app = made["SecurityGroupIngressRule ssh"], made["SecurityGroup app"]
    rule = {"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "CidrIpv4": "0.0.0.0/0"}
    ec2.modify_security_group_rules(
        GroupId=made["SecurityGroup ssh"],
        SecurityGroupRules=[{"SecurityGroupRuleId": ssh, "SecurityGroupRule": rule}],
    )
    ec2.revoke_security_group_egress(GroupId=app, SecurityGroupRuleIds=[made["SecurityGroupEgressRule app-out"]])
    opened = {"IpProtocol": "tcp", "FromPort": 5432, "ToPort": 5432, "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}
    ec2.authorize_security_group_ingress(GroupId=app, IpPermissions=[opened])
    ec2.create_tags(Resources=[made["Vpc vpc"]], Tags=[{"Key": "Owner", "Value": "eve"}])
    ec2.delete_tags(Resources=[made["Subnet public-1"]], Tags=[{"Key": "DeploymentId"}])
    ec2.stop_instances(InstanceIds=[made["Instance app"]])
    place.aws("rds").modify_db_instance(
        DBInstanceIdentifier=made["Instance database"], PubliclyAccessible=True, ApplyImmediately=True
    )
    place.aws("elbv2").delete_listener(ListenerArn=made["Listener http"])

    found = drift(place)
    told = {f"{each.type} {each.name}": each for each in found.resources}
    assert {name: each.operation for name, each in told.items()} == {
        "aws:vpc:SecurityGroupIngressRule ssh": "update",
        "aws:vpc:SecurityGroupEgressRule app-out": "delete",
        "aws:ec2:SecurityGroup app": "update",
        "aws:ec2:Vpc vpc": "update",
        "aws:ec2:Subnet public-1": "update",
        "aws:ec2:Instance app": "update",
        "aws:rds:Instance database": "update",
        "aws:lb:Listener http": "delete",
    }
    shown = {(name, each.path): (each.planned, each.found) for name, told_ in told.items() for each in told_.properties}
    added = [key for key in shown if key[1].startswith("rules.")]
    assert [shown.pop(key) for key in added] == [("", "tcp 5432 in from 0.0.0.0/0")]
    assert shown.pop(("aws:vpc:SecurityGroupIngressRule ssh", "cidrIpv4")) == ('"198.51.100.7/32"', '"0.0.0.0/0"')
    assert shown.pop(("aws:ec2:Vpc vpc", "tags.Owner")) == ("", '"eve"')
    assert shown.pop(("aws:ec2:Subnet public-1", "tagsAll.DeploymentId")) == (f'"{ID}"', "")
    assert shown.pop(("aws:ec2:Instance app", "instanceState")) == ('"running"', '"stopped"')
    assert shown.pop(("aws:rds:Instance database", "publiclyAccessible")) == ("false", "true")
    # modify_security_group_rules took the rule's description with it.
    assert {key[0] for key in shown} <= {"aws:vpc:SecurityGroupIngressRule ssh"}, shown
    assert found.unchanged == len(made) - len(told)

    ec2.start_instances(InstanceIds=[made["Instance app"]])
    by_hand = [key[1].removeprefix("rules.") for key in added]
    ec2.revoke_security_group_ingress(GroupId=app, SecurityGroupRuleIds=by_hand)
    up(place, pair)
    assert drift(place).resources == ()


def test_a_state_that_is_not_true_is_not_compared(place: Place, pair: tuple[str, str]) -> None:
    saved, secrets = place.home / "update-plan.json", {"certificateKey": pair[1]}
    place.engine.preview(plan(pair[0]), secrets, saved, place.say)
    place.executioner.order(30, "after")
    with pytest.raises(InfrastructureError, match="killed"):
        place.engine.up(plan(pair[0]), secrets, saved, place.say)
    with pytest.raises(InfrastructureError, match="cut short"):
        place.engine.drift(ID, place.say)
    place.executioner.order(0, "")
    up(place, pair)
    assert drift(place).resources == ()


def test_compute_goes_alone_and_comes_again(place: Place, pair: tuple[str, str]) -> None:
    before = place.standing()
    first = up(place, pair)
    whole, (database,) = place.standing() - before, place.plane.databases
    urns = of_part(place.engine.standing(ID), "compute")
    place.engine.destroy(ID, place.say, only=urns)
    gone = whole - (place.standing() - before)
    assert gone >= Counter({"instance": 1, "key": 1, "member": 1})
    assert not gone.keys() & {"vpc", "subnet", "database", "balancer", "listener", "certificate", "secret", "group"}
    assert place.plane.machines == {} and list(place.plane.databases) == [database]

    place.engine.destroy(ID, place.say, only=of_part(place.engine.standing(ID), "compute") or urns)
    again = up(place, pair)
    assert place.standing() - before == whole
    assert again["databaseEndpoint"] == first["databaseEndpoint"]
    assert again["loadBalancerDns"] == first["loadBalancerDns"]
    assert again["instanceId"] != first["instanceId"]
    assert place.engine.preview(plan(pair[0]), {"certificateKey": pair[1]}, None, place.say).changes == ()
    assert place.destroy(plan(pair[0])) == ()
    assert place.standing() == before


def test_what_lost_its_tag_and_its_place_in_the_state_is_found(place: Place, pair: tuple[str, str]) -> None:
    up(place, pair)
    ec2 = place.aws("ec2")
    group = ec2.create_security_group(GroupName="left", Description="left", VpcId=ids(place)["Vpc vpc"])["GroupId"]
    arns = [each.arn for each in place.engine.standing(ID) if each.arn]
    stray = f"arn:aws:ec2:us-east-1:123456789012:security-group/{group}"
    assert group not in [left.name for left in place.cloud.leftovers(ID, arns)]
    assert group in [left.name for left in place.cloud.leftovers(ID, [*arns, stray])]
    ec2.delete_security_group(GroupId=group)
    assert place.destroy(plan(pair[0])) == ()
    assert place.cloud.leftovers(ID, [*arns, stray]) == []
