"""The role in a stack's state: put there, changed and taken away; a state that is right is left alone."""

from __future__ import annotations

import json
from collections.abc import Mapping
from copy import deepcopy
from typing import Any

import pytest

from autodeploy.adapters.pulumi.known_stack import KnownStack
from autodeploy.adapters.pulumi.role import enter

ROLE = "arn:aws:iam::123456789012:role/deployer"
VPC = {"type": "aws:ec2/vpc:Vpc", "inputs": {"cidrBlock": "10.0.0.0/16"}}
OTHERS = {"type": "pulumi:providers:random", "inputs": {}}


class FakeStack(KnownStack):
    """A state, without an engine."""

    def __init__(self, *resources: Mapping[str, Any]) -> None:
        self.state: Any = {"version": 3, "deployment": {"resources": [*deepcopy(resources)]}}

    def sealed_state(self) -> dict[str, Any]:
        return deepcopy(self.state)  # type: ignore[no-any-return]

    def replace_state(self, exported: Mapping[str, Any]) -> None:
        self.state = deepcopy(exported)

    def entered(self, role_arn: str | None) -> list[Any]:
        """Return the resources afterwards."""
        enter(self, deepcopy(self.state["deployment"]), role_arn)
        return list(self.state["deployment"]["resources"])


def provider(*roles: str, **more: Any) -> dict[str, Any]:
    assumed = {"assumeRoles": json.dumps([{"roleArn": role, "sessionName": "AutoDeploy"} for role in roles])}
    return {"type": "pulumi:providers:aws", "inputs": {"region": "us-east-1", **(assumed if roles else {})}, **more}


@pytest.mark.parametrize("before", [(), ("arn:aws:iam::123456789012:role/gone",)])
def test_is_put_in_the_place_of_another_or_of_none(before: tuple[str, ...]) -> None:
    old = provider(*before, id="p", outputs=provider(*before)["inputs"])
    new = provider(ROLE, id="p", outputs=provider(ROLE)["inputs"])
    assert FakeStack(old, VPC, OTHERS).entered(ROLE) == [new, VPC, OTHERS]
    assert FakeStack(provider(*before), VPC).entered(ROLE) == [provider(ROLE), VPC]


def test_is_taken_away_where_none_is_assumed_now() -> None:
    old = provider(ROLE, id="p", outputs=provider(ROLE)["inputs"])
    new = provider(id="p", outputs=provider()["inputs"])
    assert FakeStack(old, VPC).entered(None) == [new, VPC]


@pytest.mark.parametrize(("role_arn", "there"), [(None, provider()), (ROLE, provider(ROLE))])
def test_a_state_that_is_right_stays_what_it_is(role_arn: str | None, there: dict[str, Any]) -> None:
    assert FakeStack(there, VPC).entered(role_arn) == [there, VPC]
    assert FakeStack(VPC).entered(role_arn) == [VPC]


def test_an_empty_state_has_nobody_to_be() -> None:
    stack = FakeStack()
    stack.state = {"deployment": {}}
    enter(stack, {}, ROLE)
    assert stack.state == {"deployment": {}}
