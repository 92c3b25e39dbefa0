"""Route 53 and EC2 -> what the user already has and wants used: the zone of a domain, a VPC with its subnets.

Never creates or changes anything.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from botocore.exceptions import ClientError

from autodeploy.adapters.aws.failures import AGENT, code_of
from autodeploy.errors import InfrastructureError
from autodeploy.model import HostedZone, NetworkFacts, SubnetFacts

ADDRESSES = ("A", "AAAA", "CNAME")


def hosted_zone(route53: Any, domain: str, rehearse: Callable[[Any, str], None] | None = None) -> HostedZone | None:
    """Return the public zone with the longest name that the domain lies in; raise where the domain is taken there.

    Where there is none, `rehearse` makes one, in an emulated account.
    """
    zones = [
        zone
        for page in route53.get_paginator("list_hosted_zones").paginate()
        for zone in page["HostedZones"]
        if not zone["Config"]["PrivateZone"] and f".{domain}".endswith(f".{zone['Name'].rstrip('.')}")
    ]
    if not zones:
        if rehearse is None:
            return None
        rehearse(route53, domain)
        return hosted_zone(route53, domain)
    longest = max(zones, key=lambda zone: len(zone["Name"]))
    found = HostedZone(zone_id=longest["Id"].rpartition("/")[2], name=longest["Name"].rstrip("."))
    if taken := _addresses(route53, found.zone_id, domain):
        raise InfrastructureError(
            f"{domain} has an address already, in zone {found.name} ({found.zone_id}): {', '.join(taken)}",
            "Delete the record, or choose another name with --domain.",
            agent=AGENT,
            context=f"Looking for the zone of {domain}",
        )
    return found


def _addresses(route53: Any, zone: str, domain: str) -> list[str]:
    listed = route53.list_resource_record_sets(HostedZoneId=zone, StartRecordName=domain, StartRecordType="A")
    return sorted(
        {
            record["Type"]
            for record in listed["ResourceRecordSets"]
            if record["Name"].rstrip(".") == domain and record["Type"] in ADDRESSES
        }
    )


def network(ec2: Any, vpc_id: str, region: str) -> NetworkFacts:
    """Return a VPC and its subnets as they are; raise InfrastructureError for one that is not there."""
    try:
        vpc = ec2.describe_vpcs(VpcIds=[vpc_id])["Vpcs"][0]
    except ClientError as err:
        if "NotFound" not in code_of(err) and "Malformed" not in code_of(err):
            raise
        raise InfrastructureError(
            f"there is no VPC {vpc_id} in {region}",
            "List them: aws ec2 describe-vpcs; or leave out --vpc-id, and one is made.",
            agent=AGENT,
            context=f"Reading the network {vpc_id}",
        ) from err
    only = [{"Name": "vpc-id", "Values": [vpc_id]}]
    tables = [
        t for page in ec2.get_paginator("describe_route_tables").paginate(Filters=only) for t in page["RouteTables"]
    ]
    subnets = [s for page in ec2.get_paginator("describe_subnets").paginate(Filters=only) for s in page["Subnets"]]
    return NetworkFacts(
        vpc_id=vpc_id,
        cidr=vpc["CidrBlock"],
        dns_support=_attribute(ec2, vpc_id, "enableDnsSupport"),
        dns_hostnames=_attribute(ec2, vpc_id, "enableDnsHostnames"),
        subnets=tuple(_subnet(subnet, tables) for subnet in sorted(subnets, key=lambda each: each["SubnetId"])),
    )


def _attribute(ec2: Any, vpc_id: str, name: str) -> bool:
    return bool(ec2.describe_vpc_attribute(VpcId=vpc_id, Attribute=name)[name[0].upper() + name[1:]]["Value"])


def _subnet(subnet: dict[str, Any], tables: Iterable[dict[str, Any]]) -> SubnetFacts:
    ways = [route for route in _routes(subnet["SubnetId"], tables) if route.get("State") != "blackhole"]
    out = [route for route in ways if route.get("DestinationCidrBlock") == "0.0.0.0/0"]
    return SubnetFacts(
        subnet_id=subnet["SubnetId"],
        zone=subnet["AvailabilityZone"],
        free_addresses=subnet["AvailableIpAddressCount"],
        is_public=any(str(route.get("GatewayId", "")).startswith("igw-") for route in out),
        has_way_out=bool(out),
    )


def _routes(subnet_id: str, tables: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the routes of a subnet: those of its own table, else of the VPC's main one."""
    tables = list(tables)
    own = [table for table in tables if subnet_id in [tie.get("SubnetId") for tie in table["Associations"]]]
    main = [table for table in tables if any(tie.get("Main") for tie in table["Associations"])]
    return [route for table in (own or main) for route in table["Routes"]]
