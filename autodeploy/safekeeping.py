"""The way of the data: a deployment's database is copied, its copies are listed and deleted, a session is opened on it.

Used by the command line; it changes no infrastructure. The way back, which does, is the conductor's `restore`.
"""

from __future__ import annotations

import shlex
from collections.abc import Callable, Sequence
from pathlib import Path

from autodeploy.agents.backups import DatabaseKeeper
from autodeploy.errors import StateError
from autodeploy.identity import same_epoch
from autodeploy.interruption import heard
from autodeploy.model import DeploymentState, Snapshot
from autodeploy.ports import UI, Clock, Cloud, Store
from autodeploy.releaser import session


class Safekeeping:
    """Backs up the databases of deployments, and deletes the copies."""

    def __init__(self, cloud: Cloud, ui: UI, clock: Clock, store: Store) -> None:
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
