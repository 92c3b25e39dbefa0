"""Key pairs and instances: what the data plane is asked for, and what AWS would refuse."""

from __future__ import annotations

import base64
import threading
from typing import Any

import grpc
import pytest

from autodeploy.errors import LocalTargetError

KEY = "aws:ec2/keyPair:KeyPair"


def test_an_instance_is_booted_and_known_by_its_address(world: Any, engine: Any, served: Any) -> None:
    machine = world.machine()
    order = served.plane.machines[machine.id]
    assert order.public_key.startswith("ssh-ed25519 ")
    assert (order.image, order.deployment_id) == ("debian-12", "web-1")
    assert order.user_data == "#cloud-config\nlocale: C.UTF-8\n"
    assert order.network.startswith("vpc-")
    assert machine.outputs["publicIp"] == machine.outputs["privateIp"] == "10.88.0.2"
    assert served.tags(machine.id)["autodeploy:urn"] == machine.urn
    engine.delete(machine)
    assert served.plane.machines == {}
    assert engine.read(machine) is None
    engine.delete(machine)


def test_user_data_may_come_in_base64_and_is_changed_without_a_new_machine(
    world: Any, engine: Any, served: Any
) -> None:
    vpc = world.vpc()
    encoded = base64.b64encode("#cloud-config\n# ä".encode()).decode()
    machine = world.instance(world.subnet(vpc), world.group(vpc), world.key(), userData="x", ami="ami-0debian13local00")
    assert served.plane.machines[machine.id].image == "debian-13"
    changed = engine.change(machine, userData=None, userDataBase64=encoded)
    assert changed.id == machine.id
    assert list(engine.diff(machine, {**_news(machine), "userData": "y"}).replaces) == []
    forced = {**_news(machine), "userData": "y", "userDataReplaceOnChange": True}
    assert list(engine.diff(machine, forced).replaces) == ["userData"]


def test_an_instance_changes_its_type_groups_and_protection(world: Any, engine: Any, served: Any) -> None:
    vpc = world.vpc()
    machine = world.instance(world.subnet(vpc), world.group(vpc), world.key(), disableApiTermination=True)
    other = world.group(vpc, "other")
    with pytest.raises(grpc.RpcError, match="OperationNotPermitted"):
        engine.delete(machine)
    assert machine.id in served.plane.machines
    machine = engine.change(
        machine, instanceType="t3.small", vpcSecurityGroupIds=[other.id], disableApiTermination=None
    )
    assert machine.outputs["instanceType"] == "t3.small"
    assert machine.outputs["vpcSecurityGroupIds"] == [other.id]
    engine.delete(machine)


@pytest.mark.parametrize(
    ("more", "reason"),
    [({"ami": "ami-0unknown"}, "InvalidAMIID.NotFound"), ({"keyName": "nobodys"}, "InvalidKeyPair.NotFound")],
)
def test_an_instance_needs_a_known_image_and_key(world: Any, served: Any, more: Any, reason: str) -> None:
    vpc = world.vpc()
    with pytest.raises(grpc.RpcError, match=reason):
        world.instance(world.subnet(vpc), world.group(vpc), world.key(), **more)
    assert served.plane.machines == {}


def test_a_machine_that_does_not_boot_leaves_nothing(world: Any, engine: Any, served: Any) -> None:
    vpc = world.vpc()
    subnet, group, key = world.subnet(vpc), world.group(vpc), world.key()
    served.plane.failure = LocalTargetError("the machine's sshd never answered", "See the log.")
    with pytest.raises(grpc.RpcError, match=r"sshd never answered.*See the log"):
        world.instance(subnet, group, key)
    engine.delete(subnet)
    served.plane.failure = OSError("disk full")
    fresh = world.subnet(vpc)
    with pytest.raises(grpc.RpcError, match=r"OSError: disk full.*autodeploy doctor"):
        world.instance(fresh, group, key)


def test_a_create_outlives_the_engine(world: Any, engine: Any, served: Any) -> None:
    vpc = world.vpc()
    subnet, group, key = world.subnet(vpc), world.group(vpc), world.key()
    served.plane.gate = threading.Event()
    served.plane.begun.clear()
    inputs, _ = engine.check(
        "aws:ec2/instance:Instance",
        {
            "ami": "ami-0debian12local00",
            "instanceType": "t3.micro",
            "keyName": key.id,
            "subnetId": subnet.id,
            "vpcSecurityGroupIds": [group.id],
        },
    )
    from pulumi.runtime import proto

    from autodeploy.local.provider.wire import encode

    urn = engine.urn("aws:ec2/instance:Instance", "web")
    pending = engine.stub.Create.future(proto.CreateRequest(urn=urn, properties=encode(inputs)))
    assert served.plane.begun.wait(30)
    pending.cancel()
    engine.channel.close()
    assert served.working() == [f"Creating {urn}"]
    stopping = threading.Thread(target=served.stop)
    stopping.start()
    served.plane.gate.set()
    stopping.join(30)
    assert not stopping.is_alive()
    (identity,) = served.plane.machines
    assert served.tags(identity)["autodeploy:urn"] == urn


def test_key_pairs(engine: Any, world: Any, served: Any) -> None:
    key = world.key()
    assert key.id == "key-abcdabc"
    assert key.outputs["keyType"] == "ed25519"
    assert engine.change(key, tags={"a": "b"}).outputs["tagsAll"]["a"] == "b"
    answer = engine.diff(key, {"publicKey": "ssh-ed25519 AAAA other"})
    assert (list(answer.replaces), answer.deleteBeforeReplace) == (["publicKey"], False)
    fixed = engine.make(KEY, "fixed", keyName="mine", publicKey=key.inputs["publicKey"])
    answer = engine.diff(fixed, {"keyName": "mine", "publicKey": "ssh-ed25519 AAAA other"})
    assert answer.deleteBeforeReplace is True
    for thing in (key, fixed):
        engine.delete(thing)
        assert engine.read(thing) is None
        engine.delete(thing)


def _news(machine: Any) -> dict[str, Any]:
    return {name: value for name, value in machine.inputs.items() if name != "__defaults"}
