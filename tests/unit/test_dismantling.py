"""What a destruction leaves and costs, a part that goes alone, and what was changed by hand; over a world of fakes."""

from __future__ import annotations

from pathlib import Path

import pytest
from fakes.account import FakeEngine
from fakes.line import Line
from fakes.world import World
from fixtures.planned import FACTS

from autodeploy.agents.dismantling import GROUP
from autodeploy.agents.drifting import with_foreign, with_revoked
from autodeploy.errors import ApprovalError, HardeningError, InfrastructureError, Interrupted, StateError
from autodeploy.model import Drift, Preview, PropertyDrift, ResourceChange, ResourceDrift, Standing

MACHINE = "aws:ec2:Instance app"


@pytest.fixture
def line(tmp_path: Path) -> Line:
    return Line(tmp_path / "home")


class TestWhatIsLeft:
    def test_is_named_with_its_monthly_cost(self, tmp_path: Path) -> None:
        line = Line(tmp_path, World(facts=FACTS))
        identifier = line.deploy(keep=True).deployment_id
        line.world.undeletable = ("i-1", "eni-1")
        result = line.conductor().rollback(identifier)
        assert (result.status, result.remaining) == ("failed", ("i-1", "eni-1"))
        assert [(left.name, left.usd_per_month) for left in result.left] == [("i-1", 15.18), ("eni-1", 0.0)]
        assert "2 resources are left, 15.18 USD a month" in result.message

    def test_of_unknown_price_says_so(self, line: Line) -> None:
        identifier = line.deploy().deployment_id
        line.world.undeletable = ("eni-1", "arn:aws:lambda:us-east-1:1:function:f")
        result = line.conductor().rollback(identifier)
        assert [left.usd_per_month for left in result.left] == [0.0, None]
        assert "at least 0.00 USD a month" in result.message

    def test_only_because_the_account_lags_is_waited_for(self, tmp_path: Path) -> None:
        line = Line(tmp_path, World(facts=FACTS))
        identifier = line.deploy(keep=True).deployment_id
        line.world.lagging = [("eni-1", "arn:aws:secretsmanager:us-east-1:1:secret:s"), ("eni-1",), ("eni-1",)]
        before = line.clock.now()
        result = line.conductor().rollback(identifier)
        assert (result.status, result.left) == ("rolled_back", ())
        assert 15 <= (line.clock.now() - before).total_seconds() < 180
        looking = [text for text in line.ui.lines if "looking again" in text]
        assert [text.split(",")[0] for text in looking] == ["the account still shows 2", "the account still shows 1"]

    def test_is_not_waited_for_without_end(self, tmp_path: Path) -> None:
        line = Line(tmp_path, World(facts=FACTS))
        identifier = line.deploy(keep=True).deployment_id
        line.world.undeletable = ("vpc-1",)
        before = line.clock.now()
        line.conductor().rollback(identifier)
        assert (line.clock.now() - before).total_seconds() < 300

    def test_what_was_found_in_the_stack_is_looked_for_by_a_later_run_too(self, line: Line) -> None:
        identifier = line.deploy().deployment_id
        line.world.broken["after destroy"].append(InfrastructureError("the line was lost", "Again."))
        with pytest.raises(InfrastructureError):
            line.conductor().rollback(identifier)
        doomed = line.store.load(identifier).doomed
        assert any(arn.startswith("arn:aws:x:us-east-1:1:Instance/") for arn in doomed)
        assert line.agents(line.settings()).provisioner.arns(line.store.load(identifier)) == doomed
        assert line.conductor().rollback(identifier).status == "rolled_back"
        assert line.store.load(identifier).doomed == ()


class TestAPartAlone:
    def test_goes_and_the_rest_stays(self, line: Line) -> None:
        identifier = line.deploy().deployment_id
        (line.store.folder(identifier) / "known_hosts").write_text("pinned\n")
        result = line.conductor().rollback(identifier, "compute")
        assert (result.part, result.deleted, result.remaining) == ("compute", (MACHINE,), ())
        assert "database and network stay" in result.message
        assert identifier in line.world.stacks
        state = line.store.load(identifier)
        assert (state.status, state.without, state.failed_stage) == ("failed", ("compute",), "provision")
        assert (state.infrastructure, state.security_config, state.destroying) == (None, None, False)
        assert state.deployment_config and state.deployment_config.service_status == "stopped"
        assert list(state.stages) == ["analyze", "build", "plan"]
        assert (line.store.folder(identifier) / "id_ed25519").exists()
        assert line.store.secrets(identifier)
        assert not (line.store.folder(identifier) / "known_hosts").exists()

    def test_is_made_again_by_deploy(self, line: Line) -> None:
        identifier = line.deploy().deployment_id
        line.conductor().rollback(identifier, "compute")
        line.ui.lines.clear()
        again = line.deploy()
        assert (again.deployment_id, again.status) == (identifier, "complete")
        assert any(text.startswith("plan: 1 changes") for text in line.ui.lines)
        state = line.store.load(identifier)
        assert (state.without, state.failed_stage) == ((), None)
        assert state.infrastructure and state.security_config

    def test_is_made_again_by_retry(self, line: Line) -> None:
        identifier = line.deploy().deployment_id
        line.conductor().rollback(identifier, "compute")
        assert line.conductor().retry_stage(identifier, "provision").status == "complete"

    def test_the_data_survive_a_hardening_that_fails_afterwards(self, line: Line) -> None:
        identifier = line.deploy().deployment_id
        line.conductor().rollback(identifier, "compute")
        line.break_at("harden", HardeningError("a port is open", "Close it."))
        assert line.deploy().status == "failed"
        assert identifier in line.world.stacks

    def test_again_deletes_nothing_more(self, line: Line) -> None:
        identifier = line.deploy().deployment_id
        line.conductor().rollback(identifier, "compute")
        assert line.conductor().rollback(identifier, "compute").deleted == ()
        assert line.deploy().status == "complete"

    def test_and_then_the_rest(self, line: Line) -> None:
        identifier = line.deploy().deployment_id
        line.conductor().rollback(identifier, "compute")
        assert line.conductor().rollback(identifier).status == "rolled_back"
        assert line.world.stacks == {}

    @pytest.mark.parametrize("stop", [KeyboardInterrupt(), InfrastructureError("in the way", "Again.")])
    def test_stopped_half_way_is_recorded_and_gone_on_with(self, line: Line, stop: BaseException) -> None:
        identifier = line.deploy().deployment_id
        line.world.broken["after destroy"].append(stop)
        with pytest.raises(Interrupted if isinstance(stop, KeyboardInterrupt) else InfrastructureError):
            line.conductor().rollback(identifier, "compute")
        state = line.store.load(identifier)
        assert (state.status, state.destroying, state.without) == ("failed", False, ("compute",))
        assert line.deploy().status == "complete"

    def test_of_what_is_gone_already(self, line: Line) -> None:
        identifier = line.deploy().deployment_id
        line.conductor().rollback(identifier)
        again = line.conductor().rollback(identifier, "compute").message
        assert again.startswith("Nothing is left of it already")


class TestDrift:
    def test_is_what_the_engine_finds(self, line: Line) -> None:
        identifier = line.deploy().deployment_id
        assert line.conductor().drift(identifier).resources == ()
        gone = ResourceDrift(urn="urn:x", type="aws:ec2:Vpc", name="network", operation="delete")
        line.world.drift = (gone,)
        before = line.store.load(identifier)
        found = line.conductor().drift(identifier)
        assert (found.resources, found.unchanged) == ((gone,), 3)
        assert line.store.load(identifier).but(logs=()) == before.but(logs=())

    def test_is_put_back_where_that_is_wanted_and_approved(self, line: Line) -> None:
        identifier = line.deploy().deployment_id
        gone = FakeEngine(line.world).resources(identifier)[0]
        line.world.missing[identifier] = {gone}
        assert line.deploy().status == "complete"
        assert line.world.missing[identifier] == {gone}
        line.ui.answer = False
        with pytest.raises(ApprovalError):
            line.deploy(repair_drift=True, yes=False)
        assert (line.store.load(identifier).status, line.world.missing[identifier]) == ("complete", {gone})
        assert line.deploy(repair_drift=True).status == "complete"
        assert line.world.missing[identifier] == set()
        assert line.deploy(repair_drift=True).status == "complete"

    def test_of_rules_is_put_back_as_it_was_shown(self, line: Line) -> None:
        identifier = line.deploy().deployment_id
        line.world.foreign_rules = {"sgr-1": "tcp 22 in from 0.0.0.0/0"}
        assert line.deploy().status == "complete"
        line.ui.answer = False
        with pytest.raises(ApprovalError):
            line.deploy(repair_drift=True, yes=False)
        assert set(line.world.foreign_rules) == {"sgr-1"}
        line.ui.answer = True
        line.ui.lines.clear()
        assert line.deploy(repair_drift=True, yes=False).status == "complete"
        assert any(shown.startswith("plan: 1 changes") for shown in line.ui.lines)
        assert line.world.foreign_rules == {}
        assert not any("not put back" in entry.message for entry in line.store.load(identifier).logs)

    def test_of_rules_is_an_update_of_their_group(self) -> None:
        urns = [f"urn:pulumi:x::autodeploy::{GROUP}::{name}" for name in ("app", "ssh")]
        app, ssh = (Standing(urn=urn, type=GROUP, id=f"sg-{number}") for number, urn in enumerate(urns))
        kind = "aws:ec2:SecurityGroup"
        known = ResourceChange(
            urn=ssh.urn, type=kind, name="ssh", operation="update", reasons=("tags",), purpose="lets the operator in"
        )
        before = Preview(changes=(known,), unchanged=7)
        found = with_revoked(
            before, {ssh: {"sgr-2": "everything out", "sgr-1": "tcp 22 in"}, app: {"sgr-3": "udp 1 in"}}
        )
        first, second = found.changes
        assert first.reasons == ("tags", "rules.sgr-1: tcp 22 in -> nothing", "rules.sgr-2: everything out -> nothing")
        assert first.but(reasons=known.reasons) == known
        assert (second.name, second.type, second.operation) == ("app", kind, "update")
        assert (second.reasons, found.unchanged) == (("rules.sgr-3: udp 1 in -> nothing",), 6)
        assert with_revoked(before, {}) == before

    def test_that_an_apply_leaves_is_said(self, line: Line) -> None:
        identifier = line.deploy().deployment_id
        opened = PropertyDrift(path="rules.sgr-1", found="tcp 22 in from 0.0.0.0/0")
        there = {"urn": "urn:a", "type": "aws:ec2:SecurityGroup", "name": "app", "operation": "update"}
        closed = PropertyDrift(path="rule", planned="1")
        line.world.drift = (
            ResourceDrift.model_validate({**there, "properties": (opened, closed)}),
            ResourceDrift(urn="urn:x", type="aws:ec2:Vpc", name="network", operation="delete"),
        )
        assert line.deploy(repair_drift=True).status == "complete"
        warned = [entry.message for entry in line.store.load(identifier).logs if entry.level == "WARNING"]
        assert warned[-2:] == [
            "not put back: aws:ec2:SecurityGroup app: rules.sgr-1 is tcp 22 in from 0.0.0.0/0, rule is not there",
            "not put back: aws:ec2:Vpc network: it is not there",
        ]

    def test_has_the_rules_that_somebody_added(self) -> None:
        urns = [f"urn:pulumi:x::autodeploy::{GROUP}::{name}" for name in ("app", "ssh")]
        app, ssh = (Standing(urn=urn, type=GROUP, id=f"sg-{number}") for number, urn in enumerate(urns))
        tags = PropertyDrift(path="tags.Owner", found='"eve"')
        changed = ResourceDrift(
            urn=ssh.urn, type="aws:ec2:SecurityGroup", name="ssh", operation="update", properties=(tags,)
        )
        before = Drift(deployment_id="x", resources=(changed,), unchanged=7)
        found = with_foreign(before, {app: {"sgr-1": "tcp 22 in from 0.0.0.0/0"}, ssh: {"sgr-2": "everything out"}})
        opened = PropertyDrift(path="rules.sgr-1", found="tcp 22 in from 0.0.0.0/0")
        first, second = found.resources
        assert (first.name, first.type, first.properties) == ("app", "aws:ec2:SecurityGroup", (opened,))
        assert second.properties == (tags, PropertyDrift(path="rules.sgr-2", found="everything out"))
        assert found.unchanged == 6
        assert with_foreign(before, {}) == before

    def test_of_what_does_not_stand(self, line: Line) -> None:
        line.break_at("plan", InfrastructureError("not yet", "Wait."))
        identifier = line.deploy().deployment_id
        with pytest.raises(StateError, match="has no infrastructure"):
            line.conductor().drift(identifier)
