"""What the user already has in the account: zones of Route 53, and VPCs as their route tables make them."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

import pytest

from autodeploy.adapters.aws import AwsCloud, surroundings
from autodeploy.errors import InfrastructureError
from autodeploy.local.zones import rehearse_zone
from autodeploy.model import HostedZone

NUMBERS = itertools.count()


@pytest.fixture
def route53(client: Any) -> Iterator[Any]:
    made = client("route53")
    purge(made)
    yield made
    purge(made)


def purge(made: Any) -> None:
    for zone in made.list_hosted_zones()["HostedZones"]:
        for record in made.list_resource_record_sets(HostedZoneId=zone["Id"])["ResourceRecordSets"]:
            if record["Type"] not in ("NS", "SOA"):
                change = {"Action": "DELETE", "ResourceRecordSet": record}
                made.change_resource_record_sets(HostedZoneId=zone["Id"], ChangeBatch={"Changes": [change]})
        made.delete_hosted_zone(Id=zone["Id"])


def zone(route53: Any, name: str, **more: Any) -> str:
    made = route53.create_hosted_zone(Name=name, CallerReference=str(next(NUMBERS)), **more)
    return str(made["HostedZone"]["Id"].rpartition("/")[2])


class TestZones:
    def test_the_longest_one_that_the_domain_lies_in(self, route53: Any) -> None:
        made = {
            name: zone(route53, name) for name in ("example.com", "shop.example.com", "op.example.com", "com.example")
        }

        def found(domain: str) -> HostedZone | None:
            return surroundings.hosted_zone(route53, domain)

        assert found("www.shop.example.com") == HostedZone(zone_id=made["shop.example.com"], name="shop.example.com")
        assert found("shop.example.com") == HostedZone(zone_id=made["shop.example.com"], name="shop.example.com")
        assert found("www.example.com") == HostedZone(zone_id=made["example.com"], name="example.com")
        assert found("workshop.example.com") == HostedZone(zone_id=made["example.com"], name="example.com")
        assert found("example.org") is None
        assert found("notexample.com") is None

    def test_a_private_one_is_none(self, route53: Any, client: Any) -> None:
        vpc = client("ec2").create_vpc(CidrBlock="10.9.0.0/16")["Vpc"]["VpcId"]
        inside = {"VPCRegion": "us-east-1", "VPCId": vpc}
        zone(route53, "example.com", VPC=inside, HostedZoneConfig={"PrivateZone": True})
        assert surroundings.hosted_zone(route53, "shop.example.com") is None

    @pytest.mark.parametrize("kind", ["A", "CNAME"])
    def test_a_name_that_has_an_address_is_somebody_s(self, route53: Any, kind: str) -> None:
        made = zone(route53, "example.com")
        value = {"A": "192.0.2.7", "CNAME": "x.example.net"}[kind]
        record = {"Name": "shop.example.com", "Type": kind, "TTL": 60, "ResourceRecords": [{"Value": value}]}
        change = {"Action": "CREATE", "ResourceRecordSet": record}
        route53.change_resource_record_sets(HostedZoneId=made, ChangeBatch={"Changes": [change]})
        with pytest.raises(InfrastructureError, match=f"an address already.*{kind}") as caught:
            surroundings.hosted_zone(route53, "shop.example.com")
        assert "--domain" in caught.value.remediation
        assert surroundings.hosted_zone(route53, "a.example.com")
        assert surroundings.hosted_zone(route53, "www.shop.example.com")

    def test_the_emulated_account_gets_one_for_a_rehearsal(self, endpoint: str, route53: Any) -> None:
        assert AwsCloud("local", "us-east-1", endpoint_url=endpoint).hosted_zone("shop.example.com") is None
        cloud = AwsCloud("local", "us-east-1", endpoint_url=endpoint, rehearse_zone=rehearse_zone)
        first = cloud.hosted_zone("shop.example.com")
        assert first and first.name == "shop.example.com"
        assert cloud.hosted_zone("shop.example.com") == first
        assert [made["Name"] for made in route53.list_hosted_zones()["HostedZones"]] == ["shop.example.com."]


@pytest.fixture
def ec2(client: Any) -> Any:
    return client("ec2")


def attached(ec2: Any, vpc: str) -> str:
    gateway = ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
    ec2.attach_internet_gateway(InternetGatewayId=gateway, VpcId=vpc)
    return str(gateway)


def table(ec2: Any, vpc: str, *subnets: str, **way: str) -> None:
    made = ec2.create_route_table(VpcId=vpc)["RouteTable"]["RouteTableId"]
    if way:
        ec2.create_route(RouteTableId=made, DestinationCidrBlock="0.0.0.0/0", **way)
    for subnet in subnets:
        ec2.associate_route_table(RouteTableId=made, SubnetId=subnet)


class TestNetworks:
    def test_a_vpc_with_subnets_of_every_kind(self, cloud: AwsCloud, ec2: Any) -> None:
        vpc = ec2.create_vpc(CidrBlock="10.20.0.0/16")["Vpc"]["VpcId"]
        ec2.modify_vpc_attribute(VpcId=vpc, EnableDnsHostnames={"Value": True})
        public, natted, isolated, left = (
            ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.20.{n}.0/24", AvailabilityZone=f"us-east-1{z}")["Subnet"][
                "SubnetId"
            ]
            for n, z in enumerate("abab")
        )
        gateway = attached(ec2, vpc)
        table(ec2, vpc, public, GatewayId=gateway)
        nat = ec2.create_nat_gateway(SubnetId=public)["NatGateway"]["NatGatewayId"]
        table(ec2, vpc, natted, NatGatewayId=nat)
        table(ec2, vpc, isolated)
        found = cloud.network(vpc)
        assert (found.vpc_id, found.cidr, found.dns_support, found.dns_hostnames) == (vpc, "10.20.0.0/16", True, True)
        kinds = {each.subnet_id: (each.zone, each.is_public, each.has_way_out) for each in found.subnets}
        assert kinds == {
            public: ("us-east-1a", True, True),
            natted: ("us-east-1b", False, True),
            isolated: ("us-east-1a", False, False),
            left: ("us-east-1b", False, False),
        }
        assert all(each.free_addresses > 200 for each in found.subnets)

    def test_a_subnet_without_a_table_has_the_routes_of_the_main_one(self, cloud: AwsCloud, ec2: Any) -> None:
        vpc = ec2.create_vpc(CidrBlock="10.21.0.0/16")["Vpc"]["VpcId"]
        ec2.create_subnet(VpcId=vpc, CidrBlock="10.21.1.0/24")
        (main,) = ec2.describe_route_tables(Filters=[{"Name": "vpc-id", "Values": [vpc]}])["RouteTables"]
        gateway = attached(ec2, vpc)
        ec2.create_route(RouteTableId=main["RouteTableId"], DestinationCidrBlock="0.0.0.0/0", GatewayId=gateway)
        (found,) = cloud.network(vpc).subnets
        assert found.is_public
        assert not cloud.network(vpc).dns_hostnames

    def test_one_that_is_not_there(self, cloud: AwsCloud) -> None:
        with pytest.raises(InfrastructureError, match="no VPC vpc-0123456789abcdef0 in us-east-1") as caught:
            cloud.network("vpc-0123456789abcdef0")
        assert "describe-vpcs" in caught.value.remediation

    def test_another_error_is_not_taken_for_absence(self, stubbed: Any) -> None:
        denied = stubbed("ec2", ("describe_vpcs", "UnauthorizedOperation"))
        with pytest.raises(Exception, match="UnauthorizedOperation"):
            surroundings.network(denied, "vpc-1", "us-east-1")
