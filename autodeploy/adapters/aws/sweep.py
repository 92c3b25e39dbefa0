"""A deployment's tag and the ARNs of its stack's last state -> what the account still has, with what is charged for.

Each ARN is looked up at its service: what lost its tag is found all the same. Never deletes anything.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from botocore.exceptions import ClientError

from autodeploy.adapters.aws import leftovers
from autodeploy.adapters.aws.failures import code_of
from autodeploy.adapters.aws.leftovers import Connect
from autodeploy.model import Leftover

Charges = tuple[tuple[str, float], ...]
_BY_FILTER = {
    "vpc": ("describe_vpcs", "Vpcs", "vpc-id"),
    "subnet": ("describe_subnets", "Subnets", "subnet-id"),
    "internet-gateway": ("describe_internet_gateways", "InternetGateways", "internet-gateway-id"),
    "route-table": ("describe_route_tables", "RouteTables", "route-table-id"),
    "security-group": ("describe_security_groups", "SecurityGroups", "group-id"),
    "key-pair": ("describe_key_pairs", "KeyPairs", "key-name"),
    "elastic-ip": ("describe_addresses", "Addresses", "allocation-id"),
    "instance": ("describe_instances", "Reservations", "instance-id"),
}
"""By the kind in an ARN of EC2. What is not here, such as a rule, goes with what it belongs to."""


def find(connect: Connect, deployment_id: str, arns: Iterable[str] = ()) -> list[Leftover]:
    """Return everything that carries the tag or is one of `arns` and still stands, sorted by name."""
    by_state = {_name(arn) for arn in arns if _stands(connect, arn)}
    names = sorted({*leftovers.find(connect, deployment_id), *by_state})
    return [Leftover(name=name, charged=_charged(connect, name)) for name in names]


def _name(arn: str) -> str:
    service, resource = arn.split(":", 5)[2], arn.split(":", 5)[5]
    return resource.partition("/")[2] if service == "ec2" else arn


def _stands(connect: Connect, arn: str) -> bool:
    service, (kind, _, identity) = arn.split(":", 5)[2], arn.split(":", 5)[5].partition("/")
    if service != "ec2":
        return leftovers.is_looked_up(arn) and leftovers.stands(connect, arn)
    if kind not in _BY_FILTER:
        return False
    call, key, name = _BY_FILTER[kind]
    found = getattr(connect("ec2"), call)(Filters=[{"Name": name, "Values": [identity]}])[key]
    if kind == "instance":
        return any(item["State"]["Name"] != "terminated" for group in found for item in group["Instances"])
    return bool(found)


def _charged(connect: Connect, name: str) -> Charges | None:
    """Return what is charged for; None where that is not known, or the thing went away while it was looked at."""
    kind = _kind(name)
    if kind in _FREE:
        return ()
    try:
        return _CHARGED[kind](connect, name) if kind in _CHARGED else None
    except (ClientError, IndexError) as err:
        if isinstance(err, ClientError) and "NotFound" not in code_of(err):
            raise
        return None


def _kind(name: str) -> str:
    """Return "rds:db" for an ARN, "i" for an id of EC2; a key pair's name is what it is itself."""
    if not name.startswith("arn:"):
        return name.partition("-")[0]
    return ":".join(leftovers.kind_of(name))


def _instance(connect: Connect, name: str) -> Charges:
    found = connect("ec2").describe_instances(InstanceIds=[name])["Reservations"][0]["Instances"][0]
    if found["State"]["Name"] != "running":  # its disk is a thing of its own
        return ()
    address: Charges = (("address:ipv4", 1),) if found.get("PublicIpAddress") else ()
    return ((f"instance:{found['InstanceType']}", 1), *address)


def _volume(connect: Connect, name: str) -> Charges:
    found = connect("ec2").describe_volumes(VolumeIds=[name])["Volumes"][0]
    return ((f"volume:{found['VolumeType']}", found["Size"]),)


def _balancer(connect: Connect, name: str) -> Charges:
    found = connect("elbv2").describe_load_balancers(LoadBalancerArns=[name])["LoadBalancers"][0]
    addresses = len(found["AvailabilityZones"]) if found.get("Scheme") == "internet-facing" else 0
    return (("balancer:application", 1), ("address:ipv4", addresses))


def _database(connect: Connect, name: str) -> Charges:
    identifier = name.rpartition(":")[2]
    found = connect("rds").describe_db_instances(DBInstanceIdentifier=identifier)["DBInstances"][0]
    return (
        (f"database:{found['Engine']}:{found['DBInstanceClass']}", 1),
        (f"database-storage:{found['StorageType']}", found["AllocatedStorage"]),
    )


_CHARGED: dict[str, Callable[[Connect, str], Charges]] = {
    "i": _instance,
    "vol": _volume,
    "eipalloc": lambda connect, name: (("address:ipv4", 1),),
    "elasticloadbalancing:loadbalancer": _balancer,
    "rds:db": _database,
    "cloudwatch:alarm": lambda connect, name: (("alarm", 1),),
    "cloudwatch:dashboard": lambda connect, name: (("dashboard", 1),),
    "secretsmanager:secret": lambda connect, name: (("secret", 1),),
}
_FREE = frozenset(
    {
        *("vpc", "subnet", "igw", "rtb", "sg", "eni"),
        *("elasticloadbalancing:targetgroup", "elasticloadbalancing:listener", "elasticloadbalancing:listener-rule"),
        *("rds:subgrp", "rds:pg", "acm:certificate", "iam:role", "iam:instance-profile", "sns:"),
    }
)
