"""A resource that nobody wrote down is found by what its inputs say of it, whatever its type."""

from __future__ import annotations

import json
from datetime import datetime, timezone
from typing import Any

import pytest
from fixtures.alarms import ALARM

from autodeploy.adapters import tls
from autodeploy.adapters.aws import AwsCloud, finding
from autodeploy.errors import InfrastructureError

ID = "finding-20261122-7f3a9c"
TAGS = [{"Key": "DeploymentId", "Value": ID}]


def tagged(kind: str, name: str = "") -> dict[str, Any]:
    named = [{"Key": "Name", "Value": name}] if name else []
    return {"TagSpecifications": [{"ResourceType": kind, "Tags": [*TAGS, *named]}]}


@pytest.fixture
def claim(cloud: AwsCloud) -> Any:
    def ask(token: str, *known: str, **inputs: Any) -> str | None:
        return cloud.claim(token, inputs, ID, known, lambda line: None)

    return ask


@pytest.fixture
def net(client: Any) -> Any:
    """A network with two subnets, made afresh."""
    ec2 = client("ec2")
    vpc = ec2.create_vpc(CidrBlock="10.7.0.0/16", **tagged("vpc", "guestbook"))["Vpc"]["VpcId"]
    subnets = [
        ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.7.{n}.0/24", AvailabilityZone=f"us-east-1{z}", **tagged("subnet"))
        for n, z in ((1, "a"), (2, "b"))
    ]
    yield vpc, [made["Subnet"]["SubnetId"] for made in subnets]


def test_the_network(claim: Any, client: Any, net: Any) -> None:
    ec2, (vpc, subnets) = client("ec2"), net
    named = {"Name": "guestbook"}
    others = [item["VpcId"] for item in ec2.describe_vpcs()["Vpcs"] if item["VpcId"] != vpc]
    assert claim("aws:ec2/vpc:Vpc", *others, cidrBlock="10.7.0.0/16", tags=named) == vpc
    assert claim("aws:ec2/vpc:Vpc", vpc, *others, cidrBlock="10.7.0.0/16", tags=named) is None
    assert claim("aws:ec2/vpc:Vpc", cidrBlock="10.7.0.0/16", tags={"Name": "another"}) is None
    assert claim("aws:ec2/subnet:Subnet", vpcId=vpc, cidrBlock="10.7.2.0/24") == subnets[1]
    gateway = ec2.create_internet_gateway(**tagged("internet-gateway"))["InternetGateway"]["InternetGatewayId"]
    assert claim("aws:ec2/internetGateway:InternetGateway", vpcId=vpc) == gateway
    ec2.attach_internet_gateway(InternetGatewayId=gateway, VpcId=vpc)
    tables = [
        ec2.create_route_table(VpcId=vpc, **tagged("route-table", name))["RouteTable"]["RouteTableId"]
        for name in ("public", "private")
    ]
    assert claim("aws:ec2/routeTable:RouteTable", vpcId=vpc, tags={"Name": "private"}) == tables[1]
    route, tie = "aws:ec2/route:Route", "aws:ec2/routeTableAssociation:RouteTableAssociation"
    way = {"routeTableId": tables[0], "destinationCidrBlock": "0.0.0.0/0", "gatewayId": gateway}
    assert claim(route, **way) is None
    ec2.create_route(RouteTableId=tables[0], DestinationCidrBlock="0.0.0.0/0", GatewayId=gateway)
    assert claim(route, **way) == f"r-{tables[0]}1080289494"
    assert claim(route, **{**way, "routeTableId": "rtb-gone"}) is None
    assert claim(tie, routeTableId=tables[0], subnetId=subnets[0]) is None
    made = ec2.associate_route_table(RouteTableId=tables[0], SubnetId=subnets[0])["AssociationId"]
    assert claim(tie, routeTableId=tables[0], subnetId=subnets[0]) == made
    assert claim(tie, routeTableId=tables[1], subnetId=subnets[0]) is None


def test_rules_and_a_half_made_group_is_deleted(claim: Any, client: Any, net: Any) -> None:
    ec2, (vpc, _) = client("ec2"), net
    names = ("app", "balancer")
    groups = [ec2.create_security_group(GroupName=n, Description=n, VpcId=vpc)["GroupId"] for n in names]
    web = {"IpProtocol": "tcp", "FromPort": 80, "ToPort": 80}
    ec2.authorize_security_group_ingress(
        GroupId=groups[0], IpPermissions=[{**web, "UserIdGroupPairs": [{"GroupId": groups[1]}]}]
    )
    ec2.authorize_security_group_ingress(
        GroupId=groups[0], IpPermissions=[{**web, "IpRanges": [{"CidrIp": "10.0.0.0/8"}]}]
    )
    rules = {
        item.get("CidrIpv4"): item["SecurityGroupRuleId"]
        for item in ec2.describe_security_group_rules(Filters=[{"Name": "group-id", "Values": [groups[0]]}])[
            "SecurityGroupRules"
        ]
    }
    ingress = "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule"
    ports = {"securityGroupId": groups[0], "ipProtocol": "tcp", "fromPort": 80, "toPort": 80}
    assert claim(ingress, **ports, referencedSecurityGroupId=groups[1]) == rules[None]
    assert claim(ingress, **ports, cidrIpv4="10.0.0.0/8") == rules["10.0.0.0/8"]
    assert claim(ingress, **{**ports, "toPort": 81}, cidrIpv4="10.0.0.0/8") is None
    egress = "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule"
    anywhere = {"securityGroupId": groups[0], "ipProtocol": "-1", "cidrIpv4": "0.0.0.0/0"}
    assert claim(egress, **anywhere) == rules["0.0.0.0/0"]

    group = "aws:ec2/securityGroup:SecurityGroup"
    half = ec2.create_security_group(GroupName="ssh", Description="ssh", VpcId=vpc)["GroupId"]
    assert claim(group, half, vpcId=vpc, name="ssh") is None
    assert half in [item["GroupId"] for item in ec2.describe_security_groups()["SecurityGroups"]]
    assert claim(group, vpcId=vpc, name="ssh") is None
    assert half not in [item["GroupId"] for item in ec2.describe_security_groups()["SecurityGroups"]]


def test_machine_and_key(claim: Any, client: Any, net: Any) -> None:
    ec2, (_, subnets) = client("ec2"), net
    assert claim("aws:ec2/keyPair:KeyPair", keyName="key-of-finding") is None
    ec2.create_key_pair(KeyName="key-of-finding")
    assert claim("aws:ec2/keyPair:KeyPair", keyName="key-of-finding") == "key-of-finding"
    first, second = (
        ec2.run_instances(ImageId="ami-12345678", MinCount=1, MaxCount=1, SubnetId=subnets[0], **tagged("instance"))[
            "Instances"
        ][0]["InstanceId"]
        for _ in range(2)
    )
    instance = "aws:ec2/instance:Instance"
    with pytest.raises(InfrastructureError, match="2 resources of type aws:ec2/instance:Instance"):
        claim(instance, subnetId=subnets[0])
    ec2.terminate_instances(InstanceIds=[first])
    assert claim(instance, subnetId=subnets[0]) == second


def test_one_of_several_machines_is_told_from_the_others_in_its_subnet(claim: Any, client: Any, net: Any) -> None:
    _, subnets = net
    made = {
        name: client("ec2").run_instances(
            ImageId="ami-12345678", MinCount=1, MaxCount=1, SubnetId=subnets[1], **tagged("instance", name)
        )["Instances"][0]["InstanceId"]
        for name in ("guestbook", "guestbook-3")
    }
    for name, instance in made.items():
        assert claim("aws:ec2/instance:Instance", subnetId=subnets[1], tags={"Name": name}) == instance
    assert claim("aws:ec2/instance:Instance", subnetId=subnets[1], tags={"Name": "guestbook-2"}) is None


def test_database_and_its_groups(claim: Any, client: Any, net: Any) -> None:
    rds, (_, subnets) = client("rds"), net
    group, parameters = "aws:rds/subnetGroup:SubnetGroup", "aws:rds/parameterGroup:ParameterGroup"
    assert claim(group, name="finding") is None
    assert claim(parameters, name="finding") is None
    rds.create_db_subnet_group(DBSubnetGroupName="finding", DBSubnetGroupDescription="x", SubnetIds=subnets)
    rds.create_db_parameter_group(DBParameterGroupName="finding", DBParameterGroupFamily="postgres15", Description="x")
    assert claim(group, name="finding") == claim(parameters, name="finding") == "finding"
    instance = "aws:rds/instance:Instance"
    assert claim(instance, identifier="finding") is None
    rds.create_db_instance(
        DBInstanceIdentifier="finding",
        Engine="postgres",
        DBInstanceClass="db.t3.micro",
        AllocatedStorage=20,
        MasterUsername="dbadmin",
        MasterUserPassword="password-1",
    )
    assert claim(instance, identifier="finding") == "finding"


def test_balancer_and_what_is_tied_to_it(claim: Any, client: Any, net: Any) -> None:
    elb, (vpc, subnets) = client("elbv2"), net
    balancer, listener = "aws:lb/loadBalancer:LoadBalancer", "aws:lb/listener:Listener"
    group, member = "aws:lb/targetGroup:TargetGroup", "aws:lb/targetGroupAttachment:TargetGroupAttachment"
    assert claim(balancer, name="finding") is None
    assert claim(group, name="finding") is None
    arn = elb.create_load_balancer(Name="finding", Subnets=subnets)["LoadBalancers"][0]["LoadBalancerArn"]
    target = elb.create_target_group(Name="finding", Protocol="HTTP", Port=80, VpcId=vpc, TargetType="ip")
    target_arn = target["TargetGroups"][0]["TargetGroupArn"]
    assert claim(balancer, name="finding") == arn
    assert claim(group, name="finding") == target_arn
    assert claim(listener, loadBalancerArn=arn, port=80) is None
    forward = [{"Type": "forward", "TargetGroupArn": target_arn}]
    made = elb.create_listener(LoadBalancerArn=arn, Protocol="HTTP", Port=80, DefaultActions=forward)
    assert claim(listener, loadBalancerArn=arn, port=80) == made["Listeners"][0]["ListenerArn"]
    assert claim(member, targetGroupArn=target_arn, targetId="10.7.1.9", port=80) is None
    elb.register_targets(TargetGroupArn=target_arn, Targets=[{"Id": "10.7.1.9", "Port": 80}])
    assert claim(member, targetGroupArn=target_arn, targetId="10.7.1.9", port=80) == f"{target_arn}-10.7.1.9-80"
    assert claim(member, targetGroupArn=target_arn, targetId="10.7.1.9") == f"{target_arn}-10.7.1.9-"
    assert claim(member, targetGroupArn=target_arn, targetId="10.7.1.9", port=81) is None


def test_certificate(claim: Any, client: Any) -> None:
    now = datetime.now(timezone.utc)
    leaf, key = tls.issue(tls.make_authority("Test", now), ["localhost"], now)
    acm, token = client("acm"), "aws:acm/certificate:Certificate"
    before = [item["CertificateArn"] for item in acm.list_certificates()["CertificateSummaryList"]]
    acm.import_certificate(Certificate=leaf, PrivateKey=key)
    assert claim(token, *before) is None
    mine = acm.import_certificate(Certificate=leaf, PrivateKey=key, Tags=TAGS)["CertificateArn"]
    assert claim(token, *before) == mine


def test_role_policy_and_profile(claim: Any, client: Any) -> None:
    iam, trust = client("iam"), '{"Version": "2012-10-17", "Statement": []}'
    role, policy = "aws:iam/role:Role", "aws:iam/rolePolicy:RolePolicy"
    profile = "aws:iam/instanceProfile:InstanceProfile"
    assert claim(role, name=ID) is claim(profile, name=ID) is claim(policy, role=ID, name="log") is None
    iam.create_role(RoleName=ID, AssumeRolePolicyDocument=trust)
    assert claim(policy, role=ID, name="log") is None
    iam.create_instance_profile(InstanceProfileName=ID)
    statement = {"Effect": "Allow", "Action": "logs:PutLogEvents", "Resource": "*"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    iam.put_role_policy(RoleName=ID, PolicyName="log", PolicyDocument=document)
    assert claim(role, name=ID) == claim(profile, name=ID) == ID
    assert claim(policy, role=ID, name="log") == f"{ID}:log"


def test_log_group_alarm_and_dashboard(claim: Any, client: Any) -> None:
    logs, cloudwatch = client("logs"), client("cloudwatch")
    group, alarm = "aws:cloudwatch/logGroup:LogGroup", "aws:cloudwatch/metricAlarm:MetricAlarm"
    dashboard = "aws:cloudwatch/dashboard:Dashboard"
    logs.create_log_group(logGroupName="finding-log-of-another")
    assert (
        claim(group, name="finding-log") is claim(alarm, name="finding") is claim(dashboard, dashboardName=ID) is None
    )
    logs.create_log_group(logGroupName="finding-log")
    cloudwatch.put_metric_alarm(
        AlarmName="finding",
        **ALARM,
    )
    cloudwatch.put_dashboard(DashboardName=ID, DashboardBody='{"widgets": []}')
    assert claim(group, name="finding-log") == "finding-log"
    assert claim(alarm, name="finding") == "finding"
    assert claim(dashboard, dashboardName=ID) == ID


def test_topic_and_subscription(claim: Any, client: Any, stubbed: Any) -> None:
    sns = client("sns")
    topic, subscription = "aws:sns/topic:Topic", "aws:sns/topicSubscription:TopicSubscription"
    assert claim(topic, name="finding") is None
    arn = sns.create_topic(Name="finding")["TopicArn"]
    assert claim(topic, name="finding") == arn
    wanted = {"topic": arn, "protocol": "email", "endpoint": "ops@example.org"}
    sns.subscribe(TopicArn=arn, Protocol="email", Endpoint="other@example.org")
    assert claim(subscription, **wanted) is None
    made = sns.subscribe(TopicArn=arn, Protocol="email", Endpoint="ops@example.org", ReturnSubscriptionArn=True)
    assert claim(subscription, **wanted) == made["SubscriptionArn"]
    unconfirmed = {"Protocol": "email", "Endpoint": "ops@example.org", "SubscriptionArn": "PendingConfirmation"}
    asked = stubbed("sns", ("list_subscriptions_by_topic", {"Subscriptions": [unconfirmed]}))
    assert finding.candidates(lambda service: asked, subscription, wanted, ID, ()) == []


def test_what_belongs_to_a_domain(claim: Any, client: Any) -> None:
    acm, route53 = client("acm"), client("route53")
    certificate, validation = "aws:acm/certificate:Certificate", "aws:acm/certificateValidation:CertificateValidation"
    asked = {"domainName": "shop.example.com", "validationMethod": "DNS"}
    made = acm.request_certificate(DomainName="shop.example.com", ValidationMethod="DNS", Tags=TAGS)["CertificateArn"]
    assert claim(certificate, **asked) == made
    assert claim(certificate, **{**asked, "domainName": "www.example.com"}) is None
    assert claim(validation, certificateArn=made) is None, "it is not issued yet"
    now = datetime.now(timezone.utc)
    leaf, key = tls.issue(tls.make_authority("Test", now), ["shop.example.com"], now)
    imported = acm.import_certificate(Certificate=leaf, PrivateKey=key, Tags=TAGS)["CertificateArn"]
    assert claim(certificate, **asked) == made, "an imported one of the same name is another's"
    assert imported != made

    zone = route53.create_hosted_zone(Name="example.com", CallerReference="1")["HostedZone"]["Id"].rpartition("/")[2]
    record = {"zoneId": zone, "name": "_Proof.shop.example.com.", "type": "CNAME"}
    assert claim("aws:route53/record:Record", **record) is None
    wanted = {"Name": "_proof.shop.example.com", "Type": "CNAME", "TTL": 60, "ResourceRecords": [{"Value": "x.y"}]}
    changes = {"Changes": [{"Action": "CREATE", "ResourceRecordSet": wanted}]}
    route53.change_resource_record_sets(HostedZoneId=zone, ChangeBatch=changes)
    assert claim("aws:route53/record:Record", **record) == f"{zone}__proof.shop.example.com_CNAME"


def test_a_validation_is_there_once_its_certificate_is_issued(stubbed: Any) -> None:
    issued = datetime(2026, 11, 22, 12, 30, 9, tzinfo=timezone.utc)
    stub = stubbed("acm", ("describe_certificate", {"Certificate": {"Status": "ISSUED", "IssuedAt": issued}}))
    token = "aws:acm/certificateValidation:CertificateValidation"
    found = finding.candidates(lambda service: stub, token, {"certificateArn": "arn:aws:acm:us-east-1:1:x"}, ID, ())
    assert found == ["2026-11-22 12:30:09 +0000 UTC"]


def test_every_type_that_the_stack_declares_can_be_looked_for() -> None:
    from autodeploy.local.provider.table import TABLE

    assert set(finding.SEARCHES) == set(TABLE)


def test_another_type_is_refused_and_another_error_is_not_nothing(claim: Any, stubbed: Any) -> None:
    with pytest.raises(InfrastructureError, match="no way to look for it"):
        claim("aws:s3/bucket:Bucket")
    denied = stubbed("ec2", ("describe_key_pairs", "UnauthorizedOperation"))
    with pytest.raises(Exception, match="UnauthorizedOperation"):
        finding.candidates(lambda service: denied, "aws:ec2/keyPair:KeyPair", {"keyName": "k"}, ID, ())


def test_settling_waits_for_the_provider_or_for_aws(endpoint: str) -> None:
    asked: list[str] = []
    local = AwsCloud("local", "us-east-1", endpoint_url=endpoint, settled=lambda name, say: asked.append(name))
    local.settle(ID, print)
    assert asked == [ID]
    waited: list[float] = []
    AwsCloud("aws", "us-east-1", sleep=waited.append).settle(ID, print)
    assert waited == [10.0]
