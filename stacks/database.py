"""The managed database: private, encrypted, TLS only, its master password kept by Secrets Manager."""

from __future__ import annotations

from collections.abc import Sequence

import pulumi
import pulumi_aws as aws

from autodeploy.model import DatabasePlan, InfraPlan
from autodeploy.naming import database_identifier, physical

# https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/PostgreSQL.Concepts.General.SSL.html
# https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/mysql-ssl-connections.html
FORCE_TLS = {
    "postgres": ("rds.force_ssl", "1"),
    "mysql": ("require_secure_transport", "1"),
    "mariadb": ("require_secure_transport", "1"),
}


class Database(pulumi.ComponentResource):
    """One RDS instance. It can be deleted only after an update that lifts its protection."""

    def __init__(
        self,
        name: str,
        plan: InfraPlan,
        database: DatabasePlan,
        *,
        subnet_ids: Sequence[pulumi.Output[str]],
        security_group_id: pulumi.Output[str],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("autodeploy:database:Database", name, None, opts)
        self._child = pulumi.ResourceOptions(parent=self)
        self.identifier = database_identifier(plan, database)
        self.instance = self._instance(plan, database, subnet_ids, security_group_id)
        # RDS manages no password yet of an instance that was restored by an engine that was killed then.
        self.secret_arn = self.instance.master_user_secrets.apply(
            lambda secrets: secrets[0].secret_arn if secrets else ""
        )
        self.register_outputs({"endpoint": self.instance.address})

    def _instance(
        self,
        plan: InfraPlan,
        database: DatabasePlan,
        subnet_ids: Sequence[pulumi.Output[str]],
        security_group_id: pulumi.Output[str],
    ) -> aws.rds.Instance:
        return aws.rds.Instance(
            "database",
            identifier=self.identifier,
            engine=database.engine,
            engine_version=database.engine_version,
            instance_class=database.instance_class,
            allocated_storage=database.storage_gb,
            storage_type=database.storage_type,
            storage_encrypted=True,
            db_name=database.database_name,
            username=database.master_username,
            manage_master_user_password=True,
            port=database.port,
            db_subnet_group_name=self._subnets(plan, subnet_ids).name,
            parameter_group_name=self._parameters(plan, database).name,
            vpc_security_group_ids=[security_group_id],
            publicly_accessible=False,
            multi_az=False,
            backup_retention_period=database.backup_retention_days,
            copy_tags_to_snapshot=True,
            auto_minor_version_upgrade=True,
            # Lifting the protection must not wait for the maintenance window.
            apply_immediately=True,
            deletion_protection=database.deletion_protection,
            # The protection is lifted only once a last snapshot is taken and verified, outside of this stack.
            skip_final_snapshot=not database.deletion_protection,
            final_snapshot_identifier=f"{self.identifier}-final",
            snapshot_identifier=database.snapshot or None,
            # RDS would rename the instance that stands, and leave its data as they are.
            opts=pulumi.ResourceOptions(parent=self, replace_on_changes=["identifier"]),
        )

    def _subnets(self, plan: InfraPlan, subnet_ids: Sequence[pulumi.Output[str]]) -> aws.rds.SubnetGroup:
        return aws.rds.SubnetGroup(
            "private",
            name=physical(plan.name, plan.deployment_id, "subnets", plan.vpc_cidr),
            description="Private subnets",
            subnet_ids=list(subnet_ids),
            opts=self._child,
        )

    def _parameters(self, plan: InfraPlan, database: DatabasePlan) -> aws.rds.ParameterGroup:
        family = database.parameter_family
        name, value = FORCE_TLS[database.engine]
        return aws.rds.ParameterGroup(
            "tls-only",
            name=physical(plan.name, plan.deployment_id, "params", family),
            family=family,
            description="TLS only",
            parameters=[aws.rds.ParameterGroupParameterArgs(name=name, value=value)],
            opts=self._child,
        )
