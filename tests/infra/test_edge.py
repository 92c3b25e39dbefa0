"""What the Pulumi program declares where the user brings a domain or a network, on Pulumi's own mocks."""

from __future__ import annotations

import pytest

from autodeploy.model import ExistingNetwork, InfraPlan, WebPlan
from tests.infra.deploying import Deployed, deploy
from tests.infra.test_program import plan

ISSUED = WebPlan(certificate_pem="", domain="shop.example.com", zone_id="ZSHOP")
THEIRS = ExistingNetwork(
    vpc_id="vpc-theirs",
    public_subnet_ids=("subnet-a", "subnet-b"),
    private_subnet_ids=("subnet-c", "subnet-d"),
)


def without_key(wanted: InfraPlan) -> Deployed:
    """Run the program as where no certificate is imported: without a key in the stack's config."""
    return deploy(wanted, {"autodeploy:plan": wanted.to_json()})


def test_a_domain_in_a_zone_gets_an_issued_certificate_and_an_address() -> None:
    deployed = without_key(plan(web=ISSUED))
    certificate = deployed.one("Certificate")
    assert certificate.name == "domain"
    assert certificate.inputs["domainName"] == "shop.example.com"
    assert certificate.inputs["validationMethod"] == "DNS"
    assert "certificateBody" not in certificate.inputs and "privateKey" not in certificate.inputs
    proof, address = deployed.one("Record", "domain-proof").inputs, deployed.one("Record", "domain-ipv4").inputs
    assert {proof["zoneId"], address["zoneId"]} == {"ZSHOP"}
    assert (proof["name"], proof["type"], proof["records"]) == (
        "_proof.shop.example.com.",
        "CNAME",
        ["_value.acm-validations.aws."],
    )
    assert (address["name"], address["type"]) == ("shop.example.com", "A")
    assert address["aliases"] == [{"name": "lb.example.org", "zoneId": "ZBALANCER", "evaluateTargetHealth": False}]
    assert not any(record.inputs.get("allowOverwrite") for record in deployed.of("Record"))


def test_the_listener_takes_the_certificate_only_once_it_is_issued() -> None:
    deployed = without_key(plan(web=ISSUED))
    validation = deployed.one("CertificateValidation")
    assert validation.inputs["certificateArn"] == "arn:domain|aws:acm/certificate:Certificate"
    assert deployed.one("Listener", "https").inputs["certificateArn"] == deployed.outputs["certificateArn"]


def test_a_domain_without_a_zone_makes_no_records() -> None:
    imported = plan().web
    assert imported
    deployed = deploy(plan(web=imported.but(domain="shop.example.com")))
    assert deployed.of("Record") == deployed.of("CertificateValidation") == []
    assert deployed.one("Certificate").name == "public"


@pytest.fixture(scope="module")
def guest() -> Deployed:
    return deploy(plan(network=THEIRS))


def test_a_network_that_is_there_is_used_and_never_declared(guest: Deployed) -> None:
    for kind in ("Vpc", "Subnet", "InternetGateway", "RouteTable", "Route", "RouteTableAssociation"):
        assert guest.of(kind) == [], f"a {kind} of somebody else's would be deleted on destroy"
    assert {group.inputs["vpcId"] for group in guest.of("SecurityGroup")} == {"vpc-theirs"}
    assert guest.one("Instance", "app").inputs["subnetId"] == "subnet-a"
    assert guest.one("LoadBalancer").inputs["subnets"] == ["subnet-a", "subnet-b"]
    assert guest.one("TargetGroup").inputs["vpcId"] == "vpc-theirs"
    assert guest.one("SubnetGroup").inputs["subnetIds"] == ["subnet-c", "subnet-d"]
    assert (guest.outputs["vpcId"], guest.outputs["publicSubnetId"]) == ("vpc-theirs", "subnet-a")
    assert guest.outputs["privateSubnetId"] == "subnet-c"


def test_all_else_is_as_in_a_network_of_its_own(guest: Deployed) -> None:
    own = deploy(plan())
    kinds = {"Vpc", "Subnet", "InternetGateway", "RouteTable", "Route", "RouteTableAssociation"}
    named = [(each.type, each.name) for each in own.physical if each.type.rpartition(":")[2] not in kinds]
    assert sorted(named) == sorted((each.type, each.name) for each in guest.physical)
