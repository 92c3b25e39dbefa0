"""What a resource's inputs say of it -> its id in the account; for resources whose id nobody wrote down.

Each type is asked for by what identifies it: a physical name, what it ties together, or the deployment's tag with an
input. Never guesses: where more than one fits, InfrastructureError names them. A per-resource tag would not do:
associations, routes and members of target groups carry none.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Any

from botocore.exceptions import ClientError

from autodeploy.adapters.aws import names
from autodeploy.adapters.aws.failures import AGENT, code_of
from autodeploy.adapters.aws.leftovers import TAG
from autodeploy.errors import InfrastructureError
from autodeploy.ports import Say

Connect = Callable[[str], Any]
Inputs = Mapping[str, Any]
Search = Callable[[Connect, Inputs, str], Iterable[str]]
GONE = ("terminated", "shutting-down")
GROUP = "aws:ec2/securityGroup:SecurityGroup"
WAITERS = {
    "aws:ec2/instance:Instance": ("ec2", "instance_running", "InstanceIds", True),
    "aws:rds/instance:Instance": ("rds", "db_instance_available", "DBInstanceIdentifier", False),
    "aws:lb/loadBalancer:LoadBalancer": ("elbv2", "load_balancer_available", "LoadBalancerArns", True),
}
"""Service, waiter, its parameter, and whether that takes a list."""


def claim(
    connect: Connect, token: str, inputs: Inputs, deployment_id: str, known: Collection[str], say: Say
) -> str | None:
    """Return the id of the one resource that fits and is not `known`, when it is ready for use; None for nothing."""
    found = candidates(connect, token, inputs, deployment_id, known)
    if not found:
        return None
    if len(found) > 1:
        raise InfrastructureError(
            f"{len(found)} resources of type {token} may be the one that an engine was making when it was killed: "
            + ", ".join(found),
            "Delete the ones that nothing uses in the AWS console, then run the same command again.",
            agent=AGENT,
        )
    if token == GROUP:
        # Half-made it still has AWS's own rule that lets everything out; nothing refers to it yet.
        try:
            connect("ec2").delete_security_group(GroupId=found[0])
        except ClientError as err:  # gone: an attempt before had its answer lost
            if "NotFound" not in code_of(err):
                raise
        say(f"deleted the half-made security group {found[0]}")
        return None
    if token in WAITERS:
        service, waiter, parameter, many = WAITERS[token]
        say(f"waiting until {found[0]} is ready")
        connect(service).get_waiter(waiter).wait(**{parameter: [found[0]] if many else found[0]})
    return found[0]


def candidates(connect: Connect, token: str, inputs: Inputs, deployment_id: str, known: Collection[str]) -> list[str]:
    """Return the ids that fit and are not `known`; [] for nothing; raise InfrastructureError for an unknown type."""
    if token not in SEARCHES:
        raise InfrastructureError(
            f"an engine was killed while it made a {token}, and there is no way to look for it",
            "Look for it in the AWS console; `pulumi refresh --clear-pending-creates` forgets it.",
            agent=AGENT,
        )
    try:
        return sorted(set(SEARCHES[token](connect, inputs, deployment_id)) - set(known))
    except ClientError as err:
        if code_of(err) == "NoSuchEntity" or "NotFound" in code_of(err):
            return []
        raise


def _filters(**wanted: str) -> list[dict[str, Any]]:
    return [{"Name": name.replace("_", "-"), "Values": [value]} for name, value in wanted.items()]


def _tagged(deployment_id: str, inputs: Inputs) -> list[dict[str, Any]]:
    named = (inputs.get("tags") or {}).get("Name")
    own = [{"Name": "tag:Name", "Values": [named]}] if named else []
    return [{"Name": f"tag:{TAG}", "Values": [deployment_id]}, *own]


def _ec2(verb: str, key: str, name: str, *matching: tuple[str, str]) -> Search:
    """Search EC2 by the deployment's tag, the name's tag, and filters (`filter`, `input`)."""

    def search(connect: Connect, inputs: Inputs, deployment_id: str) -> Iterable[str]:
        given = [{"Name": given, "Values": [inputs[wanted]]} for given, wanted in matching if wanted in inputs]
        found = getattr(connect("ec2"), verb)(Filters=[*_tagged(deployment_id, inputs), *given])[key]
        return (str(item[name]) for item in found)

    return search


def _group(connect: Connect, inputs: Inputs, deployment_id: str) -> Iterable[str]:
    filters = _filters(vpc_id=inputs["vpcId"], group_name=inputs["name"])
    return (item["GroupId"] for item in connect("ec2").describe_security_groups(Filters=filters)["SecurityGroups"])


def _rule(is_egress: bool) -> Search:
    def search(connect: Connect, inputs: Inputs, deployment_id: str) -> Iterable[str]:
        rules = connect("ec2").describe_security_group_rules(Filters=_filters(group_id=inputs["securityGroupId"]))
        for rule in rules["SecurityGroupRules"]:
            if rule["IsEgress"] == is_egress and _same_rule(rule, inputs):
                yield rule["SecurityGroupRuleId"]

    return search


def _same_rule(rule: Mapping[str, Any], inputs: Inputs) -> bool:
    all_of_them = inputs["ipProtocol"] == "-1"
    ports = all_of_them or (rule.get("FromPort"), rule.get("ToPort")) == (
        int(inputs["fromPort"]),
        int(inputs["toPort"]),
    )
    source = (rule.get("CidrIpv4"), rule.get("CidrIpv6"), (rule.get("ReferencedGroupInfo") or {}).get("GroupId"))
    wanted = (inputs.get("cidrIpv4"), inputs.get("cidrIpv6"), inputs.get("referencedSecurityGroupId"))
    return rule["IpProtocol"] == inputs["ipProtocol"] and ports and source == wanted


def _route(connect: Connect, inputs: Inputs, deployment_id: str) -> Iterable[str]:
    table, block = inputs["routeTableId"], inputs["destinationCidrBlock"]
    for found in connect("ec2").describe_route_tables(RouteTableIds=[table])["RouteTables"]:
        if block in [item.get("DestinationCidrBlock") for item in found["Routes"] if item["Origin"] == "CreateRoute"]:
            # The provider makes this id up: RouteCreateID in https://github.com/hashicorp/terraform-provider-aws.
            yield f"r-{table}{zlib.crc32(block.encode())}"


def _association(connect: Connect, inputs: Inputs, deployment_id: str) -> Iterable[str]:
    filters = [{"Name": "association.subnet-id", "Values": [inputs["subnetId"]]}]
    for table in connect("ec2").describe_route_tables(Filters=filters)["RouteTables"]:
        for item in table["Associations"]:
            if item.get("SubnetId") == inputs["subnetId"] and table["RouteTableId"] == inputs["routeTableId"]:
                yield item["RouteTableAssociationId"]


def _key(connect: Connect, inputs: Inputs, deployment_id: str) -> Iterable[str]:
    return (item["KeyName"] for item in connect("ec2").describe_key_pairs(KeyNames=[inputs["keyName"]])["KeyPairs"])


def _instance(connect: Connect, inputs: Inputs, deployment_id: str) -> Iterable[str]:
    filters = [*_tagged(deployment_id, inputs), {"Name": "subnet-id", "Values": [inputs["subnetId"]]}]
    for reservation in connect("ec2").describe_instances(Filters=filters)["Reservations"]:
        for instance in reservation["Instances"]:
            if instance["State"]["Name"] not in GONE:
                yield instance["InstanceId"]


def _database(connect: Connect, inputs: Inputs, deployment_id: str) -> Iterable[str]:
    return (
        item["DBInstanceIdentifier"]
        for item in connect("rds").describe_db_instances()["DBInstances"]
        if item["DBInstanceIdentifier"] == inputs["identifier"]
    )


def _subnet_group(connect: Connect, inputs: Inputs, deployment_id: str) -> Iterable[str]:
    found = connect("rds").describe_db_subnet_groups(DBSubnetGroupName=inputs["name"])["DBSubnetGroups"]
    return (item["DBSubnetGroupName"] for item in found)


def _parameter_group(connect: Connect, inputs: Inputs, deployment_id: str) -> Iterable[str]:
    found = connect("rds").describe_db_parameter_groups(DBParameterGroupName=inputs["name"])["DBParameterGroups"]
    return (item["DBParameterGroupName"] for item in found)


def _balancer(connect: Connect, inputs: Inputs, deployment_id: str) -> Iterable[str]:
    found = connect("elbv2").describe_load_balancers(Names=[inputs["name"]])["LoadBalancers"]
    return (item["LoadBalancerArn"] for item in found)


def _listener(connect: Connect, inputs: Inputs, deployment_id: str) -> Iterable[str]:
    found = connect("elbv2").describe_listeners(LoadBalancerArn=inputs["loadBalancerArn"])["Listeners"]
    return (item["ListenerArn"] for item in found if int(item["Port"]) == int(inputs["port"]))


def _target_group(connect: Connect, inputs: Inputs, deployment_id: str) -> Iterable[str]:
    found = connect("elbv2").describe_target_groups(Names=[inputs["name"]])["TargetGroups"]
    return (item["TargetGroupArn"] for item in found)


def _member(connect: Connect, inputs: Inputs, deployment_id: str) -> Iterable[str]:
    group, port = inputs["targetGroupArn"], inputs.get("port")
    for item in connect("elbv2").describe_target_health(TargetGroupArn=group)["TargetHealthDescriptions"]:
        target = item["Target"]
        if target["Id"] == inputs["targetId"] and (port is None or int(target["Port"]) == int(port)):
            yield f"{group}-{target['Id']}-{'' if port is None else int(port)}"


def _role(connect: Connect, inputs: Inputs, deployment_id: str) -> Iterable[str]:
    yield connect("iam").get_role(RoleName=inputs["name"])["Role"]["RoleName"]


def _role_policy(connect: Connect, inputs: Inputs, deployment_id: str) -> Iterable[str]:
    found = connect("iam").get_role_policy(RoleName=inputs["role"], PolicyName=inputs["name"])
    yield f"{found['RoleName']}:{found['PolicyName']}"


def _instance_profile(connect: Connect, inputs: Inputs, deployment_id: str) -> Iterable[str]:
    found = connect("iam").get_instance_profile(InstanceProfileName=inputs["name"])["InstanceProfile"]
    yield found["InstanceProfileName"]


def _log_group(connect: Connect, inputs: Inputs, deployment_id: str) -> Iterable[str]:
    found = connect("logs").describe_log_groups(logGroupNamePrefix=inputs["name"])["logGroups"]
    return (item["logGroupName"] for item in found if item["logGroupName"] == inputs["name"])


def _alarm(connect: Connect, inputs: Inputs, deployment_id: str) -> Iterable[str]:
    found = connect("cloudwatch").describe_alarms(AlarmNames=[inputs["name"]])["MetricAlarms"]
    return (item["AlarmName"] for item in found)


def _dashboard(connect: Connect, inputs: Inputs, deployment_id: str) -> Iterable[str]:
    yield connect("cloudwatch").get_dashboard(DashboardName=inputs["dashboardName"])["DashboardName"]


def _topic(connect: Connect, inputs: Inputs, deployment_id: str) -> Iterable[str]:
    for page in connect("sns").get_paginator("list_topics").paginate():
        for item in page["Topics"]:
            if item["TopicArn"].rpartition(":")[2] == inputs["name"]:
                yield item["TopicArn"]


def _subscription(connect: Connect, inputs: Inputs, deployment_id: str) -> Iterable[str]:
    wanted = (inputs["protocol"], inputs["endpoint"])
    for item in connect("sns").list_subscriptions_by_topic(TopicArn=inputs["topic"])["Subscriptions"]:
        # One that nobody has confirmed yet has no id to be known by, and asking again makes no second one.
        if (item["Protocol"], item["Endpoint"]) == wanted and item["SubscriptionArn"].startswith("arn:"):
            yield item["SubscriptionArn"]


SEARCHES: dict[str, Search] = {
    "aws:ec2/vpc:Vpc": _ec2("describe_vpcs", "Vpcs", "VpcId", ("cidr", "cidrBlock")),
    "aws:ec2/subnet:Subnet": _ec2(
        "describe_subnets", "Subnets", "SubnetId", ("vpc-id", "vpcId"), ("cidr-block", "cidrBlock")
    ),
    "aws:ec2/internetGateway:InternetGateway": _ec2(
        "describe_internet_gateways", "InternetGateways", "InternetGatewayId"
    ),
    "aws:ec2/routeTable:RouteTable": _ec2("describe_route_tables", "RouteTables", "RouteTableId", ("vpc-id", "vpcId")),
    "aws:ec2/route:Route": _route,
    "aws:ec2/routeTableAssociation:RouteTableAssociation": _association,
    GROUP: _group,
    "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule": _rule(False),
    "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule": _rule(True),
    "aws:ec2/keyPair:KeyPair": _key,
    "aws:ec2/instance:Instance": _instance,
    "aws:rds/instance:Instance": _database,
    "aws:rds/subnetGroup:SubnetGroup": _subnet_group,
    "aws:rds/parameterGroup:ParameterGroup": _parameter_group,
    "aws:acm/certificate:Certificate": names.certificate,
    "aws:acm/certificateValidation:CertificateValidation": names.validation,
    "aws:route53/record:Record": names.record,
    "aws:lb/loadBalancer:LoadBalancer": _balancer,
    "aws:lb/listener:Listener": _listener,
    "aws:lb/targetGroup:TargetGroup": _target_group,
    "aws:lb/targetGroupAttachment:TargetGroupAttachment": _member,
    "aws:iam/role:Role": _role,
    "aws:iam/rolePolicy:RolePolicy": _role_policy,
    "aws:iam/instanceProfile:InstanceProfile": _instance_profile,
    "aws:cloudwatch/logGroup:LogGroup": _log_group,
    "aws:cloudwatch/metricAlarm:MetricAlarm": _alarm,
    "aws:cloudwatch/dashboard:Dashboard": _dashboard,
    "aws:sns/topic:Topic": _topic,
    "aws:sns/topicSubscription:TopicSubscription": _subscription,
}
"""By Pulumi's type token; every type that stacks/ declares is here."""
