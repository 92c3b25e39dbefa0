"""The bill: every resource a line, unknown prices said, the local target free."""

from __future__ import annotations

import pytest
from fixtures.planned import FACTS, LOCAL, planned

from autodeploy.model import TechStack

STACK = TechStack(
    language="python", runtime_version="3.11", build_tool="pip", requires_database=True, database_type="postgresql"
)


def test_the_bill_of_the_whole_in_us_east_1() -> None:
    plan = planned(STACK)
    assert {line.what: line.usd_per_month for line in plan.cost} == {
        "EC2 instance t3.small": 15.18,  # 0.0208 * 730
        "EBS root volume gp3": 1.60,  # 0.08 * 20
        "public IPv4 addresses": 10.95,  # 0.005 * 730 * 3
        "Application Load Balancer": 16.43,  # 0.0225 * 730, half up
        "RDS postgres db.t3.micro": 13.14,  # 0.018 * 730
        "RDS storage gp2": 2.30,  # 0.115 * 20
        "Secrets Manager secret": 0.40,
    }
    assert plan.usd_per_month == 60.0
    assert plan.prices_as_of == "2025"


def test_a_worker_without_a_database_pays_for_its_machine_alone() -> None:
    plan = planned(STACK.but(requires_database=False, is_web_service=False))
    assert [line.usd_per_month for line in plan.cost] == [15.18, 1.6, 3.65]


def test_a_region_without_prices_is_unknown_and_says_so() -> None:
    plan = planned(STACK, FACTS.but(region="eu-central-1", zones=("eu-central-1a", "eu-central-1b")))
    assert {line.usd_per_month for line in plan.cost} == {None}
    assert plan.usd_per_month == 0
    assert any("no price is known in eu-central-1 for: EC2 instance t3.small" in note for note in plan.notes)


def test_a_type_without_a_price_is_unknown() -> None:
    first = planned(STACK, instance_type="m5.large").cost[0]
    assert (first.what, first.usd_per_month) == ("EC2 instance m5.large", None)


def test_the_local_target_shows_what_aws_would_charge() -> None:
    plan = planned(STACK, LOCAL)
    assert plan.cost == planned(STACK).cost
    unknown = planned(STACK, LOCAL.but(region="eu-west-1"))
    assert any("no price is known in eu-west-1" in note for note in unknown.notes)


@pytest.mark.parametrize(("kind", "price"), [("mysql", 12.41), ("mariadb", 12.41)])
def test_the_other_engines(kind: str, price: float) -> None:
    lines = {line.what: line.usd_per_month for line in planned(STACK.but(database_type=kind)).cost}
    assert price in lines.values()
