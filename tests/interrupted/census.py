"""Counts everything that a home has made: in the emulated account, in the container engine, on disk, among processes."""

from __future__ import annotations

import json
import subprocess
from collections import Counter
from pathlib import Path
from typing import Any

import boto3

from autodeploy.local.client import LocalTarget

_EC2 = (
    ("describe_vpcs", "Vpcs"),
    ("describe_subnets", "Subnets"),
    ("describe_internet_gateways", "InternetGateways"),
    ("describe_route_tables", "RouteTables"),
    ("describe_security_groups", "SecurityGroups"),
    ("describe_security_group_rules", "SecurityGroupRules"),
    ("describe_key_pairs", "KeyPairs"),
    ("describe_addresses", "Addresses"),
    ("describe_volumes", "Volumes"),
    ("describe_network_interfaces", "NetworkInterfaces"),
)
_OTHERS = (
    ("elbv2", "describe_load_balancers", "LoadBalancers"),
    ("elbv2", "describe_target_groups", "TargetGroups"),
    ("acm", "list_certificates", "CertificateSummaryList"),
    ("rds", "describe_db_instances", "DBInstances"),
    ("rds", "describe_db_subnet_groups", "DBSubnetGroups"),
    ("rds", "describe_db_parameter_groups", "DBParameterGroups"),
    ("rds", "describe_db_snapshots", "DBSnapshots"),
    ("secretsmanager", "list_secrets", "SecretList"),
)


def census(home: Path, cache: Path) -> Counter[str]:
    """Return how many of each kind there are; a home without a daemon has no account."""
    local = LocalTarget(home, cache)
    info = local.running()
    found: Counter[str] = Counter()
    if info is not None:
        found += account(info.aws_endpoint)
    found["balancers"] = len(local.records.balancer_names())
    found += containers(local._fleet().seal)
    found["stacks"] = len(list((home / "pulumi" / ".pulumi" / "stacks").glob("*/*.json")))
    found["engine locks"] = len(list((home / "pulumi" / ".pulumi" / "locks").rglob("*.json")))
    found["processes"] = len(processes(home))
    return +found


def account(endpoint: str) -> Counter[str]:
    """Count the account's resources, with the listeners and the targets of its balancers."""
    session = boto3.Session(aws_access_key_id="test", aws_secret_access_key="test", region_name="us-east-1")

    def client(service: str) -> Any:
        return session.client(service, endpoint_url=endpoint)

    ec2, elb = client("ec2"), client("elbv2")
    found = Counter({key: len(getattr(ec2, call)()[key]) for call, key in _EC2})
    instances = [each for group in ec2.describe_instances()["Reservations"] for each in group["Instances"]]
    found["Instances"] = sum(each["State"]["Name"] != "terminated" for each in instances)
    tables = ec2.describe_route_tables()["RouteTables"]
    found["Routes"] = sum(len(table["Routes"]) + len(table["Associations"]) for table in tables)
    for service, call, key in _OTHERS:
        found[key] = len(getattr(client(service), call)()[key])
    for balancer in elb.describe_load_balancers()["LoadBalancers"]:
        found["Listeners"] += len(elb.describe_listeners(LoadBalancerArn=balancer["LoadBalancerArn"])["Listeners"])
    for group in elb.describe_target_groups()["TargetGroups"]:
        health = elb.describe_target_health(TargetGroupArn=group["TargetGroupArn"])
        found["Targets"] += len(health["TargetHealthDescriptions"])
    return found


def containers(seal: str) -> Counter[str]:
    """Count one home's containers by kind, with their volumes, and its networks."""
    own = ("--filter", f"label=autodeploy.home={seal}")
    names = _podman("container", "ls", "--all", *own, "--format", "{{.Names}}").split()
    told = json.loads(_podman("container", "inspect", *names)) if names else []
    found = Counter(f"container: {each['Config']['Labels']['autodeploy.kind']}" for each in told)
    found["volumes"] = sum(mount["Type"] == "volume" for each in told for mount in each["Mounts"])
    found["networks"] = len(_podman("network", "ls", *own, "--format", "{{.Name}}").split())
    return found


def processes(home: Path) -> list[str]:
    """Return the command lines of what still runs for a home, besides its daemon and what keeps its containers."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            environment = (process / "environ").read_bytes().split(b"\0")
            line = (process / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace").strip()
        except OSError:
            continue
        kept = "autodeploy.local.daemon" in line or ("conmon" in line and f"-{_kind(line)}-" in line)
        if f"AUTODEPLOY_HOME={home}".encode() in environment and line and not kept:
            found.append(line)
    return found


def _kind(line: str) -> str:
    return "machine" if "-machine-" in line else "database"


def _podman(*arguments: str) -> str:
    return subprocess.run(["podman", *arguments], capture_output=True, text=True, check=True, timeout=60).stdout
