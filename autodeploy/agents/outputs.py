"""A plan and the outputs of its stack -> InfrastructureSpec. The password in it is a reference, never the secret."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from autodeploy.errors import InfrastructureError
from autodeploy.model import DatabaseCredentials, InfrastructureSpec, Plan

APP_ROLE = "app"
DATABASE_PASSWORD = "database-password"


def specification(plan: Plan, outputs: Mapping[str, object], key_path: Path) -> InfrastructureSpec:
    """Return what stands; raise InfrastructureError for an output that is missing."""

    def text(key: str) -> str:
        if not isinstance(outputs.get(key), str):
            raise InfrastructureError(
                f"the stack has no output {key!r}", "Run the deploy again; report it if it stays."
            )
        return str(outputs[key])

    def optional(key: str) -> str | None:
        return text(key) if outputs.get(key) else None

    web, database = plan.infra.web, plan.infra.database
    return InfrastructureSpec(
        deployment_id=plan.infra.deployment_id,
        vpc_id=text("vpcId"),
        public_subnet_id=text("publicSubnetId"),
        private_subnet_id=text("privateSubnetId"),
        ec2_instance_id=text("instanceId"),
        ec2_public_ip=text("publicIp"),
        ec2_private_ip=text("privateIp"),
        security_group_id=text("securityGroupId"),
        database_endpoint=optional("databaseEndpoint"),
        database_credentials=DatabaseCredentials(
            username=APP_ROLE,
            password=f"file:{DATABASE_PASSWORD}",
            database_name=database.database_name,
            port=database.port,
        )
        if database
        else None,
        load_balancer_dns=optional("loadBalancerDns"),
        ssh_key_name=text("keyName"),
        ssh_private_key_path=str(key_path),
        database_secret_arn=optional("databaseSecretArn"),
        certificate_arn=optional("certificateArn"),
        domain=web.domain if web and web.zone_id else None,
        more_machines=outputs.get("moreMachines", ()),
        access=plan.infra.access,
    )
