"""What somebody else does to an account, through its own API: deletions by name, changes by name and property."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timezone
from typing import Any

from autodeploy.adapters import tls

Aws = Callable[[str], Any]


def _delete_vpc(aws: Aws, made: Any) -> None:
    ec2 = aws("ec2")
    only = [{"Name": "vpc-id", "Values": [made.id]}]
    for subnet in ec2.describe_subnets(Filters=only)["Subnets"]:
        ec2.delete_subnet(SubnetId=subnet["SubnetId"])
    ec2.delete_vpc(VpcId=made.id)


def _delete_gateway(aws: Aws, made: Any) -> None:
    aws("ec2").detach_internet_gateway(InternetGatewayId=made.id, VpcId=made.outputs["vpcId"])
    aws("ec2").delete_internet_gateway(InternetGatewayId=made.id)


def _delete_table(aws: Aws, made: Any) -> None:
    (table,) = aws("ec2").describe_route_tables(RouteTableIds=[made.id])["RouteTables"]
    for association in table["Associations"]:
        aws("ec2").disassociate_route_table(AssociationId=association["RouteTableAssociationId"])
    aws("ec2").delete_route_table(RouteTableId=made.id)


def _delete_target_group(aws: Aws, made: Any) -> None:
    for balancer in aws("elbv2").describe_load_balancers()["LoadBalancers"]:
        for listener in aws("elbv2").describe_listeners(LoadBalancerArn=balancer["LoadBalancerArn"])["Listeners"]:
            aws("elbv2").delete_listener(ListenerArn=listener["ListenerArn"])
    aws("elbv2").delete_target_group(TargetGroupArn=made.id)


def _delete_certificate(aws: Aws, made: Any) -> None:
    for balancer in aws("elbv2").describe_load_balancers()["LoadBalancers"]:
        aws("elbv2").delete_load_balancer(LoadBalancerArn=balancer["LoadBalancerArn"])
    aws("acm").delete_certificate(CertificateArn=made.id)


def _delete_role(aws: Aws, made: Any) -> None:
    iam = aws("iam")
    for policy in iam.list_role_policies(RoleName=made.id)["PolicyNames"]:
        iam.delete_role_policy(RoleName=made.id, PolicyName=policy)
    iam.delete_role(RoleName=made.id)


def _delete_profile(aws: Aws, made: Any) -> None:
    aws("iam").remove_role_from_instance_profile(InstanceProfileName=made.id, RoleName=made.inputs["role"])
    aws("iam").delete_instance_profile(InstanceProfileName=made.id)


DELETED: dict[str, Callable[[Aws, Any], Any]] = {
    "vpc": _delete_vpc,
    "subnet 3": lambda aws, made: aws("ec2").delete_subnet(SubnetId=made.id),
    "gateway": _delete_gateway,
    "table": _delete_table,
    "route": lambda aws, made: aws("ec2").delete_route(
        RouteTableId=made.inputs["routeTableId"], DestinationCidrBlock="0.0.0.0/0"
    ),
    "association": lambda aws, made: aws("ec2").disassociate_route_table(AssociationId=made.id),
    "group": lambda aws, made: aws("ec2").delete_security_group(GroupId=made.id),
    "ingress": lambda aws, made: aws("ec2").revoke_security_group_ingress(
        GroupId=made.inputs["securityGroupId"], SecurityGroupRuleIds=[made.id]
    ),
    "egress": lambda aws, made: aws("ec2").revoke_security_group_egress(
        GroupId=made.inputs["securityGroupId"], SecurityGroupRuleIds=[made.id]
    ),
    "key": lambda aws, made: aws("ec2").delete_key_pair(KeyName=made.id),
    "instance": lambda aws, made: aws("ec2").terminate_instances(InstanceIds=[made.id]),
    "role": _delete_role,
    "role policy": lambda aws, made: aws("iam").delete_role_policy(RoleName="web-1", PolicyName="log"),
    "profile": _delete_profile,
    "log group": lambda aws, made: aws("logs").delete_log_group(logGroupName=made.id),
    "topic": lambda aws, made: aws("sns").delete_topic(TopicArn=made.id),
    "subscription": lambda aws, made: aws("sns").unsubscribe(SubscriptionArn=made.id),
    "alarm": lambda aws, made: aws("cloudwatch").delete_alarms(AlarmNames=[made.id]),
    "dashboard": lambda aws, made: aws("cloudwatch").delete_dashboards(DashboardNames=[made.id]),
    "subnet group": lambda aws, made: aws("rds").delete_db_subnet_group(DBSubnetGroupName=made.id),
    "parameter group": lambda aws, made: aws("rds").delete_db_parameter_group(DBParameterGroupName=made.id),
    "database": lambda aws, made: aws("rds").delete_db_instance(DBInstanceIdentifier=made.id, SkipFinalSnapshot=True),
    "certificate": _delete_certificate,
    "balancer": lambda aws, made: aws("elbv2").delete_load_balancer(LoadBalancerArn=made.id),
    "listener": lambda aws, made: aws("elbv2").delete_listener(ListenerArn=made.id),
    "target group": _delete_target_group,
    "member": lambda aws, made: aws("elbv2").deregister_targets(
        TargetGroupArn=made.inputs["targetGroupArn"], Targets=[{"Id": made.inputs["targetId"], "Port": 80}]
    ),
}


def _readdress(aws: Aws, made: dict[str, Any], name: str, **changes: Any) -> None:
    rule = {"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "CidrIpv4": "198.51.100.7/32", **changes}
    aws("ec2").modify_security_group_rules(
        GroupId=made["group"].id,
        SecurityGroupRules=[{"SecurityGroupRuleId": made[name].id, "SecurityGroupRule": rule}],
    )


def _move_route(aws: Aws, made: dict[str, Any]) -> str:
    other = aws("ec2").create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
    aws("ec2").replace_route(RouteTableId=made["table"].id, DestinationCidrBlock="0.0.0.0/0", GatewayId=other)
    return str(other)


def _regroup(aws: Aws, made: dict[str, Any]) -> list[str]:
    ec2 = aws("ec2")
    other = ec2.create_security_group(GroupName="eve", Description="eve", VpcId=made["vpc"].id)["GroupId"]
    card = made["instance"].outputs["primaryNetworkInterfaceId"]
    ec2.modify_network_interface_attribute(NetworkInterfaceId=card, Groups=[other])
    return [other]


def _change_database(**changes: Any) -> Any:
    return lambda aws, made: aws("rds").modify_db_instance(
        DBInstanceIdentifier=made["database"].id, ApplyImmediately=True, **changes
    )


def _attribute(key: str, value: str) -> Any:
    return lambda aws, made: aws("elbv2").modify_load_balancer_attributes(
        LoadBalancerArn=made["balancer"].id, Attributes=[{"Key": key, "Value": value}]
    )


def _reimport(aws: Aws, made: dict[str, Any]) -> str:
    now = datetime.now(timezone.utc)
    body, key = tls.issue(tls.make_authority("Eve", now), ["eve"], now)
    aws("acm").import_certificate(CertificateArn=made["certificate"].id, Certificate=body, PrivateKey=key)
    return body


CHANGED: list[tuple[str, str, Callable[[Aws, dict[str, Any]], Any], Any]] = [
    (
        "vpc",
        "enableDnsHostnames",
        lambda aws, made: aws("ec2").modify_vpc_attribute(VpcId=made["vpc"].id, EnableDnsHostnames={"Value": False}),
        False,
    ),
    (
        "subnet 1",
        "mapPublicIpOnLaunch",
        lambda aws, made: aws("ec2").modify_subnet_attribute(
            SubnetId=made["subnet 1"].id, MapPublicIpOnLaunch={"Value": False}
        ),
        False,
    ),
    (
        "gateway",
        "vpcId",
        lambda aws, made: aws("ec2").detach_internet_gateway(
            InternetGatewayId=made["gateway"].id, VpcId=made["vpc"].id
        ),
        None,
    ),
    ("route", "gatewayId", _move_route, ...),
    ("ingress", "cidrIpv4", lambda aws, made: _readdress(aws, made, "ingress", CidrIpv4="0.0.0.0/0"), "0.0.0.0/0"),
    ("ingress", "toPort", lambda aws, made: _readdress(aws, made, "ingress", ToPort=65535), 65535),
    ("instance", "vpcSecurityGroupIds", _regroup, ...),
    (
        "instance",
        "metadataOptions",
        lambda aws, made: aws("ec2").modify_instance_metadata_options(
            InstanceId=made["instance"].id, HttpEndpoint="enabled", HttpTokens="optional", HttpPutResponseHopLimit=2
        ),
        {"httpEndpoint": "enabled", "httpTokens": "optional", "httpPutResponseHopLimit": 2},
    ),
    (
        "log group",
        "retentionInDays",
        lambda aws, made: aws("logs").put_retention_policy(logGroupName="web-log", retentionInDays=1),
        1,
    ),
    (
        "profile",
        "role",
        lambda aws, made: aws("iam").remove_role_from_instance_profile(InstanceProfileName="web-1", RoleName="web-1"),
        None,
    ),
    (
        "alarm",
        "actionsEnabled",
        lambda aws, made: aws("cloudwatch").disable_alarm_actions(AlarmNames=["web-status"]),
        False,
    ),
    (
        "dashboard",
        "dashboardBody",
        lambda aws, made: aws("cloudwatch").put_dashboard(DashboardName="web", DashboardBody='{"widgets": []}'),
        '{"widgets": []}',
    ),
    ("database", "publiclyAccessible", _change_database(PubliclyAccessible=True), True),
    ("database", "backupRetentionPeriod", _change_database(BackupRetentionPeriod=0), 0),
    ("database", "allocatedStorage", _change_database(AllocatedStorage=30), 30),
    ("database", "deletionProtection", _change_database(DeletionProtection=True), ...),
    (
        "parameter group",
        "parameters",
        lambda aws, made: aws("rds").modify_db_parameter_group(
            DBParameterGroupName=made["parameter group"].id,
            Parameters=[{"ParameterName": "rds.force_ssl", "ParameterValue": "0", "ApplyMethod": "immediate"}],
        ),
        [{"name": "rds.force_ssl", "value": "0"}],
    ),
    ("certificate", "certificateBody", _reimport, ...),
    ("balancer", "idleTimeout", _attribute("idle_timeout.timeout_seconds", "30"), 30),
    (
        "balancer",
        "dropInvalidHeaderFields",
        _attribute("routing.http.drop_invalid_header_fields.enabled", "false"),
        False,
    ),
    (
        "listener",
        "sslPolicy",
        lambda aws, made: aws("elbv2").modify_listener(
            ListenerArn=made["listener"].id, SslPolicy="ELBSecurityPolicy-2016-08"
        ),
        "ELBSecurityPolicy-2016-08",
    ),
    (
        "target group",
        "healthCheck",
        lambda aws, made: aws("elbv2").modify_target_group(
            TargetGroupArn=made["target group"].id, HealthCheckPath="/eve"
        ),
        {"path": "/eve", "matcher": "200-499", "interval": 5, "timeout": 2},
    ),
    (
        "target group",
        "deregistrationDelay",
        lambda aws, made: aws("elbv2").modify_target_group_attributes(
            TargetGroupArn=made["target group"].id,
            Attributes=[{"Key": "deregistration_delay.timeout_seconds", "Value": "300"}],
        ),
        300,
    ),
]
