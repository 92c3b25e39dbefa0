"""Which snapshots of a deployment's database are taken, and their names: state, account, time in; snapshots out."""

from __future__ import annotations

from collections.abc import Collection

from autodeploy.agents.agent import HiveMindAgent
from autodeploy.errors import AgentError, StateError
from autodeploy.model import DeploymentState, KeptSnapshot, PriceList, Snapshot
from autodeploy.naming import database_identifier, snapshot_name
from autodeploy.planner.prices import per_month
from autodeploy.ports import UI, Clock, Cloud, Say, Snapshots, Store

LOGICAL_NAME = "database"
"""What the stack calls its database, and `--allow-data-loss` too."""
STORED = "snapshot:database"
"""The price table's key of a snapshot's GB-month."""


def identifier(state: DeploymentState) -> str | None:
    """Return what the account calls the deployment's database; None where it has none of its own."""
    infra = state.standing or (state.plan.infra if state.plan else None)
    return database_identifier(infra, infra.database) if infra and infra.database else None


def database(state: DeploymentState, snapshots: Snapshots) -> str:
    """Return the identifier of the deployment's database; raise StateError where it has none."""
    named = identifier(state)
    if named is None:
        raise StateError(
            f"{state.deployment_id} has no database of its own",
            "An address that was given with --env is somebody else's: back it up there.",
        )
    standing = snapshots.databases(state.deployment_id, named)
    if not standing:
        raise StateError(
            f"no database of {state.deployment_id} stands in the account",
            f"Look at the deployment: autodeploy status {state.deployment_id}",
        )
    return named if named in standing else standing[0]


class DatabaseKeeper(HiveMindAgent):
    """Copies a deployment's database."""

    name = "HiveMind SysEng"

    def __init__(self, snapshots: Snapshots, ui: UI, clock: Clock, store: Store) -> None:
        super().__init__(ui, clock, store)
        self._snapshots = snapshots

    def backup(self, state: DeploymentState) -> Snapshot:
        """Take a fresh, verified snapshot of the deployment's database."""
        with self._working_on(state), self._attempting("Taking a snapshot of the database"):
            name = snapshot_name(state.deployment_id, "backup", self._clock.now())
            taken = self._snapshots.take(name, database(state, self._snapshots), self.say)
            self.say(f"snapshot {taken.name}: whole and verified, of {taken.size_gb} GB")
            return taken


def last_name(state: DeploymentState, clock: Clock) -> str | None:
    """Return how the last snapshot is called: as it was, where a destruction is begun again; None without database."""
    if identifier(state) is None:
        return None
    return state.final_snapshot or snapshot_name(state.deployment_id, "final", clock.now())


def keep_replaced(state: DeploymentState, snapshots: Snapshots, clock: Clock, say: Say) -> None:
    """Take a verified snapshot of what a restore replaces; raise where that cannot be."""
    taken = snapshots.take(snapshot_name(state.deployment_id, "backup", clock.now()), database(state, snapshots), say)
    back = f"autodeploy db restore {taken.name} {state.deployment_id}"
    say(f"what the database held until now is in the snapshot {taken.name}; back to it: {back}")


def keep_given_up(state: DeploymentState, snapshots: Snapshots, clock: Clock, say: Say) -> None:
    """Take a snapshot of what may be lost where that is possible: no answer of the account keeps it from going."""
    name = snapshot_name(state.deployment_id, "backup", clock.now())
    try:
        taken = snapshots.take(name, database(state, snapshots), say)
        say(f"what is given up is in the snapshot {taken.name}")
    except AgentError as err:
        say(f"what is given up could not be kept in a snapshot: {err.message}")


def keep_last(
    state: DeploymentState, snapshots: Snapshots, clock: Clock, may_be_lost: Collection[str], say: Say
) -> None:
    """Return once each database of the stack has a verified last snapshot, or its loss is allowed by name."""
    name = last_name(state, clock)
    if name is None:
        return
    if LOGICAL_NAME in may_be_lost:
        say(f"no last snapshot is taken: --allow-data-loss {LOGICAL_NAME}")
        return
    standing = snapshots.databases(state.deployment_id, identifier(state) or "")
    earlier = [each for each in snapshots.of(state.deployment_id) if each.name.startswith(name)]
    without = f"autodeploy destroy {state.deployment_id} --allow-data-loss {LOGICAL_NAME}"
    if not standing and not earlier:
        # Not seen is not gone: what the stack has may carry other names and tags by now.
        raise StateError(
            f"the stack has a database that the account does not show as {state.deployment_id}'s; no last snapshot",
            f"Look for it in the account. Where its data may be lost: {without}",
        )
    for each in standing:
        before = [snapshot.name for snapshot in earlier if snapshot.database == each]
        words = [name, *([each] if len(standing) > 1 else []), *([f"{clock.now():%Y%m%d%H%M%S}"] if before else [])]
        try:
            taken = snapshots.take("-".join(words), each, say)
        except AgentError as err:
            err.remediation = f"{err.remediation} To delete it without a last snapshot: {without}"
            raise
        say(f"last snapshot {taken.name}: whole and verified, of {taken.size_gb} GB")
        for old in {*before} - {taken.name}:  # of a destruction that was cut: what was written since is not in it
            snapshots.delete(old)


def kept(state: DeploymentState, cloud: Cloud) -> tuple[KeptSnapshot, ...]:
    """Return every snapshot that the account has of the deployment, the newest first, with what it costs."""
    found = cloud.snapshots.of(state.deployment_id)
    prices = state.facts.prices if state.facts else PriceList()
    if found and state.target == "aws" and per_month(state.region, STORED, 1, prices) is None:
        prices = cloud.prices([STORED])
    return tuple(
        KeptSnapshot(
            name=each.name,
            size_gb=each.size_gb,
            usd_per_month=0.0 if state.target == "local" else per_month(state.region, STORED, each.size_gb, prices),
            delete=f"autodeploy db delete {each.name} {state.deployment_id}",
        )
        for each in found
    )
