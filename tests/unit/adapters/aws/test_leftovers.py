"""What of a deployment is left: everything made is named, and after its deletion nothing."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Any

import pytest
from botocore import exceptions
from fixtures.alarms import ALARM

from autodeploy.adapters import tls
from autodeploy.adapters.aws import AwsCloud, leftovers

REGION = "us-east-1"
ID = "guestbook-20261122-7f3a9c"
TAGS = [{"Key": "DeploymentId", "Value": ID}]


def monitored(client: Any) -> list[str]:
    """Make what watches a deployment; return its names."""
    iam, logs, cloudwatch = client("iam"), client("logs"), client("cloudwatch")
    trust = '{"Version": "2012-10-17", "Statement": []}'
    role = iam.create_role(RoleName=ID, AssumeRolePolicyDocument=trust, Path="/autodeploy/")["Role"]["Arn"]
    profile = iam.create_instance_profile(InstanceProfileName=ID)["InstanceProfile"]["Arn"]
    cloudwatch.put_dashboard(DashboardName=ID, DashboardBody='{"widgets": []}')
    cloudwatch.put_metric_alarm(
        AlarmName="guestbook-status",
        **ALARM,
        Tags=TAGS,
    )
    logs.create_log_group(logGroupName="guestbook-log", tags={"DeploymentId": ID})
    topic = client("sns").create_topic(Name="guestbook-alarms", Tags=TAGS)["TopicArn"]
    place = f"{REGION}:123456789012"
    alarm, group = f"arn:aws:cloudwatch:{place}:alarm:guestbook-status", f"arn:aws:logs:{place}:log-group:guestbook-log"
    return [role, profile, f"arn:aws:cloudwatch::123456789012:dashboard/{ID}", alarm, group, topic]


def unmonitored(client: Any, made: list[str]) -> None:
    """Delete it again."""
    client("iam").delete_instance_profile(InstanceProfileName=ID)
    client("iam").delete_role(RoleName=ID)
    client("cloudwatch").delete_dashboards(DashboardNames=[ID])
    client("cloudwatch").delete_alarms(AlarmNames=["guestbook-status"])
    client("logs").delete_log_group(logGroupName="guestbook-log")
    client("sns").delete_topic(TopicArn=made[-1])


class TestLeftovers:
    def test_names_everything_and_then_nothing(self, cloud: AwsCloud, client: Any) -> None:
        ec2, elb, rds = client("ec2"), client("elbv2"), client("rds")
        made: dict[str, str] = {}

        def tagged(kind: str) -> dict[str, Any]:
            return {"TagSpecifications": [{"ResourceType": kind, "Tags": TAGS}]}

        made["vpc"] = ec2.create_vpc(CidrBlock="10.0.0.0/16", **tagged("vpc"))["Vpc"]["VpcId"]
        subnets = [
            ec2.create_subnet(
                VpcId=made["vpc"], CidrBlock=f"10.0.{n}.0/24", AvailabilityZone=f"{REGION}{zone}", **tagged("subnet")
            )["Subnet"]["SubnetId"]
            for n, zone in ((1, "a"), (2, "b"))
        ]
        group = ec2.create_security_group(
            GroupName="app", Description="app", VpcId=made["vpc"], **tagged("security-group")
        )["GroupId"]
        ec2.create_key_pair(KeyName="key-of-guestbook", **tagged("key-pair"))
        instance = ec2.run_instances(
            ImageId="ami-12345678", MinCount=1, MaxCount=1, SubnetId=subnets[0], **tagged("instance")
        )["Instances"][0]["InstanceId"]
        balancer = elb.create_load_balancer(Name="guestbook", Subnets=subnets, Tags=TAGS)["LoadBalancers"][0]
        target_group = elb.create_target_group(
            Name="guestbook", Protocol="HTTP", Port=80, VpcId=made["vpc"], Tags=TAGS
        )["TargetGroups"][0]["TargetGroupArn"]
        now = datetime.now(timezone.utc)
        authority = tls.make_authority("Test", now)
        certificate, key = tls.issue(authority, ["localhost"], now, 30)
        acm_arn = client("acm").import_certificate(Certificate=certificate, PrivateKey=key, Tags=TAGS)["CertificateArn"]
        listener = elb.create_listener(  # goes with its balancer, and is not asked for
            LoadBalancerArn=balancer["LoadBalancerArn"],
            Protocol="HTTPS",
            Port=443,
            Certificates=[{"CertificateArn": acm_arn}],
            DefaultActions=[{"Type": "forward", "TargetGroupArn": target_group}],
            Tags=TAGS,
        )["Listeners"][0]["ListenerArn"]
        database_group = rds.create_db_subnet_group(
            DBSubnetGroupName="guestbook", DBSubnetGroupDescription="x", SubnetIds=subnets, Tags=TAGS
        )["DBSubnetGroup"]["DBSubnetGroupArn"]
        database = rds.create_db_instance(
            DBInstanceIdentifier="guestbook",
            Engine="postgres",
            DBInstanceClass="db.t3.micro",
            AllocatedStorage=20,
            MasterUsername="dbadmin",
            ManageMasterUserPassword=True,
            DBSubnetGroupName="guestbook",
            Tags=TAGS,
        )["DBInstance"]["DBInstanceArn"]
        secret = client("secretsmanager").create_secret(Name="guestbook", SecretString="s", Tags=TAGS)["ARN"]
        ec2.create_vpc(CidrBlock="10.9.0.0/16")
        watching = monitored(client)

        expected = {made["vpc"], *subnets, group, "key-of-guestbook", instance, balancer["LoadBalancerArn"]}
        assert all(leftovers.stands(client, arn) for arn in watching)
        expected |= {target_group, acm_arn, database_group, database, secret, *watching}
        found = [left.name for left in cloud.leftovers(ID)]
        assert expected - set(found) == set()
        assert cloud.leftovers("another-20261122-000000") == []

        elb.delete_listener(ListenerArn=listener)
        elb.delete_load_balancer(LoadBalancerArn=balancer["LoadBalancerArn"])
        elb.delete_target_group(TargetGroupArn=target_group)
        client("acm").delete_certificate(CertificateArn=acm_arn)
        rds.delete_db_instance(DBInstanceIdentifier="guestbook", FinalDBSnapshotIdentifier="last")
        rds.delete_db_subnet_group(DBSubnetGroupName="guestbook")
        client("secretsmanager").delete_secret(SecretId=secret, ForceDeleteWithoutRecovery=True)
        ec2.terminate_instances(InstanceIds=[instance])
        ec2.delete_security_group(GroupId=group)
        for subnet in subnets:
            ec2.delete_subnet(SubnetId=subnet)
        ec2.delete_key_pair(KeyName="key-of-guestbook")
        ec2.delete_vpc(VpcId=made["vpc"])
        unmonitored(client, watching)
        assert cloud.leftovers(ID) == []

    @pytest.mark.parametrize(
        ("arn", "service", "method"),
        [
            ("arn:aws:rds:us-east-1:1:db:gone", "rds", ("describe_db_instances", "DBInstanceNotFound")),
            ("arn:aws:rds:us-east-1:1:subgrp:gone", "rds", ("describe_db_subnet_groups", "DBSubnetGroupNotFoundFault")),
            (
                "arn:aws:rds:us-east-1:1:pg:gone",
                "rds",
                ("describe_db_parameter_groups", "DBParameterGroupNotFoundFault"),
            ),
            ("arn:aws:acm:us-east-1:1:certificate/x", "acm", ("describe_certificate", "ResourceNotFoundException")),
            (
                "arn:aws:elasticloadbalancing:us-east-1:1:listener/app/a/b/c",
                "elbv2",
                ("describe_listeners", "ListenerNotFound"),
            ),
            ("arn:aws:iam::1:role/autodeploy/gone", "iam", ("get_role", "NoSuchEntity")),
            ("arn:aws:iam::1:instance-profile/autodeploy/gone", "iam", ("get_instance_profile", "NoSuchEntity")),
            ("arn:aws:cloudwatch::1:dashboard/gone", "cloudwatch", ("get_dashboard", "ResourceNotFound")),
            ("arn:aws:sns:us-east-1:1:gone", "sns", ("get_topic_attributes", "NotFound")),
            ("arn:aws:logs:us-east-1:1:log-group:gone", "logs", ("describe_log_groups", {"logGroups": []})),
            ("arn:aws:cloudwatch:us-east-1:1:alarm:gone", "cloudwatch", ("describe_alarms", {"MetricAlarms": []})),
        ],
    )
    def test_believes_the_service_over_the_tagging_api(
        self, stubbed: Any, arn: str, service: str, method: tuple[str, Any]
    ) -> None:
        stub = stubbed(service, method)
        assert leftovers.stands(lambda _: stub, arn) is False

    def test_a_secret_on_its_way_out_is_not_left(self, stubbed: Any) -> None:
        stub = stubbed("secretsmanager", ("describe_secret", {"DeletedDate": "2026-11-22T00:00:00Z"}))
        assert leftovers.stands(lambda _: stub, "arn:aws:secretsmanager:us-east-1:1:secret:a-x") is False

    def test_an_unknown_kind_is_believed(self) -> None:
        assert leftovers.stands(lambda _: None, "arn:aws:lambda:us-east-1:1:function:f") is True

    def test_a_snapshot_is_meant_to_stay(self) -> None:
        assert leftovers.stands(lambda _: None, "arn:aws:rds:us-east-1:1:snapshot:last") is False

    def test_a_role_that_may_not_be_looked_at_is_not_taken_for_gone(self, stubbed: Any) -> None:
        stub = stubbed("iam", ("get_role", "AccessDenied"))
        with pytest.raises(exceptions.ClientError):
            list(leftovers._named(lambda _: stub, ID))

    def test_a_refusal_is_told(self, stubbed: Any) -> None:
        stub = stubbed("acm", ("describe_certificate", "AccessDeniedException"))
        with pytest.raises(exceptions.ClientError):
            leftovers.stands(lambda _: stub, "arn:aws:acm:us-east-1:1:certificate/x")
