"""HiveMind SysEng: lowers a TechStack to a plan, shows what it would do, and makes the account agree with it."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path

from autodeploy.agents import backups, checking, restoring, surroundings
from autodeploy.agents.choices import settings_for
from autodeploy.agents.dismantling import Dismantling, sweep
from autodeploy.agents.drifting import still_drifting, with_revoked
from autodeploy.agents.keyring import Keyring
from autodeploy.agents.outputs import specification
from autodeploy.agents.protection import BALANCER, DATABASE, PROTECTED, opened
from autodeploy.agents.resizing import resize
from autodeploy.errors import PlanError
from autodeploy.model import (
    CloudFacts,
    DatabasePlan,
    DeploymentState,
    InfraPlan,
    InfrastructureSpec,
    Leftover,
    Preview,
    TechStack,
)
from autodeploy.planner import explained, price_keys
from autodeploy.planner import plan as lower
from autodeploy.ports import UI, Clock, Cloud, Engine, Store
from autodeploy.settings import Settings


class HiveMindProvisioner(Dismantling):
    """Provisions networks, machines, databases and balancers through Pulumi."""

    name = "HiveMind SysEng"

    def __init__(
        self,
        engine: Engine,
        cloud: Cloud,
        keys: Keyring,
        ui: UI,
        clock: Clock,
        store: Store,
        settings: Settings,
    ) -> None:
        super().__init__(ui, clock, store)
        self._engine = engine
        self._cloud = cloud
        self._keys = keys
        self._settings = settings
        self._filled: DatabasePlan | None = None
        self._unwanted: dict[str, tuple[str, ...]] = {}  # the rules that the last preview has shown

    def provision_infrastructure(
        self, deployment_id: str, tech_stack: TechStack, region: str = "us-east-1"
    ) -> InfrastructureSpec:
        """Apply the approved plan of a deployment, or a fresh one where none is in its ledger; return what stands."""
        state = self._store.load(deployment_id).but(tech_stack=tech_stack, region=region)
        if state.plan is None:
            state = self.plan(state)
        assert state.plan is not None
        with self._attempting(f"Creating the infrastructure in {region}"):
            saved = self._saved_plan(deployment_id)
            secrets_ = self._keys.of_stack(deployment_id)
            if state.infrastructure and state.infrastructure.load_balancer_dns and state.plan.infra.web is None:
                # A worker takes the place of what served: its balancer goes.
                self._lift_protection(state, self._engine.resources(deployment_id), (BALANCER,))
            self._let_go(state)
            if resize(state, partial(self._apply_to, state.deployment_id), self._cloud, self._clock, self.say):
                self._save_plan_anew(state)
            outputs = self._engine.up(
                state.plan.infra,
                secrets_,
                saved if saved.exists() else None,
                self.say,
                allow_data_loss=self.may_be_lost(state),
            )
            saved.unlink(missing_ok=True)
            spec = specification(state.plan, outputs, self._keys.private_key(deployment_id))
            if state.infrastructure:
                self._forget_keys(state.infrastructure, spec)
            for machine in spec.machines:
                self._cloud.await_instance(machine.instance_id, self.say)
        for machine in spec.machines:
            self.say(f"machine {machine.instance_id} at {machine.public_ip}")
        return spec

    def _forget_keys(self, before: InfrastructureSpec, now: InfrastructureSpec) -> None:
        """Forget the host keys of machines that went: another one at the same address has another key."""
        pins, kept = self._store.folder(now.deployment_id) / "known_hosts", set(before.machines) & set(now.machines)
        known = {machine.public_ip for machine in kept}
        if kept != {*before.machines, *now.machines} and pins.is_file():
            lines = [line for line in pins.read_text("utf-8").splitlines(keepends=True) if line.split(" ")[0] in known]
            self._store.write(now.deployment_id, pins.name, "".join(lines))

    def fill_from(self, state: DeploymentState, snapshot: str) -> None:
        """Let the next plan make the database from a snapshot; raise AgentError where that cannot be done."""
        with self._working_on(state), self._attempting(f"Looking at the snapshot {snapshot}"):
            self._engine.repair(state.deployment_id, self.say)
            restoring.check_finished(state, self._engine.standing(state.deployment_id))
            found = self._cloud.snapshots.restorable(snapshot, backups.database(state, self._cloud.snapshots))
            assert state.plan is not None and state.plan.infra.database is not None  # or there were none to replace
            self._filled = restoring.filled_from(found, state.plan.infra.database)

    def may_be_lost(self, state: DeploymentState) -> Sequence[str]:
        """Return the names of the resources whose data may go."""
        return restoring.may_be_lost(state, self._settings.allow_data_loss)

    def plan(self, state: DeploymentState) -> DeploymentState:
        """Return the state with a plan; facts of the account stay as they were pinned by the first one."""
        assert state.tech_stack is not None
        with self._working_on(state), self._attempting("Planning the infrastructure"):
            facts = state.facts or self._cloud.facts()
            if facts.region != state.region:
                raise PlanError(
                    f"the account's facts are of {facts.region}, the deployment's region is {state.region}",
                    "Deploy to another region with --new, or name the deployment's own region.",
                )
            settings = settings_for(state, self._settings, self._store)
            surroundings.stays(state, settings)
            facts = surroundings.pinned(facts, self._cloud, settings)
            certificate = self._keys.certificate(state.deployment_id, facts, settings.domain)
            compiled = partial(
                lower,
                state.tech_stack,
                deployment_id=state.deployment_id,
                name=state.name,
                ssh_public_key=self._keys.public_key(state.deployment_id),
                certificate_pem=certificate.leaf,
                certificate_chain_pem=certificate.authority,
                settings=settings,
                standing=standing(state),
                filled=self._filled or (state.plan.infra.database if state.plan else None),
            )
            facts = self._priced(facts, price_keys(compiled(facts).infra))
            plan = compiled(facts)
            self._keys.make_database_password(state.deployment_id)
            return self._logged(state, plan=plan, facts=facts, estimated_cost_per_month=plan.usd_per_month)

    def _priced(self, facts: CloudFacts, keys: Sequence[str]) -> CloudFacts:
        """Return the facts with AWS's prices of today, asked for once a day; with none where they cannot be had."""
        today = f"{self._clock.now():%Y-%m-%d}"
        known = facts.prices.as_of == today and (facts.prices.problem or set(keys) <= set(facts.prices.usd))
        if facts.target == "local" or known:
            return facts
        return facts.but(prices=self._cloud.prices(keys).but(as_of=today))

    def preview(self, state: DeploymentState) -> Preview:
        """Ask the engine what the plan would change; keep its update plan for `up`."""
        assert state.plan is not None
        with self._working_on(state), self._attempting("Previewing the infrastructure"):
            secrets_ = self._keys.of_stack(state.deployment_id)
            saved = self._saved_plan(state.deployment_id)
            infra = state.plan.infra
            found = self._engine.preview(infra, secrets_, saved, self.say)
            if self._settings.repair_drift:
                foreign = self._foreign_rules(self._engine.standing(state.deployment_id))
                self._unwanted = {group.id: tuple(rules) for group, rules in foreign.items()}
                found = with_revoked(found, foreign)
            return explained(found, infra)

    def preflight(self, state: DeploymentState, preview: Preview) -> None:
        """Look for all that would stop the apply half-way; raise PlanError naming it, before anything is made."""
        assert state.plan is not None
        if not preview.changes:
            return
        with self._working_on(state), self._attempting("Checking the account before the apply"):
            checks = self._cloud.preflight(state.plan.infra, preview)
            today, voice = self._clock.now().date(), partial(self.say, level="WARNING")
            made = (*checking.image_support(state, preview, today), *checking.session_agent(state, preview, today))
            checking.stop_where_failing([*checks, *made], voice)

    def run(self, state: DeploymentState) -> DeploymentState:
        """Provision what the state's plan says."""
        assert state.tech_stack is not None
        with self._working_on(state):
            spec = self.provision_infrastructure(state.deployment_id, state.tech_stack, state.region)
            plan = state.plan
            applied = {"plan": plan.but(cost_before=plan.cost), "standing": plan.infra} if plan else {}
            provisioned = self._logged(state, infrastructure=spec, **applied)
            if self._settings.repair_drift:
                self._cloud.revoke_rules(self._unwanted)
        if self._settings.repair_drift:
            for line in still_drifting(self.drift(provisioned)):
                self.warn(provisioned, line)
        return provisioned

    def destroy(self, state: DeploymentState) -> tuple[Leftover, ...]:
        """Delete the stack and the deployment's keys; return what is left in the account."""
        with self._working_on(state), self._attempting("Deleting the infrastructure"):
            identifier = state.deployment_id
            self._engine.repair(identifier, self.say)
            standing = self._engine.resources(identifier)
            if standing:
                if any(DATABASE in urn for urn in standing):
                    lost, voice = self._settings.allow_data_loss, self.say
                    backups.keep_last(state, self._cloud.snapshots, self._clock, lost, voice)
                self._lift_protection(state, standing)
                self._engine.destroy(identifier, self.say)
            left = sweep(state, self._cloud, self._clock, self.say)
            if not left:
                self._engine.remove(identifier)
                self._keys.forget(identifier)
            return left

    def _let_go(self, state: DeploymentState) -> None:
        """Lift the protection of databases whose data may go; AWS would refuse in the midst of the apply."""
        databases = [urn for urn in checking.given_up(state, self.may_be_lost(state)) if DATABASE in urn]
        is_restored = restoring.is_under_way(state)
        if not databases or (is_restored and restoring.is_made(state, self._engine.standing(state.deployment_id))):
            return
        keep = backups.keep_replaced if is_restored else backups.keep_given_up
        keep(state, self._cloud.snapshots, self._clock, self.say)
        self._lift_protection(state, databases)
        self._save_plan_anew(state)

    def _save_plan_anew(self, state: DeploymentState) -> None:
        """Make the update plan again, as the state is another now; it may do no more than was approved."""
        assert state.plan is not None
        secrets_, saved = self._keys.of_stack(state.deployment_id), self._saved_plan(state.deployment_id)
        checking.still_approved(state, self._engine.preview(state.plan.infra, secrets_, saved, self.say))

    def _lift_protection(
        self, state: DeploymentState, standing: Sequence[str], types: Sequence[str] = PROTECTED
    ) -> None:
        """Let AWS delete what is protected; of a database a last snapshot is taken by now, or was given up."""
        infra = restoring.as_far(state, self._engine.standing(state.deployment_id))
        if infra is None:
            return
        open_plan = opened(infra, standing, types, self._keys.leaf(state.deployment_id))
        for said in open_plan.said:
            self.say(said)
        if open_plan.urns:
            secrets_ = self._keys.of_stack(state.deployment_id)
            self._engine.up(open_plan.infra, secrets_, None, self.say, only=open_plan.urns)

    def _apply_to(self, deployment_id: str, infra: InfraPlan, urn: str) -> None:
        """Make one resource as a plan has it."""
        self._engine.up(infra, self._keys.of_stack(deployment_id), None, self.say, only=(urn,))

    def _saved_plan(self, deployment_id: str) -> Path:
        return self._store.folder(deployment_id) / "update-plan.json"


def standing(state: DeploymentState) -> InfraPlan | None:
    """Return what was applied last; of a ledger from before this was kept, its plan."""
    return state.standing or (state.plan.infra if state.plan and state.infrastructure else None)
