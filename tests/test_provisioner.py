"""HiveMind SysEng: a TechStack becomes a plan, the plan a stack, the stack nothing again."""

from __future__ import annotations

import stat
from datetime import datetime
from pathlib import Path

import pytest
from fakes.line import CERTIFICATE_KEY, SSH_KEY, Line
from fakes.provisioning import built, planned, provisioner
from fakes.world import World
from fixtures.planned import FACTS, LOCAL

from autodeploy.agents.keyring import Certificate
from autodeploy.errors import DeploymentError, LockedError, PlanError
from autodeploy.model import CloudFacts


@pytest.fixture
def line(tmp_path: Path) -> Line:
    return Line(tmp_path / "home")


class TestPlanning:
    def test_pins_facts_key_certificate_and_cost(self, line: Line) -> None:
        state = planned(line)
        assert state.plan and state.plan.infra.web and state.plan.infra.database
        assert state.facts == LOCAL
        assert state.plan.infra.ssh_public_key == "ssh-ed25519 AAAA autodeploy"
        assert state.plan.infra.web.certificate_pem == "leaf\n"
        assert state.plan.infra.web.certificate_chain_pem == "authority\n"
        assert CERTIFICATE_KEY not in state.to_json()
        assert (line.store.folder(state.deployment_id) / "ca.pem").read_text() == "authority\n"

    def test_on_aws_says_what_a_month_costs(self, tmp_path: Path) -> None:
        line = Line(tmp_path, World(facts=FACTS))
        state = planned(line)
        assert state.plan and state.estimated_cost_per_month == state.plan.usd_per_month > 0

    def test_again_gives_the_same_bytes(self, line: Line) -> None:
        state = planned(line)
        assert provisioner(line).plan(state).plan == state.plan

    def test_facts_stay_as_they_were_pinned(self, line: Line) -> None:
        state = planned(line)
        newer = dict.fromkeys(LOCAL.images, "ami-0released0yesterday")
        line.world.facts = LOCAL.but(zones=("us-east-1e", "us-east-1f"), images=newer)
        assert provisioner(line).plan(state).plan == state.plan

    def test_another_region_is_refused(self, line: Line) -> None:
        state = built(line)
        with pytest.raises(PlanError, match="eu-west-1") as caught:
            provisioner(line).plan(state.but(region="eu-west-1"))
        assert caught.value.agent == "HiveMind SysEng"
        assert "--new" in caught.value.remediation

    def test_a_key_pair_that_is_there_is_kept(self, line: Line) -> None:
        state = built(line)
        folder = line.store.folder(state.deployment_id)
        (folder / "id_ed25519").write_text("mine")
        (folder / "id_ed25519.pub").write_text("ssh-ed25519 MINE\n")
        plan = provisioner(line).plan(state).plan
        assert plan and plan.infra.ssh_public_key == "ssh-ed25519 MINE"

    @pytest.mark.parametrize(
        ("private", "public"), [("", "ssh-ed25519 OLD\n"), (None, "ssh-ed25519 OLD\n"), ("x", None)]
    )
    def test_half_a_key_pair_of_a_run_that_was_killed_is_not_trusted(
        self, line: Line, private: str | None, public: str | None
    ) -> None:
        state = built(line)
        folder = line.store.folder(state.deployment_id)
        for name, text in (("id_ed25519", private), ("id_ed25519.pub", public)):
            (folder / name).unlink(missing_ok=True)
            if text is not None:
                (folder / name).write_text(text)
        plan = provisioner(line).plan(state).plan
        assert plan and plan.infra.ssh_public_key == "ssh-ed25519 AAAA autodeploy"
        assert (folder / "id_ed25519").read_text() == SSH_KEY

    def test_what_it_writes_is_for_the_owner_alone(self, line: Line) -> None:
        folder = line.store.folder(planned(line).deployment_id)
        for name in ("id_ed25519", "id_ed25519.pub", "certificate.pem", "ca.pem"):
            assert stat.S_IMODE((folder / name).stat().st_mode) == 0o600, name

    def test_the_key_of_the_authority_stays_among_the_secrets(self, line: Line) -> None:
        state = planned(line)
        assert line.store.secrets(state.deployment_id)["authorityKey"] == "key of the authority\n"
        assert "key of the authority" not in state.to_json()

    def test_a_renewed_certificate_keeps_its_authority(self, line: Line) -> None:
        state = planned(line)
        seen: list[Certificate] = []

        def renew(
            identifier: str, facts: CloudFacts, domain: str | None, kept: Certificate, now: datetime
        ) -> Certificate:
            seen.append(kept)
            return kept._replace(leaf="renewed\n", key="its key\n")

        agent = provisioner(line)
        agent._keys._certify = renew
        plan = agent.plan(state).plan
        assert seen == [Certificate("leaf\n", CERTIFICATE_KEY, "authority\n", "key of the authority\n")]
        assert plan and plan.infra.web and plan.infra.web.certificate_pem == "renewed\n"
        assert plan.infra.web.certificate_chain_pem == "authority\n"
        assert line.store.secrets(state.deployment_id)["certificateKey"] == "its key\n"
        assert (line.store.folder(state.deployment_id) / "certificate.pem").read_text() == "renewed\n"


class TestProvisioning:
    def test_returns_what_stands(self, line: Line) -> None:
        state = planned(line)
        assert state.tech_stack
        spec = provisioner(line).provision_infrastructure(state.deployment_id, state.tech_stack)
        assert spec.ec2_instance_id == f"instanceId-of-{state.deployment_id}"
        assert (spec.database_endpoint, spec.load_balancer_dns) == ("10.0.2.9", "localhost:8443")
        assert spec.database_credentials and spec.database_credentials.username == "app"
        assert spec.database_credentials.password == "file:database-password"
        assert spec.ssh_private_key_path == str(line.store.folder(state.deployment_id) / "id_ed25519")

    def test_plans_first_where_no_plan_is(self, line: Line) -> None:
        state = built(line)
        assert state.plan is None and state.tech_stack
        spec = provisioner(line).provision_infrastructure(state.deployment_id, state.tech_stack)
        assert spec.deployment_id in line.world.stacks

    def test_is_held_to_the_plan_that_was_approved(self, line: Line) -> None:
        state = planned(line)
        agent = provisioner(line)
        agent.preview(state)
        assert state.plan
        line.store.save(state.but(plan=state.plan.but(infra=state.plan.infra.but(instance_type="t3.large"))))
        assert state.tech_stack
        with pytest.raises(PlanError, match="something else"):
            agent.provision_infrastructure(state.deployment_id, state.tech_stack)
        assert line.world.stacks == {}

    def test_a_machine_that_never_runs(self, line: Line) -> None:
        state = planned(line)
        line.world.broken["await instance"].append(DeploymentError("it does not boot", "Look."))
        with pytest.raises(DeploymentError) as caught:
            provisioner(line).run(state)
        assert caught.value.context == "Creating the infrastructure in us-east-1"

    def test_logs_what_it_did(self, line: Line) -> None:
        state = planned(line)
        after = provisioner(line).run(state)
        assert after.infrastructure
        said = [entry.message for entry in after.logs if entry.agent == "HiveMind SysEng"]
        assert said[-1] == f"machine {after.infrastructure.ec2_instance_id} at {after.infrastructure.ec2_public_ip}"


class TestDestroying:
    def test_lifts_the_protection_of_database_and_balancer_first(self, line: Line) -> None:
        state = line.ledger(line.deploy())
        assert provisioner(line).destroy(state) == ()
        before, lifted = line.world.history[state.deployment_id]
        assert before.database and lifted.database and before.web and lifted.web
        assert (before.web.deletion_protection, lifted.web.deletion_protection) == (True, False)
        assert (before.database.deletion_protection, lifted.database.deletion_protection) == (True, False)
        assert line.world.stacks == {}

    def test_without_a_database(self, tmp_path: Path) -> None:
        line = Line(tmp_path, World("fastapi-plain"))
        state = line.ledger(line.deploy())
        assert provisioner(line).destroy(state) == ()
        lifted = line.world.history[state.deployment_id][-1]
        assert lifted.database is None and lifted.web and not lifted.web.deletion_protection

    def test_what_is_left_keeps_key_and_secrets(self, line: Line) -> None:
        state = line.ledger(line.deploy())
        line.world.undeletable = ("eni-1",)
        assert [left.name for left in provisioner(line).destroy(state)] == ["eni-1"]
        assert (line.store.folder(state.deployment_id) / "id_ed25519").exists()
        assert line.store.secrets(state.deployment_id)

    def test_a_stack_that_somebody_holds_is_left_alone(self, line: Line) -> None:
        state = line.ledger(line.deploy())
        line.world.broken["repair"].append(LockedError("process 7 holds the stack", "Wait."))
        with pytest.raises(LockedError, match="process 7"):
            provisioner(line).destroy(state)
        assert state.deployment_id in line.world.stacks

    def test_without_a_stack_there_is_nothing_to_do(self, line: Line) -> None:
        assert provisioner(line).destroy(built(line)) == ()
