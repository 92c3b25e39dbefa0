"""HiveMindConductor: the whole line, in order.

    url ─▶ analyse ─▶ build + trial ─▶ plan ─▶ approve ─▶ provision ─▶ deploy ─▶ harden ─▶ the public URL answers

Each stage is an agent's pure-looking move from one frozen state to the next. The conductor owns the
order, the digests that prove a stage done, the approval, the retries and the ledger; a Strands graph
carries the stages. To resume is to run the line again: what a digest proves is skipped, and what
lives on a host is observed again, which costs one round trip.
"""

from __future__ import annotations

import traceback
from collections.abc import Callable
from typing import NamedTuple

from autodeploy.agents.compiler import HiveMindCompiler
from autodeploy.agents.deployer import HiveMindDeployer
from autodeploy.agents.graph import walk
from autodeploy.agents.provisioner import HiveMindProvisioner
from autodeploy.agents.sheriff import HiveMindSheriff
from autodeploy.errors import AgentError, ApprovalError, StateError, disk_error
from autodeploy.identity import Wish, find_or_begin, let_replace
from autodeploy.ledger import Ledger, inputs
from autodeploy.model import (
    STAGES,
    DeploymentResult,
    DeploymentState,
    Preview,
    RollbackResult,
    Stage,
)
from autodeploy.model.repository import RepositoryUrl
from autodeploy.ports import UI, Clock, Cloud, Store
from autodeploy.stages import LINE, already_gone, recovery_options, tries

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

    def deploy(self, repo_url: str, description: str) -> DeploymentResult:
        """Bring the repository to a running, hardened service; update the one that is there already."""
        url = RepositoryUrl.parse(repo_url)
        self._agents.compiler.use_credentials_of(repo_url)
        identifier = find_or_begin(self._wish, url, description, self._cloud, self._store, self._clock, self._new_token)
        with self._store.lock(identifier, "deploy"):
            state = self._store.load(identifier)
            self._same_epoch(state)
            let_replace(self._wish, state, url, self._ui)
            state = state.but(
                repo_url=url.text,
                description=description or state.description,
                request=self._wish.request.over(state.request),
            )
            return self._line(Ledger(self._store, self._clock, state))

    def get_status(self, deployment_id: str) -> DeploymentState:
        """Return the ledger of a deployment."""
        return self._store.load(deployment_id)

    def retry_stage(self, deployment_id: str, stage: str) -> DeploymentResult:
        """Run a failed deployment again from one stage to the end."""
        if stage not in STAGES:
            raise StateError(f"there is no stage {stage!r}", f"The stages are: {', '.join(STAGES)}.")
        with self._store.lock(deployment_id, f"retry {stage}"):
            state = self._store.load(deployment_id)
            if state.status == "rolled_back":
                raise StateError(
                    f"{deployment_id} is rolled back", f"Deploy it anew: autodeploy deploy {state.repo_url}"
                )
            self._same_epoch(state)
            later = STAGES[STAGES.index(stage) :]
            kept = {name: record for name, record in state.stages.items() if name not in later}
            if "analyze" in kept:
                self._agents.compiler.take_up_checkout()
            return self._line(Ledger(self._store, self._clock, state.but(stages=kept)))

    def rollback(self, deployment_id: str) -> RollbackResult:
        """Take everything back: service, machines, database, network, keys; done already counts as done."""
        with self._store.lock(deployment_id, "destroy"):
            ledger = Ledger(self._store, self._clock, self._store.load(deployment_id))
            if ledger.state.status == "rolled_back":
                return already_gone(deployment_id)
            self._same_epoch(ledger.state)
            if ledger.state.status not in ("complete", "failed"):
                ledger.move("failed")
            ledger.write(ledger.state.but(stages={}))  # whatever is left half-way, nothing of it is proven any more
            self._ui.stage(self._agents.provisioner.name, f"Destroying {deployment_id}")
            try:
                self._agents.deployer.stop(ledger.state)
                left = self._agents.provisioner.destroy(ledger.state)
            except AgentError as err:
                ledger.fail(err, None)
                raise
            if left:
                return RollbackResult(
                    deployment_id=deployment_id,
                    status=ledger.state.status,
                    remaining=left,
                    message=f"{len(left)} resources are left; run it again, or delete them by hand.",
                )
            ledger.move("rolled_back")
            self._ui.done("nothing is left")
            return RollbackResult(deployment_id=deployment_id, status="rolled_back", message="Nothing is left.")

    def preview(self, deployment_id: str) -> Preview:
        """Say what applying the deployment's plan again would change."""
        with self._store.lock(deployment_id, "preview"):  # the update plan and the config it tries are the deployment's
            state = self._store.load(deployment_id)
            if state.plan is None:
                raise StateError(f"{deployment_id} has no plan yet", f"Make one: autodeploy deploy {state.repo_url}")
            self._same_epoch(state)
            return self._agents.provisioner.preview(state)

    def _same_epoch(self, state: DeploymentState) -> None:
        epoch = self._cloud.account_epoch()
        if state.account_epoch != epoch:
            raise StateError(
                f"{state.deployment_id} lived in an emulated account that ended when the local daemon did",
                "Clear what is left of it: autodeploy local reset",
                context="Comparing the ledger with the account",
            )

    def _line(self, ledger: Ledger) -> DeploymentResult:
        if ledger.state.status not in ("pending", "complete", "failed"):
            ledger.move("failed")  # an earlier run was killed half-way
        ledger.write(ledger.state.but(failed_stage=None))
        current: list[Stage] = []

        def step(stage: Stage) -> tuple[str, Callable[[], None]]:
            def run() -> None:
                current.append(stage)
                self._stage(ledger, stage)

            return (f"{LINE[stage].owner}.{stage}", run)

        outcome = walk([step(stage) for stage in STAGES])
        if outcome.error is None:
            ledger.move("complete")
            return self._result(ledger.state)
        err = outcome.error if isinstance(outcome.error, AgentError) else _unexpected(outcome.error)
        ledger.fail(err, current[-1])
        return self._result(ledger.state)

    def _stage(self, ledger: Ledger, stage: Stage) -> None:
        kind = LINE[stage]
        ledger.move(kind.status)
        given, agent = inputs(ledger.state, stage), getattr(self._agents, kind.owner)
        self._ui.stage(agent.name, kind.title)
        if kind.proven_by_digest and ledger.proven(stage, given):
            self._ui.done(f"{kind.title}: unchanged")
            return

        def warn(message: str) -> None:
            agent.warn(ledger.state, message)

        tries(stage, self._clock.sleep, warn)(ledger.perform, stage, given, self._actions()[stage])
        self._ui.done(kind.title)

    def _actions(self) -> dict[Stage, Callable[[DeploymentState], DeploymentState]]:
        agents = self._agents
        return {
            "analyze": agents.compiler.analyze,
            "build": agents.compiler.build,
            "plan": self._plan,
            "provision": agents.provisioner.run,
            "deploy": agents.deployer.run,
            "harden": self._harden,
        }

    def _plan(self, state: DeploymentState) -> DeploymentState:
        """Plan, and when anything would change: show it and ask."""
        planned = self._agents.provisioner.plan(state)
        assert planned.plan is not None
        provisioned = planned.stages.get("provision")
        if provisioned and provisioned.inputs == inputs(planned, "provision"):
            return planned
        preview = self._agents.provisioner.preview(planned)
        if preview.changes:
            self._ui.show_plan(planned.plan, preview)
            if not self._wish.approve and not self._ui.confirm("Apply this plan?"):
                raise ApprovalError(
                    "the plan was not approved; nothing was created",
                    "Run deploy again to be asked again, or add --yes.",
                    context="Asking for approval",
                )
        return planned

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
            url=state.deployment_config.url if state.deployment_config else None,
            summary=outputs,
            errors=state.errors,
            options=recovery_options(state),
        )


def _unexpected(err: Exception) -> AgentError:
    return disk_error(err, "Running the deployment") or AgentError(
        f"{type(err).__name__}: {err}",
        "This is a fault of AutoDeploy: the traceback is in the ledger (autodeploy events --json); --debug shows it.",
        context="Running the deployment",
        stack="".join(traceback.format_exception(err)),
    )
