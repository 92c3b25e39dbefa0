"""Whose credentials these are, and which of the actions that a plan needs IAM would deny them; nothing is tried out."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Any

from botocore.exceptions import ClientError

from autodeploy.adapters.aws.actions import ACTIONS, SESSIONS
from autodeploy.adapters.aws.failures import DENIED, code_of
from autodeploy.adapters.aws.policy import NARROWED, actions
from autodeploy.model import Check

WHAT = "permissions"
SHOWN = 6
_STARTING = {place: found for place, found in SESSIONS.items() if "$" not in place}
"""By place; whoever may start a session is asked about, not what becomes of it under the starter's own name."""
REMEDY = "Let the account's owner attach the policy that `autodeploy iam-policy` prints, or use --profile."


def check(
    connect: Callable[[str], Any], arn: str, region: str, types: Iterable[str], *, sessions: bool = False
) -> Check:
    """Return what IAM says of every action that the types, and sessions, need, for the principal behind `arn`."""
    if arn.endswith(":root"):
        return Check(
            "aws",
            WHAT,
            "the account's root may do everything",
            warning="these are the root's credentials",
            remedy="Make a user or role for deploying, with the policy that `autodeploy iam-policy` prints.",
        )
    iam, wanted = connect("iam"), {**actions(types), **(_STARTING if sessions else {})}
    try:
        denied = _denied(iam, _principal(iam, arn), region, wanted)
    except ClientError as err:
        if code_of(err) not in (*DENIED, "InvalidInput", "NoSuchEntity"):
            raise
        return Check("aws", WHAT, "", warning=f"could not be checked: {code_of(err)}", remedy=REMEDY)
    count = len({action for found in wanted.values() for action in found})
    if not denied:
        return Check("aws", WHAT, f"all of {count} actions are allowed")
    shown = ", ".join(denied[:SHOWN]) + (f" and {len(denied) - SHOWN} more" if len(denied) > SHOWN else "")
    return Check("aws", WHAT, "", f"{len(denied)} of {count} needed actions are denied: {shown}", REMEDY)


def _principal(iam: Any, arn: str) -> str:
    """Return the ARN that IAM can be asked about: of a role's session, the role's."""
    match = re.fullmatch(r"arn:([\w-]+):sts::(\d+):assumed-role/([^/]+)/.*", arn)
    if not match:
        return arn
    partition, account, name = match.groups()
    try:
        return str(iam.get_role(RoleName=name)["Role"]["Arn"])  # which knows the role's path
    except ClientError as err:
        if code_of(err) not in DENIED:
            raise
        return f"arn:{partition}:iam::{account}:role/{name}"


def _denied(iam: Any, principal: str, region: str, wanted: Mapping[str, Collection[str]]) -> list[str]:
    """Ask of all resources first; what is denied there may still be allowed where it is needed."""
    at_large = _simulated(iam, principal, region, sorted({a for found in wanted.values() for a in found}), "*")
    account = principal.split(":")[4]
    places: dict[str, set[str]] = {}
    for kind, found in wanted.items():
        for action in at_large & set(found):
            place = NARROWED[action][1] if action in NARROWED else ACTIONS[kind].example if kind in ACTIONS else kind
            filled = place.replace("{region}", region).replace("{account}", account).replace("*", "example")
            places.setdefault(filled, set()).add(action)
    return sorted(
        {a for place, found in places.items() for a in _simulated(iam, principal, region, sorted(found), place)}
    )


def _simulated(iam: Any, principal: str, region: str, wanted: Collection[str], resource: str) -> set[str]:
    pages = iam.get_paginator("simulate_principal_policy").paginate(
        PolicySourceArn=principal, ActionNames=list(wanted), ResourceArns=[resource], ContextEntries=_context(region)
    )
    return {
        str(result["EvalActionName"])
        for page in pages
        for result in page["EvaluationResults"]
        if result["EvalDecision"] != "allowed"
        or not result.get("OrganizationsDecisionDetail", {}).get("AllowedByOrganizations", True)
    }


def _context(region: str) -> list[dict[str, Any]]:
    """Return what a request of a deployment says of itself: policies may ask for it, ours does."""
    said = {
        "aws:RequestedRegion": region,
        "aws:ResourceTag/ManagedBy": "AutoDeploy",
        "aws:RequestTag/ManagedBy": "AutoDeploy",
        "ssm:resourceTag/ManagedBy": "AutoDeploy",
        "ec2:CreateAction": "CreateVpc",
        "iam:AWSServiceName": "rds.amazonaws.com",
        "iam:PassedToService": "ec2.amazonaws.com",
    }
    return [
        {"ContextKeyName": name, "ContextKeyValues": [value], "ContextKeyType": "string"}
        for name, value in said.items()
    ]
