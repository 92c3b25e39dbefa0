"""The machine: key pair and EC2 instance in a public subnet, disk encrypted, metadata by token only."""

from __future__ import annotations

from collections.abc import Sequence

import pulumi
import pulumi_aws as aws

from autodeploy.model import InfraPlan
from autodeploy.naming import physical


class Compute(pulumi.ComponentResource):
    """`after` is waited for: without a way out the first boot finds no packages."""

    def __init__(
        self,
        name: str,
        plan: InfraPlan,
        *,
        subnet_id: pulumi.Output[str],
        security_group_ids: Sequence[pulumi.Output[str]],
        profile_name: pulumi.Output[str],
        after: Sequence[pulumi.Resource],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("autodeploy:compute:Compute", name, None, opts)
        self.key = aws.ec2.KeyPair(
            "operator",
            key_name=physical(plan.name, plan.deployment_id, "key", plan.ssh_public_key),
            public_key=plan.ssh_public_key,
            opts=pulumi.ResourceOptions(parent=self),
        )
        self.instance = aws.ec2.Instance(
            "app",
            ami=plan.image_id,
            instance_type=plan.instance_type,
            subnet_id=subnet_id,
            associate_public_ip_address=True,
            vpc_security_group_ids=list(security_group_ids),
            key_name=self.key.key_name,
            iam_instance_profile=profile_name,
            user_data=plan.user_data,
            user_data_replace_on_change=False,
            root_block_device=aws.ec2.InstanceRootBlockDeviceArgs(
                volume_type="gp3", volume_size=plan.root_volume_gb, encrypted=True, delete_on_termination=True
            ),
            metadata_options=aws.ec2.InstanceMetadataOptionsArgs(
                http_endpoint="enabled", http_tokens="required", http_put_response_hop_limit=1
            ),
            tags={"Name": plan.name},
            # cloud-init reads user data at the first boot only; changing it later would stop the machine for nothing.
            opts=pulumi.ResourceOptions(parent=self, depends_on=list(after), ignore_changes=["userData"]),
        )
        self.register_outputs({"instanceId": self.instance.id})
