"""A domain: records of a zone, a certificate that is issued once one of them proves it, and the rules of both."""

from __future__ import annotations

from typing import Any

import grpc
import pytest
from cryptography import x509

RECORD, CERTIFICATE = "aws:route53/record:Record", "aws:acm/certificate:Certificate"
VALIDATION, LISTENER = "aws:acm/certificateValidation:CertificateValidation", "aws:lb/listener:Listener"
DOMAIN = "shop.example.com"


@pytest.fixture
def zone(served: Any) -> str:
    made = served.aws("route53").create_hosted_zone(Name="example.com", CallerReference="here")
    return str(made["HostedZone"]["Id"].rpartition("/")[2])


@pytest.fixture
def certificate(engine: Any) -> Any:
    return engine.make(CERTIFICATE, "domain", domainName=DOMAIN, validationMethod="DNS", tags={"Name": "shop"})


def record(engine: Any, zone: str, name: str = DOMAIN, kind: str = "CNAME", *values: str) -> Any:
    given = {"zoneId": zone, "name": name, "type": kind, "ttl": 300, "records": list(values or ("x.example.net",))}
    return engine.make(RECORD, f"{name}-{kind}", **given)


def proof(engine: Any, zone: str, certificate: Any) -> Any:
    (asked,) = certificate.outputs["domainValidationOptions"]
    assert asked["domainName"] == DOMAIN
    wanted = asked["resourceRecordName"], asked["resourceRecordType"], asked["resourceRecordValue"]
    return record(engine, zone, *wanted)


def test_a_certificate_is_issued_once_dns_proves_the_domain(
    engine: Any, served: Any, world: Any, zone: str, certificate: Any
) -> None:
    assert certificate.outputs["status"] == "PENDING_VALIDATION"
    with pytest.raises(grpc.RpcError, match="PENDING_VALIDATION"):
        engine.make(VALIDATION, "domain", certificateArn=certificate.id)
    proven = proof(engine, zone, certificate)
    assert proven.outputs["fqdn"].endswith(f".{DOMAIN}")
    validation = engine.make(
        VALIDATION, "domain", certificateArn=certificate.id, validationRecordFqdns=[proven.outputs["fqdn"]]
    )
    again = engine.read(certificate)
    assert again.outputs["status"] == "ISSUED" and again.outputs["notAfter"] > again.outputs["notBefore"]

    vpc = world.vpc()
    subnets = [world.subnet(vpc, 1, "us-east-1a").id, world.subnet(vpc, 3, "us-east-1b").id]
    balancer = engine.make("aws:lb/loadBalancer:LoadBalancer", "public", subnets=subnets)
    action = {"type": "redirect", "redirect": {"protocol": "HTTPS", "port": "443", "statusCode": "HTTP_301"}}
    given = {"loadBalancerArn": balancer.id, "port": 443, "protocol": "HTTPS", "defaultActions": [action]}
    engine.make(LISTENER, "https", certificateArn=validation.outputs["certificateArn"], **given)
    (listener,) = served.plane.served[balancer.id]
    leaf = x509.load_pem_x509_certificate(listener.certificate_pem.encode())
    leaf.verify_directly_issued_by(x509.load_pem_x509_certificate(served.plane.authority[0].encode()))
    named = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert named.get_values_for_type(x509.DNSName) == [DOMAIN]


def test_a_listener_takes_no_certificate_that_was_not_issued(engine: Any, world: Any, certificate: Any) -> None:
    vpc = world.vpc()
    subnets = [world.subnet(vpc, 1, "us-east-1a").id, world.subnet(vpc, 3, "us-east-1b").id]
    balancer = engine.make("aws:lb/loadBalancer:LoadBalancer", "public", subnets=subnets)
    action = {"type": "redirect", "redirect": {"protocol": "HTTPS", "port": "443", "statusCode": "HTTP_301"}}
    given = {"loadBalancerArn": balancer.id, "port": 443, "protocol": "HTTPS", "defaultActions": [action]}
    with pytest.raises(grpc.RpcError, match="UnsupportedCertificate"):
        engine.make(LISTENER, "https", certificateArn=certificate.id, **given)


def test_another_domain_is_another_certificate(engine: Any, certificate: Any) -> None:
    answer = engine.diff(certificate, {"domainName": "www.example.com", "validationMethod": "DNS"})
    assert list(answer.replaces) == ["domainName"] and not answer.deleteBeforeReplace
    changed = engine.change(certificate, tags={"Name": "store"})
    assert changed.id == certificate.id
    engine.delete(certificate)
    assert engine.read(certificate) is None
    engine.delete(certificate)


def test_a_validation_goes_with_its_certificate(engine: Any, zone: str, certificate: Any) -> None:
    proof(engine, zone, certificate)
    validation = engine.make(VALIDATION, "domain", certificateArn=certificate.id)
    answer = engine.diff(validation, {"certificateArn": "arn:aws:acm:us-east-1:123456789012:certificate/other"})
    assert list(answer.replaces) == ["certificateArn"]
    engine.delete(validation)
    assert engine.read(certificate).outputs["status"] == "ISSUED"
    engine.delete(certificate)
    assert engine.read(validation) is None


def test_a_private_zone_proves_nothing(engine: Any, served: Any, world: Any, certificate: Any) -> None:
    vpc = {"VPCRegion": "us-east-1", "VPCId": world.vpc().id}
    made = served.aws("route53").create_hosted_zone(
        Name="example.com", CallerReference="in", VPC=vpc, HostedZoneConfig={"PrivateZone": True}
    )
    proof(engine, made["HostedZone"]["Id"].rpartition("/")[2], certificate)
    with pytest.raises(grpc.RpcError, match="no public zone"):
        engine.make(VALIDATION, "domain", certificateArn=certificate.id)


def test_a_record_is_changed_in_place_and_moved_by_replacement(engine: Any, served: Any, zone: str) -> None:
    made = record(engine, zone)
    assert made.id == f"{zone}_{DOMAIN}_CNAME"
    engine.change(made, ttl=60, records=["y.example.net"])
    listed = served.aws("route53").list_resource_record_sets(HostedZoneId=zone)["ResourceRecordSets"]
    (found,) = [item for item in listed if item["Type"] == "CNAME"]
    assert (found["TTL"], found["ResourceRecords"]) == (60, [{"Value": "y.example.net"}])
    moved = {"zoneId": zone, "name": "other.example.com", "type": "CNAME", "ttl": 60, "records": ["y.example.net"]}
    assert list(engine.diff(made, moved).replaces) == ["name"]
    engine.delete(made)
    assert engine.read(made) is None
    engine.delete(made)


def test_an_alias_leads_to_a_balancer_whose_name_has_a_port_here(engine: Any, served: Any, zone: str) -> None:
    alias = {"name": "localhost:8443", "zoneId": "ZBALANCER", "evaluateTargetHealth": False}
    made = engine.make(RECORD, "domain", zoneId=zone, name=DOMAIN, type="A", aliases=[alias])
    assert made.outputs["fqdn"] == DOMAIN
    listed = served.aws("route53").list_resource_record_sets(HostedZoneId=zone)["ResourceRecordSets"]
    (found,) = [item for item in listed if item["Type"] == "A"]
    assert found["AliasTarget"]["DNSName"].rstrip(".") == "localhost"
    engine.change(made, aliases=[{**alias, "name": "localhost:9443", "evaluateTargetHealth": True}])
    engine.delete(made)


@pytest.mark.parametrize(
    ("name", "kind", "complaint"),
    [
        (DOMAIN, "CNAME", "already exists"),
        (DOMAIN, "TXT", "conflicts with CNAME"),
        ("free.example.com", "CNAME", "conflicts with TXT"),
        ("example.com", "CNAME", "not permitted at apex"),
        ("shop.example.org", "A", "not permitted in zone"),
        ("notexample.com", "A", "not permitted in zone"),
    ],
)
def test_what_a_zone_does_not_take(engine: Any, zone: str, name: str, kind: str, complaint: str) -> None:
    record(engine, zone)
    record(engine, zone, "free.example.com", "TXT", '"said"')
    with pytest.raises(grpc.RpcError, match=complaint):
        record(engine, zone, name, kind, "192.0.2.1")


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"type": "MX"}, "type"),
        ({"name": "shop..example.com"}, "name"),
        ({"name": "x" * 64 + ".example.com"}, "name"),
        ({"ttl": -1}, "ttl"),
        ({"ttl": None}, "ttl"),
        ({"records": None}, "records"),
        ({"aliases": [{"name": "a", "zoneId": "Z", "evaluateTargetHealth": False}]}, "records"),
        ({"records": None, "aliases": [{"name": "a", "zoneId": "Z", "evaluateTargetHealth": False}]}, "aliases"),
    ],
)
def test_what_is_no_record(engine: Any, changes: dict[str, Any], field: str) -> None:
    given = {"zoneId": "Z1", "name": DOMAIN, "type": "A", "ttl": 60, "records": ["192.0.2.1"], **changes}
    _, failures = engine.check(RECORD, {name: value for name, value in given.items() if value is not None})
    assert list(failures) == [field]


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"domainName": DOMAIN}, "validationMethod"),
        ({"domainName": DOMAIN, "validationMethod": "EMAIL"}, "validationMethod"),
        ({"domainName": "x" * 53 + ".example.com", "validationMethod": "DNS"}, "domainName"),
        ({"domainName": DOMAIN, "validationMethod": "DNS", "privateKey": "k"}, "privateKey"),
        ({"privateKey": "k"}, "certificateBody"),
    ],
)
def test_what_is_no_certificate(engine: Any, given: dict[str, Any], field: str) -> None:
    assert list(engine.check(CERTIFICATE, given)[1]) == [field]


def test_what_was_deleted_can_be_made_again_beside_others(engine: Any, served: Any, zone: str) -> None:
    record(engine, zone, f"_proof.{DOMAIN}")
    alias = {"name": "localhost:8443", "zoneId": "Z35SXDOTRQ7X7K", "evaluateTargetHealth": False}
    for _ in range(2):
        made = engine.make(RECORD, "domain", zoneId=zone, name=DOMAIN, type="A", aliases=[alias])
        with pytest.raises(grpc.RpcError, match="already exists"):
            engine.make(RECORD, "other", zoneId=zone, name=DOMAIN, type="A", aliases=[alias])
        engine.delete(made)
