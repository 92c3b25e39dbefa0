"""The planner's refusals, in one shape: what cannot be made, what to type instead."""

from __future__ import annotations

from autodeploy.errors import PlanError


def refusal(message: str, remediation: str) -> PlanError:
    """Return the error of HiveMind SysEng for a plan that is not made."""
    return PlanError(message, remediation, agent="HiveMind SysEng", context="Planning the infrastructure")
