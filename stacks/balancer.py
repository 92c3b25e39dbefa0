"""The application load balancer: HTTPS with an issued or imported certificate, HTTP only to be redirected."""

from __future__ import annotations

from collections.abc import Sequence

import pulumi
import pulumi_aws as aws

from autodeploy.model import FIRST_MACHINE, InfraPlan, WebPlan
from autodeploy.naming import numbered, physical
from stacks.domain import Domain

# TLS 1.2 and 1.3: https://docs.aws.amazon.com/elasticloadbalancing/latest/application/describe-ssl-policies.html
TLS_POLICY = "ELBSecurityPolicy-TLS13-1-2-2021-06"


class Balancer(pulumi.ComponentResource):
    """`after` is waited for: AWS refuses a public balancer in a VPC without an internet gateway.

    `dimensions` are by what CloudWatch counts the balancer's and its targets' metrics.
    """

    def __init__(
        self,
        name: str,
        plan: InfraPlan,
        web: WebPlan,
        *,
        certificate_key: pulumi.Output[str] | None,
        vpc_id: pulumi.Output[str],
        subnet_ids: Sequence[pulumi.Output[str]],
        security_group_id: pulumi.Output[str],
        instance_ids: Sequence[pulumi.Output[str]],
        after: Sequence[pulumi.Resource],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("autodeploy:balancer:Balancer", name, None, opts)
        self._child = pulumi.ResourceOptions(parent=self)
        self._domain = (
            Domain("domain", web.domain, web.zone_id, plan.name, self._child) if web.domain and web.zone_id else None
        )
        self.certificate_arn = (
            self._domain.certificate_arn if self._domain else self._imported(plan, web, certificate_key)
        )
        self.load_balancer = aws.lb.LoadBalancer(
            "public",
            name=physical(plan.name, plan.deployment_id, "lb", plan.vpc_cidr),
            load_balancer_type="application",
            internal=False,
            security_groups=[security_group_id],
            subnets=list(subnet_ids),
            drop_invalid_header_fields=True,
            enable_deletion_protection=web.deletion_protection,
            access_logs=self._access_logs(plan, web),
            opts=pulumi.ResourceOptions(parent=self, depends_on=list(after)),
        )
        group = self._target_group(plan, web, vpc_id, instance_ids)
        self._listen(group)
        mine = {"LoadBalancer": self.load_balancer.arn_suffix}
        self.dimensions: dict[str, dict[str, pulumi.Output[str]]] = {
            "balancer": mine,
            "targets": {**mine, "TargetGroup": group.arn_suffix},
        }
        if self._domain:
            self._domain.lead_to(self.load_balancer)
        self.register_outputs({"dnsName": self.load_balancer.dns_name})

    def _imported(
        self, plan: InfraPlan, web: WebPlan, certificate_key: pulumi.Output[str] | None
    ) -> pulumi.Output[str]:
        return aws.acm.Certificate(
            "public",
            certificate_body=web.certificate_pem,
            private_key=certificate_key,
            certificate_chain=web.certificate_chain_pem or None,
            tags={"Name": plan.name},
            opts=self._child,
        ).arn

    def _access_logs(self, plan: InfraPlan, web: WebPlan) -> aws.lb.LoadBalancerAccessLogsArgs | None:
        if web.access_logs_bucket is None:
            return None
        return aws.lb.LoadBalancerAccessLogsArgs(bucket=web.access_logs_bucket, prefix=plan.deployment_id, enabled=True)

    def _target_group(
        self,
        plan: InfraPlan,
        web: WebPlan,
        vpc_id: pulumi.Output[str],
        instance_ids: Sequence[pulumi.Output[str]],
    ) -> aws.lb.TargetGroup:
        group = aws.lb.TargetGroup(
            "app",
            name=physical(plan.name, plan.deployment_id, "web", plan.vpc_cidr, str(web.host_port)),
            target_type="instance",
            protocol="HTTP",
            port=web.host_port,
            vpc_id=vpc_id,
            deregistration_delay=10,
            health_check=aws.lb.TargetGroupHealthCheckArgs(
                protocol="HTTP",
                port="traffic-port",
                path=web.health_check_path,
                matcher="200-499",  # as everywhere: whatever is not its own fault, the application answers
                interval=5,
                timeout=4,
                healthy_threshold=2,
                unhealthy_threshold=2,
            ),
            opts=self._child,
        )
        for number, instance_id in enumerate(instance_ids, 1):
            aws.lb.TargetGroupAttachment(
                numbered(FIRST_MACHINE, number),
                target_group_arn=group.arn,
                target_id=instance_id,
                port=web.host_port,
                opts=self._child,
            )
        return group

    def _listen(self, group: aws.lb.TargetGroup) -> None:
        aws.lb.Listener(
            "https",
            load_balancer_arn=self.load_balancer.arn,
            port=443,
            protocol="HTTPS",
            ssl_policy=TLS_POLICY,
            certificate_arn=self.certificate_arn,
            default_actions=[aws.lb.ListenerDefaultActionArgs(type="forward", target_group_arn=group.arn)],
            opts=self._child,
        )
        aws.lb.Listener(
            "http",
            load_balancer_arn=self.load_balancer.arn,
            port=80,
            protocol="HTTP",
            default_actions=[
                aws.lb.ListenerDefaultActionArgs(
                    type="redirect",
                    redirect=aws.lb.ListenerDefaultActionRedirectArgs(
                        protocol="HTTPS", port="443", status_code="HTTP_301"
                    ),
                )
            ],
            opts=self._child,
        )
