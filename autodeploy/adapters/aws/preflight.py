"""An account, a plan and its preview -> checks of all that can be known to stop an apply before it begins.

Looks only; what the credentials may not even look at is a warning, never a guess.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import Any, NamedTuple

from botocore.exceptions import ClientError

from autodeploy.adapters.aws import permissions, quotas, sessions
from autodeploy.adapters.aws.actions import ACTIONS
from autodeploy.adapters.aws.failures import DENIED, code_of
from autodeploy.model import Check, InfraPlan, Preview, Target

Connect = Callable[[str], Any]
SKEW_SECONDS = 240
"""AWS refuses a signature that is 300 s old:
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-troubleshooting.html."""
TYPICAL = ("aws:ec2:Vpc", "aws:ec2:InternetGateway", "aws:ec2:Instance", "aws:lb:LoadBalancer", "aws:rds:Instance")
"""What a deployment makes one of, where there is no plan yet."""
_BEGINNING = frozenset({"create", "replace"})


class Scope(NamedTuple):
    """What is to be judged: Pulumi's tokens that are touched, and how many of each short type are made."""

    types: Sequence[str]
    made: Counter[str]


def scope(preview: Preview | None) -> Scope:
    """Return what a preview touches and makes; without one, what a typical deployment does."""
    if preview is None:
        return Scope(sorted(ACTIONS), Counter(TYPICAL))
    touched = {change.urn.split("::")[2].rsplit("$", 1)[-1] for change in preview.changes}
    made = Counter(change.type for change in preview.changes if change.operation in _BEGINNING)
    return Scope(sorted(touched), made)


def run(
    connect: Connect, target: Target, region: str, now: datetime, plan: InfraPlan | None, preview: Preview | None
) -> Iterator[Check]:
    """Yield the checks; the local target has neither IAM nor quotas, nor a clock of its own."""
    touched = scope(preview)
    answer = _identity(connect, now)
    if isinstance(answer, Check):
        yield answer
        return
    yield _whose(target, answer, plan)
    if target == "aws":
        yield _clock(answer["ResponseMetadata"]["HTTPHeaders"].get("date", ""), now)
        by_session = plan is not None and plan.access == "ssm"
        yield permissions.check(connect, answer["Arn"], region, touched.types, sessions=by_session)
        if by_session or plan is None:
            yield sessions.check(is_needed=by_session)
        instance_type = plan.instance_type if plan else "t3.small"
        yield from quotas.check(connect, region, touched.made, instance_type)
    if plan and touched.made[quotas.MACHINE]:
        yield _offered(connect, target, plan)
    if target == "aws" and plan and plan.database and touched.made["aws:rds:Instance"]:
        yield _orderable(connect, plan)


def _identity(connect: Connect, now: datetime) -> Any:
    """Return who the credentials are; a clock that is so wrong that AWS does not even say that, as its check."""
    try:
        return connect("sts").get_caller_identity()
    except ClientError as err:
        headers = err.response.get("ResponseMetadata", {}).get("HTTPHeaders", {})
        wrong = _clock(headers.get("date", ""), now)
        if not wrong.problem:
            raise
        return wrong


def _whose(target: Target, answer: Any, plan: InfraPlan | None) -> Check:
    if plan is None or answer["Account"] == plan.account_id:
        return Check(target, "account", f"{answer['Arn']} of {answer['Account']}")
    return Check(
        target,
        "account",
        "",
        f"the credentials ({answer['Arn']}) are of account {answer['Account']}, the plan is of {plan.account_id}",
        "Use the credentials of that account (--profile), or make another deployment with --new.",
    )


def _clock(date: str, now: datetime) -> Check:
    try:
        skew = (now - parsedate_to_datetime(date)).total_seconds()
    except (TypeError, ValueError):
        return Check("aws", "clock", "", warning="could not be checked: AWS's answer has no date")
    if abs(skew) < SKEW_SECONDS:
        return Check("aws", "clock", f"{abs(skew):.0f} s {'ahead of' if skew > 0 else 'behind'} AWS's")
    return Check(
        "aws",
        "clock",
        "",
        f"this machine's clock is {abs(skew):.0f} s {'ahead of' if skew > 0 else 'behind'} AWS's, "
        "which refuses signatures that are five minutes off",
        "Set the clock: sudo timedatectl set-ntp true",
    )


def _offered(connect: Connect, target: Target, plan: InfraPlan) -> Check:
    what = f"offers of {plan.instance_type}"
    try:
        pages = (
            connect("ec2")
            .get_paginator("describe_instance_type_offerings")
            .paginate(
                LocationType="availability-zone", Filters=[{"Name": "instance-type", "Values": [plan.instance_type]}]
            )
        )
        offering = sorted({offer["Location"] for page in pages for offer in page["InstanceTypeOfferings"]})
    except ClientError as err:
        return _unasked(target, what, err)
    missing = [zone for zone in plan.zones if zone not in offering]
    if not missing:
        return Check(target, what, f"in {' and '.join(plan.zones)}")
    elsewhere = f"it is offered in {', '.join(offering)}" if offering else f"{plan.region} does not offer it"
    return Check(
        target,
        what,
        "",
        f"{' and '.join(missing)} does not offer {plan.instance_type}; {elsewhere}",
        "Choose another with --instance-type, such as t3.small, or another --region.",
    )


def _orderable(connect: Connect, plan: InfraPlan) -> Check:
    database = plan.database
    assert database is not None
    wanted = f"{database.instance_class} with {database.engine} {database.engine_version}"
    try:
        pages = (
            connect("rds")
            .get_paginator("describe_orderable_db_instance_options")
            .paginate(
                Engine=database.engine, EngineVersion=database.engine_version, DBInstanceClass=database.instance_class
            )
        )
        options = [option for page in pages for option in page["OrderableDBInstanceOptions"]]
    except ClientError as err:
        return _unasked("aws", "database offers", err)
    fitting = [
        option
        for option in options
        if option.get("SupportsStorageEncryption") and option.get("StorageType") == database.storage_type
    ]
    if fitting:
        return Check("aws", "database offers", f"{wanted}, encrypted, on {database.storage_type}")
    kinds = sorted({str(option.get("StorageType")) for option in options})
    only = f"; it is offered on {', '.join(kinds)} alone, or unencrypted" if kinds else ""
    return Check(
        "aws",
        "database offers",
        "",
        f"{plan.region} does not offer {wanted}, encrypted, on {database.storage_type}{only}",
        "Choose another --region, or bring a database of your own: --env DATABASE_URL=…",
    )


def _unasked(target: Target, what: str, err: ClientError) -> Check:
    if code_of(err) not in DENIED:
        raise err
    return Check(target, what, "", warning=f"could not be checked: these credentials may not call {err.operation_name}")
