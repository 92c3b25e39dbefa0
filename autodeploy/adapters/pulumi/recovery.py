"""A stack's state that a killed engine left behind -> one that the next operation can go on from. Pure.

Of each resource that was being created, the caller finds out what the account has; here it is moved from the pending
operations into the resources, after everything that it refers to, or dropped.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from autodeploy.errors import InfrastructureError
from autodeploy.ports import Say

State = dict[str, Any]
"""A deployment as `pulumi stack export` prints it."""
PROVIDERS = "pulumi:providers:"
DEFAULTS = "__defaults"


def pending(deployment: Mapping[str, Any]) -> Sequence[State]:
    """Return the operations that were begun and not ended."""
    return deployment.get("pending_operations") or ()


def refuse_pending(deployment: Mapping[str, Any]) -> None:
    """Raise InfrastructureError where operations were begun and not ended: the state is known not to be true."""
    if pending(deployment):
        raise InfrastructureError(
            "an earlier run of the Pulumi engine was cut short, and what it was making is not known yet",
            "Run `autodeploy deploy` or `autodeploy destroy` first: either takes over what was half made.",
            agent="HiveMind SysEng",
            context="Comparing the stack with the account",
        )


def begun(deployment: Mapping[str, Any]) -> list[State]:
    """Return the resources that were being created in the account, each once."""
    creating = [item["resource"] for item in pending(deployment) if item["type"] == "creating"]
    real = [item for item in creating if item.get("custom") and not item["type"].startswith(PROVIDERS)]
    return list({item["urn"]: item for item in real}.values())


def known(deployment: Mapping[str, Any], token: str) -> frozenset[str]:
    """Return the ids of the resources of a type that the state has already."""
    return frozenset(item.get("id", "") for item in deployment.get("resources") or () if item["type"] == token)


def repaired(deployment: Mapping[str, Any], found: Mapping[str, str]) -> State:
    """Return the state with the resources that were found, by URN their ids, and no create pending any more.

    An adopted resource counts as being updated until the next refresh has read it: a run that ends before that
    is followed by another repair.
    """
    resources: list[State] = list(deployment.get("resources") or ())
    operations = [item for item in pending(deployment) if item["type"] != "creating"]
    for resource in begun(deployment):
        if resource["urn"] in found:
            adopted = _adopted(resource, found[resource["urn"]])
            resources = _inserted(resources, adopted)
            operations.append({"resource": adopted, "type": "updating"})
    return {**deployment, "resources": resources, "pending_operations": operations}


def told(resources: Sequence[State], found: Mapping[str, str], say: Say) -> None:
    """Say what becomes of each resource."""
    for resource in resources:
        name = resource["urn"].rsplit("::", 1)[-1]
        identity = found.get(resource["urn"])
        fate = f"{identity} is taken over" if identity else "not there, to be made again"
        say(f"{resource['type']} {name}: {fate}")


def _adopted(resource: State, identity: str) -> State:
    # With outputs a provider takes the read for a refresh; without, for an import, which not every type knows.
    outputs = {name: value for name, value in resource.get("inputs", {}).items() if name != DEFAULTS}
    return {**resource, "id": identity, "outputs": outputs | {"id": identity}}


def _inserted(resources: Sequence[State], adopted: State) -> list[State]:
    """Put the resource behind all that it refers to, in place of what it was to replace."""
    urn = adopted["urn"]
    # Where deleting came first, the old one is gone; else it still stands, and goes with the next update.
    kept = [item for item in resources if not (item["urn"] == urn and item.get("pendingReplacement"))]
    kept = [{**item, "delete": True} if item["urn"] == urn else item for item in kept]
    needed = _referred(adopted)
    after = [number for number, item in enumerate(kept) if item["urn"] in needed and not item.get("delete")]
    place = max(after, default=-1) + 1
    return [*kept[:place], adopted, *kept[place:]]


def _referred(resource: State) -> set[str]:
    urns = {
        resource.get("parent", ""),
        resource.get("provider", "").rpartition("::")[0],
        resource.get("deletedWith", ""),
    }
    urns.update(resource.get("dependencies") or ())
    for dependencies in (resource.get("propertyDependencies") or {}).values():
        urns.update(dependencies or ())
    return urns - {""}
