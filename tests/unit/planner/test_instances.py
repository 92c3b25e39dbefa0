"""How many machines: what a plan of several says, costs, shows, and which application may have none but one."""

from __future__ import annotations

import pytest
from fixtures.planned import FACTS, planned

from autodeploy.errors import PlanError
from autodeploy.model import NetworkFacts, Plan, SubnetFacts, TechStack
from autodeploy.planner.picture import text

STACK = TechStack(
    language="python", runtime_version="3.11", build_tool="pip", requires_database=True, database_type="postgresql"
)


def costs(plan: Plan) -> dict[str, tuple[float | None, str]]:
    return {line.what: (line.usd_per_month, line.basis) for line in plan.cost}


def test_every_machine_is_charged() -> None:
    one, three = costs(planned(STACK)), costs(planned(STACK, instances=3))
    assert three["EC2 instance t3.small"] == (45.55, "3, 730 hours")  # 3 * 0.0208 * 730
    assert three["EBS root volume gp3"] == (4.8, "3 of 20 GB")
    assert three["public IPv4, machine"] == (10.95, "3, 730 hours")
    assert three["CloudWatch alarms"] == (1.0, "10: the account's first 10 are free")
    same = {"Application Load Balancer", "public IPv4, balancer", "RDS postgres db.t3.micro", "CloudWatch dashboard"}
    assert {what: one[what] for what in same} == {what: three[what] for what in same}


def test_the_difference_is_that_of_the_machines_that_come_or_go() -> None:
    one, three = planned(STACK), planned(STACK, instances=3)
    more = planned(STACK, standing=one.infra, instances=3)
    less = planned(STACK, standing=three.infra)
    assert more.usd_difference == pytest.approx(three.usd_per_month - one.usd_per_month)
    assert less.usd_difference == pytest.approx(one.usd_per_month - three.usd_per_month)
    assert all(change.now and change.before for change in more.comparison)


@pytest.mark.parametrize(("number", "title"), [(2, "machines app and app-2"), (10, "machines app to app-10")])
def test_the_picture_shows_them(number: int, title: str) -> None:
    drawn = "\n".join(text(planned(STACK, instances=number).infra))
    assert title in drawn
    assert f"{number} of t3.small" in drawn
    assert drawn.count("in 1a and 1b") == 2  # the balancer's zones, and the machines'


@pytest.mark.parametrize(("needs_database", "shared"), [(True, "the database"), (False, "nothing")])
def test_what_they_do_not_share_is_told(needs_database: bool, shared: str) -> None:
    stack = STACK if needs_database else STACK.but(requires_database=False)
    assert any(f"2 machines share {shared}: files and sessions" in note for note in planned(stack, instances=2).notes)
    assert not any("machines share" in note for note in planned(stack).notes)


def test_a_worker_has_one() -> None:
    worker = STACK.but(is_web_service=False)
    assert planned(worker, instances=1).infra.instances == 1
    with pytest.raises(PlanError, match="worker, and 3 machines would do the same work 3 times") as caught:
        planned(worker, instances=3)
    assert "--instances 1" in caught.value.remediation


def test_a_network_of_the_user_s_own_must_have_room_for_them() -> None:
    subnets = [
        *(SubnetFacts(subnet_id=f"subnet-{z}", zone=f"us-east-1{z}", free_addresses=9, is_public=True) for z in "ab"),
        *(SubnetFacts(subnet_id=f"subnet-p{z}", zone=f"us-east-1{z}", free_addresses=9) for z in "ab"),
    ]
    network = NetworkFacts(vpc_id="vpc-1", cidr="10.1.0.0/16", dns_support=True, dns_hostnames=True, subnets=subnets)
    facts = FACTS.but(network=network)
    assert planned(STACK, facts, vpc_id="vpc-1", instances=2).infra.network
    with pytest.raises(PlanError, match="with 10 free addresses each"):
        planned(STACK, facts, vpc_id="vpc-1", instances=3)
