"""What HiveMind SysEng says of cost: AWS's prices once a day, and the difference to what was applied last."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from fakes.line import Line
from fakes.provisioning import built, provisioner
from fakes.world import World
from fixtures.planned import FACTS, LOCAL

from autodeploy.errors import DeploymentError, InfrastructureError
from autodeploy.model import CloudFacts, DeploymentState, PriceList
from autodeploy.planner import price_keys

DEAR = PriceList(usd={"instance:t3.small": 1.0})


def line_of(home: Path, facts: CloudFacts = FACTS, prices: PriceList = DEAR) -> Line:
    world = World(facts=facts)
    world.prices = prices
    return Line(home, world)


class TestPrices:
    def test_are_aws_own_of_the_day(self, tmp_path: Path) -> None:
        line = line_of(tmp_path)
        state = provisioner(line).plan(built(line))
        assert state.plan and state.facts
        assert state.plan.cost[0].usd_per_month == 730
        assert state.facts.prices.as_of == f"{line.clock.now():%Y-%m-%d}"

    def test_that_are_complete_are_pinned_for_the_day(self, tmp_path: Path) -> None:
        line = line_of(tmp_path)
        first = provisioner(line).plan(built(line))
        assert first.plan and first.facts
        every = {
            "instance",
            "volume",
            "address",
            "balancer",
            "database",
            "database-storage",
            "secret",
            "alarm",
            "dashboard",
        }
        assert {charge.kind for charge in first.plan.cost} == every
        pinned = first.but(facts=first.facts.but(prices=first.facts.prices.but(usd=dict.fromkeys(keys(first), 2.0))))
        again = provisioner(line).plan(pinned)
        assert again.plan and again.plan.cost[0].usd_per_month == 1460

    def test_are_asked_for_again_the_next_day(self, tmp_path: Path) -> None:
        line = line_of(tmp_path)
        state = provisioner(line).plan(built(line))
        line.world.prices = PriceList(usd={"instance:t3.small": 3.0})
        line.clock.sleep(timedelta(days=1).total_seconds())
        again = provisioner(line).plan(state)
        assert again.plan and again.plan.cost[0].usd_per_month == 2190

    def test_that_nobody_says_do_not_stop_a_deployment(self, tmp_path: Path) -> None:
        line = line_of(tmp_path, prices=PriceList(problem="AccessDenied"))
        state = provisioner(line).run(provisioner(line).plan(built(line)))
        assert state.infrastructure and state.plan
        assert state.plan.prices_as_of == "2026-08-06"
        assert any("AccessDenied" in note for note in state.plan.notes)

    def test_of_the_local_target_are_the_table(self, tmp_path: Path) -> None:
        line = line_of(tmp_path, LOCAL)
        state = provisioner(line).plan(built(line))
        assert state.plan and state.facts == LOCAL
        assert state.plan.prices_as_of == "2026-08-06"


class TestDifference:
    def test_of_a_first_plan_is_none(self, tmp_path: Path) -> None:
        line = line_of(tmp_path)
        state = provisioner(line).plan(built(line))
        assert state.plan and state.plan.usd_difference is None

    def test_is_to_what_was_applied(self, tmp_path: Path) -> None:
        line = line_of(tmp_path, LOCAL)
        state = line.ledger(line.deploy())
        assert state.plan and state.plan.usd_difference == 0
        larger = provisioner(line, instance_type="t3.medium").plan(
            state.but(request=state.request.but(instance_type="t3.medium"))
        )
        assert larger.plan and larger.plan.usd_difference == 15.19

    def test_is_not_to_what_was_planned_and_never_applied(self, tmp_path: Path) -> None:
        line = line_of(tmp_path, LOCAL)
        line.deploy()
        line.world.broken["up"].append(InfrastructureError("no capacity", "Wait."))
        line.deploy(instance_type="t3.medium")
        state = line.ledger(line.deploy(instance_type="t3.medium"))
        assert state.plan and state.standing
        assert (state.plan.usd_difference, state.standing.instance_type) == (0, "t3.medium")
        before = line.world.history[state.deployment_id][0]
        assert before.instance_type == "t3.small"

    def test_stays_while_an_apply_fails(self, tmp_path: Path) -> None:
        line = line_of(tmp_path, LOCAL)
        line.deploy()
        line.world.broken["await instance"].append(DeploymentError("it does not boot", "Look."))
        state = line.ledger(line.deploy(instance_type="t3.medium"))
        assert state.plan and state.standing
        assert (state.plan.usd_difference, state.standing.instance_type) == (15.19, "t3.small")

    def test_of_a_ledger_from_before_it_was_kept(self, tmp_path: Path) -> None:
        line = line_of(tmp_path, LOCAL)
        state = line.ledger(line.deploy()).but(standing=None)
        again = provisioner(line).plan(state)
        assert again.plan and again.plan.usd_difference == 0


def keys(state: DeploymentState) -> tuple[str, ...]:
    assert state.plan
    return price_keys(state.plan.infra)
