"""The security groups, one per role, with one resource per rule; a way in exists only where the plan needs it."""

from __future__ import annotations

import pulumi
import pulumi_aws as aws

from autodeploy.model import InfraPlan
from autodeploy.naming import physical
from stacks.network import ANYWHERE

SSH, HTTP, HTTPS = 22, 80, 443


class Firewall(pulumi.ComponentResource):
    """Group `app` always; `ssh` where the operator comes by an address; `balancer`, `database` with what they guard."""

    def __init__(
        self, name: str, plan: InfraPlan, vpc_id: pulumi.Output[str], opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("autodeploy:network:Firewall", name, None, opts)
        self._child = pulumi.ResourceOptions(parent=self)
        self._plan = plan
        self._vpc_id = vpc_id
        self.app = self._group("app", "Application machine")
        self.ssh = self._group("ssh", "SSH from the operator") if plan.access == "ssh" else None
        self.balancer = self._group("balancer", "Load balancer") if plan.web else None
        self.database = self._group("database", "Database") if plan.database else None
        self._open()
        self.register_outputs({})

    def _open(self) -> None:
        plan = self._plan
        if self.ssh:
            self._from_network("ssh", self.ssh, SSH, plan.admin_cidr, "SSH from the operator")
        # Packages, name service and what the application itself calls: its way out is not ours to know.
        aws.vpc.SecurityGroupEgressRule(
            "app-out",
            security_group_id=self.app.id,
            ip_protocol="-1",
            cidr_ipv4=ANYWHERE,
            description="Anywhere",
            opts=self._child,
        )
        if plan.web and self.balancer:
            self._from_network("balancer-http", self.balancer, HTTP, ANYWHERE, "HTTP, only to be redirected")
            self._from_network("balancer-https", self.balancer, HTTPS, ANYWHERE, "HTTPS from anywhere")
            self._from_group("app-web", self.app, plan.web.host_port, self.balancer, "Load balancer")
            aws.vpc.SecurityGroupEgressRule(
                "balancer-app",
                security_group_id=self.balancer.id,
                referenced_security_group_id=self.app.id,
                ip_protocol="tcp",
                from_port=plan.web.host_port,
                to_port=plan.web.host_port,
                description="Application machine",
                opts=self._child,
            )
        if plan.database and self.database:
            self._from_group("database-app", self.database, plan.database.port, self.app, "Application machine")

    def _group(self, role: str, description: str) -> aws.ec2.SecurityGroup:
        plan = self._plan
        return aws.ec2.SecurityGroup(
            role,
            name=physical(plan.name, plan.deployment_id, role, plan.vpc_cidr, description),
            description=description,
            vpc_id=self._vpc_id,
            tags={"Name": f"{plan.name}-{role}"},
            opts=self._child,
        )

    def _from_network(self, name: str, group: aws.ec2.SecurityGroup, port: int, cidr: str, why: str) -> None:
        aws.vpc.SecurityGroupIngressRule(
            name,
            security_group_id=group.id,
            ip_protocol="tcp",
            from_port=port,
            to_port=port,
            cidr_ipv4=cidr,
            description=why,
            opts=self._child,
        )

    def _from_group(
        self, name: str, group: aws.ec2.SecurityGroup, port: int, source: aws.ec2.SecurityGroup, why: str
    ) -> None:
        aws.vpc.SecurityGroupIngressRule(
            name,
            security_group_id=group.id,
            ip_protocol="tcp",
            from_port=port,
            to_port=port,
            referenced_security_group_id=source.id,
            description=why,
            opts=self._child,
        )
