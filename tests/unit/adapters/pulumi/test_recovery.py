"""A killed engine's state made good: what was found goes where it belongs, what was not is dropped."""

from __future__ import annotations

from typing import Any

from autodeploy.adapters.pulumi import recovery

VPC, SUBNET = "aws:ec2/vpc:Vpc", "aws:ec2/subnet:Subnet"


def urn(token: str, name: str) -> str:
    return f"urn:pulumi:web-1::autodeploy::{token}::{name}"


PROVIDER = {"urn": urn("pulumi:providers:aws", "aws"), "type": "pulumi:providers:aws", "custom": True, "id": "uuid"}
PART = {"urn": urn("autodeploy:network:Network", "network"), "type": "autodeploy:network:Network", "custom": False}


def resource(token: str, name: str, **more: Any) -> dict[str, Any]:
    return {
        "urn": urn(token, name),
        "type": token,
        "custom": True,
        "parent": PART["urn"],
        "provider": f"{PROVIDER['urn']}::uuid",
        "inputs": {"__defaults": [], "tags": {"Name": name}},
        **more,
    }


def creating(item: dict[str, Any]) -> dict[str, Any]:
    return {"resource": item, "type": "creating"}


def state(resources: list[Any], *operations: Any) -> dict[str, Any]:
    return {"manifest": {}, "resources": resources, "pending_operations": list(operations)}


def names(found: dict[str, Any]) -> list[str]:
    return [item["urn"].rsplit("::", 1)[-1] for item in found["resources"]]


def test_nothing_pending_is_nothing_to_do() -> None:
    assert recovery.pending({}) == () and recovery.begun({"pending_operations": None}) == []


def test_what_was_found_comes_behind_its_parents_and_is_to_be_refreshed() -> None:
    vpc, later = resource(VPC, "vpc", id="vpc-1"), resource(VPC, "later", id="vpc-2")
    subnet = resource(SUBNET, "subnet", propertyDependencies={"vpcId": [vpc["urn"]], "tags": None}, dependencies=None)
    before = state([PROVIDER, PART, vpc, later], creating(subnet), {"resource": later, "type": "deleting"})
    assert recovery.begun(before) == [subnet]
    after = recovery.repaired(before, {subnet["urn"]: "subnet-7"})
    assert names(after) == ["aws", "network", "vpc", "subnet", "later"]
    adopted = after["resources"][3]
    assert adopted["id"] == "subnet-7" and adopted["outputs"] == {"tags": {"Name": "subnet"}, "id": "subnet-7"}
    assert [item["type"] for item in after["pending_operations"]] == ["deleting", "updating"]
    assert after["manifest"] == {} and before["resources"] == [PROVIDER, PART, vpc, later]


def test_what_was_not_found_and_what_is_no_thing_of_the_account_are_dropped() -> None:
    vpc = resource(VPC, "vpc")
    before = state([PROVIDER], creating(vpc), creating(PART), creating({**PROVIDER, "urn": urn("p", "other")}))
    assert recovery.begun(before) == [vpc]
    after = recovery.repaired(before, {})
    assert after["resources"] == [PROVIDER] and after["pending_operations"] == []


def test_one_that_depends_on_another_that_was_found_comes_after_it() -> None:
    vpc, subnet = resource(VPC, "vpc"), resource(SUBNET, "subnet", dependencies=[urn(VPC, "vpc")])
    before = state([PROVIDER, PART], creating(vpc), creating(subnet), creating(vpc))
    after = recovery.repaired(before, {vpc["urn"]: "vpc-1", subnet["urn"]: "subnet-1"})
    assert names(after) == ["aws", "network", "vpc", "subnet"]


def test_the_one_that_was_to_be_replaced_goes_with_the_next_update() -> None:
    old, new = resource(VPC, "vpc", id="vpc-1"), resource(VPC, "vpc")
    after = recovery.repaired(state([PROVIDER, PART, old], creating(new)), {new["urn"]: "vpc-2"})
    assert [(item["id"], item.get("delete")) for item in after["resources"][2:]] == [("vpc-2", None), ("vpc-1", True)]
    assert recovery.known(state([old]), VPC) == {"vpc-1"} and recovery.known(state([old]), SUBNET) == frozenset()


def test_where_deleting_came_first_the_new_one_takes_the_place() -> None:
    old, new = resource(VPC, "vpc", id="vpc-1", pendingReplacement=True), resource(VPC, "vpc")
    after = recovery.repaired(state([PROVIDER, PART, old], creating(new)), {new["urn"]: "vpc-2"})
    assert [item["id"] for item in after["resources"][2:]] == ["vpc-2"]


def test_says_what_becomes_of_each() -> None:
    said: list[str] = []
    recovery.told([resource(VPC, "vpc"), resource(SUBNET, "a")], {urn(VPC, "vpc"): "vpc-1"}, said.append)
    assert said == [f"{VPC} vpc: vpc-1 is taken over", f"{SUBNET} a: not there, to be made again"]
