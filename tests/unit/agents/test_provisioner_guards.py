"""HiveMind SysEng before an apply: what stops it, what is only said, and what data may go."""

from __future__ import annotations

from datetime import datetime, timezone
from pathlib import Path

import pytest
from fakes.account import FakeEngine
from fakes.line import Line
from fakes.person import FakeClock
from fakes.provisioning import planned, provisioner
from fakes.world import World
from fixtures.planned import FACTS

from autodeploy.approval import approve
from autodeploy.errors import PlanError
from autodeploy.model import Approval, Check, DeploymentState, Preview


@pytest.fixture
def line(tmp_path: Path) -> Line:
    return Line(tmp_path / "home")


class TestGuardingData:
    """Whoever asks: the engine's port refuses at the last moment, whatever was approved."""

    def replaced(self, line: Line) -> DeploymentState:
        state = line.ledger(line.deploy())
        assert state.plan and state.plan.infra.database
        other = state.plan.infra.database.but(engine="mysql", engine_version="8.0", port=3306)
        changed: DeploymentState = state.but(plan=state.plan.but(infra=state.plan.infra.but(database=other)))
        line.store.save(changed)
        return changed

    def test_a_database_is_not_replaced_by_an_apply_that_nobody_asked_about(self, line: Line) -> None:
        state = self.replaced(line)
        stood = line.world.stacks[state.deployment_id]
        with pytest.raises(PlanError, match="replace aws:rds:Instance database") as caught:
            provisioner(line).run(state)
        assert "--allow-data-loss database" in caught.value.remediation
        assert caught.value.agent == "HiveMind SysEng"
        assert line.world.stacks[state.deployment_id] == stood

    def test_the_name_of_another_resource_does_not_help(self, line: Line) -> None:
        with pytest.raises(PlanError, match="aws:rds:Instance database"):
            provisioner(line, allow_data_loss=("app",)).run(self.replaced(line))

    def test_its_own_name_does(self, line: Line) -> None:
        state = self.replaced(line)
        agent = provisioner(line, allow_data_loss=("database",))
        assert state.plan
        approved = approve(state, agent.preview(state), line.ui, yes=True, allow_data_loss=("database",))
        line.store.save(approved)
        agent.run(approved)
        lifted, now = line.world.history[state.deployment_id][-2:]
        assert lifted.database and not lifted.database.deletion_protection
        assert (lifted.database.engine, now) == ("postgres", state.plan.infra)

    def test_nothing_else_is_done_once_the_protection_is_lifted(self, line: Line) -> None:
        state = self.replaced(line)
        assert state.plan
        seen = {"aws:rds/instance:Instance": "replace"}
        urns = {
            urn: seen.get(urn.split("::")[2], "same") for urn in FakeEngine(line.world).resources(state.deployment_id)
        }
        approval = Approval(infra=state.plan.infra.digest(), operations=urns)
        line.store.save(state.but(approval=approval))
        with pytest.raises(PlanError, match="no longer what was approved"):
            provisioner(line, allow_data_loss=("database",)).run(line.store.load(state.deployment_id))
        assert line.world.stacks[state.deployment_id].database != state.plan.infra.database

    def test_a_hand_made_plan_does_not_open_ssh(self, line: Line) -> None:
        state = planned(line)
        assert state.plan
        line.store.save(state.but(plan=state.plan.but(infra=state.plan.infra.but(admin_cidr="0.0.0.0/0"))))
        with pytest.raises(PlanError, match="open SSH"):
            provisioner(line).run(line.store.load(state.deployment_id))
        assert line.world.stacks == {}


class TestPreflight:
    def test_what_would_stop_the_apply_stops_it_before_anything_is_made(self, line: Line) -> None:
        line.world.checks = [
            Check("aws", "quota of VPCs", "", "5 of 5 are in use", "Ask for more."),
            Check("aws", "permissions", "", "ec2:CreateVpc is denied", "Ask the owner."),
            Check("aws", "clock", "1 s ahead of AWS's"),
        ]
        result = line.deploy()
        error = result.errors[-1]
        assert (result.status, error.error_type, error.agent) == ("failed", "PlanError", "HiveMind SysEng")
        assert error.message == "quota of VPCs: 5 of 5 are in use; permissions: ec2:CreateVpc is denied"
        assert error.remediation == "Ask for more. Ask the owner."
        assert line.world.stacks == {}
        assert not any("Apply this plan?" in said for said in line.ui.lines)

    def test_what_is_only_doubtful_is_said(self, line: Line) -> None:
        line.world.checks = [Check("aws", "permissions", "", warning="could not be checked: AccessDenied")]
        assert line.deploy().status == "complete"
        assert "permissions: could not be checked: AccessDenied" in line.ui.lines

    @pytest.mark.parametrize(("year", "said"), [(2026, False), (2028, True)])
    def test_an_agent_that_a_new_machine_may_refuse_is_said(self, tmp_path: Path, year: int, said: bool) -> None:
        line = Line(tmp_path / "aws", World("go-chi", FACTS))
        line.clock = FakeClock(datetime(year, 6, 1, tzinfo=timezone.utc))
        line.deploy(access="ssm")
        warned = any("AWS's key ended on 2027-11-25" in message for message in line.ui.lines)
        assert warned is said
        other = Line(tmp_path / "ssh", World("go-chi", FACTS))
        other.clock = FakeClock(datetime(year, 6, 1, tzinfo=timezone.utc))
        other.deploy()
        assert not any("AWS's key" in message for message in other.ui.lines)

    def test_where_nothing_changes_the_account_is_not_asked(self, line: Line) -> None:
        state = line.ledger(line.deploy())
        line.world.checks = [Check("aws", "quota of VPCs", "", "5 of 5 are in use", "Ask for more.")]
        provisioner(line).preflight(state, Preview(unchanged=9))
        assert line.deploy().status == "complete"

    @pytest.mark.parametrize(("operation", "stops"), [("create", True), ("replace", True), ("update", False)])
    def test_no_machine_is_made_of_an_image_that_nobody_mends(self, line: Line, operation: str, stops: bool) -> None:
        state = planned(line)
        line.clock = FakeClock(datetime(2035, 1, 1, tzinfo=timezone.utc))
        change = {"urn": "u::p::t::app", "type": "aws:ec2:Instance", "name": "app", "operation": operation}
        preview = Preview.model_validate({"changes": [change]})
        if stops:
            with pytest.raises(PlanError, match="security updates ended"):
                provisioner(line).preflight(state, preview)
        else:
            provisioner(line).preflight(state, preview)
            assert any("security updates ended" in said for said in line.ui.lines)
