"""What the user brings: a domain with or without a zone, a VPC that fits or does not, a bucket for access logs."""

from __future__ import annotations

from typing import Any

import pytest
from fixtures.planned import FACTS, LOCAL, planned, settings

from autodeploy.errors import PlanError
from autodeploy.model import CloudFacts, HostedZone, NetworkFacts, SubnetFacts, TechStack
from autodeploy.planner import edge
from autodeploy.planner.picture import text

STACK = TechStack.model_validate(
    {"language": "python", "build_tool": "pip", "runtime_version": "3.11", "is_web_service": True}
)
WORKER = STACK.but(is_web_service=False)
SHOP = "shop.example.com"
ZONED = {"hosted_zones": {SHOP: HostedZone(zone_id="ZSHOP", name="example.com")}}


def subnet(name: str, zone: str, **more: Any) -> SubnetFacts:
    return SubnetFacts.model_validate(
        {"subnet_id": f"subnet-{name}", "zone": f"us-east-1{zone}", "free_addresses": 200, **more}
    )


OPEN = {"is_public": True, "has_way_out": True}
SUBNETS = (
    subnet("1", "a", **OPEN),
    subnet("2", "a", **OPEN),
    subnet("3", "b", **OPEN),
    subnet("4", "a"),
    subnet("5", "b"),
)
VPC = NetworkFacts(vpc_id="vpc-1", cidr="172.20.0.0/20", dns_support=True, dns_hostnames=True, subnets=SUBNETS)


def with_vpc(facts: CloudFacts = FACTS, **changes: Any) -> CloudFacts:
    return facts.but(network=VPC.but(**changes))


class TestDomain:
    def test_in_a_zone_needs_no_certificate_of_its_own(self) -> None:
        plan = planned(STACK, FACTS.but(**ZONED), domain=SHOP)
        web = plan.infra.web
        assert web and (web.domain, web.zone_id, web.certificate_pem) == (SHOP, "ZSHOP", "")
        assert any("hosted zone ZSHOP" in note for note in plan.notes)

    def test_on_the_local_target_says_that_the_name_leads_nowhere(self) -> None:
        notes = planned(STACK, LOCAL.but(**ZONED), domain=SHOP).notes
        assert any("emulated zone" in note and "--resolve" in note for note in notes)

    def test_without_a_zone_says_which_record_to_make(self) -> None:
        plan = planned(STACK, domain=SHOP)
        web = plan.infra.web
        assert web and (web.domain, web.zone_id) == (SHOP, None) and "leaf" in web.certificate_pem
        (note,) = [note for note in plan.notes if "CNAME" in note]
        assert SHOP in note and "its own authority" in note

    def test_without_a_domain_says_whose_certificate_it_is(self) -> None:
        assert any("signed by its own authority" in note and "--domain" in note for note in planned(STACK).notes)

    def test_the_zone_of_another_domain_is_none(self) -> None:
        web = planned(STACK, FACTS.but(**ZONED), domain="www.example.com").infra.web
        assert web and web.zone_id is None

    def test_a_worker_has_none(self) -> None:
        plan = planned(WORKER, FACTS.but(**ZONED), domain=SHOP)
        assert plan.infra.web is None
        assert any(SHOP in note and "worker" in note for note in plan.notes)

    @pytest.mark.parametrize("name", ["*.example.com", "com", "192.0.2.7", "https://shop.example.com", "a b.example"])
    def test_a_bad_name_is_refused_before_anything_is_built(self, name: str) -> None:
        with pytest.raises(ValueError, match="domain"):
            settings(domain=name)

    def test_a_name_is_kept_as_dns_has_it(self) -> None:
        assert settings(domain="Bücher.Example.").domain == "xn--bcher-kva.example"
        assert settings(domain="").domain == "", "an empty one takes an earlier one back"


class TestNetwork:
    def test_uses_two_public_and_two_private_subnets_in_two_zones(self) -> None:
        infra = planned(STACK, with_vpc(), vpc_id="vpc-1").infra
        assert infra.network and infra.network.vpc_id == "vpc-1"
        assert infra.network.public_subnet_ids == ("subnet-1", "subnet-3")
        assert infra.network.private_subnet_ids == ("subnet-4", "subnet-5")
        assert infra.zones == ("us-east-1a", "us-east-1b")
        assert infra.vpc_cidr == "172.20.0.0/20"

    def test_is_what_the_picture_shows(self) -> None:
        picture = "\n".join(text(planned(STACK, with_vpc(), vpc_id="vpc-1").infra))
        assert "VPC vpc-1, us-east-1" in picture and "public subnets subnet-1 and subnet-3" in picture
        assert "private subnets subnet-4 and subnet-5" in picture and "10.0." not in picture

    def test_says_that_the_vpc_stays(self) -> None:
        assert any("vpc-1" in note and "stays" in note for note in planned(STACK, with_vpc(), vpc_id="vpc-1").notes)

    def test_prefers_private_subnets_without_any_way_out(self) -> None:
        natted = (subnet("0", "a", has_way_out=True), subnet("00", "c", has_way_out=True))
        infra = planned(STACK, with_vpc(subnets=(*natted, *SUBNETS)), vpc_id="vpc-1").infra
        assert infra.network and infra.network.private_subnet_ids == ("subnet-4", "subnet-5")

    def test_without_being_asked_for_it_is_not_used(self) -> None:
        assert planned(STACK, with_vpc()).infra.network is None

    @pytest.mark.parametrize(
        ("changes", "complaints"),
        [
            ({"dns_support": False}, ["DNS support is off"]),
            ({"dns_hostnames": False}, ["DNS hostnames are off"]),
            ({"subnets": ()}, ["route to an internet gateway, in two zones", "without a route"]),
            ({"subnets": SUBNETS[:2] + SUBNETS[3:]}, ["with a route to an internet gateway"]),
            ({"subnets": SUBNETS[:4]}, ["without a route to an internet gateway"]),
            ({"subnets": (*SUBNETS[1:], SUBNETS[0].but(zone="us-east-1z"))}, []),
            ({"subnets": (SUBNETS[0], SUBNETS[2].but(zone="us-east-1z"), *SUBNETS[3:])}, ["offer the instance type"]),
            ({"subnets": (SUBNETS[0], SUBNETS[2].but(free_addresses=8), *SUBNETS[3:])}, ["9 free addresses"]),
            ({"subnets": (*SUBNETS[:4], SUBNETS[4].but(free_addresses=1))}, ["2 free addresses"]),
            ({"dns_support": False, "subnets": SUBNETS[:4]}, ["DNS support is off", "without a route"]),
        ],
    )
    def test_says_all_that_is_missing(self, changes: dict[str, Any], complaints: list[str]) -> None:
        if not complaints:
            assert planned(STACK, with_vpc(**changes), vpc_id="vpc-1").infra.network
            return
        with pytest.raises(PlanError) as caught:
            planned(STACK, with_vpc(**changes), vpc_id="vpc-1")
        assert all(complaint in caught.value.message for complaint in complaints)
        assert "--vpc-id" in caught.value.remediation


class TestAccessLogs:
    def test_go_to_the_bucket_that_was_named(self) -> None:
        plan = planned(STACK, access_logs="logs-of-shop")
        assert plan.infra.web and plan.infra.web.access_logs_bucket == "logs-of-shop"
        assert any("s3://logs-of-shop/guestbook-20261122-7f3a9c" in note for note in plan.notes)

    def test_are_written_by_no_local_target(self) -> None:
        assert any("writes no access logs" in note for note in planned(STACK, LOCAL, access_logs="logs").notes)

    def test_a_name_that_is_no_bucket(self) -> None:
        with pytest.raises(PlanError, match="no name of a bucket"):
            planned(STACK, access_logs="s3://logs")


def test_what_is_brought_is_all_that_changes_a_plan() -> None:
    assert edge.network(FACTS, settings()) is None
    assert planned(STACK, FACTS.but(**ZONED)).infra == planned(STACK).infra
