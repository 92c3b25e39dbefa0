"""The machines: one key pair, EC2 instances in a public subnet, disks encrypted, metadata by token only."""

from __future__ import annotations

from collections.abc import Sequence

import pulumi
import pulumi_aws as aws

from autodeploy.model import FIRST_MACHINE, InfraPlan
from autodeploy.naming import numbered, physical


class Compute(pulumi.ComponentResource):
    """Machines take turns in the subnets. `after` is waited for: without a way out the first boot finds no packages."""

    def __init__(
        self,
        name: str,
        plan: InfraPlan,
        *,
        subnet_ids: Sequence[pulumi.Output[str]],
        security_group_ids: Sequence[pulumi.Output[str]],
        profile_name: pulumi.Output[str],
        after: Sequence[pulumi.Resource],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("autodeploy:compute:Compute", name, None, opts)
        self._plan = plan
        self._groups = security_group_ids
        self._profile_name = profile_name
        self._after = after
        self.key = aws.ec2.KeyPair(
            "operator",
            key_name=physical(plan.name, plan.deployment_id, "key", plan.ssh_public_key),
            public_key=plan.ssh_public_key,
            opts=pulumi.ResourceOptions(parent=self),
        )
        self.instances = [
            self._instance(number, subnet_ids[(number - 1) % len(subnet_ids)])
            for number in range(1, plan.instances + 1)
        ]
        self.register_outputs({"instanceId": self.instances[0].id})

    def _instance(self, number: int, subnet_id: pulumi.Output[str]) -> aws.ec2.Instance:
        plan = self._plan
        return aws.ec2.Instance(
            numbered(FIRST_MACHINE, number),
            ami=plan.image_id,
            instance_type=plan.instance_type,
            subnet_id=subnet_id,
            associate_public_ip_address=True,
            vpc_security_group_ids=list(self._groups),
            key_name=self.key.key_name,
            iam_instance_profile=self._profile_name,
            user_data=plan.user_data,
            user_data_replace_on_change=False,
            root_block_device=aws.ec2.InstanceRootBlockDeviceArgs(
                volume_type="gp3", volume_size=plan.root_volume_gb, encrypted=True, delete_on_termination=True
            ),
            metadata_options=aws.ec2.InstanceMetadataOptionsArgs(
                http_endpoint="enabled", http_tokens="required", http_put_response_hop_limit=1
            ),
            tags={"Name": numbered(plan.name, number)},
            # cloud-init reads user data at the first boot only; changing it later would stop the machine for nothing.
            opts=pulumi.ResourceOptions(parent=self, depends_on=list(self._after), ignore_changes=["userData"]),
        )
