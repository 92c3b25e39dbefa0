"""The rule that balancers and databases share: their subnets lie in at least two zones."""

from __future__ import annotations

from autodeploy.local.provider.account import refusal
from autodeploy.local.provider.entry import Call


def two_zones(call: Call, subnets: list[str], code: str) -> None:
    """Raise InfrastructureError with AWS's `code` unless the subnets lie in two zones at least."""
    found = call.client("ec2").describe_subnets(SubnetIds=subnets)["Subnets"]
    zones = sorted({subnet["AvailabilityZone"] for subnet in found})
    if len(zones) < 2:
        raise refusal(
            f"{code}: at least two subnets in two different Availability Zones are needed, not {', '.join(zones)}",
            "Give subnets of two zones.",
        )
