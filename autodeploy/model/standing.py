"""What stands in an account by the stack's state, what of it is left after a destruction, what was changed by hand."""

from __future__ import annotations

from typing import Literal

from autodeploy.model.noun import Noun


class Standing(Noun):
    """One resource of the stack's state. `arn` is "" for what has none: it goes with what it belongs to."""

    urn: str
    type: str
    id: str = ""
    arn: str = ""


class Leftover(Noun):
    """Something that the account still has. `name` is its ARN, or its id on EC2.

    `charged` says what AWS charges for it, by the price table's keys with their amounts; None where that is not known,
    as is `usd_per_month` then.
    """

    name: str
    charged: tuple[tuple[str, float], ...] | None = None
    usd_per_month: float | None = None


class PropertyDrift(Noun):
    """One property: `planned` as the stack has it, `found` as the account has it; JSON, "" for nothing or a secret."""

    path: str
    planned: str = ""
    found: str = ""


class ResourceDrift(Noun):
    """One resource that is no longer as it was made; `delete`: it is gone. `name` is the logical name."""

    urn: str
    type: str
    name: str
    operation: Literal["update", "delete"]
    properties: tuple[PropertyDrift, ...] = ()


class Drift(Noun):
    """What somebody changed by hand; `unchanged` counts the resources that stand as they were made."""

    deployment_id: str
    resources: tuple[ResourceDrift, ...] = ()
    unchanged: int = 0
