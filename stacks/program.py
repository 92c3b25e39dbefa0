"""The whole program: reads the InfraPlan from the stack's config, makes its resources, exports what agents need."""

from __future__ import annotations

import pulumi
import pulumi_aws as aws

from autodeploy.model import InfraPlan
from stacks.balancer import Balancer
from stacks.compute import Compute
from stacks.database import Database
from stacks.firewall import Firewall
from stacks.network import Network

CONFIG = "autodeploy"


def program() -> None:
    """Declare the resources of config `autodeploy:plan` and `autodeploy:certificateKey` (secret)."""
    config = pulumi.Config(CONFIG)
    plan = InfraPlan.model_validate_json(config.require("plan"))
    certificate_key = config.require_secret("certificateKey") if plan.web else None
    for name, value in declare(plan, certificate_key).items():
        pulumi.export(name, value)


def declare(plan: InfraPlan, certificate_key: pulumi.Output[str] | None) -> dict[str, pulumi.Output[object]]:
    """Declare the plan's resources and return the stack's outputs by name."""
    opts = pulumi.ResourceOptions(providers={"aws": _provider(plan)})
    network = Network("network", plan, opts)
    firewall = Firewall("firewall", plan, network.vpc.id, opts)
    groups = [firewall.app.id, firewall.ssh.id]
    compute = Compute(
        "compute",
        plan,
        subnet_id=network.public_subnets[0].id,
        security_group_ids=groups,
        after=network.way_out,
        opts=opts,
    )
    outputs: dict[str, pulumi.Output[object]] = {
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
        subnets = [subnet.id for subnet in network.private_subnets]
        database = Database(
            "database", plan, plan.database, subnet_ids=subnets, security_group_id=firewall.database.id, opts=opts
        )
        outputs |= {
            "databaseEndpoint": database.instance.address,
            "databasePort": database.instance.port,
            "databaseName": database.instance.db_name,
            "databaseSecretArn": database.secret_arn,
        }
    if plan.web and firewall.balancer and certificate_key:
        balancer = Balancer(
            "balancer",
            plan,
            plan.web,
            certificate_key=certificate_key,
            vpc_id=network.vpc.id,
            subnet_ids=[subnet.id for subnet in network.public_subnets],
            security_group_id=firewall.balancer.id,
            instance_id=compute.instance.id,
            after=network.way_out,
            opts=opts,
        )
        outputs |= {
            "loadBalancerDns": balancer.load_balancer.dns_name,
            "certificateArn": balancer.certificate.arn,
        }
    return outputs


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
