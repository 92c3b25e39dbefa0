"""Joins lowering, bill and notes to a Plan. It asks nobody: what the account said comes in as CloudFacts."""

from __future__ import annotations

from collections.abc import Iterator

from autodeploy.model import CloudFacts, DatabasePlan, InfraPlan, Plan, TechStack
from autodeploy.planner import cost, edge, needs, prices
from autodeploy.planner.infra import lower
from autodeploy.settings import Settings


def plan(
    stack: TechStack,
    facts: CloudFacts,
    *,
    deployment_id: str,
    name: str,
    ssh_public_key: str,
    certificate_pem: str,
    certificate_chain_pem: str,
    settings: Settings,
    standing: InfraPlan | None = None,
    filled: DatabasePlan | None = None,
) -> Plan:
    """Return what will be made, what it costs a month and what that adds to what stands; raise PlanError.

    `filled` is the database as a restore left it, or is to leave it.
    """
    infra = lower(
        stack,
        facts,
        deployment_id=deployment_id,
        name=name,
        ssh_public_key=ssh_public_key,
        certificate_pem=certificate_pem,
        certificate_chain_pem=certificate_chain_pem,
        settings=settings,
        filled=filled,
    )
    own = needs.own_database(stack, settings)
    brought = (f"no database is made: {own} names the application's own",) if own else ()
    return Plan(
        infra=infra,
        application=tuple(_application(stack)),
        cost=cost.bill(infra, facts.prices),
        cost_before=cost.bill(standing, facts.prices) if standing else None,
        prices_as_of=prices.dated(cost.keys(infra), facts.prices),
        notes=(
            *brought,
            *_restored(infra, standing),
            *_stand_ins(infra),
            *_access(infra),
            *_several(infra),
            *edge.notes(infra, settings),
            *cost.notes(infra, facts.prices),
            *needs.check_needs(stack, settings),
            *stack.warnings,
        ),
    )


def _restored(infra: InfraPlan, standing: InfraPlan | None) -> Iterator[str]:
    before = standing.database if standing else None
    if infra.database and before and infra.database.generation > before.generation:
        yield (
            f"a new database is made from the snapshot {infra.database.snapshot} and takes the place of the one that "
            "stands, of which a last snapshot is taken first; the application stands still meanwhile"
        )


def _stand_ins(infra: InfraPlan) -> Iterator[str]:
    if infra.target == "local" and infra.database and infra.database.engine == "mysql":
        yield "the local target has no MySQL: a MariaDB stands in for it, and what only MySQL can do is not shown"
    if infra.target == "local" and infra.alarm_email:
        yield f"the local target sends no mail: alarms would go to {infra.alarm_email}"


def _access(infra: InfraPlan) -> Iterator[str]:
    if infra.access == "ssm":
        yield "sessions need two programs on your own machine: aws, and its session-manager-plugin"


def _several(infra: InfraPlan) -> Iterator[str]:
    if infra.instances > 1:
        shared = "the database" if infra.database else "nothing"
        yield (
            f"{infra.instances} machines share {shared}: files and sessions that the application keeps on its disk or "
            "in memory are on one machine alone"
        )


def _application(stack: TechStack) -> Iterator[tuple[str, str]]:
    yield "Application", f"{stack.language} {stack.runtime_version}, {stack.framework or 'no framework'}"
    yield "Starts with", stack.start_command
    if stack.migration_command:
        yield "Migrates with", stack.migration_command
    if stack.is_web_service:
        yield "Health page", stack.health_check_path
    else:
        yield "Answers", "no HTTP: a worker, without balancer and certificate"
    if stack.environment:
        yield "Reads", ", ".join(variable.name for variable in stack.environment)
