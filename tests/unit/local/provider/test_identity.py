"""Roles, their policies and instance profiles, and how a machine comes to have one and lose it, without a restart."""

from __future__ import annotations

import json
from typing import Any

import grpc
import pytest

ROLE = "aws:iam/role:Role"
POLICY = "aws:iam/rolePolicy:RolePolicy"
PROFILE = "aws:iam/instanceProfile:InstanceProfile"


def trust(service: str = "ec2.amazonaws.com") -> str:
    statement = {"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def allowing(action: str) -> str:
    statement = {"Effect": "Allow", "Action": [action], "Resource": "arn:aws:logs:us-east-1:123456789012:log-group:x:*"}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def role(engine: Any, name: str = "web-1") -> Any:
    return engine.make(ROLE, name, name=name, path="/autodeploy/", assumeRolePolicy=trust(), description="The machine")


def test_a_role_is_changed_in_place_and_replaced_for_another_path(engine: Any, served: Any) -> None:
    made = role(engine)
    assert made.id == "web-1"
    assert made.outputs["arn"] == "arn:aws:iam::123456789012:role/autodeploy/web-1"
    assert "region" not in made.outputs  # IAM has none
    changed = engine.change(made, assumeRolePolicy=trust("ssm.amazonaws.com"), description="Another")
    found = served.aws("iam").get_role(RoleName="web-1")["Role"]
    assert found["AssumeRolePolicyDocument"] == json.loads(trust("ssm.amazonaws.com"))
    assert found["Description"] == "Another"
    tagged = engine.change(changed, tags={"Team": "blue"})
    assert tagged.outputs["tagsAll"] == {"DeploymentId": "web-1", "Team": "blue"}
    assert engine.change(tagged, tags=None).outputs["tagsAll"] == {"DeploymentId": "web-1"}
    news = {name: value for name, value in made.inputs.items() if name != "__defaults"}
    answer = engine.diff(made, {**news, "path": "/"})
    assert (list(answer.replaces), answer.deleteBeforeReplace) == (["path"], True)
    engine.delete(made)
    assert engine.read(made) is None
    engine.delete(made)


def test_a_policy_that_somebody_changed_is_seen(engine: Any, served: Any) -> None:
    made = engine.make(POLICY, "log", role=role(engine).id, name="log", policy=allowing("logs:PutLogEvents"))
    assert made.id == "web-1:log"
    engine.change(made, policy=allowing("logs:CreateLogStream"))
    served.aws("iam").put_role_policy(RoleName="web-1", PolicyName="log", PolicyDocument=allowing("s3:GetObject"))
    drifted = engine.read(made)
    assert json.loads(drifted.outputs["policy"])["Statement"][0]["Action"] == ["s3:GetObject"]
    answer = engine.diff(made, {"role": "other", "name": "log", "policy": allowing("logs:PutLogEvents")})
    # As pulumi-aws does it for a name that the program chose, though another role could hold the same one.
    assert (list(answer.replaces), answer.deleteBeforeReplace) == (["role"], True)
    engine.delete(made)
    assert engine.read(made) is None
    engine.delete(made)


def test_a_profile_carries_one_role_and_lets_it_go_first(engine: Any, served: Any) -> None:
    first, second = role(engine), role(engine, "web-2")
    made = engine.make(PROFILE, "app", name="web-1", path="/autodeploy/", role=first.id)
    changed = engine.change(made, role=second.id)
    (held,) = served.aws("iam").get_instance_profile(InstanceProfileName="web-1")["InstanceProfile"]["Roles"]
    assert held["RoleName"] == "web-2"
    tagged = engine.change(changed, tags={"Team": "blue"})
    assert engine.change(tagged, tags=None).outputs["tagsAll"] == {"DeploymentId": "web-1"}
    with pytest.raises(grpc.RpcError, match="DeleteConflict"):
        engine.delete(second)
    engine.delete(made)
    assert engine.read(made) is None
    engine.delete(made)
    engine.delete(second)


def test_a_profile_with_a_role_that_is_not_there_leaves_nothing(engine: Any, served: Any) -> None:
    with pytest.raises(grpc.RpcError, match="NoSuchEntity"):
        engine.make(PROFILE, "app", name="web-1", role="gone")
    assert served.aws("iam").list_instance_profiles()["InstanceProfiles"] == []


def test_a_running_machine_gets_another_profile_and_gives_it_back_without_a_new_one(
    world: Any, engine: Any, served: Any
) -> None:
    profiles = [engine.make(PROFILE, name, name=name, role=role(engine, name).id).id for name in ("one", "two")]
    machine = world.machine()
    assert "iamInstanceProfile" not in machine.inputs
    for profile in profiles:
        machine = engine.change(machine, iamInstanceProfile=profile)
        assert machine.outputs["iamInstanceProfile"] == profile
    (held,) = served.aws("ec2").describe_iam_instance_profile_associations()["IamInstanceProfileAssociations"]
    assert held["IamInstanceProfile"]["Arn"].endswith("/two")
    machine = engine.change(machine, iamInstanceProfile=None)
    assert list(served.plane.machines) == [machine.id]
    assert served.aws("ec2").describe_iam_instance_profile_associations()["IamInstanceProfileAssociations"] == []


def test_a_machine_is_made_with_its_profile(world: Any, engine: Any) -> None:
    vpc = world.vpc()
    parts = (world.subnet(vpc), world.group(vpc), world.key())
    profile = engine.make(PROFILE, "app", name="web-1", role=role(engine).id)
    machine = world.instance(*parts, iamInstanceProfile=profile.id)
    assert machine.outputs["iamInstanceProfile"] == "web-1"
    with pytest.raises(grpc.RpcError, match="NoSuchEntity"):
        world.instance(*parts, iamInstanceProfile="gone")
