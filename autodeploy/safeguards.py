"""What no apply may do, whatever flag, agent or hand-made plan asks for it: what is planned, what the engine would
register and what stands come in, PlanError goes out. The engine's adapter asks here at the last moment before it acts.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from autodeploy.errors import PlanError
from autodeploy.model import Access, InfraPlan, Preview, ResourceChange

AGENT = "HiveMind SysEng"
WIDEST_PREFIX = 8
"""No office is wider than a /8; of IPv6 none is wider than a /29, what a provider is given at first (RIPE-738)."""
WIDEST_PREFIX_6 = 29
WEB_PORTS = frozenset({80, 443})
"""All that the whole world may reach."""
SSH = 22

STATEFUL: Mapping[str, str] = {
    "aws:rds:Instance": "the rows of the database",
    "aws:rds:Cluster": "the rows of the database",
    "aws:rds:Snapshot": "a copy of the database that nothing else holds",
    "aws:ebs:Volume": "the files on the volume",
    "aws:efs:FileSystem": "the files on the file system",
    "aws:s3:Bucket": "the objects in the bucket",
    "aws:s3:BucketV2": "the objects in the bucket",
    "aws:dynamodb:Table": "the items of the table",
    "aws:kms:Key": "everything that is encrypted with the key",
}
"""By type, what is lost with a resource and cannot be made again.

A machine is not among them: its root volume holds the image, a release from the ledger's artifact, and an environment
from the ledger's secrets, and every deploy can make all of it anew; what an application leaves below /var/lib/app is
its cache by contract, and the approval says that it goes. Nor are secrets and keys of the deployment, which the ledger
holds, nor log groups, whose lines end with their retention.
"""

ENDING = frozenset({"replace", "delete"})


class Registered(NamedTuple):
    """One resource as the engine is about to register it. `type` is short: aws:ec2:Vpc."""

    type: str
    name: str
    inputs: Mapping[str, Any]


class Standing(NamedTuple):
    """One resource of a stack's state. `arn` and `deployment_id` (its tag) are "" where it has none."""

    type: str
    name: str
    arn: str = ""
    deployment_id: str = ""


def losses(preview: Preview) -> tuple[ResourceChange, ...]:
    """Return the operations that end a resource which holds data."""
    return tuple(change for change in preview.changes if change.type in STATEFUL and change.operation in ENDING)


def check_data_loss(preview: Preview, allowed: Collection[str]) -> None:
    """Raise PlanError for data that would be lost and that nobody gave up by its resource's name."""
    missing = [change for change in losses(preview) if change.name not in allowed]
    if not missing:
        return
    told = "; ".join(_loss(change) for change in missing)
    flags = " ".join(f"--allow-data-loss {change.name}" for change in missing)
    raise _refused(
        f"applying this would lose data: {told}",
        f"Take back what asks for it, or, where the data may go, add {flags}; --yes alone is not enough.",
        "Guarding what holds data",
    )


def check_plan(plan: InfraPlan) -> None:
    """Raise PlanError for a plan that opens SSH to the world."""
    if is_wide(plan.admin_cidr):
        raise _refused(
            f"the plan would open SSH to {plan.admin_cidr}, which is the world or no network",
            "Name your own address or network: --admin-cidr 203.0.113.7/32",
            "Guarding the plan",
        )


def check_registered(resources: Iterable[Registered], access: Access = "ssh") -> None:
    """Raise PlanError for a public database, a door that is open to the world, or storage in clear.

    Where the machine is reached by sessions, for any door to SSH, too.
    """
    found = [
        f"{resource.type} {resource.name} {fault}"
        for resource in resources
        for fault in (*_faults(resource), *(_ssh_doors(resource) if access == "ssm" else ()))
    ]
    if found:
        raise _refused(
            f"what would be made is not safe: {'; '.join(found)}",
            "Nothing was applied. The program below stacks/ was changed, or has a fault: put it back, or report it.",
            "Guarding what the engine would register",
        )


def check_standing(plan: InfraPlan, resources: Iterable[Standing]) -> None:
    """Raise PlanError where the stack is of another account, region or deployment than the plan."""
    for resource in resources:
        for what, theirs, ours in _places(plan, resource):
            if theirs and theirs != ours:
                raise _refused(
                    f"the stack does not match the plan: its {resource.type} {resource.name} is of {what} {theirs}, "
                    f"the plan is of {ours}",
                    f"Use the credentials and the region of what stands (--profile, --region), or make another "
                    f"deployment with --new; the stack is {plan.deployment_id}'s.",
                    "Comparing the stack with the plan",
                )


def is_wide(cidr: str) -> bool:
    """Say whether a CIDR is as good as the world; what is no network counts as that."""
    try:
        network = ipaddress.ip_network(cidr, strict=False)
    except ValueError:
        return True
    return network.prefixlen < (WIDEST_PREFIX if network.version == 4 else WIDEST_PREFIX_6)


def _loss(change: ResourceChange) -> str:
    why = f" ({', '.join(change.reasons)})" if change.reasons else ""
    return f"{change.operation} {change.type} {change.name} loses {STATEFUL[change.type]}{why}"


def _places(plan: InfraPlan, resource: Standing) -> Iterator[tuple[str, str, str]]:
    parts = resource.arn.split(":", 5)
    if len(parts) == 6:
        # Global services leave out the region, S3 the account; AWS's own things are of account "aws".
        yield "region", parts[3], plan.region
        yield "account", parts[4] if parts[4].isdigit() else "", plan.account_id
    yield "deployment", resource.deployment_id, plan.deployment_id


def _ssh_doors(resource: Registered) -> Iterator[str]:
    for protocol, first, last, _ in _doors(resource):
        if protocol == "-1" or (protocol in ("tcp", "6") and int(first) <= SSH <= int(last)):
            yield "opens SSH, though the machine is to be reached by sessions alone"


def _faults(resource: Registered) -> Iterator[str]:
    inputs = resource.inputs
    if resource.type in ("aws:rds:Instance", "aws:rds:ClusterInstance") and inputs.get("publiclyAccessible"):
        yield "can be reached from the internet"
    if resource.type in ("aws:rds:Instance", "aws:rds:Cluster") and inputs.get("storageEncrypted") is not True:
        yield "keeps its data unencrypted"
    for disk in _disks(resource):
        if disk.get("encrypted") not in (True, "true"):
            yield "has a disk that is not encrypted"
    for protocol, first, last, networks in _doors(resource):
        open_to = [network for network in networks if is_wide(network)]
        ports = range(int(first), int(last) + 1) if protocol in ("tcp", "udp") else range(65536)
        if open_to and not set(ports) <= WEB_PORTS:
            door = "every port" if len(ports) == 65536 else f"port {first}" if first == last else f"{first}-{last}"
            yield f"opens {door} to {', '.join(open_to)}"


def _disks(resource: Registered) -> Sequence[Mapping[str, Any]]:
    inputs = resource.inputs
    if resource.type == "aws:ec2:Instance":
        return [inputs.get("rootBlockDevice") or {}, *(inputs.get("ebsBlockDevices") or ())]
    if resource.type == "aws:ec2:LaunchTemplate":
        mappings: Sequence[Mapping[str, Any]] = inputs.get("blockDeviceMappings") or ({},)
        return [each.get("ebs") or {} for each in mappings]
    return [inputs] if resource.type in ("aws:ebs:Volume", "aws:efs:FileSystem") else []


def _doors(resource: Registered) -> Iterator[tuple[str, Any, Any, list[str]]]:
    inputs = resource.inputs
    if resource.type == "aws:vpc:SecurityGroupIngressRule":
        given = [inputs[key] for key in ("cidrIpv4", "cidrIpv6") if inputs.get(key)]
        yield str(inputs.get("ipProtocol")), inputs.get("fromPort", 0), inputs.get("toPort", 65535), given
    elif resource.type == "aws:ec2:SecurityGroupRule" and inputs.get("type") != "egress":
        yield _door(inputs)
    elif resource.type in ("aws:ec2:SecurityGroup", "aws:ec2:DefaultSecurityGroup"):
        for rule in inputs.get("ingress") or ():
            yield _door(rule)


def _door(rule: Mapping[str, Any]) -> tuple[str, Any, Any, list[str]]:
    networks = [*(rule.get("cidrBlocks") or ()), *(rule.get("ipv6CidrBlocks") or ())]
    return str(rule.get("protocol")), rule.get("fromPort", 0), rule.get("toPort", 65535), networks


def _refused(message: str, remediation: str, context: str) -> PlanError:
    return PlanError(message, remediation, agent=AGENT, context=context)
