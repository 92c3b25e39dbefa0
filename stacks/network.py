"""The VPC with public and private subnets in two zones; only the public ones have a way to the internet."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import pulumi
import pulumi_aws as aws

from autodeploy.model import ExistingNetwork, InfraPlan

ANYWHERE = "0.0.0.0/0"


class Ground(NamedTuple):
    """What everything else stands on. `way_out` is what a machine needs before its first boot."""

    vpc_id: pulumi.Output[str]
    public_subnet_ids: Sequence[pulumi.Output[str]]
    private_subnet_ids: Sequence[pulumi.Output[str]]
    way_out: Sequence[pulumi.Resource] = ()


def existing(network: ExistingNetwork) -> Ground:
    """Return a network that is somebody else's: nothing is declared, so nothing of it is ever deleted."""
    known = pulumi.Output.from_input
    return Ground(
        known(network.vpc_id),
        [known(subnet) for subnet in network.public_subnet_ids],
        [known(subnet) for subnet in network.private_subnet_ids],
    )


class Network(pulumi.ComponentResource):
    """Subnets come in the order of the plan's zones."""

    def __init__(self, name: str, plan: InfraPlan, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("autodeploy:network:Network", name, None, opts)
        self._child = pulumi.ResourceOptions(parent=self)
        self._plan = plan
        self.vpc = aws.ec2.Vpc(
            "vpc",
            cidr_block=plan.vpc_cidr,
            enable_dns_support=True,
            enable_dns_hostnames=True,
            tags={"Name": plan.name},
            opts=self._child,
        )
        public_subnets = self._subnets("public", plan.public_cidrs)
        private_subnets = self._subnets("private", plan.private_cidrs)
        gateway = aws.ec2.InternetGateway("internet", vpc_id=self.vpc.id, tags={"Name": plan.name}, opts=self._child)
        public, public_associations = self._route_table("public", public_subnets)
        self._route_table("private", private_subnets)
        default_route = aws.ec2.Route(
            "public-default",
            route_table_id=public.id,
            destination_cidr_block=ANYWHERE,
            gateway_id=gateway.id,
            opts=self._child,
        )
        self.ground = Ground(
            self.vpc.id,
            [subnet.id for subnet in public_subnets],
            [subnet.id for subnet in private_subnets],
            [default_route, *public_associations],
        )
        self.register_outputs({"vpcId": self.vpc.id})

    def _subnets(self, kind: str, cidrs: tuple[str, str]) -> list[aws.ec2.Subnet]:
        return [
            aws.ec2.Subnet(
                f"{kind}-{number}",
                vpc_id=self.vpc.id,
                cidr_block=cidr,
                availability_zone=zone,
                map_public_ip_on_launch=kind == "public",
                tags={"Name": f"{self._plan.name}-{kind}-{number}"},
                opts=self._child,
            )
            for number, (cidr, zone) in enumerate(zip(cidrs, self._plan.zones, strict=True), 1)
        ]

    def _route_table(
        self, kind: str, subnets: list[aws.ec2.Subnet]
    ) -> tuple[aws.ec2.RouteTable, list[aws.ec2.RouteTableAssociation]]:
        table = aws.ec2.RouteTable(
            kind, vpc_id=self.vpc.id, tags={"Name": f"{self._plan.name}-{kind}"}, opts=self._child
        )
        return table, [
            aws.ec2.RouteTableAssociation(
                f"{kind}-{number}", route_table_id=table.id, subnet_id=subnet.id, opts=self._child
            )
            for number, subnet in enumerate(subnets, 1)
        ]
