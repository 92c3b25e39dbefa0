"""Answers of services that the emulator does not have, as they are written down."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


def decided(*denied: str, allowed: tuple[str, ...] = ("ec2:CreateVpc",), **more: Any) -> dict[str, Any]:
    decisions = [(action, "implicitDeny") for action in denied] + [(action, "allowed") for action in allowed]
    return {"EvaluationResults": [{"EvalActionName": a, "EvalDecision": d, **more} for a, d in decisions]}


def here(**connections: Any) -> Callable[[str], Any]:
    return lambda service: connections[service]


def limit(value: float) -> dict[str, Any]:
    return {"Quota": {"Value": value}}
