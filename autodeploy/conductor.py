"""HiveMindConductor: the whole line, in order.

    url ─▶ analyse ─▶ build + trial ─▶ plan ─▶ approve ─▶ provision ─▶ deploy ─▶ harden ─▶ the public URL answers

Each stage is an agent's pure-looking move from one frozen state to the next. The conductor owns the
order, the digests that prove a stage done, the approval, the retries and the ledger; a Strands graph
carries the stages. To resume is to run the line again: what a digest proves is skipped, and what
lives on a host is observed again, which costs one round trip.

However a run ends, the ledger says so: a failure and an interrupt (Ctrl-C, SIGTERM, SIGHUP) are recorded
as they happen, a killed run is found by the next one. What fails on the host leaves a dossier; what fails
in its hardening and never served is taken back.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from autodeploy.agents.compiler import HiveMindCompiler
from autodeploy.agents.deployer import HiveMindDeployer
from autodeploy.agents.graph import walk
from autodeploy.agents.provisioner import HiveMindProvisioner, standing
from autodeploy.agents.restoring import is_under_way
from autodeploy.agents.sheriff import HiveMindSheriff
from autodeploy.approval import approve
from autodeploy.errors import AgentError, ApprovalError, StateError
from autodeploy.identity import Wish, find_or_begin, let_replace, same_epoch
from autodeploy.interruption import heard
from autodeploy.ledger import Ledger, inputs
from autodeploy.model import (
    STAGES,
    WORK,
    DeploymentResult,
    DeploymentState,
    Drift,
    Part,
    Preview,
    RollbackResult,
    Stage,
)
from autodeploy.model.repository import RepositoryUrl
from autodeploy.ports import UI, Clock, Cloud, Store
from autodeploy.retreat import Retreat
from autodeploy.stages import LINE, already_gone, first_to_do, interrupted, recovery_options, tries, was_left_alone

__all__ = ["Agents", "HiveMindConductor", "Wish"]


class Agents(NamedTuple):
    """The five, as wired."""

    compiler: HiveMindCompiler
    provisioner: HiveMindProvisioner
    deployer: HiveMindDeployer
    sheriff: HiveMindSheriff


class HiveMindConductor:
    """Runs deployments from start to end, and takes them back."""

    name = "HiveMind Control Plane"

    def __init__(
        self, agents: Agents, cloud: Cloud, store: Store, ui: UI, clock: Clock, wish: Wish, new_token: Callable[[], str]
    ) -> None:
        self._agents = agents
        self._cloud = cloud
        self._store = store
        self._ui = ui
        self._clock = clock
        self._wish = wish
        self._new_token = new_token
        self._retreat = Retreat(agents.deployer, agents.provisioner, cloud, ui, clock)

    def deploy(self, repo_url: str, description: str) -> DeploymentResult:
        """Bring the repository to a running, hardened service; update the one that is there already."""
        url = RepositoryUrl.parse(repo_url)
        self._agents.compiler.use_credentials_of(repo_url)
        found = find_or_begin(self._wish, url, description, self._cloud, self._store, self._clock, self._new_token)
        with heard(), self._store.lock(found, "deploy"):
            state = self._store.load(found)
            same_epoch(state, self._cloud)
            let_replace(self._wish, state, url, self._ui)
            self._agents.compiler.keep_environment(found)
            state = state.but(
                repo_url=url.text,
                description=description or state.description,
                request=self._wish.request.over(state.request),
            )
            return self._line(Ledger(self._store, self._clock, state), "analyze")

    def get_status(self, deployment_id: str) -> DeploymentState:
        """Return the ledger of a deployment."""
        return self._store.load(deployment_id)

    def retry_stage(self, deployment_id: str, stage: str) -> DeploymentResult:
        """Run a failed deployment again from one stage to the end."""
        if stage not in STAGES:
            raise StateError(f"there is no stage {stage!r}", f"The stages are: {', '.join(STAGES)}.")
        chosen: Stage = next(name for name in STAGES if name == stage)
        with heard(), self._store.lock(deployment_id, f"retry {stage}"):
            state = self._store.load(deployment_id)
            self._can_be_retried(state, chosen)
            return self._again_from(first_to_do(state, chosen), state)

    def restore(self, deployment_id: str, snapshot: str) -> DeploymentResult:
        """Put a snapshot's data in the place of the database's, and run on to the end.

        The service stands still while its database is replaced. What that held before is in a snapshot of its own.
        """
        with heard(), self._store.lock(deployment_id, "restore"):
            state = self._store.load(deployment_id)
            self._can_be_retried(state, "analyze")
            first = first_to_do(state, "provision")
            self._agents.provisioner.fill_from(state, snapshot)
            return self._again_from(first, state.but(standing=standing(state)))

    def rollback(self, deployment_id: str, only: Part | None = None) -> RollbackResult:
        """Take everything back: service, machines, database, network, keys; done already counts as done.

        With `only`, that part and what depends on it; the next deploy makes it again.
        """
        with heard(), self._store.lock(deployment_id, "destroy"):
            ledger = Ledger(self._store, self._clock, self._store.load(deployment_id))
            if ledger.state.status == "rolled_back":
                return already_gone(ledger.state)
            same_epoch(ledger.state, self._cloud)
            self._settle(ledger)
            if only is not None:
                return self._retreat.take_part(ledger, only)
            if ledger.state.status == "failed":
                self._retreat.keep_evidence(ledger)
            return self._retreat.take_back(ledger)

    def preview(self, deployment_id: str) -> Preview:
        """Say what applying the deployment's plan again would change."""
        with self._store.lock(deployment_id, "preview"):  # the update plan and the config it tries are the deployment's
            state = self._store.load(deployment_id)
            if state.plan is None:
                raise StateError(f"{deployment_id} has no plan yet", f"Make one: autodeploy deploy {state.repo_url}")
            same_epoch(state, self._cloud)
            return self._agents.provisioner.preview(state)

    def drift(self, deployment_id: str) -> Drift:
        """Say what somebody changed by hand."""
        with self._store.lock(deployment_id, "status --drift"):  # nobody else is to change it meanwhile
            state = self._store.load(deployment_id)
            same_epoch(state, self._cloud)
            return self._agents.provisioner.drift(state)

    def _can_be_retried(self, state: DeploymentState, stage: Stage) -> None:
        anew = f"autodeploy deploy {state.repo_url}"
        if state.status == "rolled_back":
            raise StateError(f"{state.deployment_id} is rolled back", f"Deploy it anew: {anew}")
        same_epoch(state, self._cloud)
        if state.status == "complete" and not state.destroying and stage != "analyze":
            raise StateError(
                f"{state.deployment_id} is complete: there is no {stage} to retry", f"Update it, or look again: {anew}"
            )

    def _again_from(self, first: Stage, state: DeploymentState) -> DeploymentResult:
        later = STAGES[STAGES.index(first) :]
        kept = {name: record for name, record in state.stages.items() if name not in later}
        return self._line(Ledger(self._store, self._clock, state.but(stages=kept)), first)

    def _settle(self, ledger: Ledger) -> None:
        if doing := ledger.settle():
            self._ui.say(f"the run before was killed while the deployment was {doing}; going on from what it left")

    def _line(self, ledger: Ledger, first: Stage) -> DeploymentResult:
        stood = self._store.load(ledger.state.deployment_id)
        if ledger.state.status != "pending":
            self._settle(ledger)
        ledger.write(ledger.state.but(failed_stage=None, final_snapshot=None))
        # At once: what fails later must not ask again.
        self._agents.compiler.keep_answers_with(lambda request: ledger.write(ledger.state.but(request=request)))
        current = [first]

        def step(stage: Stage) -> tuple[str, Callable[[], None]]:
            def run() -> None:
                current.append(stage)
                self._stage(ledger, stage)

            return (f"{LINE[stage].owner}.{stage}", run)

        try:
            outcome = walk([step(stage) for stage in STAGES[STAGES.index(first) :]])
            if outcome.error is None:
                ledger.move("complete")
            elif isinstance(outcome.error, ApprovalError) and was_left_alone(stood, current[-1]):
                ledger.forget_run(stood, outcome.error)  # nothing was changed, so nothing has failed
                raise outcome.error
            else:
                self._failed(ledger, outcome.error, current[-1])
        except KeyboardInterrupt as err:
            stopped = interrupted(ledger.state, current[-1])
            ledger.fail(stopped.with_traceback(err.__traceback__), current[-1])
        return self._result(ledger.state)

    def _failed(self, ledger: Ledger, error: Exception, stage: Stage) -> None:
        ledger.fail(error, stage)
        if stage in ("deploy", "harden"):
            self._retreat.keep_evidence(ledger)
        # Only a hardening that succeeded leaves a SecurityConfig: with one, something serves that must not be lost.
        served = ledger.state.security_config is not None or ledger.state.without
        if stage == "harden" and not served and not self._wish.keep:
            self._retreat.take_back_what_failed(ledger)

    def _stage(self, ledger: Ledger, stage: Stage) -> None:
        kind = LINE[stage]
        ledger.move(WORK[stage])
        given, agent = inputs(ledger.state, stage), getattr(self._agents, kind.owner)
        self._ui.stage(agent.name, kind.title)
        is_asked_for = {"build": self._wish.run_tests, "provision": self._wish.repair_drift}.get(stage, False)
        if kind.proven_by_digest and ledger.proven(stage, given) and not is_asked_for:
            if stage == "build":
                ledger.write(self._agents.compiler.recall(ledger.state))
            self._ui.done(f"{kind.title}: unchanged")
            return

        def warn(message: str) -> None:
            agent.warn(ledger.state, message)

        tries(self._clock.sleep, warn)(ledger.perform, stage, given, self._actions()[stage])
        self._ui.done(kind.title)

    def _actions(self) -> dict[Stage, Callable[[DeploymentState], DeploymentState]]:
        agents = self._agents
        return {
            "analyze": agents.compiler.analyze,
            "build": agents.compiler.build,
            "plan": self._plan,
            "provision": self._provision,
            "deploy": agents.deployer.run,
            "harden": self._harden,
        }

    def _plan(self, state: DeploymentState) -> DeploymentState:
        """Plan, and when anything would change: show it and ask."""
        planned = self._agents.provisioner.plan(state)
        assert planned.plan is not None
        if self._wish.draw:
            self._wish.draw(planned.plan)
        provisioned = planned.stages.get("provision")
        is_proven = provisioned is not None and provisioned.inputs == inputs(planned, "provision")
        if is_proven and not self._wish.repair_drift:
            return planned
        preview = self._agents.provisioner.preview(planned)
        self._agents.provisioner.preflight(planned, preview)
        may_be_lost = self._agents.provisioner.may_be_lost(planned)
        return approve(planned, preview, self._ui, self._wish.approve, may_be_lost)

    def _provision(self, state: DeploymentState) -> DeploymentState:
        """Provision; while a database is replaced nobody writes to it, and after a failure the service goes on."""
        is_restored = is_under_way(state)
        try:
            if is_restored:
                self._agents.deployer.stop(state)
            return self._agents.provisioner.run(state).but(approval=None)
        except BaseException:
            if is_restored:
                self._started_again(state)
            raise

    def _started_again(self, state: DeploymentState) -> None:
        """Start the service after a failure, of which this must not hide the cause."""
        try:
            self._agents.deployer.start(state)
        except AgentError as err:
            self._ui.say(f"the service could not be started again: {err.message}")

    def _harden(self, state: DeploymentState) -> DeploymentState:
        """Harden, then see that the public URL still answers: the one rule of success."""
        hardened = self._agents.sheriff.run(state)
        assert hardened.deployment_config is not None and hardened.infrastructure is not None
        try:
            self._agents.deployer.confirm(hardened.deployment_config, hardened.infrastructure)
        except AgentError as err:
            err.remediation = f"{self._agents.sheriff.undo(hardened.infrastructure)} {err.remediation}"
            raise
        return hardened

    def _result(self, state: DeploymentState) -> DeploymentResult:
        outputs = {
            self._agents.compiler.name: {"tech_stack": state.tech_stack, "build_artifact": state.build_artifact},
            self._agents.provisioner.name: state.infrastructure,
            self._agents.deployer.name: state.deployment_config,
            self._agents.sheriff.name: state.security_config,
        }
        return DeploymentResult(
            deployment_id=state.deployment_id,
            status=state.status,
            url=state.deployment_config.url if state.deployment_config and state.status != "rolled_back" else None,
            summary=outputs,
            errors=state.errors,
            options=recovery_options(state),
        )
