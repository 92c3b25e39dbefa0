"""The role that a stack's aws provider assumes, as its state has it: state and role in, a true state out.

The engine refreshes and deletes with the provider as the state says: a role that is gone would be in the way for ever.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from autodeploy.adapters.pulumi.known_stack import KnownStack
from autodeploy.adapters.pulumi.recovery import PROVIDERS
from autodeploy.naming import ROLE_SESSION

PROVIDER = f"{PROVIDERS}aws"
ROLES = "assumeRoles"


def enter(stack: KnownStack, deployment: Mapping[str, Any], role_arn: str | None) -> None:
    """Let the stack, whose state on disk is `deployment`, be worked on as the role; None: by nobody but the caller."""
    if all(_role(each) == role_arn for each in _providers(deployment)):
        return
    exported = stack.sealed_state()
    assumed = {ROLES: json.dumps([{"roleArn": role_arn, "sessionName": ROLE_SESSION}])} if role_arn else {}
    for each in _providers(exported["deployment"]):
        for side in ("inputs", "outputs"):
            if side in each:
                kept = {name: value for name, value in each[side].items() if name != ROLES}
                each[side] = kept | assumed
    stack.replace_state(exported)


def _providers(deployment: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [each for each in deployment.get("resources") or () if each["type"] == PROVIDER]


def _role(provider: Mapping[str, Any]) -> str | None:
    roles = json.loads(provider.get("inputs", {}).get(ROLES) or "[]")
    return str(roles[-1].get("roleArn")) if roles else None
