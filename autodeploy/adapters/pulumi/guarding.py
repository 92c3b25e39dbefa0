"""A plan, its secrets and the stack's state on disk -> PlanError where they do not belong together. Asks nobody."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from autodeploy import safeguards
from autodeploy.adapters.pulumi.diagnosis import AGENT
from autodeploy.errors import PlanError
from autodeploy.model import InfraPlan
from autodeploy.model.plan import short_type
from autodeploy.safeguards import Standing

TAG = "DeploymentId"


def check(plan: InfraPlan, secrets: Mapping[str, str], state: Mapping[str, Any]) -> None:
    """Raise PlanError for an unsafe plan, one of another account than the stack's, or one whose key is missing."""
    safeguards.check_plan(plan)
    safeguards.check_standing(plan, standing(state))
    # The program would refuse too, but an inline program's failure comes back as text only.
    if plan.web and plan.web.zone_id is None and not secrets.get("certificateKey"):
        raise PlanError(
            "the plan has a balancer, but the key of its certificate is missing",
            "Run the same command again; AutoDeploy makes certificate and key together.",
            agent=AGENT,
            context=f"Reading the plan of {plan.deployment_id}",
        )


def standing(state: Mapping[str, Any]) -> Iterator[Standing]:
    """Return the AWS resources of a state, with what tells whose they are."""
    for entry in state.get("resources") or ():
        if entry["type"].startswith("aws:"):
            outputs = entry.get("outputs") or {}
            tags = outputs.get("tagsAll") or outputs.get("tags") or {}
            yield Standing(
                short_type(entry["type"]),
                entry["urn"].rsplit("::", 1)[-1],
                _text(outputs.get("arn")),
                _text(tags.get(TAG)) if isinstance(tags, Mapping) else "",
            )


def _text(value: Any) -> str:
    # A secret is an object with Pulumi's signature, and tells nothing here.
    return value if isinstance(value, str) else ""
