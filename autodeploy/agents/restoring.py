"""A database that is made from a snapshot and takes the place of the one that stands: states and plans in, plans out.

A restore is a plan as any other: what it begins, the next run goes on with, until it is applied to its end. Pure.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable

from autodeploy.agents.backups import LOGICAL_NAME
from autodeploy.errors import StateError
from autodeploy.model import DatabasePlan, DeploymentState, InfraPlan, Snapshot, Standing
from autodeploy.naming import database_identifier


def filled_from(snapshot: Snapshot, database: DatabasePlan) -> DatabasePlan:
    """Return the plan of a new instance in the database's place: no older and no smaller than the snapshot."""
    return database.but(
        snapshot=snapshot.name,
        generation=database.generation + 1,
        engine_version=snapshot.engine_version,
        storage_gb=max(snapshot.size_gb, database.storage_gb),
    )


def is_under_way(state: DeploymentState) -> bool:
    """Say whether a restore is planned that was not applied to its end yet."""
    planned, before = state.plan.infra.database if state.plan else None, state.standing and state.standing.database
    return bool(planned and before and planned.generation > before.generation)


def may_be_lost(state: DeploymentState, allowed: Collection[str]) -> tuple[str, ...]:
    """Return the names of what may lose its data: as allowed, and what is restored, which a snapshot keeps."""
    return (*allowed, *((LOGICAL_NAME,) if is_under_way(state) else ()))


def is_made(state: DeploymentState, standing: Iterable[Standing]) -> bool:
    """Say whether the stack has the planned database by now: the one before is out of use then."""
    infra = state.plan.infra if state.plan else None
    if infra is None or infra.database is None:
        return False
    named = database_identifier(infra, infra.database)
    return any(each.arn.endswith(f":db:{named}") for each in standing)


def check_finished(state: DeploymentState, standing: Iterable[Standing]) -> None:
    """Raise StateError where a restore was cut that has made its database: what is in use is not settled then."""
    if is_under_way(state) and is_made(state, standing):
        raise StateError(
            f"the restore before this one was cut, and {state.deployment_id} stands between two databases",
            f"Finish that first: autodeploy deploy {state.repo_url} --name {state.name}",
        )


def as_far(state: DeploymentState, standing: Iterable[Standing]) -> InfraPlan | None:
    """Return the plan of what stands: of a restore that was cut, with the database that it has made by then."""
    planned = state.plan.infra if state.plan else None
    infra = state.standing or planned
    if infra and planned and is_under_way(state) and is_made(state, standing):
        return infra.but(database=planned.database)
    return infra
