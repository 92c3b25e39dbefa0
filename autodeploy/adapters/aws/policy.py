"""The action table -> the least IAM policy that lets somebody deploy with AutoDeploy. Asks nobody, grants nothing."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping
from fnmatch import fnmatchcase as fnmatch
from typing import Any

from botocore.session import Session

from autodeploy.adapters.aws.actions import ACTIONS, OWN, OWN_GLOBAL, SESSIONS, Needs
from autodeploy.model import Access

LIMIT = 6144
"""Characters of a managed policy, white space aside:
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html."""
GLOBAL_SERVICES = frozenset({"iam", "pricing", "route53", "sts"})
"""One endpoint answers for all regions."""
WHOLE = {
    "Look": ("ec2:Describe*", "elasticloadbalancing:Describe*", "rds:Describe*"),
    "ChangeOurs": (
        "ec2:Delete*",
        "elasticloadbalancing:Delete*",
        "elasticloadbalancing:Modify*",
        "elasticloadbalancing:Set*",
    ),
}
"""By statement what is given as a whole: by name it would take the room of a quarter. Reads show no data, and changes
are of AutoDeploy's own things."""
OURS = {"aws:ResourceTag/ManagedBy": "AutoDeploy"}
OUR_MACHINES = {"ssm:resourceTag/ManagedBy": "AutoDeploy"}
Statement = dict[str, Any]

_RDS_SECRETS: tuple[str, str, Mapping[str, Any]] = (
    "MasterSecrets",
    "arn:aws:secretsmanager:{region}:{account}:secret:rds!db-*",
    {},
)
_TAGGED = {"StringEquals": {"aws:RequestTag/ManagedBy": "AutoDeploy"}}
_LINKED = {"StringEquals": {"iam:AWSServiceName": ["elasticloadbalancing.amazonaws.com", "rds.amazonaws.com"]}}
_PASSED = {"StringEquals": {"iam:PassedToService": "ec2.amazonaws.com"}}
NARROWED: Mapping[str, tuple[str, str, Mapping[str, Any]]] = {
    "ec2:CreateTags": ("TagNew", "arn:aws:ec2:{region}:{account}:*/*", {"Null": {"ec2:CreateAction": "false"}}),
    "iam:CreateServiceLinkedRole": ("ServiceRoles", "arn:aws:iam::{account}:role/aws-service-role/*", _LINKED),
    "iam:PassRole": ("PassRoles", "arn:aws:iam::{account}:role/autodeploy/*", _PASSED),
    "secretsmanager:CreateSecret": _RDS_SECRETS,
    "secretsmanager:TagResource": _RDS_SECRETS,
    "secretsmanager:GetSecretValue": _RDS_SECRETS,
}
"""Actions that can be scoped closer than by region: statement, resource and condition of each."""


def actions(types: Iterable[str]) -> dict[str, list[str]]:
    """Return by type all that is asked of AWS for it; a type without a row is left out."""
    return {
        kind: sorted({*row.look, *row.make, *row.change, *row.named}) for kind in types if (row := ACTIONS.get(kind))
    }


def policy(region: str, types: Collection[str] = tuple(ACTIONS), access: Access = "ssh") -> dict[str, Any]:
    """Return the policy document for a region, whatever account it is attached in."""
    rows = [ACTIONS[kind] for kind in types]
    found = [*_looking(rows, region), *_making(rows, region), *_changing(rows, region), *_narrowed(rows), *_named(rows)]
    if access == "ssm":
        found += _sessions()
    partition = Session().get_partition_for_region(region)
    text = json.dumps(found).replace("{region}", region).replace("{account}", "*")
    text = text.replace("arn:aws:", f"arn:{partition}:")
    return {"Version": "2012-10-17", "Statement": json.loads(text)}


def size(document: Mapping[str, Any]) -> int:
    """Return how many characters IAM counts of a document."""
    return len(json.dumps(document, separators=(",", ":")))


def is_global(action: str) -> bool:
    """Say whether an action is of a service that belongs to no region."""
    return action.partition(":")[0] in GLOBAL_SERVICES


def _looking(rows: Iterable[Needs], region: str) -> Iterable[Statement]:
    wanted = {action for row in rows for action in row.look} | {*OWN, *OWN_GLOBAL}
    yield from _split("Look", wanted, region, {})


def _making(rows: Iterable[Needs], region: str) -> Iterable[Statement]:
    yield from _split("Make", {action for row in rows for action in row.make} - NARROWED.keys(), region, {})


def _changing(rows: Iterable[Needs], region: str) -> Iterable[Statement]:
    wanted = {action for row in rows for action in row.change}
    tags = {"ec2:CreateTags"} if "ec2:DeleteTags" in wanted else set()
    yield from _split("ChangeOurs", wanted | tags, region, OURS)


def _narrowed(rows: Iterable[Needs]) -> Iterable[Statement]:
    wanted = {action for row in rows for action in row.make} & NARROWED.keys()
    for place in dict.fromkeys(NARROWED[action][0] for action in sorted(wanted)):
        found = [action for action in sorted(wanted) if NARROWED[action][0] == place]
        yield _statement(place, found, *NARROWED[found[0]][1:])
    if "ec2:CreateTags" in wanted:
        # A machine's volume gets its tags after it is made.
        yield _statement("TagVolumes", ["ec2:CreateTags"], "arn:aws:ec2:{region}:{account}:volume/*", _TAGGED)


def _named(rows: Collection[Needs]) -> Iterable[Statement]:
    for number, place in enumerate(dict.fromkeys(row.example for row in rows if row.named), 1):
        found = {action for row in rows if row.example == place for action in row.named}
        yield _statement(f"Named{number}", sorted(found), place, {})


def _sessions() -> Iterable[Statement]:
    machines, *others = SESSIONS
    yield _statement("SessionsWithOurs", SESSIONS[machines], machines, {"StringEquals": OUR_MACHINES})
    # Together, for the room: what is done to a session cannot be done to a document, nor the other way round.
    yield _statement("OwnSessions", sorted({action for place in others for action in SESSIONS[place]}), others, {})


def _split(name: str, wanted: Collection[str], region: str, equal: Mapping[str, str]) -> Iterable[Statement]:
    """Bind to the region what is asked there; global services answer from nowhere in particular."""
    wholes = WHOLE.get(name, ())
    wanted = {next((whole for whole in wholes if fnmatch(action, whole)), action) for action in wanted}
    here = sorted(action for action in wanted if not is_global(action))
    anywhere = sorted(action for action in wanted if is_global(action))
    if here:
        yield _statement(name, here, "*", {"StringEquals": {**equal, "aws:RequestedRegion": region}})
    if anywhere:
        yield _statement(f"{name}Global", anywhere, "*", {"StringEquals": equal} if equal else {})


def _statement(name: str, found: Collection[str], resource: str | list[str], condition: Mapping[str, Any]) -> Statement:
    shown: Statement = {"Sid": name, "Effect": "Allow", "Action": list(found), "Resource": resource}
    return {**shown, "Condition": dict(condition)} if condition else shown
