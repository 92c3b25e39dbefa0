"""The whole program: reads the InfraPlan from the stack's config, makes its resources, exports what agents need."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pulumi
import pulumi_aws as aws

from autodeploy.model import FIRST_MACHINE, DatabasePlan, InfraPlan, WebPlan
from autodeploy.naming import ROLE_SESSION, numbered
from stacks.balancer import Balancer
from stacks.compute import Compute
from stacks.database import Database
from stacks.firewall import Firewall
from stacks.monitoring import Logs, Monitoring
from stacks.network import Ground, Network, existing
from stacks.profile import Profile

CONFIG = "autodeploy"
Outputs = dict[str, pulumi.Output[Any]]


def program() -> None:
    """Declare the resources of config `autodeploy:plan` and `autodeploy:certificateKey` (secret)."""
    config = pulumi.Config(CONFIG)
    plan = InfraPlan.model_validate_json(config.require("plan"))
    imports = plan.web is not None and plan.web.zone_id is None
    certificate_key = config.require_secret("certificateKey") if imports else None
    for name, value in declare(plan, certificate_key).items():
        pulumi.export(name, value)


def declare(plan: InfraPlan, certificate_key: pulumi.Output[str] | None) -> Outputs:
    """Declare the plan's resources and return the stack's outputs by name."""
    opts = pulumi.ResourceOptions(providers={"aws": _provider(plan)})
    ground = existing(plan.network) if plan.network else Network("network", plan, opts).ground
    firewall = Firewall("firewall", plan, ground.vpc_id, opts)
    compute = _compute(plan, ground, firewall, opts)
    watched: dict[str, Mapping[str, pulumi.Input[str]]] = {
        numbered("instance", number): {"InstanceId": instance.id}
        for number, instance in enumerate(compute.instances, 1)
    }
    outputs: Outputs = {
        "vpcId": ground.vpc_id,
        "publicSubnetId": ground.public_subnet_ids[0],
        "privateSubnetId": ground.private_subnet_ids[0],
        **_machines(compute.instances),
        "securityGroupId": firewall.app.id,
        "keyName": compute.key.key_name,
    }
    if plan.database and firewall.database:
        database = _database(plan, plan.database, ground, firewall.database, opts)
        outputs |= {
            "databaseEndpoint": database.instance.address,
            "databasePort": database.instance.port,
            "databaseName": database.instance.db_name,
            "databaseSecretArn": database.secret_arn,
        }
        watched["database"] = {"DBInstanceIdentifier": database.identifier}
    if plan.web and firewall.balancer:
        parts = (ground, firewall.balancer, compute)
        balancer = _balancer(plan, plan.web, certificate_key, parts, opts)
        outputs |= {"loadBalancerDns": balancer.load_balancer.dns_name, "certificateArn": balancer.certificate_arn}
        watched |= balancer.dimensions
    Monitoring("monitoring", plan, watched, opts)
    return outputs


def _machines(instances: Sequence[aws.ec2.Instance]) -> Outputs:
    """Return what is known of the first machine, as it always was, and of further ones where there are any."""
    first, *more = instances
    outputs: Outputs = {"instanceId": first.id, "publicIp": first.public_ip, "privateIp": first.private_ip}
    if more:
        outputs["moreMachines"] = pulumi.Output.all(
            *(
                pulumi.Output.all(
                    name=numbered(FIRST_MACHINE, number),
                    instance_id=instance.id,
                    public_ip=instance.public_ip,
                    private_ip=instance.private_ip,
                )
                for number, instance in enumerate(more, 2)
            )
        )
    return outputs


def _compute(plan: InfraPlan, ground: Ground, firewall: Firewall, opts: pulumi.ResourceOptions) -> Compute:
    logs = Logs("logs", plan, opts)
    profile = Profile("profile", plan, logs.group.arn, opts)
    return Compute(
        "compute",
        plan,
        subnet_ids=ground.public_subnet_ids,
        security_group_ids=[group.id for group in (firewall.app, firewall.ssh) if group],
        profile_name=profile.instance_profile.name,
        after=ground.way_out,
        opts=opts,
    )


def _database(
    plan: InfraPlan,
    database: DatabasePlan,
    ground: Ground,
    group: aws.ec2.SecurityGroup,
    opts: pulumi.ResourceOptions,
) -> Database:
    return Database(
        "database", plan, database, subnet_ids=ground.private_subnet_ids, security_group_id=group.id, opts=opts
    )


def _balancer(
    plan: InfraPlan,
    web: WebPlan,
    certificate_key: pulumi.Output[str] | None,
    parts: tuple[Ground, aws.ec2.SecurityGroup, Compute],
    opts: pulumi.ResourceOptions,
) -> Balancer:
    ground, group, compute = parts
    return Balancer(
        "balancer",
        plan,
        web,
        certificate_key=certificate_key,
        vpc_id=ground.vpc_id,
        subnet_ids=ground.public_subnet_ids,
        security_group_id=group.id,
        instance_ids=[instance.id for instance in compute.instances],
        after=ground.way_out,
        opts=opts,
    )


def _roles(plan: InfraPlan) -> list[aws.ProviderAssumeRoleArgs] | None:
    # By the provider itself, which assumes it anew before it ends, whatever credentials it is run with.
    return [aws.ProviderAssumeRoleArgs(role_arn=plan.role_arn, session_name=ROLE_SESSION)] if plan.role_arn else None


def _provider(plan: InfraPlan) -> aws.Provider:
    # Explicit, so that region, account and tags come from the plan and never from the shell.
    return aws.Provider(
        "aws",
        region=plan.region,
        allowed_account_ids=[plan.account_id],
        assume_roles=_roles(plan),
        default_tags=aws.ProviderDefaultTagsArgs(
            tags={**plan.tags, "DeploymentId": plan.deployment_id, "ManagedBy": "AutoDeploy"}
        ),
    )
