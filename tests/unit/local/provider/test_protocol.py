"""What is true of the provider whatever the type: connections, configuration, secrets, errors, an emptied account."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import urllib.request
from pathlib import Path
from typing import Any

import grpc
import pytest
from google.protobuf import empty_pb2, struct_pb2
from pulumi.runtime import proto

from autodeploy.errors import LocalTargetError
from autodeploy.local.provider import AMIS, amis_file, serve_provider
from autodeploy.local.provider.wire import decode, encode

VPC = "aws:ec2/vpc:Vpc"
PROVIDER = "urn:pulumi:dev::autodeploy::pulumi:providers:aws::aws"


def config(**values: Any) -> struct_pb2.Struct:
    """Encode as the SDK does: everything but strings is JSON in a string."""
    return encode({name: item if isinstance(item, str) else json.dumps(item) for name, item in values.items()})


def check_config(engine: Any, **values: Any) -> dict[str, str]:
    answer = engine.stub.CheckConfig(proto.CheckRequest(urn=PROVIDER, news=config(**values)))
    assert answer.inputs == config(**values)
    return {item.property: item.reason for item in answer.failures}


def test_the_engine_gets_acquainted(engine: Any) -> None:
    shaken = engine.stub.Handshake(proto.ProviderHandshakeRequest(engine_address="127.0.0.1:1"))
    assert shaken.accept_secrets
    engine.stub.Attach(proto.PluginAttach(address="127.0.0.1:1"))
    assert engine.stub.GetPluginInfo(empty_pb2.Empty()).version.startswith("7.")
    engine.stub.Cancel(empty_pb2.Empty())
    engine.make(VPC, "vpc", cidrBlock="10.0.0.0/16")


def test_the_providers_inputs_are_checked(engine: Any) -> None:
    fine = {"region": "us-east-1", "allowedAccountIds": ["1"], "defaultTags": {"tags": {"a": "b"}}, "version": "7.51.1"}
    assert check_config(engine, **fine, skipRegionValidation=True) == {}
    answer = check_config(engine, regoin="us-east-1", endpoints=[], defaultTags={"tag": {}}, maxRetries="many")
    assert "did you mean 'region'" in answer["regoin"]
    assert "does not emulate 'endpoints'" in answer["endpoints"]
    assert "did you mean 'tags'" in answer["defaultTags.tag"]
    assert "whole number" in answer["maxRetries"]


def test_another_region_is_another_provider(engine: Any) -> None:
    def differ(old: struct_pb2.Struct, new: struct_pb2.Struct) -> Any:
        return engine.stub.DiffConfig(proto.DiffRequest(urn=PROVIDER, old_inputs=old, news=new))

    one = config(region="us-east-1", defaultTags={"tags": {"a": "b"}}, version="1")
    assert differ(one, config(region="us-east-1", defaultTags={"tags": {"a": "b"}}, version="2")).changes == 1
    assert list(differ(one, config(region="eu-west-1", defaultTags={"tags": {"a": "b"}})).replaces) == ["region"]
    retagged = differ(one, config(region="us-east-1", defaultTags={"tags": {"a": "c"}}))
    assert (list(retagged.diffs), list(retagged.replaces)) == (["defaultTags"], [])


def test_only_the_planned_account_is_touched(engine: Any) -> None:
    for values in ({"allowedAccountIds": ["999999999999"]}, {"forbiddenAccountIds": ["123456789012"]}):
        with pytest.raises(grpc.RpcError, match="AWS account id not allowed: 123456789012"):
            engine.stub.Configure(proto.ConfigureRequest(args=config(region="us-east-1", **values)))
    engine.stub.Configure(proto.ConfigureRequest(args=config(allowedAccountIds=["123456789012"])))


def test_a_role_of_the_account_is_assumed_and_one_of_another_is_refused(engine: Any) -> None:
    def assuming(account: str) -> struct_pb2.Struct:
        return config(region="us-east-1", assumeRoles=[{"roleArn": f"arn:aws:iam::{account}:role/deployer"}])

    assert check_config(engine, assumeRoles=[{"roleArn": "arn", "sessionName": "AutoDeploy"}]) == {}
    engine.stub.Configure(proto.ConfigureRequest(args=assuming("123456789012")))
    with pytest.raises(grpc.RpcError, match="role arn:aws:iam::555555555555:role/deployer is of 555555555555"):
        engine.stub.Configure(proto.ConfigureRequest(args=assuming("555555555555")))


def test_the_operators_aws_profile_is_not_looked_at(engine: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_PROFILE", "nobody")
    engine.make(VPC, "vpc", cidrBlock="10.0.0.0/16", region="ap-south-1")


def test_each_connection_has_its_own_configuration(another_engine: Any, served: Any) -> None:
    first, second, third = another_engine(), another_engine(), another_engine()
    first.default_tags, second.default_tags = {"DeploymentId": "one"}, {"DeploymentId": "two"}
    first.configure()
    second.configure()
    mine = first.make(VPC, "vpc", cidrBlock="10.0.0.0/16")
    other = second.make(VPC, "vpc", cidrBlock="10.0.0.0/16")
    assert mine.outputs["tagsAll"] == {"DeploymentId": "one"}
    assert other.outputs["tagsAll"] == {"DeploymentId": "two"}
    with pytest.raises(grpc.RpcError, match="not configured"):
        third.read(mine)


def test_old_connections_are_forgotten_in_the_end(another_engine: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from autodeploy.local.provider import servicer

    monkeypatch.setattr(servicer, "_MOST_CONNECTIONS", 1)
    first, second = another_engine().configure(), another_engine().configure()
    made = second.make(VPC, "vpc", cidrBlock="10.0.0.0/16")
    with pytest.raises(grpc.RpcError, match="not configured"):
        first.read(made)


def test_an_unknown_type_is_refused_with_the_nearest(engine: Any) -> None:
    with pytest.raises(grpc.RpcError, match=r"does not emulate aws:s3/bucket:Bucket.*--target aws"):
        engine.check("aws:s3/bucket:Bucket", {})


def test_a_function_is_refused(engine: Any) -> None:
    with pytest.raises(grpc.RpcError, match="does not emulate the function aws:index/getRegion:getRegion"):
        engine.stub.Invoke(proto.InvokeRequest(tok="aws:index/getRegion:getRegion"))


def test_unknown_values_come_back_unknown(engine: Any, unknown: str) -> None:
    inputs, failures = engine.check(
        "aws:ec2/subnet:Subnet", {"vpcId": unknown, "cidrBlock": "10.0.0.0/24", "tags": {"vpc": unknown}}
    )
    assert failures == {}
    request = proto.CreateRequest(urn=engine.urn("aws:ec2/subnet:Subnet", "s"), properties=encode(inputs), preview=True)
    foreseen = decode(engine.stub.Create(request).properties).values
    assert [foreseen[name] for name in ("vpcId", "arn", "tagsAll")] == [unknown] * 3
    assert foreseen["cidrBlock"] == "10.0.0.0/24"


def test_an_unknown_input_that_forces_replacement_foresees_one(engine: Any, world: Any, unknown: str) -> None:
    vpc = world.vpc()
    subnet = world.subnet(vpc)
    news = {"vpcId": unknown, "cidrBlock": "10.0.1.0/24", "availabilityZone": "us-east-1a"}
    assert list(engine.diff(subnet, news).replaces) == ["vpcId"]


def test_changes_that_are_ignored_are_none(engine: Any, world: Any) -> None:
    vpc = world.vpc()
    inputs, _ = engine.check(VPC, {"cidrBlock": "10.9.0.0/16"}, vpc.inputs)
    request = proto.DiffRequest(
        id=vpc.id,
        urn=vpc.urn,
        olds=encode(vpc.outputs),
        old_inputs=encode(vpc.inputs),
        news=encode(inputs),
        ignoreChanges=["cidrBlock"],
    )
    assert engine.stub.Diff(request).changes == proto.DiffResponse.DIFF_NONE


def test_secrets_stay_secret_wherever_they_are(engine: Any) -> None:
    made = engine.make(VPC, "vpc", secrets=["tags"], cidrBlock="10.0.0.0/16", tags={"Name": "hidden"})
    assert made.secrets == {"tags"}


def test_an_emptied_account_can_be_destroyed(engine: Any, world: Any, served: Any) -> None:
    vpc = world.vpc()
    subnet, group, key = world.subnet(vpc), world.group(vpc), world.key()
    machine = world.instance(subnet, group, key)
    rule = engine.make(
        "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule",
        "out",
        securityGroupId=group.id,
        ipProtocol="-1",
        cidrIpv4="0.0.0.0/0",
    )
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    opener.open(urllib.request.Request(f"{served.endpoint}/moto-api/reset", method="POST"), timeout=30).close()
    for thing in (rule, machine, key, group, subnet, vpc):
        assert engine.read(thing) is None
        engine.delete(thing)
    assert served.plane.machines == {}
    assert served.plane.removed_networks == [vpc.id]


def test_a_taken_port_is_named(served: Any) -> None:
    with pytest.raises(LocalTargetError, match=f"cannot listen on 127.0.0.1:{served.port}"):
        served.run(serve_provider(served.endpoint, served.plane, served.port))


def test_stopping_twice_is_harmless(served: Any) -> None:
    served.stop()
    served.stop()


def test_the_emulator_knows_the_local_images(tmp_path: Path) -> None:
    amis_file(tmp_path / "amis.json")
    program = (
        "import boto3, json, moto\n"
        "with moto.mock_aws():\n"
        "    ec2 = boto3.client('ec2', region_name='us-east-1', aws_access_key_id='a', aws_secret_access_key='b')\n"
        "    print(json.dumps(sorted(image['ImageId'] for image in ec2.describe_images()['Images'])))\n"
    )
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", program],
        env={"MOTO_AMIS_PATH": str(tmp_path / "amis.json"), "PATH": ""},
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    assert json.loads(done.stdout) == sorted(AMIS)


def test_the_loop_stays_free_while_aws_is_asked(served: Any, engine: Any) -> None:
    async def ticks() -> int:
        count = 0
        for _ in range(20):
            await asyncio.sleep(0.01)
            count += 1
        return count

    future = engine.stub.Check.future(
        proto.CheckRequest(urn=engine.urn(VPC, "vpc"), news=encode({"cidrBlock": "10.0.0.0/16"}))
    )
    assert served.run(ticks()) == 20
    assert not future.result(30).failures
