"""What of a deployment is left, by its tag and by the stack's last state, and what AWS charges for it."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Any

import pytest
from fixtures.alarms import ALARM

from autodeploy.adapters import tls
from autodeploy.adapters.aws import AwsCloud, sweep

REGION = "us-east-1"
ID = "orphan-20261122-7f3a9c"
TAGS = [{"Key": "DeploymentId", "Value": ID}]


def arn(kind: str, identity: str) -> str:
    return f"arn:aws:ec2:{REGION}:123456789012:{kind}/{identity}"


def charges(cloud: AwsCloud, arns: Any = ()) -> dict[str, Any]:
    return {left.name: left.charged for left in cloud.leftovers(ID, arns)}


@pytest.fixture
def net(client: Any) -> dict[str, Any]:
    ec2 = client("ec2")
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    subnets = [
        ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.0.{n}.0/24", AvailabilityZone=f"{REGION}{zone}")["Subnet"][
            "SubnetId"
        ]
        for n, zone in ((1, "a"), (2, "b"))
    ]
    return {"vpc": vpc, "subnets": subnets}


def test_what_lost_its_tag_is_found_by_the_state(cloud: AwsCloud, client: Any, net: dict[str, Any]) -> None:
    ec2 = client("ec2")
    made = {
        "vpc": net["vpc"],
        "subnet": net["subnets"][0],
        "internet-gateway": ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"],
        "route-table": ec2.create_route_table(VpcId=net["vpc"])["RouteTable"]["RouteTableId"],
        "security-group": ec2.create_security_group(GroupName="app", Description="app", VpcId=net["vpc"])["GroupId"],
        "key-pair": ec2.create_key_pair(KeyName="key-of-the-orphan")["KeyName"],
        "elastic-ip": ec2.allocate_address(Domain="vpc")["AllocationId"],
        "instance": ec2.run_instances(ImageId="ami-12345678", MinCount=1, MaxCount=1, InstanceType="t3.small")[
            "Instances"
        ][0]["InstanceId"],
    }
    arns = [arn(kind, identity) for kind, identity in made.items()]
    found = charges(cloud, [*arns, arn("security-group-rule", "sgr-1")])
    assert set(found) == set(made.values())
    assert found[made["vpc"]] == ()
    assert found[made["elastic-ip"]] == (("address:ipv4", 1),)
    assert found[made["instance"]][0] == ("instance:t3.small", 1)
    assert charges(cloud) == {}

    ec2.stop_instances(InstanceIds=[made["instance"]])
    assert charges(cloud, arns)[made["instance"]] == ()
    ec2.terminate_instances(InstanceIds=[made["instance"]])
    ec2.delete_key_pair(KeyName=made["key-pair"])
    ec2.release_address(AllocationId=made["elastic-ip"])
    gone = {made["instance"], made["key-pair"], made["elastic-ip"]}
    assert set(charges(cloud, arns)) == set(made.values()) - gone


def test_what_is_charged_for(cloud: AwsCloud, client: Any, net: dict[str, Any]) -> None:
    ec2, elb, rds = client("ec2"), client("elbv2"), client("rds")
    volume = ec2.create_volume(
        Size=20,
        VolumeType="gp3",
        AvailabilityZone=f"{REGION}a",
        TagSpecifications=[{"ResourceType": "volume", "Tags": TAGS}],
    )["VolumeId"]
    balancer = elb.create_load_balancer(Name="orphan", Subnets=net["subnets"], Scheme="internet-facing", Tags=TAGS)[
        "LoadBalancers"
    ][0]
    group = elb.create_target_group(Name="orphan", Protocol="HTTP", Port=80, VpcId=net["vpc"], Tags=TAGS)
    target_group = group["TargetGroups"][0]["TargetGroupArn"]
    database = rds.create_db_instance(
        DBInstanceIdentifier="orphan",
        Engine="postgres",
        DBInstanceClass="db.t3.micro",
        AllocatedStorage=20,
        StorageType="gp2",
        MasterUsername="dbadmin",
        MasterUserPassword="x" * 20,
        Tags=TAGS,
    )["DBInstance"]["DBInstanceArn"]
    secret = client("secretsmanager").create_secret(Name="orphan", SecretString="s", Tags=TAGS)["ARN"]
    now = datetime.now(timezone.utc)
    body, key = tls.issue(tls.make_authority("Test", now), ["localhost"], now)
    certificate = client("acm").import_certificate(Certificate=body, PrivateKey=key, Tags=TAGS)["CertificateArn"]
    queue = client("sqs").create_queue(QueueName="orphan", tags={"DeploymentId": ID})["QueueUrl"]

    found = charges(cloud)
    (of_queue,) = (name for name in found if ":sqs:" in name)
    assert found == {
        volume: (("volume:gp3", 20),),
        balancer["LoadBalancerArn"]: (("balancer:application", 1), ("address:ipv4", 2)),
        target_group: (),
        database: (("database:postgres:db.t3.micro", 1), ("database-storage:gp2", 20)),
        secret: (("secret", 1),),
        certificate: (),
        of_queue: None,  # of no kind that the stack makes
    }

    ec2.delete_volume(VolumeId=volume)
    elb.delete_load_balancer(LoadBalancerArn=balancer["LoadBalancerArn"])
    elb.delete_target_group(TargetGroupArn=target_group)
    rds.delete_db_instance(DBInstanceIdentifier="orphan", SkipFinalSnapshot=True)
    client("secretsmanager").delete_secret(SecretId=secret, ForceDeleteWithoutRecovery=True)
    client("acm").delete_certificate(CertificateArn=certificate)
    client("sqs").delete_queue(QueueUrl=queue)
    assert charges(cloud, [balancer["LoadBalancerArn"], target_group, database, certificate]) == {}


def test_of_the_state_only_what_can_be_asked_for_is_believed(cloud: AwsCloud) -> None:
    assert charges(cloud, ["arn:aws:lambda:us-east-1:1:function:f"]) == {}


def test_what_watches_is_charged_for_too(cloud: AwsCloud, client: Any) -> None:
    topic = client("sns").create_topic(Name="orphan", Tags=TAGS)["TopicArn"]
    client("cloudwatch").put_metric_alarm(AlarmName="orphan", Tags=TAGS, **ALARM)
    client("cloudwatch").put_dashboard(DashboardName=ID, DashboardBody='{"widgets": []}')
    found = {sweep.leftovers.kind_of(name): charged for name, charged in charges(cloud).items()}
    assert found[("sns", "")] == ()
    assert found[("cloudwatch", "dashboard")] == (("dashboard", 1),)
    arn = "arn:aws:cloudwatch:us-east-1:123456789012:alarm:orphan"
    assert charges(cloud, [arn])[arn] == (("alarm", 1),)
    client("sns").delete_topic(TopicArn=topic)
    client("cloudwatch").delete_alarms(AlarmNames=["orphan"])
    client("cloudwatch").delete_dashboards(DashboardNames=[ID])
    assert charges(cloud, [arn, topic]) == {}


def test_what_goes_while_it_is_looked_at_has_no_known_price(stubbed: Any) -> None:
    stub = stubbed("ec2", ("describe_volumes", "InvalidVolume.NotFound"))
    assert sweep._charged(lambda _: stub, "vol-1") is None
    stub = stubbed("ec2", ("describe_instances", {"Reservations": []}))
    assert sweep._charged(lambda _: stub, "i-1") is None


def test_a_refusal_is_told(stubbed: Any) -> None:
    stub = stubbed("ec2", ("describe_volumes", "UnauthorizedOperation"))
    with pytest.raises(Exception, match="UnauthorizedOperation"):
        sweep._charged(lambda _: stub, "vol-1")
