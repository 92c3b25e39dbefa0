"""One resource at least of every type that the local target emulates, tied together as the program ties them."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime, timezone
from typing import Any

from protocol_engine import Engine, Made

from autodeploy.adapters import tls

PUBLIC_KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHSeTcFcwYwpbbsaH0ziTKA1uV6tVGSo4BTqT6x2cKdP op@example.org"
CHECK = {"path": "/health", "matcher": "200-499", "interval": 5, "timeout": 2}


class World:
    """Makes what other things need."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine

    def vpc(self) -> Made:
        return self.engine.make("aws:ec2/vpc:Vpc", "vpc", cidrBlock="10.0.0.0/16")

    def subnet(self, vpc: Made, number: int = 1, zone: str = "us-east-1a") -> Made:
        return self.engine.make(
            "aws:ec2/subnet:Subnet",
            f"subnet-{number}",
            vpcId=vpc.id,
            cidrBlock=f"10.0.{number}.0/24",
            availabilityZone=zone,
        )

    def group(self, vpc: Made, name: str = "app") -> Made:
        return self.engine.make("aws:ec2/securityGroup:SecurityGroup", name, vpcId=vpc.id)

    def key(self) -> Made:
        return self.engine.make("aws:ec2/keyPair:KeyPair", "key", publicKey=PUBLIC_KEY)

    def instance(self, subnet: Made, group: Made, key: Made, **more: Any) -> Made:
        return self.engine.make(
            "aws:ec2/instance:Instance",
            "web",
            **{
                "ami": "ami-0debian12local00",
                "instanceType": "t3.micro",
                "keyName": key.id,
                "subnetId": subnet.id,
                "vpcSecurityGroupIds": [group.id],
                "userData": "#cloud-config\nlocale: C.UTF-8\n",
                **more,
            },
        )

    def machine(self) -> Made:
        vpc = self.vpc()
        return self.instance(self.subnet(vpc), self.group(vpc), self.key())


def whole(world: World, engine: Engine) -> dict[str, Made]:
    """Make them and return them by a short name, in the order in which they were made."""
    made: dict[str, Made] = {}

    def make(key: str, token: str, **inputs: Any) -> Made:
        made[key] = engine.make(token, key.replace(" ", "-"), **inputs)
        return made[key]

    vpc = make("vpc", "aws:ec2/vpc:Vpc", cidrBlock="10.0.0.0/16", enableDnsHostnames=True, tags={"Name": "web"})
    subnets = [
        make(
            f"subnet {number}",
            "aws:ec2/subnet:Subnet",
            vpcId=vpc.id,
            cidrBlock=f"10.0.{number}.0/24",
            availabilityZone=zone,
            mapPublicIpOnLaunch=True,
        )
        for number, zone in ((1, "us-east-1a"), (3, "us-east-1b"))
    ]
    gateway = make("gateway", "aws:ec2/internetGateway:InternetGateway", vpcId=vpc.id)
    make("spare gateway", "aws:ec2/internetGateway:InternetGateway")
    table = make("table", "aws:ec2/routeTable:RouteTable", vpcId=vpc.id)
    world_ = "0.0.0.0/0"
    make("route", "aws:ec2/route:Route", routeTableId=table.id, destinationCidrBlock=world_, gatewayId=gateway.id)
    association = "aws:ec2/routeTableAssociation:RouteTableAssociation"
    make("association", association, routeTableId=table.id, subnetId=subnets[0].id)
    group = make("group", "aws:ec2/securityGroup:SecurityGroup", vpcId=vpc.id)
    rule = {"securityGroupId": group.id, "ipProtocol": "tcp", "cidrIpv4": "198.51.100.7/32", "description": "SSH"}
    make("ingress", "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule", fromPort=22, toPort=22, **rule)
    everything = {"securityGroupId": group.id, "ipProtocol": "-1", "cidrIpv4": world_, "description": "Anywhere"}
    make("egress", "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule", **everything)
    made["key"] = world.key()
    metadata = {"httpEndpoint": "enabled", "httpTokens": "required", "httpPutResponseHopLimit": 1}
    made["instance"] = world.instance(subnets[0], group, made["key"], metadataOptions=metadata)
    _machine_profile(make)
    _monitoring(make)
    _database(make, [subnet.id for subnet in subnets], group)
    _balancer(make, vpc, [subnet.id for subnet in subnets], group, made["instance"])
    return made


def _machine_profile(make: Any) -> None:
    statement = {"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}
    trust = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    role = make("role", "aws:iam/role:Role", name="web-1", assumeRolePolicy=trust, description="The machine")
    make("spare role", "aws:iam/role:Role", name="web-2", assumeRolePolicy=trust)
    make("role policy", "aws:iam/rolePolicy:RolePolicy", role=role.id, name="log", policy=_allowing("PutLogEvents"))
    make("profile", "aws:iam/instanceProfile:InstanceProfile", name="web-1", role=role.id)


def _allowing(action: str) -> str:
    allowed = {"Effect": "Allow", "Action": [f"logs:{action}"], "Resource": "arn:aws:logs:us-east-1:1:log-group:x:*"}
    return json.dumps({"Version": "2012-10-17", "Statement": [allowed]})


def _monitoring(make: Any) -> None:
    make("log group", "aws:cloudwatch/logGroup:LogGroup", name="web-log", retentionInDays=30)
    topic = make("topic", "aws:sns/topic:Topic", name="web-alarms")
    subscription = "aws:sns/topicSubscription:TopicSubscription"
    make("subscription", subscription, topic=topic.id, protocol="email", endpoint="ops@example.org")
    make(
        "alarm",
        "aws:cloudwatch/metricAlarm:MetricAlarm",
        name="web-status",
        namespace="AWS/EC2",
        metricName="StatusCheckFailed",
        dimensions={"InstanceId": "i-1"},
        statistic="Maximum",
        comparisonOperator="GreaterThanOrEqualToThreshold",
        threshold=1,
        period=60,
        evaluationPeriods=3,
        alarmActions=[topic.id],
    )
    text = {"type": "text", "x": 0, "width": 24, "properties": {"markdown": "hello"}}
    body = json.dumps({"widgets": [text]})
    make("dashboard", "aws:cloudwatch/dashboard:Dashboard", dashboardName="web", dashboardBody=body)


def _database(make: Any, subnets: list[str], group: Made) -> None:
    subnet_group = make("subnet group", "aws:rds/subnetGroup:SubnetGroup", subnetIds=subnets)
    forced = [{"name": "rds.force_ssl", "value": "1"}]
    parameters = make(
        "parameter group", "aws:rds/parameterGroup:ParameterGroup", family="postgres15", parameters=forced
    )
    make(
        "database",
        "aws:rds/instance:Instance",
        engine="postgres",
        engineVersion="15",
        instanceClass="db.t3.micro",
        allocatedStorage=20,
        username="dbadmin",
        dbName="app",
        manageMasterUserPassword=True,
        publiclyAccessible=False,
        backupRetentionPeriod=7,
        dbSubnetGroupName=subnet_group.id,
        parameterGroupName=parameters.id,
        vpcSecurityGroupIds=[group.id],
        skipFinalSnapshot=True,
    )


def _pair() -> dict[str, str]:
    now = datetime.now(timezone.utc)
    authority = tls.make_authority("Test", now)
    body, key = tls.issue(authority, ["localhost"], now)
    return {"certificateBody": body, "privateKey": key, "certificateChain": authority[0]}


def _balancer(make: Any, vpc: Made, subnets: list[str], group: Made, instance: Made) -> None:
    certificate = make("certificate", "aws:acm/certificate:Certificate", secrets=["privateKey"], **_pair())
    balancer = make(
        "balancer",
        "aws:lb/loadBalancer:LoadBalancer",
        subnets=subnets,
        securityGroups=[group.id],
        idleTimeout=60,
        dropInvalidHeaderFields=True,
    )
    target_group = make(
        "target group",
        "aws:lb/targetGroup:TargetGroup",
        port=80,
        protocol="HTTP",
        vpcId=vpc.id,
        healthCheck=CHECK,
        deregistrationDelay=10,
    )
    attachment = "aws:lb/targetGroupAttachment:TargetGroupAttachment"
    make("member", attachment, targetGroupArn=target_group.id, targetId=instance.id, port=80)
    make(
        "listener",
        "aws:lb/listener:Listener",
        loadBalancerArn=balancer.id,
        port=443,
        protocol="HTTPS",
        sslPolicy="ELBSecurityPolicy-TLS13-1-2-2021-06",
        certificateArn=certificate.id,
        defaultActions=[{"type": "forward", "targetGroupArn": target_group.id}],
    )


def domain(aws: Callable[[str], Any], engine: Engine) -> dict[str, Made]:
    """Make what proves a domain in a zone of its own; return it by a short name, in the order in which it was made."""
    zone = aws("route53").create_hosted_zone(Name="example.com", CallerReference="here")["HostedZone"]["Id"]
    given = {"domainName": "shop.example.com", "validationMethod": "DNS"}
    certificate = engine.make("aws:acm/certificate:Certificate", "domain", **given)
    (asked,) = certificate.outputs["domainValidationOptions"]
    proof = {"name": asked["resourceRecordName"], "records": [asked["resourceRecordValue"]], "ttl": 300}
    kind = {"zoneId": zone.rpartition("/")[2], "type": asked["resourceRecordType"]}
    record = engine.make("aws:route53/record:Record", "proof", **kind, **proof)
    validation = "aws:acm/certificateValidation:CertificateValidation"
    proven = engine.make(validation, "proven", certificateArn=certificate.id)
    return {"domain": certificate, "proof": record, "proven": proven}


def changes(made: dict[str, Made]) -> dict[str, dict[str, Any]]:
    """Return, in order, what can be changed in place of each of them: of every type that anything can be changed of."""
    team = {"tags": {"Team": "blue"}}
    return {
        "vpc": {"enableDnsHostnames": False},
        "subnet 1": {"mapPublicIpOnLaunch": False},
        "gateway": {"vpcId": None},
        "spare gateway": {"vpcId": made["vpc"].id},
        "table": team,
        "route": {"gatewayId": made["spare gateway"].id},
        "group": team,
        "ingress": {"cidrIpv4": "203.0.113.9/32"},
        "egress": {"description": "Everywhere"},
        "key": team,
        "instance": {"instanceType": "t3.small", **team},
        "role": {"description": "Another"},
        "role policy": {"policy": _allowing("CreateLogStream")},
        "profile": {"role": made["spare role"].id},
        "log group": {"retentionInDays": 90},
        "topic": {"displayName": "Web"},
        "alarm": {"threshold": 2},
        "dashboard": {"dashboardBody": '{"widgets": []}'},
        "subnet group": {"description": "Another"},
        "parameter group": {"parameters": [{"name": "rds.force_ssl", "value": "0"}]},
        "database": {"allocatedStorage": 30},
        "certificate": _pair(),
        "balancer": {"idleTimeout": 30},
        "target group": {"deregistrationDelay": 20},
        "listener": {"sslPolicy": "ELBSecurityPolicy-2016-08"},
        "proof": {"ttl": 60},
    }
