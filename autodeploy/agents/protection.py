"""A plan and what stands -> the plan without the protection of what is to be deleted, and the URNs to apply it to."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import NamedTuple

from autodeploy.model import InfraPlan, WebPlan

DATABASE = "aws:rds/instance:Instance"
BALANCER = "aws:lb/loadBalancer:LoadBalancer"
PROTECTED = (DATABASE, BALANCER)


class Opened(NamedTuple):
    """`said` tells a person what is lifted; without `urns` there is nothing to apply."""

    infra: InfraPlan
    urns: tuple[str, ...]
    said: tuple[str, ...]


def opened(infra: InfraPlan, standing: Sequence[str], types: Collection[str], certificate_pem: str) -> Opened:
    """Return the plan that lets AWS delete what stands of `types`."""
    urns: list[str] = []
    said: list[str] = []
    balancers = [urn for urn in standing if BALANCER in urn and BALANCER in types]
    databases = [urn for urn in standing if DATABASE in urn and DATABASE in types]
    if balancers:
        # For a balancer that the plan has no more any way in will do: the balancer alone is updated.
        web = infra.web or WebPlan(certificate_pem=certificate_pem)
        infra = infra.but(web=web.but(deletion_protection=False))
        said.append("lifting the balancer's deletion protection")
        urns += balancers
    if databases and infra.database:
        infra = infra.but(database=infra.database.but(deletion_protection=False))
        said.append("lifting the database's deletion protection")
        urns += databases
    return Opened(infra, tuple(urns), tuple(said))
