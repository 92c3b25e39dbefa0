"""The order of a release: software, secrets, database, service, migration, proxy, switch. Never runs any of it."""

from __future__ import annotations

from autodeploy.model import BuildArtifact, HostFacts, InfrastructureSpec, Plan, Step, TechStack
from autodeploy.releaser import service, software
from autodeploy.releaser.carried import carried_steps
from autodeploy.releaser.database import database_steps
from autodeploy.releaser.environment import asked_as
from autodeploy.releaser.release import Release
from autodeploy.releaser.texts import LOG_PATH

__all__ = ["LOG_PATH", "steps"]


def steps(
    plan: Plan,
    infrastructure: InfrastructureSpec,
    facts: HostFacts,
    artifact: BuildArtifact,
    stack: TechStack,
    release: Release,
    *,
    migrates: bool = True,
) -> tuple[Step, ...]:
    """Return what makes the host serve the release; every step is already right when it serves it.

    Of several machines one migrates the database.
    """
    web = plan.infra.web
    host_port = web.host_port if web is not None else 80
    # A release that already serves needs no waiting for cloud-init, which runs again at every boot.
    settled = () if facts.current_release else (software.settled_step(),)
    return (
        *settled,
        software.packages_step(artifact, stack, release.database.engine if release.database else None),
        software.folders_step(),
        *software.runtime_steps(artifact, stack),
        software.artifact_step(release.release_id, artifact),
        *carried_steps(release.release_id, artifact, stack),
        service.environment_step(release),
        *database_steps(release),
        service.service_step(release, artifact, stack, infrastructure),
        *(service.migration_steps(release.release_id, stack) if migrates else ()),
        service.logrotate_step(),
        *service.proxy_steps(stack, host_port, asked_as(stack, release.environment)),
        *((service.door_step(host_port, _balancers(plan, facts)),) if web else ()),
        service.switch_step(release.release_id, stack, host_port),
        service.tidy_step(release.release_id),
    )


def _balancers(plan: Plan, facts: HostFacts) -> tuple[str, ...]:
    """Return where the balancer asks from; the local one is a process beside the machines, not in their network."""
    beside = (facts.client_address,) if plan.infra.target == "local" and facts.client_address else ()
    return (plan.infra.vpc_cidr, *beside)
