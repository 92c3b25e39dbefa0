"""EC2, RDS and the operator's network -> the single facts of one account and region."""

from __future__ import annotations

import ipaddress
import urllib.error
import urllib.request
from collections.abc import Sequence
from typing import Any

from autodeploy.adapters.aws.failures import AGENT
from autodeploy.errors import InfrastructureError, SettingsError
from autodeploy.model import BaseImage, DatabaseEngine

ADDRESS_URL = "https://checkip.amazonaws.com"
DEBIAN_OWNER = "136693071363"
"""Debian's own account, https://wiki.debian.org/Cloud/AmazonEC2Image."""
LOCAL_IMAGES: dict[BaseImage, str] = {"debian-12": "ami-0debian12local00", "debian-13": "ami-0debian13local00"}
LOCAL_ENGINES: dict[DatabaseEngine, str] = {"postgres": "15", "mysql": "8.0", "mariadb": "10.11"}
_ENGINES: tuple[DatabaseEngine, ...] = ("postgres", "mysql", "mariadb")
_RELEASES: dict[BaseImage, str] = {"debian-12": "debian-12-amd64-*", "debian-13": "debian-13-amd64-*"}


def offers(ec2: Any, instance_types: Sequence[str], region: str) -> dict[str, tuple[str, ...]]:
    """Return by type the zones that offer it, sorted; raise InfrastructureError when none offers the first type."""
    pages = ec2.get_paginator("describe_instance_type_offerings").paginate(
        LocationType="availability-zone", Filters=[{"Name": "instance-type", "Values": list(instance_types)}]
    )
    offered = {(offer["InstanceType"], offer["Location"]) for page in pages for offer in page["InstanceTypeOfferings"]}
    listed = ec2.describe_availability_zones(Filters=[{"Name": "state", "Values": ["available"]}])
    available = sorted(zone["ZoneName"] for zone in listed["AvailabilityZones"])
    found = {kind: tuple(zone for zone in available if (kind, zone) in offered) for kind in instance_types}
    instance_type = instance_types[0]
    if not found[instance_type]:
        raise InfrastructureError(
            f"no zone of {region} offers the instance type {instance_type}",
            "Choose another type with --instance-type, or another region with --region.",
            agent=AGENT,
            context=f"Reading the zones of {region}",
        )
    return found


def images(ec2: Any, owner: str, region: str) -> dict[BaseImage, str]:
    """Return the newest official Debian image of each release; raise InfrastructureError when there is none."""
    found: dict[BaseImage, str] = {}
    for release, pattern in _RELEASES.items():
        filters = {"name": pattern, "architecture": "x86_64", "state": "available"}
        listed = ec2.describe_images(
            Owners=[owner], Filters=[{"Name": name, "Values": [value]} for name, value in filters.items()]
        )["Images"]
        if listed:
            found[release] = max(listed, key=lambda image: str(image["CreationDate"]))["ImageId"]
    if not found:
        raise InfrastructureError(
            f"there is no official Debian image in {region}",
            "Choose another region with --region.",
            agent=AGENT,
            context=f"Reading the images of {region}",
        )
    return found


def engine_versions(rds: Any) -> dict[DatabaseEngine, str]:
    """Return the region's default version of each database engine."""
    found: dict[DatabaseEngine, str] = {}
    for engine in _ENGINES:
        listed = rds.describe_db_engine_versions(Engine=engine, DefaultOnly=True)["DBEngineVersions"]
        if listed:
            found[engine] = listed[0]["EngineVersion"]
    return found


def instance_condition(ec2: Any, instance_id: str) -> tuple[str, str]:
    """Return the instance's state and its worst status check ("ok", "initializing", "impaired", "" before any)."""
    listed = ec2.describe_instance_status(InstanceIds=[instance_id], IncludeAllInstances=True)["InstanceStatuses"]
    if not listed:
        return "pending", ""
    status = listed[0]
    checks = {status.get(kind, {}).get("Status", "ok") for kind in ("SystemStatus", "InstanceStatus")}
    return status["InstanceState"]["Name"], "ok" if checks == {"ok"} else ", ".join(sorted(checks - {"ok"}))


def public_address(url: str, timeout_seconds: float = 5) -> str:
    """Return the operator's public IPv4 address as a /32; raise SettingsError naming --admin-cidr."""
    try:
        with urllib.request.urlopen(url, timeout=timeout_seconds) as response:
            return f"{ipaddress.IPv4Address(response.read(64).decode('ascii', 'replace').strip())}/32"
    except (urllib.error.URLError, OSError, ValueError) as err:
        raise SettingsError(
            f"{url} does not say which address you are seen from: {err}",
            "Name the network that may use SSH: --admin-cidr 203.0.113.7/32",
            agent=AGENT,
            context="Finding the address that SSH is opened to",
        ) from err
