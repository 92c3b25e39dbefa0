"""The way of the data: a deployment's database is copied, or filled again from a copy, while nobody else works on it.

Before anything is replaced, what stands is copied. Used by the command line; it changes no infrastructure.
"""

from __future__ import annotations

import shlex
from collections.abc import Callable, Sequence
from pathlib import Path

from autodeploy.agents.backups import DatabaseKeeper
from autodeploy.agents.deployer import HiveMindDeployer
from autodeploy.errors import AgentError, Interrupted, StateError
from autodeploy.identity import same_epoch
from autodeploy.interruption import heard
from autodeploy.model import DeploymentState, Snapshot
from autodeploy.ports import UI, Clock, Cloud, Store
from autodeploy.releaser import session


class Safekeeping:
    """Backs up and restores the databases of deployments."""

    def __init__(self, deployer: HiveMindDeployer, cloud: Cloud, ui: UI, clock: Clock, store: Store) -> None:
        self._deployer = deployer
        self._keeper = DatabaseKeeper(cloud.snapshots, ui, clock, store)
        self._cloud = cloud
        self._store = store
        self._ui = ui

    def backup(self, deployment_id: str) -> Snapshot:
        """Take a verified snapshot of the deployment's database now."""
        with heard(), self._store.lock(deployment_id, "backup"):
            state = self._standing(deployment_id)
            self._ui.stage(self._keeper.name, f"Backing up the database of {deployment_id}")
            taken = self._keeper.backup(state)
            self._ui.done(f"snapshot {taken.name}")
            return taken

    def restore(self, deployment_id: str, name: str) -> Snapshot:
        """Put a snapshot's data in the place of the database's; return the snapshot of what was there before.

        The service stands still meanwhile, and must answer again in the end.
        """
        with heard(), self._store.lock(deployment_id, "restore"):
            state = self._standing(deployment_id)
            self._ui.stage(self._keeper.name, f"Restoring the database of {deployment_id}")
            self._keeper.check_restorable(state, name)
            self._deployer.stop(state)
            try:
                before = self._keeper.backup(state)
                self._keeper.restore(state, name)
            except KeyboardInterrupt as err:
                self._started_again(state)
                raise Interrupted(
                    f"the restore of {deployment_id} was stopped",
                    f"Run it again, or see what was there before: autodeploy db backups {deployment_id}",
                    context=f"Restoring the snapshot {name}",
                ) from err
            except BaseException:
                self._started_again(state)
                raise
            try:
                self._deployer.start(state)
            except AgentError as err:
                back = f"autodeploy db restore {before.name} {deployment_id}"
                err.remediation = f"{err.remediation} The data of before is in a snapshot: {back}"
                raise
            self._ui.done(f"{name} is restored; what was there before is the snapshot {before.name}")
            return before

    def snapshots(self, deployment_id: str) -> Sequence[Snapshot]:
        """Return the deployment's snapshots, the newest first; of one that is destroyed, too."""
        return self._cloud.snapshots.of(deployment_id)

    def delete(self, deployment_id: str, name: str) -> None:
        """Delete one of the deployment's snapshots; raise StateError where it has none of that name."""
        with heard(), self._store.lock(deployment_id, "delete a snapshot"):
            if name not in (each.name for each in self.snapshots(deployment_id)):
                raise StateError(
                    f"{deployment_id} has no snapshot {name}",
                    f"List them: autodeploy db backups {deployment_id}",
                    context="Deleting a snapshot",
                )
            self._cloud.snapshots.delete(name)

    def _standing(self, deployment_id: str) -> DeploymentState:
        state = self._store.load(deployment_id)
        if state.status == "rolled_back":
            raise StateError(
                f"{deployment_id} is rolled back: it has no database any more",
                f"List what was kept of it: autodeploy db backups {deployment_id}",
            )
        same_epoch(state, self._cloud)
        return state

    def _started_again(self, state: DeploymentState) -> None:
        """Start the service after a failure, of which this must not hide the cause."""
        try:
            self._deployer.start(state)
        except AgentError as err:
            self._ui.say(f"the service could not be started again: {err.message}")


def way_in(
    state: DeploymentState, session_to: Callable[[str, str, str | None, str | None], Sequence[str]]
) -> list[str]:
    """Return the command that opens a session on the database: by SSH to the machine, from there over verified TLS.

    `session_to` returns, of instance, region, profile and role, what carries SSH to a machine that has no open port.
    """
    spec, made = state.infrastructure, state.plan.infra.database if state.plan else None
    if spec is None or made is None or spec.database_endpoint is None:
        raise StateError(
            f"{state.deployment_id} has no database of its own to connect to",
            f"Look at it: autodeploy status {state.deployment_id}",
            context="Opening a session on the database",
        )
    key = Path(spec.ssh_private_key_path)
    options = ["-o", "IdentitiesOnly=yes", "-o", "StrictHostKeyChecking=yes"]
    options += ["-o", f"UserKnownHostsFile={key.with_name('known_hosts')}"]
    host = spec.ec2_public_ip
    if spec.access == "ssm":
        host = spec.ec2_instance_id
        way = session_to(host, state.region, state.request.profile, state.request.role_arn)
        options += ["-o", f"ProxyCommand={shlex.join(way)}"]
    script = f"sudo -n sh -c {shlex.quote(session(made, spec))}"
    return ["ssh", "-t", "-i", str(key), *options, f"ubuntu@{host}", script]
