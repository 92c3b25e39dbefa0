"""What the user has and wants used, looked up once and pinned with the facts; what stands is neither moved nor entered
otherwise by it."""

from __future__ import annotations

from autodeploy.errors import PlanError
from autodeploy.model import Access, CloudFacts, DeploymentState
from autodeploy.ports import Cloud
from autodeploy.settings import Settings


def pinned(facts: CloudFacts, cloud: Cloud, settings: Settings) -> CloudFacts:
    """Return the facts with zone and network that were asked for; a domain without a zone is looked up each time."""
    domain, vpc_id = settings.domain, settings.vpc_id
    if domain and domain not in facts.hosted_zones and (zone := cloud.hosted_zone(domain)):
        facts = facts.but(hosted_zones={**facts.hosted_zones, domain: zone})
    if vpc_id and (facts.network is None or facts.network.vpc_id != vpc_id):
        facts = facts.but(network=cloud.network(vpc_id))
    return facts


def stays(state: DeploymentState, settings: Settings) -> None:
    """Raise PlanError where what stands would move to another network: all would be replaced, the database too.

    So where a machine would be reached otherwise than it was made for at its first boot: it would let nobody in.
    """
    made_for, wanted = _made_for(state), settings.access or "ssh"
    if made_for and made_for != wanted:
        raise PlanError(
            f"the machine of {state.deployment_id} was made to be reached by {made_for}; by {wanted} it lets nobody in",
            "Have it made anew (the database stays): "
            f"autodeploy destroy {state.deployment_id} --only compute, then the same command again. "
            f"Or leave it as it is: --access {made_for}",
        )
    if state.infrastructure is None or state.plan is None:
        return
    network = state.plan.infra.network
    if (network.vpc_id if network else None) != (settings.vpc_id or None):
        raise PlanError(
            f"{state.deployment_id} stands in the network {state.infrastructure.vpc_id} and cannot move to "
            f"{settings.vpc_id or 'one of its own'}",
            "Make another deployment in that network: add --new; then destroy this one.",
        )


def _made_for(state: DeploymentState) -> Access | None:
    """Return how the machine that stands is reached; of an apply that did not end, how its plan said."""
    if state.infrastructure:
        return state.infrastructure.access
    return state.plan.infra.access if state.plan and state.approval else None
