"""Refuses what must not be planned, whatever flag or agent asks for it. Each refusal says what to type instead."""

from __future__ import annotations

import ipaddress
import re

from autodeploy.model import Access, CloudFacts, DatabaseEngine, DatabasePlan, TechStack
from autodeploy.model.families import RELEASES, family
from autodeploy.planner import needs
from autodeploy.planner.refusals import refusal
from autodeploy.planner.sizing import engine_of
from autodeploy.safeguards import is_wide
from autodeploy.settings import Settings

OWN_TAGS = frozenset({"Application", "DeploymentId", "ManagedBy", "Name"})
ITSELF = "127.0.0.1/32"
MOST_TAGS = 40
"""AWS takes 50 on a resource; https://docs.aws.amazon.com/tag-editor/latest/userguide/best-practices-and-strats.html."""


def access(facts: CloudFacts, settings: Settings) -> Access:
    """Return how the machine is reached; raise PlanError for sessions where there is no Systems Manager."""
    wanted = settings.access or "ssh"
    if wanted == "ssm" and facts.target == "local":
        raise refusal(
            "the local target has no Systems Manager, so there are no sessions to its machines",
            "Leave --access out, or name --access ssh; --access ssm is for --target aws.",
        )
    return wanted


def admin_cidr(facts: CloudFacts, settings: Settings) -> str:
    """Return the CIDR that may reach SSH; raise PlanError when it is no IPv4 network, or the whole world.

    Where nobody comes from outside, that is the machine itself.
    """
    if access(facts, settings) == "ssm":
        return ITSELF
    asked = settings.admin_cidr or facts.admin_cidr
    try:
        network = ipaddress.IPv4Network(asked, strict=False)
    except ValueError as err:
        raise refusal(f"the admin CIDR {asked!r} is no IPv4 network", _NAME_CIDR) from err
    if is_wide(str(network)):
        raise refusal(f"the admin CIDR {asked} would open SSH to the world", _NAME_CIDR)
    return str(network)


def zones(facts: CloudFacts, instance_type: str) -> tuple[str, str]:
    """Return the two zones to use, which offer the instance type; raise PlanError when there are fewer.

    Zones that offer every type known come first: another size must not move what stands.
    """
    known = tuple(dict.fromkeys(facts.zones))
    offering = facts.offers.get(instance_type, known)
    everything = tuple(zone for zone in known if all(zone in zones for zones in facts.offers.values() if zones))
    names = tuple(zone for zone in everything if zone in offering)
    if len(names) < 2:
        names = tuple(zone for zone in known if zone in offering)
    if len(names) < 2:
        raise refusal(
            f"{facts.region} offers {instance_type} in {len(names)} availability zone(s); "
            "the balancer and the database need two",
            "Choose another region: --region us-east-1, or another size: --instance-type t3.small",
        )
    return names[0], names[1]


def database_engine(stack: TechStack, facts: CloudFacts) -> DatabaseEngine:
    """Return the engine of the managed database; raise PlanError for a database that the target does not offer."""
    needs.check_engine(stack)
    kind = stack.database_type or "postgresql"
    engine = engine_of(kind)
    assert engine is not None
    if facts.target == "local" and engine not in (facts.engine_versions or {"postgres": ""}):
        raise refusal(
            f"the local target has no {kind}",
            "Deploy with --target aws, or give the address of your own: --env DATABASE_URL=…",
        )
    return engine


def check_version(database: DatabasePlan) -> DatabasePlan:
    """Return the database; raise PlanError for a version that no parameter group could hold to TLS."""
    engine, version = database.engine, database.engine_version
    if family(engine, version) is None:
        raise refusal(
            f"{engine} {version} belongs to no parameter group family that is known here, and without one nothing "
            f"requires TLS of it; known are {engine} {', '.join(RELEASES[engine])}",
            "Choose a region whose default version is among them, or give a database of your own: --env DATABASE_URL=…",
        )
    return database


def check_instance_type(name: str) -> str:
    """Return the instance type; raise PlanError for a name that is none, or for ARM, which the images are not."""
    if not re.fullmatch(r"[a-z][a-z0-9-]*\.[a-z0-9-]+", name):
        raise refusal(f"{name!r} is no EC2 instance type", "Name one such as --instance-type t3.small")
    if re.match(r"[a-z]+\d+g[a-z]*\.|a1\.", name):
        raise refusal(
            f"{name} is an ARM machine; the images and builds are x86-64", "Name one such as --instance-type t3.small"
        )
    return name


def instances(stack: TechStack, settings: Settings) -> int:
    """Return how many machines run the application; raise PlanError for a worker on more than one."""
    wanted = settings.instances or 1
    if wanted > 1 and not stack.is_web_service:
        raise refusal(
            f"the application is a worker, and {wanted} machines would do the same work {wanted} times",
            "Deploy it with --instances 1; where it answers HTTP after all, name its port with --port.",
        )
    return wanted


def alarm_email(settings: Settings) -> str | None:
    """Return whom alarms are sent to, None for nobody; raise PlanError for what is no e-mail address."""
    address = settings.alarm_email or None
    if address and not re.fullmatch(r"[^@\s]+@[^@\s]+\.[^@\s]+", address):
        raise refusal(f"{address!r} is no e-mail address", "Name one such as --alarm-email ops@example.org")
    return address


def check_tags(tags: dict[str, str]) -> dict[str, str]:
    """Return the operator's tags; raise PlanError for one that AWS refuses, or that AutoDeploy sets itself."""
    for key, value in tags.items():
        if key in OWN_TAGS or not re.fullmatch(r"(?!aws:)[\w .:/=+@-]{1,128}", key, re.ASCII):
            own = f"{key} is set by AutoDeploy" if key in OWN_TAGS else "1 to 128 letters, digits, spaces and _.:/=+-@"
            raise refusal(f"{key!r} cannot be a tag: {own}", "Choose another: --tag Team=shop")
        if not re.fullmatch(r"[\w .:/=+@-]{0,256}", value, re.ASCII):
            raise refusal(
                f"the tag {key} cannot be {value!r}: at most 256 letters, digits, spaces and _.:/=+-@",
                f"Choose another value: --tag {key}=shop",
            )
    if len(tags) > MOST_TAGS:
        raise refusal(f"{len(tags)} tags are more than the {MOST_TAGS} that there is room for", "Give fewer --tag.")
    return tags


_NAME_CIDR = "Name your own address or network: --admin-cidr 203.0.113.7/32"
