"""By resource type, the IAM actions that AWS asks for when Pulumi's provider looks at it, makes, changes or deletes it.

Data alone. Facts of the service authorization reference (https://docs.aws.amazon.com/service-authorization/) and of
what terraform-provider-aws calls; every type that stacks/ declares has a row.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple


class Needs(NamedTuple):
    """One row. `example` is an ARN of the type, with {region} and {account}, to ask AWS about.

    `look` cannot be scoped. `make` meets things that carry no tag yet, or none at all; `change` only what carries
    AutoDeploy's own tag; `named` only what `example` covers, where the service knows no tags.
    """

    example: str
    look: tuple[str, ...] = ()
    make: tuple[str, ...] = ()
    change: tuple[str, ...] = ()
    named: tuple[str, ...] = ()


def _each(text: str) -> tuple[str, ...]:
    """Return the actions of a text such as "ec2: CreateVpc CreateTags; iam: PassRole"."""
    found = []
    for part in filter(None, text.split("; ")):
        service, _, names = part.partition(": ")
        found += [f"{service}:{name}" for name in names.split()]
    return tuple(found)


def _row(example: str, look: str = "", make: str = "", change: str = "", named: str = "") -> Needs:
    return Needs(example, _each(look), _each(make), _each(change), _each(named))


_EC2 = "arn:aws:ec2:{region}:{account}:"
_ELB = "arn:aws:elasticloadbalancing:{region}:{account}:"
_RDS = "arn:aws:rds:{region}:{account}:"
_IAM = "arn:aws:iam::{account}:"

ACTIONS: Mapping[str, Needs] = {
    "aws:ec2/vpc:Vpc": _row(
        f"{_EC2}vpc/vpc-0",
        look="ec2: DescribeVpcs DescribeVpcAttribute DescribeNetworkAcls DescribeRouteTables DescribeSecurityGroups",
        make="ec2: CreateVpc CreateTags",
        change="ec2: ModifyVpcAttribute DeleteVpc DeleteTags",
    ),
    "aws:ec2/subnet:Subnet": _row(
        f"{_EC2}subnet/subnet-0",
        look="ec2: DescribeSubnets DescribeNetworkInterfaces",
        make="ec2: CreateSubnet CreateTags",
        change="ec2: ModifySubnetAttribute DeleteSubnet DeleteTags",
    ),
    "aws:ec2/internetGateway:InternetGateway": _row(
        f"{_EC2}internet-gateway/igw-0",
        look="ec2: DescribeInternetGateways",
        make="ec2: CreateInternetGateway CreateTags",
        change="ec2: AttachInternetGateway DetachInternetGateway DeleteInternetGateway DeleteTags",
    ),
    "aws:ec2/routeTable:RouteTable": _row(
        f"{_EC2}route-table/rtb-0",
        look="ec2: DescribeRouteTables",
        make="ec2: CreateRouteTable CreateTags",
        change="ec2: DeleteRouteTable DeleteTags",
    ),
    "aws:ec2/route:Route": _row(
        f"{_EC2}route-table/rtb-0",
        look="ec2: DescribeRouteTables",
        change="ec2: CreateRoute ReplaceRoute DeleteRoute",
    ),
    "aws:ec2/routeTableAssociation:RouteTableAssociation": _row(
        f"{_EC2}route-table/rtb-0",
        look="ec2: DescribeRouteTables",
        change="ec2: AssociateRouteTable ReplaceRouteTableAssociation DisassociateRouteTable",
    ),
    # AWS's own rule that lets everything out is taken away first.
    "aws:ec2/securityGroup:SecurityGroup": _row(
        f"{_EC2}security-group/sg-0",
        look="ec2: DescribeSecurityGroups DescribeNetworkInterfaces",
        make="ec2: CreateSecurityGroup CreateTags",
        change="ec2: RevokeSecurityGroupEgress DeleteSecurityGroup DeleteTags",
    ),
    "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule": _row(
        f"{_EC2}security-group/sg-0",
        look="ec2: DescribeSecurityGroupRules",
        make="ec2: AuthorizeSecurityGroupIngress ModifySecurityGroupRules CreateTags",
        change="ec2: RevokeSecurityGroupIngress DeleteTags",
    ),
    "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule": _row(
        f"{_EC2}security-group/sg-0",
        look="ec2: DescribeSecurityGroupRules",
        make="ec2: AuthorizeSecurityGroupEgress ModifySecurityGroupRules CreateTags",
        change="ec2: RevokeSecurityGroupEgress DeleteTags",
    ),
    "aws:ec2/keyPair:KeyPair": _row(
        f"{_EC2}key-pair/example",
        look="ec2: DescribeKeyPairs",
        make="ec2: ImportKeyPair CreateTags",
        change="ec2: DeleteKeyPair DeleteTags",
    ),
    # A machine's network interface is AWS's own making, and carries no tag.
    "aws:ec2/instance:Instance": _row(
        f"{_EC2}instance/i-0",
        look="ec2: DescribeInstances DescribeInstanceAttribute DescribeInstanceTypes DescribeTags DescribeVolumes "
        "DescribeInstanceCreditSpecifications DescribeNetworkInterfaces",
        make="ec2: RunInstances ModifyNetworkInterfaceAttribute CreateTags",
        change="ec2: ModifyInstanceAttribute ModifyInstanceMetadataOptions ModifyVolume "
        "ModifyInstanceCreditSpecification MonitorInstances UnmonitorInstances StartInstances StopInstances "
        "TerminateInstances DeleteTags",
    ),
    # RDS makes the master secret in the caller's name; the deployer reads it once, to make the application's role.
    "aws:rds/instance:Instance": _row(
        f"{_RDS}db:example",
        look="rds: DescribeDBInstances DescribeDBSnapshots ListTagsForResource",
        make="rds: CreateDBInstance RestoreDBInstanceFromDBSnapshot AddTagsToResource CreateDBSnapshot; iam: "
        "CreateServiceLinkedRole; secretsmanager: CreateSecret TagResource GetSecretValue",
        change="rds: ModifyDBInstance RebootDBInstance DeleteDBInstance DeleteDBSnapshot RemoveTagsFromResource",
    ),
    "aws:rds/subnetGroup:SubnetGroup": _row(
        f"{_RDS}subgrp:example",
        look="rds: DescribeDBSubnetGroups ListTagsForResource",
        make="rds: CreateDBSubnetGroup AddTagsToResource; iam: CreateServiceLinkedRole",
        change="rds: ModifyDBSubnetGroup DeleteDBSubnetGroup RemoveTagsFromResource",
    ),
    "aws:rds/parameterGroup:ParameterGroup": _row(
        f"{_RDS}pg:example",
        look="rds: DescribeDBParameterGroups DescribeDBParameters ListTagsForResource",
        make="rds: CreateDBParameterGroup AddTagsToResource",
        change="rds: ModifyDBParameterGroup ResetDBParameterGroup DeleteDBParameterGroup RemoveTagsFromResource",
    ),
    "aws:acm/certificate:Certificate": _row(
        "arn:aws:acm:{region}:{account}:certificate/example",
        look="acm: DescribeCertificate GetCertificate ListTagsForCertificate ListCertificates",
        make="acm: ImportCertificate RequestCertificate AddTagsToCertificate",
        change="acm: DeleteCertificate RemoveTagsFromCertificate",
    ),
    "aws:acm/certificateValidation:CertificateValidation": _row(
        "arn:aws:acm:{region}:{account}:certificate/example",
        look="acm: DescribeCertificate",
    ),
    "aws:lb/loadBalancer:LoadBalancer": _row(
        f"{_ELB}loadbalancer/app/example/0",
        look="elasticloadbalancing: DescribeLoadBalancers DescribeLoadBalancerAttributes DescribeCapacityReservation "
        "DescribeTags; ec2: DescribeAccountAttributes DescribeNetworkInterfaces",
        make="elasticloadbalancing: CreateLoadBalancer AddTags; iam: CreateServiceLinkedRole",
        change="elasticloadbalancing: ModifyLoadBalancerAttributes SetSecurityGroups SetSubnets SetIpAddressType "
        "DeleteLoadBalancer RemoveTags",
    ),
    "aws:lb/listener:Listener": _row(
        f"{_ELB}listener/app/example/0/0",
        look="elasticloadbalancing: DescribeListeners DescribeListenerAttributes DescribeTags",
        make="elasticloadbalancing: CreateListener AddTags",
        change="elasticloadbalancing: ModifyListener ModifyListenerAttributes DeleteListener RemoveTags",
    ),
    "aws:lb/targetGroup:TargetGroup": _row(
        f"{_ELB}targetgroup/example/0",
        look="elasticloadbalancing: DescribeTargetGroups DescribeTargetGroupAttributes DescribeTags",
        make="elasticloadbalancing: CreateTargetGroup AddTags",
        change="elasticloadbalancing: ModifyTargetGroup ModifyTargetGroupAttributes DeleteTargetGroup RemoveTags",
    ),
    "aws:lb/targetGroupAttachment:TargetGroupAttachment": _row(
        f"{_ELB}targetgroup/example/0",
        look="elasticloadbalancing: DescribeTargetHealth",
        change="elasticloadbalancing: RegisterTargets DeregisterTargets",
    ),
    # Roles and profiles have a path of AutoDeploy's own.
    "aws:iam/role:Role": _row(
        f"{_IAM}role/autodeploy/*",
        look="iam: GetRole ListRolePolicies ListAttachedRolePolicies ListInstanceProfilesForRole",
        make="iam: PassRole",
        named="iam: CreateRole TagRole UpdateRole UpdateAssumeRolePolicy DeleteRole UntagRole",
    ),
    "aws:iam/rolePolicy:RolePolicy": _row(
        f"{_IAM}role/autodeploy/*", look="iam: GetRolePolicy", named="iam: PutRolePolicy DeleteRolePolicy"
    ),
    "aws:iam/instanceProfile:InstanceProfile": _row(
        f"{_IAM}instance-profile/autodeploy/*",
        look="iam: GetInstanceProfile; ec2: DescribeIamInstanceProfileAssociations",
        make="iam: PassRole",
        change="ec2: AssociateIamInstanceProfile ReplaceIamInstanceProfileAssociation DisassociateIamInstanceProfile",
        named="iam: CreateInstanceProfile TagInstanceProfile AddRoleToInstanceProfile "
        "RemoveRoleFromInstanceProfile DeleteInstanceProfile UntagInstanceProfile",
    ),
    "aws:cloudwatch/logGroup:LogGroup": _row(
        "arn:aws:logs:{region}:{account}:log-group:example",
        look="logs: DescribeLogGroups ListTagsForResource",
        make="logs: CreateLogGroup TagResource",
        change="logs: PutRetentionPolicy DeleteRetentionPolicy DeleteLogGroup UntagResource",
    ),
    "aws:cloudwatch/metricAlarm:MetricAlarm": _row(
        "arn:aws:cloudwatch:{region}:{account}:alarm:example",
        look="cloudwatch: DescribeAlarms ListTagsForResource",
        make="cloudwatch: PutMetricAlarm TagResource",
        change="cloudwatch: DeleteAlarms UntagResource",
    ),
    "aws:cloudwatch/dashboard:Dashboard": _row(
        "arn:aws:cloudwatch::{account}:dashboard/*",
        look="cloudwatch: GetDashboard ListDashboards",
        named="cloudwatch: PutDashboard DeleteDashboards",
    ),
    "aws:sns/topic:Topic": _row(
        "arn:aws:sns:{region}:{account}:example",
        look="sns: GetTopicAttributes ListTagsForResource ListTopics",
        make="sns: CreateTopic TagResource",
        change="sns: SetTopicAttributes DeleteTopic UntagResource",
    ),
    # A subscription knows no tags.
    "aws:sns/topicSubscription:TopicSubscription": _row(
        "arn:aws:sns:{region}:{account}:example",
        look="sns: GetSubscriptionAttributes ListSubscriptionsByTopic",
        make="sns: Unsubscribe SetSubscriptionAttributes",
        change="sns: Subscribe",
    ),
    "aws:route53/record:Record": _row(
        "arn:aws:route53:::hostedzone/*",
        look="route53: GetHostedZone GetChange ListResourceRecordSets ListHostedZones ListHostedZonesByName",
        named="route53: ChangeResourceRecordSets",
    ),
}
"""By Pulumi's type token."""

SESSIONS: Mapping[str, tuple[str, ...]] = {
    f"{_EC2}instance/*": ("ssm:StartSession",),
    "arn:aws:ssm:{region}::document/AWS-StartSSHSession": ("ssm:StartSession",),
    "arn:aws:ssm:{region}:{account}:session/${aws:userid}-*": (
        "ssm:ResumeSession",
        "ssm:TerminateSession",
        "ssmmessages:OpenDataChannel",
    ),
}
"""By resource what --access ssm asks for beside; a machine only with AutoDeploy's tag, a session only its starter's.
https://docs.aws.amazon.com/systems-manager/latest/userguide/getting-started-restrict-access-quickstart.html."""

OWN = _each(
    "ec2: DescribeAvailabilityZones DescribeImages DescribeInstanceStatus DescribeInstanceTypeOfferings "
    "DescribeInstanceTypes DescribeAddresses GetConsoleOutput; rds: DescribeDBEngineVersions "
    "DescribeOrderableDBInstanceOptions; servicequotas: GetServiceQuota GetAWSDefaultServiceQuota; tag: GetResources; "
    "secretsmanager: DescribeSecret"
)
"""What AutoDeploy itself asks of the account beside the provider: facts, preflight, evidence, leftovers."""

OWN_GLOBAL = _each("iam: SimulatePrincipalPolicy GetRole; sts: GetCallerIdentity; pricing: GetProducts")
"""The same of services that belong to no region."""
