"""HiveMind SysEng with what the user brings: a domain, a network; and what goes when a worker takes a service's place."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest
from fakes.line import Line
from fakes.provisioning import built, provisioner
from fakes.world import Machine, World
from fixtures.planned import FACTS

from autodeploy.agents.outputs import specification
from autodeploy.errors import InfrastructureError, PlanError
from autodeploy.model import HostedZone, NetworkFacts, SubnetFacts


@pytest.fixture
def line(tmp_path: Path) -> Line:
    return Line(tmp_path / "home")


@pytest.fixture
def aws(tmp_path: Path) -> Line:
    """Return an operator whose machines let nobody in from outside, as the security groups of either access do."""
    line = Line(tmp_path / "home", World(facts=FACTS))
    line.world.machines = defaultdict(Closed)
    return line


class Closed(Machine):
    def __init__(self) -> None:
        super().__init__()
        self.open_ports = set()


def test_the_zone_of_a_domain_is_looked_up_once(line: Line) -> None:
    state = built(line)
    line.world.zones["shop.example.com"] = HostedZone(zone_id="ZSHOP", name="example.com")
    asked = state.but(request=state.request.but(domain="shop.example.com"))
    planned_ = provisioner(line).plan(asked)
    assert planned_.plan and planned_.plan.infra.web and planned_.plan.infra.web.zone_id == "ZSHOP"
    line.world.zones.clear()
    assert provisioner(line).plan(planned_).plan == planned_.plan


def test_a_zone_that_is_made_later_is_found(line: Line) -> None:
    state = built(line)
    asked = state.but(request=state.request.but(domain="shop.example.com"))
    first = provisioner(line).plan(asked)
    assert first.plan and first.plan.infra.web and first.plan.infra.web.zone_id is None
    line.world.zones["shop.example.com"] = HostedZone(zone_id="ZSHOP", name="example.com")
    again = provisioner(line).plan(first)
    assert again.plan and again.plan.infra.web and again.plan.infra.web.zone_id == "ZSHOP"


def test_a_vpc_is_pinned_as_it_was_and_not_left_again(line: Line) -> None:
    pair = [("us-east-1a", True), ("us-east-1b", True), ("us-east-1a", False), ("us-east-1b", False)]
    subnets = [
        SubnetFacts(subnet_id=f"s-{n}", zone=zone, free_addresses=99, is_public=way, has_way_out=way)
        for n, (zone, way) in enumerate(pair)
    ]
    vpc = NetworkFacts(vpc_id="vpc-1", cidr="10.9.0.0/16", dns_support=True, dns_hostnames=True, subnets=tuple(subnets))
    line.world.networks["vpc-1"] = vpc
    state = line.ledger(line.deploy(vpc_id="vpc-1"))
    assert state.facts and state.facts.network == vpc and state.plan
    line.world.networks["vpc-1"] = vpc.but(subnets=())
    assert provisioner(line).plan(state).plan == state.plan
    for other in ("vpc-2", None):
        with pytest.raises(PlanError, match="cannot move") as caught:
            provisioner(line).plan(state.but(request=state.request.but(vpc_id=other)))
        assert "--new" in caught.value.remediation


class TestAccess:
    """A machine is made for one way in, at its first boot."""

    def test_is_kept_with_the_deployment(self, aws: Line) -> None:
        state = aws.ledger(aws.deploy(access="ssm"))
        assert state.infrastructure and state.infrastructure.access == "ssm"
        again = aws.ledger(aws.deploy())
        assert again.plan and again.plan.infra.access == "ssm" and again.status == "complete"

    @pytest.mark.parametrize(("before", "after"), [(None, "ssm"), ("ssm", "ssh")])
    def test_is_not_changed_under_a_machine_that_runs(self, aws: Line, before: Any, after: Any) -> None:
        state = aws.ledger(aws.deploy(access=before))
        refused = aws.ledger(aws.deploy(access=after))
        assert (refused.status, refused.failed_stage) == ("failed", "plan")
        assert (
            f"was made to be reached by {before or 'ssh'}; by {after} it lets nobody in" in refused.errors[-1].message
        )
        assert f"autodeploy destroy {state.deployment_id} --only compute" in refused.errors[-1].remediation
        assert f"--access {before or 'ssh'}" in refused.errors[-1].remediation
        assert refused.infrastructure == state.infrastructure
        back = aws.ledger(aws.deploy(access=before or "ssh"))
        assert back.status == "complete"

    def test_is_another_once_the_machine_is_gone(self, aws: Line) -> None:
        state = aws.ledger(aws.deploy())
        aws.conductor().rollback(state.deployment_id, "compute")
        after = aws.ledger(aws.deploy(access="ssm"))
        assert after.status == "complete" and after.infrastructure and after.infrastructure.access == "ssm"

    def test_is_not_changed_where_an_apply_was_cut_short(self, aws: Line) -> None:
        aws.world.broken["up"] = [InfrastructureError("a database cannot be made", "Wait.") for _ in range(9)]
        state = aws.ledger(aws.deploy())
        assert state.failed_stage == "provision" and state.infrastructure is None
        aws.world.broken.clear()
        refused = aws.ledger(aws.deploy(access="ssm"))
        assert "was made to be reached by ssh" in refused.errors[-1].message


def test_a_worker_in_the_place_of_what_served_lets_the_balancer_go(line: Line) -> None:
    state = line.ledger(line.deploy())
    assert state.plan and state.infrastructure
    worker = state.but(plan=state.plan.but(infra=state.plan.infra.but(web=None)), stages={})
    line.store.save(worker)
    after = provisioner(line).run(worker)
    assert after.infrastructure and after.infrastructure.load_balancer_dns is None
    _, lifted, last = line.world.history[state.deployment_id]
    assert lifted.web and not lifted.web.deletion_protection and last.web is None
    assert lifted.database and lifted.database.deletion_protection, "the database stays as it is"


def test_what_has_nothing_protected_is_deleted_at_once(tmp_path: Path) -> None:
    line = Line(tmp_path, World("python-worker"))
    state = line.ledger(line.deploy())
    assert provisioner(line).destroy(state) == ()
    assert len(line.world.history[state.deployment_id]) == 1


def test_a_balancer_that_the_plan_has_no_more(line: Line) -> None:
    state = line.ledger(line.deploy())
    assert state.plan
    worker = state.plan.but(infra=state.plan.infra.but(web=None))
    assert provisioner(line).destroy(state.but(plan=worker)) == ()
    assert line.world.stacks == {}


def test_a_stack_without_an_output_is_an_error(tmp_path: Path) -> None:
    line = Line(tmp_path)
    state = provisioner(line).plan(built(line))
    assert state.plan
    with pytest.raises(InfrastructureError, match="no output 'vpcId'"):
        specification(state.plan, {"instanceId": "i-1"}, tmp_path)
