"""Says what each resource of the Pulumi program is for, and adds that, and the picture, to what a preview found."""

from __future__ import annotations

import re

from autodeploy.model import InfraPlan, Preview
from autodeploy.model.plan import short_type
from autodeploy.planner.picture import text

PURPOSES = {
    "pulumi:providers:aws aws": "keeps all to this account and region, and tags it",
    "aws:ec2:Vpc vpc": "a network of the deployment's own",
    "aws:ec2:Subnet public": "where the machine and the balancer stand, in reach of the internet",
    "aws:ec2:Subnet private": "where the database stands, without a way out",
    "aws:ec2:InternetGateway internet": "the public subnets' way to and from the internet",
    "aws:ec2:RouteTable public": "leads the public subnets to the internet",
    "aws:ec2:RouteTable private": "keeps the private subnets to the network itself",
    "aws:ec2:Route public-default": "sends what is not for the network to the internet",
    "aws:ec2:RouteTableAssociation public": "gives a public subnet the way to the internet",
    "aws:ec2:RouteTableAssociation private": "gives a private subnet no way out",
    "aws:ec2:SecurityGroup app": "lets nobody but the balancer ask the machine",
    "aws:ec2:SecurityGroup ssh": "lets the operator's own address log in to the machine",
    "aws:ec2:SecurityGroup balancer": "lets the world ask the balancer, and the balancer the machine alone",
    "aws:ec2:SecurityGroup database": "lets the machine alone ask the database",
    "aws:vpc:SecurityGroupIngressRule ssh": "SSH, from the operator's address alone",
    "aws:vpc:SecurityGroupIngressRule app-web": "HTTP from the balancer to the proxy on the machine",
    "aws:vpc:SecurityGroupIngressRule balancer-http": "HTTP from anywhere, only to be redirected",
    "aws:vpc:SecurityGroupIngressRule balancer-https": "HTTPS from anywhere",
    "aws:vpc:SecurityGroupIngressRule database-app": "SQL from the machine",
    "aws:vpc:SecurityGroupEgressRule app-out": "packages, and what the application itself calls",
    "aws:vpc:SecurityGroupEgressRule balancer-app": "requests and health checks to the machine, nothing else",
    "aws:ec2:KeyPair operator": "the deployment's own SSH key; its private half never leaves this machine",
    "aws:ec2:Instance app": "runs the application",
    "aws:iam:Role app": "what the machine may do in the account: next to nothing",
    "aws:iam:RolePolicy log-group": "lets the machine write to its own log group, and do nothing else",
    "aws:iam:RolePolicy session": "lets the agent on the machine take the operator's sessions, and do nothing else",
    "aws:iam:InstanceProfile app": "gives the machine its role",
    "aws:rds:Instance database": "the application's data, backed up every day",
    "aws:rds:SubnetGroup private": "keeps the database in the private subnets",
    "aws:rds:ParameterGroup tls-only": "refuses connections to the database without TLS",
    "aws:acm:Certificate public": "what the balancer shows for HTTPS",
    "aws:acm:Certificate domain": "what the balancer shows at your own name, issued by AWS",
    "aws:acm:CertificateValidation domain": "waits until AWS has seen the proof and issued the certificate",
    "aws:route53:Record domain-proof": "proves that the domain is yours, for the certificate's renewals too",
    "aws:route53:Record domain-ipv4": "leads your own name to the balancer",
    "aws:lb:LoadBalancer public": "ends TLS, and spreads requests over what is healthy",
    "aws:lb:TargetGroup app": "asks the health page, and takes what does not answer out",
    "aws:lb:TargetGroupAttachment app": "puts the machine behind the balancer",
    "aws:lb:Listener https": "takes HTTPS with TLS 1.2 or newer",
    "aws:lb:Listener http": "redirects HTTP to HTTPS",
    "aws:cloudwatch:LogGroup app": "keeps for 30 days what the machine writes to it",
    "aws:cloudwatch:MetricAlarm status": "tells when the machine fails AWS's checks, or does not run",
    "aws:cloudwatch:MetricAlarm credits": "tells when the machine has used up its CPU credits",
    "aws:cloudwatch:MetricAlarm health": "tells when the balancer reaches no healthy application",
    "aws:cloudwatch:MetricAlarm app-5xx": "tells when the application answers with server errors",
    "aws:cloudwatch:MetricAlarm lb-5xx": "tells when the balancer answers with server errors itself",
    "aws:cloudwatch:MetricAlarm storage": "tells when nine tenths of the database's disk are full",
    "aws:cloudwatch:Dashboard overview": "shows the alarms and what they watch",
    "aws:sns:Topic alarms": "where alarms go; whoever is to hear of them subscribes to it",
    "aws:sns:TopicSubscription operator": "sends the alarms to --alarm-email, once the mail is confirmed",
}
"""By type and logical name; what there are several of is listed once, without its number."""


def purpose(kind: str, name: str) -> str:
    """Return what the resource of a type and a logical name is for; "" for one that the program does not declare."""
    return PURPOSES.get(f"{short_type(kind)} {re.sub(r'-[0-9]+$', '', name)}", "")


def explained(preview: Preview, infra: InfraPlan) -> Preview:
    """Return the preview of a plan with each resource's purpose and the picture of it all."""
    return preview.but(
        changes=tuple(change.but(purpose=purpose(change.type, change.name)) for change in preview.changes),
        picture=text(infra),
    )
