"""Lowers a TechStack to the InfraPlan that the Pulumi program is told. Encryption is no input: it is always on."""

from __future__ import annotations

from autodeploy.model import PYTHON_OF_IMAGE, BaseImage, CloudFacts, DatabasePlan, InfraPlan, TechStack
from autodeploy.model.build import image_of_python
from autodeploy.naming import slug
from autodeploy.planner import edge, guards, needs, sessions, sizing
from autodeploy.planner.refusals import refusal
from autodeploy.settings import Settings
from autodeploy.templating import render

PACKAGES = (
    "ca-certificates",
    "curl",
    "fail2ban",
    "logrotate",
    "nginx-light",
    "python3-systemd",
    "python3-venv",
    "ufw",
    "unattended-upgrades",
    "zstd",
)
"""What every host needs, whatever runs on it."""

OF_A_RESTORE = ("snapshot", "generation", "engine_version", "storage_gb")
"""What a database that was made from a snapshot has of it for ever: without it, RDS would make an empty one."""


def lower(
    stack: TechStack,
    facts: CloudFacts,
    *,
    deployment_id: str,
    name: str,
    ssh_public_key: str,
    certificate_pem: str,
    certificate_chain_pem: str,
    settings: Settings,
    filled: DatabasePlan | None = None,
) -> InfraPlan:
    """Return what to make; raise PlanError for what must not be made. `filled` is the database as a restore left it."""
    instance_type = guards.check_instance_type(sizing.instance_type(stack.language, settings.instance_type))
    brought = edge.network(facts, settings)
    made = InfraPlan(
        deployment_id=deployment_id,
        name=slug(name),
        target=facts.target,
        account_id=facts.account_id,
        region=facts.region,
        zones=guards.zones(facts, instance_type),
        image_id=_image(stack, facts),
        instance_type=instance_type,
        instances=guards.instances(stack, settings),
        ssh_public_key=ssh_public_key.strip(),
        admin_cidr=guards.admin_cidr(facts, settings),
        access=guards.access(facts, settings),
        user_data=_user_data(ssh_public_key.strip(), facts, settings),
        web=edge.web(stack, facts, settings, certificate_pem, certificate_chain_pem),
        database=_database(stack, facts, settings, filled),
        alarm_email=guards.alarm_email(settings),
        role_arn=settings.role_arn or None,
        tags={**guards.check_tags(settings.tags), "Application": slug(name)},
    )
    if brought is None:
        return made
    network, zones, cidr = brought
    return made.but(network=network, zones=zones, vpc_cidr=cidr)


def _user_data(ssh_public_key: str, facts: CloudFacts, settings: Settings) -> str:
    by_session = guards.access(facts, settings) == "ssm"
    return render(
        "host/cloud-config.yaml.j2",
        ssh_public_key=ssh_public_key,
        packages=(*PACKAGES, *(("gpgv",) if by_session else ())),
        session_agent=sessions.agent_script(facts.region) if by_session else "",
    )


def base_image(stack: TechStack) -> BaseImage:
    """Return the base image that brings the application's runtime."""
    if stack.language != "python":
        return "debian-13"
    if image := image_of_python(stack.runtime_version, stack.version_constraint):
        return image
    raise refusal(
        f"no base image brings Python {stack.runtime_version}",
        f"Choose one that is there: --runtime-version {next(iter(PYTHON_OF_IMAGE.values()))}",
    )


def _image(stack: TechStack, facts: CloudFacts) -> str:
    wanted = base_image(stack)
    if wanted not in facts.images:
        raise refusal(
            f"{facts.region} has no image of {wanted}", "Choose another region, or another --runtime-version."
        )
    return facts.images[wanted]


def _database(
    stack: TechStack, facts: CloudFacts, settings: Settings, filled: DatabasePlan | None
) -> DatabasePlan | None:
    if not stack.requires_database or needs.own_database(stack, settings):
        return None
    database = sizing.database(guards.database_engine(stack, facts), facts.engine_versions)
    if filled and filled.engine == database.engine:
        database = database.but(**{name: getattr(filled, name) for name in OF_A_RESTORE})
    return guards.check_version(database)
