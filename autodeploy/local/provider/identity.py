"""Entries of what a machine may do: roles, their inline policies, instance profiles. The emulator enforces none."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from autodeploy.local.provider import limits
from autodeploy.local.provider.entry import Call, Entry
from autodeploy.local.provider.wire import Values


def _as_given(call: Call, name: str, document: Mapping[str, Any]) -> str:
    """Return a policy as text: the program's own where it says the same."""
    given = call.inputs.get(name)
    return str(given) if given and json.loads(given) == document else json.dumps(document)


def _role_create(call: Call) -> str:
    given = call.given(
        RoleName="name",
        Path="path",
        AssumeRolePolicyDocument="assumeRolePolicy",
        Description="description",
        MaxSessionDuration="maxSessionDuration",
    )
    return str(call.client("iam").create_role(**given)["Role"]["RoleName"])


def _role_read(call: Call, identity: str) -> Values | None:
    found = call.client("iam").get_role(RoleName=identity)["Role"]
    return {
        "arn": found["Arn"],
        "name": identity,
        "path": found["Path"],
        "description": found.get("Description", ""),
        "maxSessionDuration": found["MaxSessionDuration"],
        "assumeRolePolicy": _as_given(call, "assumeRolePolicy", found["AssumeRolePolicyDocument"]),
        "createDate": found["CreateDate"].isoformat(),
        "uniqueId": found["RoleId"],
    }


def _role_update(call: Call, identity: str) -> None:
    iam = call.client("iam")
    if call.changed("assumeRolePolicy"):
        iam.update_assume_role_policy(RoleName=identity, PolicyDocument=call.inputs["assumeRolePolicy"])
    duration = call.given(MaxSessionDuration="maxSessionDuration")
    iam.update_role(RoleName=identity, Description=call.inputs.get("description", ""), **duration)


def _policy_write(call: Call) -> str:
    given = call.given(RoleName="role", PolicyName="name", PolicyDocument="policy")
    call.client("iam").put_role_policy(**given)
    return f"{call.inputs['role']}:{call.inputs['name']}"


def _policy_update(call: Call, identity: str) -> None:
    _policy_write(call)


def _parts(identity: str) -> dict[str, str]:
    role, _, name = identity.partition(":")
    return {"RoleName": role, "PolicyName": name}


def _policy_read(call: Call, identity: str) -> Values | None:
    found = call.client("iam").get_role_policy(**_parts(identity))
    policy = _as_given(call, "policy", found["PolicyDocument"])
    return {"role": found["RoleName"], "name": found["PolicyName"], "policy": policy}


def _profile_create(call: Call) -> str:
    given = call.given(InstanceProfileName="name", Path="path")
    return str(call.client("iam").create_instance_profile(**given)["InstanceProfile"]["InstanceProfileName"])


def _profile_role(call: Call, identity: str) -> None:
    _carry(call, identity, call.inputs.get("role"))


def _carry(call: Call, identity: str, wanted: str | None) -> None:
    """Make the profile carry this role alone, or none."""
    iam = call.client("iam")
    held = [role["RoleName"] for role in _profile(call, identity)["Roles"]]
    for name in held:
        if name != wanted:
            iam.remove_role_from_instance_profile(InstanceProfileName=identity, RoleName=name)
    if wanted and wanted not in held:
        iam.add_role_to_instance_profile(InstanceProfileName=identity, RoleName=wanted)


def _profile(call: Call, identity: str) -> dict[str, Any]:
    found: dict[str, Any] = call.client("iam").get_instance_profile(InstanceProfileName=identity)["InstanceProfile"]
    return found


def _profile_read(call: Call, identity: str) -> Values | None:
    found = _profile(call, identity)
    return {
        "arn": found["Arn"],
        "name": identity,
        "path": found["Path"],
        "role": next((role["RoleName"] for role in found["Roles"]), None),
        "createDate": found["CreateDate"].isoformat(),
        "uniqueId": found["InstanceProfileId"],
    }


def _profile_delete(call: Call, identity: str) -> None:
    _carry(call, identity, None)
    call.client("iam").delete_instance_profile(InstanceProfileName=identity)


ROLE = Entry(
    "aws:iam/role:Role",
    _role_create,
    _role_read,
    lambda call, identity: call.client("iam").delete_role(RoleName=identity),
    _role_update,
    limits=limits.role,
    replaces=("path",),
    updates=("assumeRolePolicy", "description", "maxSessionDuration"),
    defaults={"path": "/", "maxSessionDuration": 3600},
    tagged=("iam:role", "id"),
    named=("name", 64),
)
POLICY = Entry(
    "aws:iam/rolePolicy:RolePolicy",
    _policy_write,
    _policy_read,
    lambda call, identity: call.client("iam").delete_role_policy(**_parts(identity)),
    _policy_update,
    limits=limits.role_policy,
    replaces=("role",),
    updates=("policy",),
    unique=("role", "name"),
    named=("name", 128),
)
PROFILE = Entry(
    "aws:iam/instanceProfile:InstanceProfile",
    _profile_create,
    _profile_read,
    _profile_delete,
    _profile_role,
    _profile_role,
    limits=limits.instance_profile,
    replaces=("path",),
    updates=("role",),
    defaults={"path": "/"},
    tagged=("iam:instance-profile", "id"),
    named=("name", 128),
)
ENTRIES = (ROLE, POLICY, PROFILE)
