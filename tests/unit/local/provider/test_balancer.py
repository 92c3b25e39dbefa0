"""Balancers, target groups, listeners, certificates: what the data plane is told to serve after each change."""

from __future__ import annotations

import dataclasses
import datetime
from typing import Any

import grpc
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from autodeploy.local.provider import lifecycle
from autodeploy.local.provider.account import Account, Configuration
from autodeploy.local.provider.entry import Call
from autodeploy.local.provider.table import TABLE

CERTIFICATE, LOAD_BALANCER = "aws:acm/certificate:Certificate", "aws:lb/loadBalancer:LoadBalancer"
GROUP, LISTENER = "aws:lb/targetGroup:TargetGroup", "aws:lb/listener:Listener"
ATTACHMENT = "aws:lb/targetGroupAttachment:TargetGroupAttachment"
US = Configuration("us-east-1")
ARN_OF_NONE = "arn:aws:elasticloadbalancing:us-east-1:123456789012:loadbalancer/app/gone/50dc6c495c0c9188"
CHECK = {"path": "/health", "matcher": "200-499", "interval": 5, "timeout": 2}
REDIRECT = {"type": "redirect", "redirect": {"protocol": "HTTPS", "port": "443", "statusCode": "HTTP_301"}}


def pair(serial: int = 7) -> tuple[str, str]:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.datetime.now(datetime.timezone.utc)
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    builder = builder.serial_number(serial).not_valid_before(now).not_valid_after(now + datetime.timedelta(days=9))
    secret = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    made = builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
    return made.decode(), secret.decode()


PEM, KEY = pair()


@pytest.fixture
def net(world: Any) -> dict[str, Any]:
    vpc = world.vpc()
    return {
        "vpc": vpc,
        "subnets": [world.subnet(vpc, 1, "us-east-1a"), world.subnet(vpc, 3, "us-east-1b")],
        "firewall": world.group(vpc),
    }


@pytest.fixture
def balancer(net: Any, engine: Any) -> Any:
    subnets = [subnet.id for subnet in net["subnets"]]
    return engine.make(LOAD_BALANCER, "public", subnets=subnets, securityGroups=[net["firewall"].id])


@pytest.fixture
def group(net: Any, engine: Any) -> Any:
    return engine.make(
        GROUP, "app", port=80, protocol="HTTP", vpcId=net["vpc"].id, healthCheck=CHECK, deregistrationDelay=10
    )


@pytest.fixture
def certificate(engine: Any) -> Any:
    return engine.make(CERTIFICATE, "public", secrets=["privateKey"], certificateBody=PEM, privateKey=KEY)


def test_a_balancer_is_served_as_the_api_holds_it(
    net: Any, balancer: Any, group: Any, certificate: Any, world: Any, engine: Any, served: Any
) -> None:
    assert (balancer.outputs["dnsName"], balancer.outputs["vpcId"]) == ("localhost:8443", net["vpc"].id)
    machine = world.instance(net["subnets"][0], net["firewall"], world.key())
    forward = [{"type": "forward", "targetGroupArn": group.id}]
    https = engine.make(
        LISTENER,
        "https",
        loadBalancerArn=balancer.id,
        port=443,
        protocol="HTTPS",
        certificateArn=certificate.id,
        defaultActions=forward,
    )
    http = engine.make(LISTENER, "http", loadBalancerArn=balancer.id, port=80, defaultActions=[REDIRECT])
    first, second = served.plane.served[balancer.id]
    assert (first.port, first.group, first.certificate_pem) == (80, None, None)
    assert (second.port, second.certificate_pem, second.certificate_key) == (443, PEM, KEY)
    assert second.certificate_chain is None
    assert (second.group.health_check_path, second.group.interval, second.group.drain) == ("/health", 5, 10)
    assert second.group.targets == ()

    member = engine.make(ATTACHMENT, "app", targetGroupArn=group.id, targetId=machine.id, port=8080)
    (target,) = served.plane.served[balancer.id][1].group.targets
    assert (target.address, target.port) == (machine.outputs["privateIp"], 8080)

    engine.change(group, healthCheck={**CHECK, "path": "/ready"}, deregistrationDelay=20)
    assert served.plane.served[balancer.id][1].group.health_check_path == "/ready"
    assert served.plane.served[balancer.id][1].group.drain == 20

    body, key = pair(8)
    renewed = engine.change(certificate, certificateBody=body, privateKey=key)
    assert renewed.id == certificate.id
    assert served.plane.served[balancer.id][1].certificate_pem == body

    http = engine.change(http, port=81, defaultActions=forward)
    assert [listener.port for listener in served.plane.served[balancer.id]] == [81, 443]
    assert served.plane.served[balancer.id][0].group.arn == group.id
    with pytest.raises(grpc.RpcError, match="DuplicateListener"):
        engine.change(http, port=443)
    for used in (group, certificate):
        with pytest.raises(grpc.RpcError, match="ResourceInUse"):
            engine.delete(used)

    engine.delete(member)
    assert served.plane.served[balancer.id][1].group.targets == ()
    assert engine.read(member) is None
    engine.delete(http)
    assert [listener.port for listener in served.plane.served[balancer.id]] == [443]
    engine.delete(https)
    assert balancer.id not in served.plane.served
    for thing in (member, http, https, balancer, group, renewed):
        engine.delete(thing)
        assert engine.read(thing) is None
        engine.delete(thing)


def test_several_machines_are_targets_until_each_leaves(
    net: Any, balancer: Any, group: Any, world: Any, engine: Any, served: Any
) -> None:
    key = world.key()
    machines = [world.instance(subnet, net["firewall"], key) for subnet in net["subnets"]]
    forward = [{"type": "forward", "targetGroupArn": group.id}]
    engine.make(LISTENER, "http", loadBalancerArn=balancer.id, port=80, protocol="HTTP", defaultActions=forward)
    names = ("app", "app-2")
    members = [
        engine.make(ATTACHMENT, name, targetGroupArn=group.id, targetId=machine.id, port=80)
        for name, machine in zip(names, machines, strict=True)
    ]

    def targets() -> set[str]:
        return {target.address for target in served.plane.served[balancer.id][0].group.targets}

    assert targets() == {machine.outputs["privateIp"] for machine in machines}
    engine.delete(members[1])
    engine.delete(machines[1])
    assert targets() == {machines[0].outputs["privateIp"]}
    assert engine.read(members[0]) is not None


def test_a_target_may_be_an_address(net: Any, balancer: Any, engine: Any, served: Any) -> None:
    group = engine.make(GROUP, "ip", port=80, protocol="HTTP", targetType="ip", vpcId=net["vpc"].id, healthCheck=CHECK)
    forward = [{"type": "forward", "targetGroupArn": group.id}]
    engine.make(LISTENER, "http", loadBalancerArn=balancer.id, port=80, protocol="HTTP", defaultActions=forward)
    engine.make(ATTACHMENT, "ip", targetGroupArn=group.id, targetId="10.0.1.9")
    (target,) = served.plane.served[balancer.id][0].group.targets
    assert (target.address, target.port) == ("10.0.1.9", 80)


def test_the_private_key_is_secret_and_kept_out_of_what_is_not(certificate: Any, engine: Any) -> None:
    assert certificate.secrets == {"privateKey"}
    assert engine.read(certificate).secrets == {"privateKey"}
    assert certificate.outputs["type"] == "IMPORTED"


def test_a_half_made_balancer_is_taken_back_though_protected(net: Any, engine: Any, served: Any, loop: Any) -> None:
    subnets = [subnet.id for subnet in net["subnets"]]
    inputs, _ = engine.check(LOAD_BALANCER, {"subnets": subnets, "enableDeletionProtection": True})
    call = Call(engine.urn(LOAD_BALANCER, "public"), inputs, Account(served.endpoint, served.plane, loop), US)

    def fails(call: Call, identity: str) -> None:
        raise ValueError("it does not start")

    with pytest.raises(ValueError, match="does not start"):
        lifecycle.create(dataclasses.replace(TABLE[LOAD_BALANCER], start=fails), call)
    assert served.aws("elbv2").describe_load_balancers()["LoadBalancers"] == []


class Forgetful(Account):
    """An account whose balancers go while somebody looks at them."""

    def client(self, service: str, region: str) -> Any:
        made = super().client(service, region)
        return Going(made) if service == "elbv2" else made


class Going:
    def __init__(self, elb: Any) -> None:
        self._elb = elb

    def describe_load_balancers(self) -> Any:
        return {"LoadBalancers": [{"LoadBalancerArn": ARN_OF_NONE}]}

    def __getattr__(self, name: str) -> Any:
        return getattr(self._elb, name)


def test_a_certificate_goes_though_a_balancer_goes_at_the_same_time(engine: Any, served: Any, loop: Any) -> None:
    inputs, _ = engine.check(CERTIFICATE, {"domainName": "shop.example.com", "validationMethod": "DNS"})
    call = Call(engine.urn(CERTIFICATE, "domain"), inputs, Forgetful(served.endpoint, served.plane, loop), US)
    identity, _ = lifecycle.create(TABLE[CERTIFICATE], call)
    lifecycle.delete(TABLE[CERTIFICATE], call, identity)
    assert lifecycle.read(TABLE[CERTIFICATE], call, identity) is None


def test_a_balancer_needs_two_zones(net: Any, engine: Any, balancer: Any, served: Any) -> None:
    only = [net["subnets"][0].id]
    with pytest.raises(grpc.RpcError, match="two different Availability Zones"):
        engine.make(LOAD_BALANCER, "narrow", subnets=only)
    with pytest.raises(grpc.RpcError, match="two different Availability Zones"):
        engine.change(balancer, subnets=only)


def test_a_balancer_is_changed_and_protected(net: Any, world: Any, engine: Any, balancer: Any) -> None:
    other = world.group(net["vpc"], "other")
    third = world.subnet(net["vpc"], 5, "us-east-1c")
    subnets = [*balancer.inputs["subnets"], third.id]
    changed = engine.change(
        balancer, securityGroups=[other.id], subnets=subnets, enableDeletionProtection=True, idleTimeout=30
    )
    assert changed.outputs["securityGroups"] == [other.id]
    assert changed.outputs["idleTimeout"] == 30
    with pytest.raises(grpc.RpcError, match="deletion protection"):
        engine.delete(changed)
    with pytest.raises(grpc.RpcError, match="DependencyViolation"):
        engine.delete(third)
    engine.delete(engine.change(changed, enableDeletionProtection=False))


def test_tags_come_and_go(balancer: Any, certificate: Any, engine: Any) -> None:
    for thing in (balancer, certificate):
        tagged = engine.change(thing, tags={"Team": "blue"})
        assert tagged.outputs["tagsAll"] == {"Team": "blue", "DeploymentId": "web-1"}
        assert engine.change(tagged, tags=None).outputs["tagsAll"] == {"DeploymentId": "web-1"}
