"""The whole program: reads the InfraPlan from the stack's config, makes its resources, exports what agents need."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pulumi
import pulumi_aws as aws

from autodeploy.model import DatabasePlan, InfraPlan, WebPlan
from stacks.alarms import Watched
from stacks.balancer import Balancer
from stacks.compute import Compute
from stacks.database import Database
from stacks.firewall import Firewall
from stacks.monitoring import Logs, Monitoring
from stacks.network import Network
from stacks.profile import Profile

CONFIG = "autodeploy"
Outputs = dict[str, pulumi.Output[Any]]


def program() -> None:
    """Declare the resources of config `autodeploy:plan` and `autodeploy:certificateKey` (secret)."""
    config = pulumi.Config(CONFIG)
    plan = InfraPlan.model_validate_json(config.require("plan"))
    certificate_key = config.require_secret("certificateKey") if plan.web else None
    for name, value in declare(plan, certificate_key).items():
        pulumi.export(name, value)


def declare(plan: InfraPlan, certificate_key: pulumi.Output[str] | None) -> Outputs:
    """Declare the plan's resources and return the stack's outputs by name."""
    opts = pulumi.ResourceOptions(providers={"aws": _provider(plan)})
    network = Network("network", plan, opts)
    firewall = Firewall("firewall", plan, network.vpc.id, opts)
    compute = _compute(plan, network, firewall, opts)
    watched: dict[Watched, Mapping[str, pulumi.Input[str]]] = {"instance": {"InstanceId": compute.instance.id}}
    outputs: Outputs = {
        "vpcId": network.vpc.id,
        "publicSubnetId": network.public_subnets[0].id,
        "privateSubnetId": network.private_subnets[0].id,
        "instanceId": compute.instance.id,
        "publicIp": compute.instance.public_ip,
        "privateIp": compute.instance.private_ip,
        "securityGroupId": firewall.app.id,
        "keyName": compute.key.key_name,
    }
    if plan.database and firewall.database:
        database = _database(plan, plan.database, network, firewall.database, opts)
        outputs |= {
            "databaseEndpoint": database.instance.address,
            "databasePort": database.instance.port,
            "databaseName": database.instance.db_name,
            "databaseSecretArn": database.secret_arn,
        }
        watched["database"] = {"DBInstanceIdentifier": database.identifier}
    if plan.web and firewall.balancer and certificate_key:
        parts = (network, firewall.balancer, compute)
        balancer = _balancer(plan, plan.web, certificate_key, parts, opts)
        outputs |= {"loadBalancerDns": balancer.load_balancer.dns_name, "certificateArn": balancer.certificate.arn}
        watched |= balancer.dimensions
    Monitoring("monitoring", plan, watched, opts)
    return outputs


def _compute(plan: InfraPlan, network: Network, firewall: Firewall, opts: pulumi.ResourceOptions) -> Compute:
    logs = Logs("logs", plan, opts)
    profile = Profile("profile", plan, logs.group.arn, opts)
    return Compute(
        "compute",
        plan,
        subnet_id=network.public_subnets[0].id,
        security_group_ids=[firewall.app.id, firewall.ssh.id],
        profile_name=profile.instance_profile.name,
        after=network.way_out,
        opts=opts,
    )


def _database(
    plan: InfraPlan,
    database: DatabasePlan,
    network: Network,
    group: aws.ec2.SecurityGroup,
    opts: pulumi.ResourceOptions,
) -> Database:
    subnets = [subnet.id for subnet in network.private_subnets]
    return Database("database", plan, database, subnet_ids=subnets, security_group_id=group.id, opts=opts)


def _balancer(
    plan: InfraPlan,
    web: WebPlan,
    certificate_key: pulumi.Output[str],
    parts: tuple[Network, aws.ec2.SecurityGroup, Compute],
    opts: pulumi.ResourceOptions,
) -> Balancer:
    network, group, compute = parts
    return Balancer(
        "balancer",
        plan,
        web,
        certificate_key=certificate_key,
        vpc_id=network.vpc.id,
        subnet_ids=[subnet.id for subnet in network.public_subnets],
        security_group_id=group.id,
        instance_id=compute.instance.id,
        after=network.way_out,
        opts=opts,
    )


def _provider(plan: InfraPlan) -> aws.Provider:
    # Explicit, so that region, account and tags come from the plan and never from the shell.
    return aws.Provider(
        "aws",
        region=plan.region,
        allowed_account_ids=[plan.account_id],
        default_tags=aws.ProviderDefaultTagsArgs(
            tags={**plan.tags, "DeploymentId": plan.deployment_id, "ManagedBy": "AutoDeploy"}
        ),
    )
