"""A deployment's tag -> everything in the account that still carries it.

EC2 is asked kind by kind; dashboards carry no tags and the tagging API leaves roles out: these bear the deployment's
id as their name; the tagging API answers for the rest. It goes on naming deleted resources for a while, so
each of its answers is looked up at the service itself. Database snapshots are meant to stay and are not named.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from botocore.exceptions import ClientError

from autodeploy.adapters.aws.failures import code_of

TAG = "DeploymentId"
Connect = Callable[[str], Any]
_EC2_KINDS = (
    ("describe_vpcs", "Vpcs", "VpcId"),
    ("describe_subnets", "Subnets", "SubnetId"),
    ("describe_internet_gateways", "InternetGateways", "InternetGatewayId"),
    ("describe_route_tables", "RouteTables", "RouteTableId"),
    ("describe_security_groups", "SecurityGroups", "GroupId"),
    ("describe_key_pairs", "KeyPairs", "KeyName"),
    ("describe_volumes", "Volumes", "VolumeId"),
    ("describe_network_interfaces", "NetworkInterfaces", "NetworkInterfaceId"),
    ("describe_addresses", "Addresses", "AllocationId"),
)


def find(connect: Connect, deployment_id: str) -> list[str]:
    """Return names of EC2 resources and ARNs of the others, sorted."""
    of_rds = _subnet_groups(connect("rds"), deployment_id)
    named = _named(connect, deployment_id)
    return sorted({*_on_ec2(connect("ec2"), deployment_id), *of_rds, *named, *_elsewhere(connect, deployment_id)})


def _on_ec2(ec2: Any, deployment_id: str) -> Iterable[str]:
    filters = [{"Name": f"tag:{TAG}", "Values": [deployment_id]}]
    for page in ec2.get_paginator("describe_instances").paginate(Filters=filters):
        for reservation in page["Reservations"]:
            for instance in reservation["Instances"]:
                if instance["State"]["Name"] != "terminated":
                    yield instance["InstanceId"]
    for call, key, name in _EC2_KINDS:
        # Not paginated on purpose: unpaginated calls return every match of a filter, and one deployment has few.
        for resource in getattr(ec2, call)(Filters=filters)[key]:
            yield resource[name]


def _subnet_groups(rds: Any, deployment_id: str) -> Iterable[str]:
    """Ask RDS one by one: the emulated tagging API does not know database subnet groups."""
    for page in rds.get_paginator("describe_db_subnet_groups").paginate():
        for group in page["DBSubnetGroups"]:
            arn = group["DBSubnetGroupArn"]
            if {"Key": TAG, "Value": deployment_id} in rds.list_tags_for_resource(ResourceName=arn)["TagList"]:
                yield arn


def _named(connect: Connect, deployment_id: str) -> Iterable[str]:
    iam, name = connect("iam"), deployment_id
    looks: tuple[Callable[[], str], ...] = (
        lambda: str(iam.get_role(RoleName=name)["Role"]["Arn"]),
        lambda: str(iam.get_instance_profile(InstanceProfileName=name)["InstanceProfile"]["Arn"]),
        lambda: str(connect("cloudwatch").get_dashboard(DashboardName=name)["DashboardArn"]),
    )
    for look in looks:
        try:
            yield look()
        except ClientError as err:
            if not _is_absent(err):
                raise


def _is_absent(err: ClientError) -> bool:
    return code_of(err) == "NoSuchEntity" or "NotFound" in code_of(err)


def _elsewhere(connect: Connect, deployment_id: str) -> Iterable[str]:
    pages = connect("resourcegroupstaggingapi").get_paginator("get_resources")
    for page in pages.paginate(TagFilters=[{"Key": TAG, "Values": [deployment_id]}]):
        for resource in page["ResourceTagMappingList"]:
            arn = resource["ResourceARN"]
            if stands(connect, arn):
                yield arn


def stands(connect: Connect, arn: str) -> bool:
    """Say whether the service itself still knows an ARN; of EC2's nothing is asked, and a snapshot is meant to stay."""
    service, kind = kind_of(arn)
    if service == "ec2" or (service == "rds" and kind in ("snapshot", "cluster-snapshot")):
        return False
    try:
        return _look_up(connect, arn)
    except ClientError as err:
        if _is_absent(err):
            return False
        raise


def kind_of(arn: str) -> tuple[str, str]:
    """Return service and kind of an ARN; a topic's has no kind, only a name."""
    service, resource = arn.split(":", 5)[2], arn.split(":", 5)[5]
    return service, "" if service == "sns" else resource.replace("/", ":").split(":", 1)[0]


def is_looked_up(arn: str) -> bool:
    """Say whether there is a way to ask the service for it."""
    return kind_of(arn) in _LOOKS


def _look_up(connect: Connect, arn: str) -> bool:
    """Ask the service itself; a kind that the stack does not make is believed to stand."""
    look = _LOOKS.get(kind_of(arn))
    return True if look is None else bool(look(connect, arn.split(":", 5)[5].replace("/", ":").rsplit(":", 1)[-1], arn))


def _log_group(connect: Connect, name: str, arn: str) -> bool:
    found = connect("logs").describe_log_groups(logGroupNamePrefix=name)["logGroups"]
    return any(group["logGroupName"] == name for group in found)


_LOOKS: dict[tuple[str, str], Callable[[Connect, str, str], Any]] = {
    ("elasticloadbalancing", "loadbalancer"): lambda connect, name, arn: connect("elbv2").describe_load_balancers(
        LoadBalancerArns=[arn]
    )["LoadBalancers"],
    ("elasticloadbalancing", "targetgroup"): lambda connect, name, arn: connect("elbv2").describe_target_groups(
        TargetGroupArns=[arn]
    )["TargetGroups"],
    ("elasticloadbalancing", "listener"): lambda connect, name, arn: connect("elbv2").describe_listeners(
        ListenerArns=[arn]
    )["Listeners"],
    ("rds", "db"): lambda connect, name, arn: connect("rds").describe_db_instances(DBInstanceIdentifier=name)[
        "DBInstances"
    ],
    ("rds", "subgrp"): lambda connect, name, arn: connect("rds").describe_db_subnet_groups(DBSubnetGroupName=name)[
        "DBSubnetGroups"
    ],
    ("rds", "pg"): lambda connect, name, arn: connect("rds").describe_db_parameter_groups(DBParameterGroupName=name)[
        "DBParameterGroups"
    ],
    ("acm", "certificate"): lambda connect, name, arn: connect("acm").describe_certificate(CertificateArn=arn)[
        "Certificate"
    ],
    ("secretsmanager", "secret"): lambda connect, name, arn: (
        "DeletedDate" not in connect("secretsmanager").describe_secret(SecretId=arn)
    ),
    ("logs", "log-group"): _log_group,
    ("cloudwatch", "alarm"): lambda connect, name, arn: connect("cloudwatch").describe_alarms(AlarmNames=[name])[
        "MetricAlarms"
    ],
    ("cloudwatch", "dashboard"): lambda connect, name, arn: connect("cloudwatch").get_dashboard(DashboardName=name)[
        "DashboardArn"
    ],
    ("sns", ""): lambda connect, name, arn: connect("sns").get_topic_attributes(TopicArn=arn)["Attributes"],
    ("iam", "role"): lambda connect, name, arn: connect("iam").get_role(RoleName=name)["Role"],
    ("iam", "instance-profile"): lambda connect, name, arn: connect("iam").get_instance_profile(
        InstanceProfileName=name
    )["InstanceProfile"],
}
"""By service and kind, how a resource is asked for by its name or ARN; an error or nothing says that it is gone."""
