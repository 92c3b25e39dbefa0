"""How much of the account's quotas is used, and whether what a plan makes still fits in. Asks for no increase."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

from botocore.exceptions import ClientError

from autodeploy.adapters.aws.failures import DENIED, code_of
from autodeploy.model import Check

Connect = Callable[[str], Any]
MACHINE = "aws:ec2:Instance"
STANDARD = ("a", "c", "d", "h", "i", "m", "r", "t", "z")
"""Families that share one quota of virtual processors."""


class Quota(NamedTuple):
    """One quota, of what is made of one type. `used` counts what the account has."""

    type: str
    what: str
    service: str
    code: str
    used: Callable[[Connect], int]


def _counted(service: str, verb: str, key: str) -> Callable[[Connect], int]:
    def used(connect: Connect) -> int:
        client = connect(service)
        if not client.can_paginate(verb):
            return len(getattr(client, verb)()[key])
        return sum(len(page[key]) for page in client.get_paginator(verb).paginate())

    return used


def _balancers(connect: Connect) -> int:
    pages = connect("elbv2").get_paginator("describe_load_balancers").paginate()
    return sum(balancer.get("Type") == "application" for page in pages for balancer in page["LoadBalancers"])


def _processors(connect: Connect) -> int:
    ec2 = connect("ec2")
    filters = [{"Name": "instance-state-name", "Values": ["pending", "running"]}]
    running = Counter(
        instance["InstanceType"]
        for page in ec2.get_paginator("describe_instances").paginate(Filters=filters)
        for reservation in page["Reservations"]
        for instance in reservation["Instances"]
        if not instance.get("InstanceLifecycle") and instance["InstanceType"].startswith(STANDARD)
    )
    sizes = processors(connect, list(running))
    return sum(count * sizes.get(kind, 0) for kind, count in running.items())


def processors(connect: Connect, kinds: list[str]) -> dict[str, int]:
    """Return the virtual processors of each instance type."""
    if not kinds:
        return {}
    pages = connect("ec2").get_paginator("describe_instance_types").paginate(InstanceTypes=kinds)
    return {
        each["InstanceType"]: int(each["VCpuInfo"]["DefaultVCpus"]) for page in pages for each in page["InstanceTypes"]
    }


# The codes: `aws service-quotas list-service-quotas --service-code vpc`, and so on.
QUOTAS = (
    Quota("aws:ec2:Vpc", "VPCs", "vpc", "L-F678F1CE", _counted("ec2", "describe_vpcs", "Vpcs")),
    Quota(
        "aws:ec2:InternetGateway",
        "internet gateways",
        "vpc",
        "L-A4707A72",
        _counted("ec2", "describe_internet_gateways", "InternetGateways"),
    ),
    Quota(MACHINE, "processors of standard machines", "ec2", "L-1216C47A", _processors),
    Quota(
        "aws:ec2:Eip", "Elastic IP addresses", "ec2", "L-0263D0A3", _counted("ec2", "describe_addresses", "Addresses")
    ),
    Quota("aws:lb:LoadBalancer", "application load balancers", "elasticloadbalancing", "L-53DA6B97", _balancers),
    Quota(
        "aws:rds:Instance", "databases", "rds", "L-7B6409FD", _counted("rds", "describe_db_instances", "DBInstances")
    ),
)


def check(connect: Connect, region: str, made: Mapping[str, int], instance_type: str) -> Iterator[Check]:
    """Yield a check for each quota that what is `made` (how many of a short type) counts against."""
    for quota in QUOTAS:
        if count := made.get(quota.type, 0):
            try:
                yield _checked(connect, region, quota, count, instance_type)
            except ClientError as err:
                if code_of(err) not in DENIED:
                    raise
                why = f"could not be checked: these credentials may not call {err.operation_name}"
                yield Check("aws", f"quota of {quota.what}", "", warning=why)


def _checked(connect: Connect, region: str, quota: Quota, count: int, instance_type: str) -> Check:
    if quota.type == MACHINE:
        is_standard = instance_type.startswith(STANDARD)
        count *= processors(connect, [instance_type]).get(instance_type, 0) if is_standard else 0
    limit, used = _limit(connect("service-quotas"), quota), quota.used(connect)
    what, found = f"quota of {quota.what}", f"{used} of {limit} in use, {count} more to come"
    if used + count <= limit:
        return Check("aws", what, found)
    return Check(
        "aws",
        what,
        "",
        f"{used} of {limit} are in use, and {count} more are needed",
        f"Delete what nobody uses, choose another --region, or ask for more: aws service-quotas "
        f"request-service-quota-increase --region {region} --service-code {quota.service} "
        f"--quota-code {quota.code} --desired-value {used + count}",
    )


def _limit(client: Any, quota: Quota) -> int:
    asked = {"ServiceCode": quota.service, "QuotaCode": quota.code}
    try:
        answer = client.get_service_quota(**asked)
    except ClientError as err:
        if code_of(err) != "NoSuchResourceException":
            raise
        answer = client.get_aws_default_service_quota(**asked)
    return int(answer["Quota"]["Value"])
