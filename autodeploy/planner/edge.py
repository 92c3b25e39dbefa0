"""What the user brings to a plan: a domain, a network, a bucket for access logs. Facts in, parts of the plan out."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from autodeploy.model import CloudFacts, ExistingNetwork, InfraPlan, NetworkFacts, SubnetFacts, TechStack, WebPlan
from autodeploy.planner.refusals import refusal
from autodeploy.settings import Settings

BALANCER_ROOM = 8
"""Addresses that the balancer needs in a subnet; every machine needs one more.
https://docs.aws.amazon.com/elasticloadbalancing/latest/application/application-load-balancers.html"""
PRIVATE_ROOM = 2
"""Addresses: the database's, and one for the instance that takes its place in a repair."""


def web(
    stack: TechStack, facts: CloudFacts, settings: Settings, certificate_pem: str, certificate_chain_pem: str
) -> WebPlan | None:
    """Return how the world reaches the application; None for a worker. A domain in a zone needs no certificate."""
    if not stack.is_web_service:
        return None
    zone = facts.hosted_zones.get(settings.domain or "")
    bucket = settings.access_logs or None
    if bucket and not re.fullmatch(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]", bucket):
        raise refusal(f"{bucket!r} is no name of a bucket", "Name a bucket of yours: --access-logs logs-of-shop")
    return WebPlan(
        health_check_path=stack.health_check_path,
        certificate_pem="" if zone else certificate_pem,
        certificate_chain_pem="" if zone else certificate_chain_pem,
        domain=settings.domain or None,
        zone_id=zone.zone_id if zone else None,
        access_logs_bucket=bucket,
    )


def network(facts: CloudFacts, settings: Settings) -> tuple[ExistingNetwork, tuple[str, str], str] | None:
    """Return the network that was asked for, its zones and its CIDR; None where one is to be made.

    Raise PlanError with all that is missing.
    """
    if not settings.vpc_id:
        return None
    found = facts.network
    assert found is not None and found.vpc_id == settings.vpc_id
    room = BALANCER_ROOM + -(-(settings.instances or 1) // 2)  # machines take turns in the two
    public = _pair(subnet for subnet in found.subnets if subnet.is_public and _fits(subnet, facts, room))
    private = _pair(s for s in found.subnets if not s.is_public and s.free_addresses >= PRIVATE_ROOM)
    missing = tuple(_missing(found, public, private, room))
    if missing or public is None or private is None:
        raise refusal(
            f"the VPC {found.vpc_id} cannot be used: {'; '.join(missing)}",
            "Add what is missing, name another VPC, or leave out --vpc-id, and a network is made.",
        )
    ids = [(pair[0].subnet_id, pair[1].subnet_id) for pair in (public, private)]
    made = ExistingNetwork(vpc_id=found.vpc_id, public_subnet_ids=ids[0], private_subnet_ids=ids[1])
    return made, (public[0].zone, public[1].zone), found.cidr


def _fits(subnet: SubnetFacts, facts: CloudFacts, room: int) -> bool:
    return subnet.zone in facts.zones and subnet.free_addresses >= room


def _pair(subnets: Iterable[SubnetFacts]) -> tuple[SubnetFacts, SubnetFacts] | None:
    """Return two subnets of two zones, those without a way out first."""
    by_zone: dict[str, SubnetFacts] = {}
    for subnet in sorted(subnets, key=lambda each: (each.has_way_out, each.zone, each.subnet_id)):
        by_zone.setdefault(subnet.zone, subnet)
    return (*by_zone.values(),)[:2] if len(by_zone) > 1 else None  # type: ignore[return-value]


def _missing(
    found: NetworkFacts,
    public: tuple[SubnetFacts, SubnetFacts] | None,
    private: tuple[SubnetFacts, SubnetFacts] | None,
    room: int,
) -> Iterator[str]:
    if not found.dns_support:
        yield "DNS support is off"
    if not found.dns_hostnames:
        yield "DNS hostnames are off"
    if public is None:
        yield (
            "it has no two subnets with a route to an internet gateway, in two zones that offer the instance type, "
            f"with {room} free addresses each"
        )
    if private is None:
        yield (
            "it has no two subnets without a route to an internet gateway, in two zones, "
            f"with {PRIVATE_ROOM} free addresses each"
        )


def notes(infra: InfraPlan, settings: Settings) -> Iterator[str]:
    """Yield what the user must know, or do, about name, certificate, network and logs."""
    if infra.network:
        yield f"the network is the VPC {infra.network.vpc_id}, used as it is; it stays when the deployment goes"
    if infra.web is None:
        if settings.domain:
            yield f"a worker answers no HTTP: nothing is made for {settings.domain}"
        return
    yield from _of_the_name(infra, infra.web)
    if bucket := infra.web.access_logs_bucket:
        prefix = f"s3://{bucket}/{infra.deployment_id}"
        yield (
            f"the local target writes no access logs to {prefix}"
            if infra.target == "local"
            else f"the balancer writes access logs to {prefix}: the bucket must be of {infra.region} and let it"
        )


def _of_the_name(infra: InfraPlan, web: WebPlan) -> Iterator[str]:
    own = "the certificate is the deployment's own, signed by its own authority: browsers warn of it"
    if web.domain is None:
        yield f"{own}; --domain NAME gives one that they trust"
    elif web.zone_id is None:
        yield (
            f"{web.domain} lies in no public hosted zone of the account: once it stands, make the record "
            f"{web.domain} CNAME <the balancer's name> at your name server; {own}"
        )
    elif infra.target == "local":
        yield (
            f"{web.domain} lies in an emulated zone, which leads nowhere, and its certificate is signed by the local "
            "target's authority: ask it with curl --resolve, as is shown at the end"
        )
    else:
        yield f"{web.domain} lies in the hosted zone {web.zone_id}: the certificate is issued, the record made there"
