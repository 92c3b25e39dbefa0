"""The bill: every resource a line, unknown prices said, the difference to what stands, the local target free."""

from __future__ import annotations

import pytest
from fixtures.planned import FACTS, LOCAL, planned
from hypothesis import given, settings
from hypothesis import strategies as st

from autodeploy.model import CloudFacts, CostLine, Plan, PriceList, TechStack
from autodeploy.planner import price_keys
from autodeploy.planner.price_table import REGIONS
from autodeploy.planner.prices import per_month

STACK = TechStack(
    language="python", runtime_version="3.11", build_tool="pip", requires_database=True, database_type="postgresql"
)


@st.composite
def plans(draw: st.DrawFn) -> tuple[CostLine, ...]:
    """Return a bill: no two lines of one resource are of a kind."""
    places = st.sampled_from([(name, kind) for name in "abc" for kind in ("instance", "volume")])
    chosen = draw(st.lists(places, unique=True))
    return tuple(
        CostLine(
            what=f"{name} {kind} {draw(st.integers(0, 2))}",
            usd_per_month=draw(st.decimals(0, 100, places=2).map(float)),
            basis="b",
            resource=name,
            kind=kind,
        )
        for name, kind in chosen
    )


STOCKHOLM = FACTS.but(region="eu-north-1", zones=("eu-north-1a", "eu-north-1b"))
NOWHERE = FACTS.but(region="me-central-1", zones=("me-central-1a", "me-central-1b"))


def lines(plan: Plan) -> dict[str, float | None]:
    return {line.what: line.usd_per_month for line in plan.cost}


def test_the_bill_of_the_whole_in_us_east_1() -> None:
    plan = planned(STACK)
    assert lines(plan) == {
        "EC2 instance t3.small": 15.18,  # 0.0208 * 730
        "EBS root volume gp3": 1.60,  # 0.08 * 20
        "public IPv4, machine": 3.65,  # 0.005 * 730
        "Application Load Balancer": 16.43,  # 0.0225 * 730, half up
        "public IPv4, balancer": 7.30,  # 0.005 * 730 * 2
        "RDS postgres db.t3.micro": 13.14,  # 0.018 * 730
        "RDS storage gp2": 2.30,  # 0.115 * 20
        "Secrets Manager secret": 0.40,
        "CloudWatch alarms": 0.60,  # 0.10 * 6
        "CloudWatch dashboard": 3.00,
    }
    assert plan.usd_per_month == 63.6
    assert plan.prices_as_of == "2026-08-06"
    assert {line.resource for line in plan.cost} == {
        "aws:ec2:Instance app",
        "aws:lb:LoadBalancer public",
        "aws:rds:Instance database",
        "aws:cloudwatch:MetricAlarm status",
        "aws:cloudwatch:Dashboard overview",
    }


def test_a_worker_without_a_database_pays_for_its_machine_alone() -> None:
    plan = planned(STACK.but(requires_database=False, is_web_service=False))
    assert [line.usd_per_month for line in plan.cost] == [15.18, 1.6, 3.65, 0.2, 3.0]


def test_a_price_that_a_region_has_not_said_is_unknown_and_named() -> None:
    plan = planned(STACK, STOCKHOLM)
    assert lines(plan)["EC2 instance t3.small"] == 15.77  # 0.0216 * 730
    assert lines(plan)["RDS postgres db.t3.micro"] is None
    assert any("no price is known in eu-north-1 for: " in note and "RDS postgres" in note for note in plan.notes)
    assert plan.bill.startswith("at least ")


def test_a_region_is_known_as_far_as_it_has_been_read() -> None:
    london = lines(planned(STACK, FACTS.but(region="eu-west-2", zones=("eu-west-2a", "eu-west-2b"))))
    assert london["RDS postgres db.t3.micro"] == 15.33  # 0.021 * 730
    assert london["RDS storage gp2"] is None
    singapore = FACTS.but(region="ap-southeast-1", zones=("ap-southeast-1a", "ap-southeast-1b"))
    assert None not in [cost for what, cost in lines(planned(STACK, singapore)).items() if "RDS" in what]


def test_a_region_without_prices_is_unknown_and_says_so() -> None:
    plan = planned(STACK, NOWHERE)
    assert set(lines(plan).values()) == {None}
    assert plan.usd_per_month == 0
    assert any("no price is known in me-central-1 for: EC2 instance t3.small" in note for note in plan.notes)


def test_a_type_without_a_price_is_unknown() -> None:
    first = planned(STACK, instance_type="x2iedn.large").cost[0]
    assert (first.what, first.usd_per_month) == ("EC2 instance x2iedn.large", None)


def test_the_local_target_shows_what_aws_would_charge() -> None:
    assert planned(STACK, LOCAL).cost == planned(STACK).cost


@pytest.mark.parametrize(("kind", "price"), [("mysql", 12.41), ("mariadb", 12.41)])
def test_the_other_engines(kind: str, price: float) -> None:
    assert price in lines(planned(STACK.but(database_type=kind))).values()


class TestPrices:
    @pytest.mark.parametrize("region", REGIONS)
    def test_of_what_every_deployment_has_are_known_in_every_region_of_the_table(self, region: str) -> None:
        for key in ("instance:t3.micro", "instance:t3.small", "address:ipv4", "secret"):
            assert (per_month(region, key) or 0) > 0, key

    @pytest.mark.parametrize("region", REGIONS)
    def test_double_with_the_size_of_a_machine(self, region: str) -> None:
        for small, large in (("t3.micro", "t3.small"), ("t3.small", "t3.medium"), ("m5.large", "m5.xlarge")):
            one, two = per_month(region, f"instance:{small}"), per_month(region, f"instance:{large}")
            assert one and two and two == pytest.approx(2 * one, abs=0.1), (small, large)

    def test_of_aws_itself_win_and_date_the_bill(self) -> None:
        keys = price_keys(planned(STACK).infra)
        fresh = PriceList(as_of="2026-11-25", usd=dict.fromkeys(keys, 1.0))
        plan = planned(STACK, FACTS.but(prices=fresh))
        assert lines(plan)["EC2 instance t3.small"] == 730
        assert lines(plan)["Secrets Manager secret"] == 1
        assert plan.prices_as_of == "2026-11-25"

    def test_that_aws_did_not_say_come_from_the_table_and_are_dated_so(self) -> None:
        plan = planned(STACK, FACTS.but(prices=PriceList(as_of="2026-11-25", usd={"instance:t3.small": 0.03})))
        assert lines(plan)["EC2 instance t3.small"] == 21.9
        assert lines(plan)["Secrets Manager secret"] == 0.4
        assert plan.prices_as_of == "2026-11-25, some of 2026-08-06"

    def test_that_could_not_be_asked_for_are_noted(self) -> None:
        plan = planned(STACK, FACTS.but(prices=PriceList(as_of="2026-11-25", problem="AccessDenied")))
        assert plan.cost == planned(STACK).cost
        assert plan.prices_as_of == "2026-08-06"
        assert any("today's prices could not be had: AccessDenied" in note for note in plan.notes)


class TestDifference:
    def after(self, before: TechStack, now: TechStack, facts: CloudFacts = FACTS, **fields: object) -> Plan:
        standing = planned(before, facts)
        return planned(now, facts, standing.infra, **fields)

    def test_of_a_first_deployment_is_none(self) -> None:
        plan = planned(STACK)
        assert (plan.cost_before, plan.usd_difference) == (None, None)

    def test_of_the_same_is_nothing(self) -> None:
        plan = self.after(STACK, STACK)
        assert plan.usd_difference == 0
        assert {change.usd for change in plan.comparison} == {0}

    def test_of_a_larger_machine_is_on_its_own_line(self) -> None:
        plan = self.after(STACK, STACK, instance_type="t3.medium")
        assert plan.usd_difference == 15.19  # each month is rounded by itself
        changed = [change for change in plan.comparison if change.usd]
        assert [(c.now.what, c.before.what) for c in changed if c.now and c.before] == [
            ("EC2 instance t3.medium", "EC2 instance t3.small")
        ]

    def test_lists_what_goes_after_what_stays(self) -> None:
        plan = self.after(STACK, STACK.but(requires_database=False))
        gone = [change.before.what for change in plan.comparison if change.now is None and change.before]
        assert gone == ["RDS postgres db.t3.micro", "RDS storage gp2", "Secrets Manager secret"]
        assert plan.usd_difference == -15.94
        assert [change.now is None for change in plan.comparison] == [False] * 7 + [True] * 3

    def test_of_a_line_without_a_price_is_unknown(self) -> None:
        plan = self.after(STACK.but(requires_database=False), STACK, STOCKHOLM)
        by_name = {change.now.what: change.usd for change in plan.comparison if change.now}
        assert by_name["RDS postgres db.t3.micro"] is None
        assert by_name["EC2 instance t3.small"] == 0
        assert by_name["Secrets Manager secret"] == 0.4

    @settings(max_examples=100)
    @given(plans(), plans())
    def test_is_the_sum_of_its_lines(self, before: tuple[CostLine, ...], now: tuple[CostLine, ...]) -> None:
        plan = planned(STACK).but(cost=now, cost_before=before)
        assert plan.usd_difference is not None
        assert sum(change.usd or 0 for change in plan.comparison) == pytest.approx(plan.usd_difference, abs=0.01)
        sides = [[side for change in plan.comparison if (side := change[at])] for at in (0, 1)]
        assert (sides[0], sorted(sides[1], key=str)) == (list(now), sorted(before, key=str))
