"""What the machine may do in the account: write to its own log group, take sessions where it is reached so; no more."""

from __future__ import annotations

import json

import pulumi
import pulumi_aws as aws

from autodeploy.model import InfraPlan
from autodeploy.naming import physical

PATH = "/autodeploy/"
"""Lets the operator's own permissions be bounded to roles below it."""

TRUST = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}],
}

SESSIONS = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Action": [
                "ssm:UpdateInstanceInformation",
                "ssmmessages:CreateControlChannel",
                "ssmmessages:CreateDataChannel",
                "ssmmessages:OpenControlChannel",
                "ssmmessages:OpenDataChannel",
            ],
            "Resource": "*",  # the channels' actions know no resource
        }
    ],
}
"""The least that AWS documents for sessions; the managed AmazonSSMManagedInstanceCore would let every parameter of the
account be read as well. https://docs.aws.amazon.com/systems-manager/latest/userguide/getting-started-add-permissions-to-existing-profile.html."""


class Profile(pulumi.ComponentResource):
    """Role and instance profile bear the deployment's id: by it they are found when their stack is gone."""

    def __init__(
        self,
        name: str,
        plan: InfraPlan,
        log_group_arn: pulumi.Output[str],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("autodeploy:compute:Profile", name, None, opts)
        child = pulumi.ResourceOptions(parent=self)
        role = aws.iam.Role(
            "app",
            name=plan.deployment_id,
            path=PATH,
            description=f"The machine of {plan.deployment_id}",
            assume_role_policy=json.dumps(TRUST, sort_keys=True),
            opts=child,
        )
        aws.iam.RolePolicy(
            "log-group",
            name=physical(plan.name, plan.deployment_id, "log"),
            role=role.name,
            policy=log_group_arn.apply(log_policy),
            opts=child,
        )
        if plan.access == "ssm":
            aws.iam.RolePolicy(
                "session",
                name=physical(plan.name, plan.deployment_id, "session"),
                role=role.name,
                policy=json.dumps(SESSIONS, sort_keys=True),
                opts=child,
            )
        self.instance_profile = aws.iam.InstanceProfile(
            "app", name=plan.deployment_id, path=PATH, role=role.name, opts=child
        )
        self.register_outputs({"name": self.instance_profile.name})


def log_policy(log_group_arn: str) -> str:
    """Return the policy that lets streams be made and written in one log group; it lets nothing be read."""
    statement = {
        "Effect": "Allow",
        "Action": ["logs:CreateLogStream", "logs:PutLogEvents"],
        "Resource": f"{log_group_arn}:*",
    }
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]}, sort_keys=True)
