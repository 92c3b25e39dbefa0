"""What the account says of a machine's console and of a balancer's targets, against moto and written answers."""

from __future__ import annotations

from typing import Any

from autodeploy.adapters.aws import AwsCloud

REGION = "us-east-1"


def test_a_target_is_told_with_the_balancer_s_reason(stubbed: Any) -> None:
    group = "arn:aws:elasticloadbalancing:us-east-1:123456789012:targetgroup/app/1"
    resources = [{"ResourceARN": arn} for arn in ("arn:aws:ec2:us-east-1:123456789012:vpc/vpc-1", group)]
    ill = {"State": "unhealthy", "Reason": "Target.Timeout", "Description": "Request timed out"}
    targets = [
        {"Target": {"Id": "i-1", "Port": 80}, "TargetHealth": ill},
        {"Target": {"Id": "i-2", "Port": 80}, "TargetHealth": {"State": "healthy"}},
    ]
    clients = {
        "resourcegroupstaggingapi": stubbed(
            "resourcegroupstaggingapi", ("get_resources", {"ResourceTagMappingList": resources})
        ),
        "elbv2": stubbed("elbv2", ("describe_target_health", {"TargetHealthDescriptions": targets})),
    }
    told = AwsCloud("aws", REGION, connect=clients.__getitem__).target_health("a-1")
    assert told == ["i-1:80 unhealthy Target.Timeout: Request timed out", "i-2:80 healthy"]


def test_of_an_emulated_account_it_is_read_too(cloud: AwsCloud, client: Any) -> None:
    vpc = client("ec2").create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    made = client("ec2").run_instances(ImageId="ami-12345678", MinCount=1, MaxCount=1)["Instances"][0]["InstanceId"]
    group = client("elbv2").create_target_group(
        Name="app-1", Protocol="HTTP", Port=80, VpcId=vpc, Tags=[{"Key": "DeploymentId", "Value": "a-1"}]
    )["TargetGroups"][0]["TargetGroupArn"]
    client("elbv2").register_targets(TargetGroupArn=group, Targets=[{"Id": made, "Port": 80}])
    (told,) = cloud.target_health("a-1")
    assert told.startswith(f"{made}:80 ")
    assert list(cloud.target_health("another")) == []
    assert "Linux version" in cloud.console_output(made)


def test_the_local_target_s_witness_answers_for_its_machines() -> None:
    class Witness:
        def console_output(self, instance_id: str) -> str:
            return f"console of {instance_id}"

        def target_health(self, deployment_id: str) -> list[str]:
            return [f"target of {deployment_id}"]

    cloud = AwsCloud("local", REGION, endpoint_url="http://127.0.0.1:1", witness=Witness())
    assert cloud.console_output("i-1") == "console of i-1"
    assert cloud.target_health("a-1") == ["target of a-1"]
