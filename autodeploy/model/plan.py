"""Plan: what will be made, why, and what it costs a month; approved by its digest."""

from __future__ import annotations

import re
from typing import Literal

from autodeploy.model.infrastructure import InfraPlan
from autodeploy.model.noun import Noun


class CostLine(Noun):
    """One line of the bill. `usd_per_month` is None where the price is not known for the region."""

    what: str
    usd_per_month: float | None
    basis: str


class Plan(Noun):
    """The compiled plan. `application` is what will run, as label and value; `prices_as_of` dates the price table."""

    infra: InfraPlan
    application: tuple[tuple[str, str], ...] = ()
    cost: tuple[CostLine, ...]
    prices_as_of: str
    notes: tuple[str, ...] = ()

    @property
    def usd_per_month(self) -> float:
        """Sum of the known lines, in USD."""
        return round(sum(line.usd_per_month or 0.0 for line in self.cost), 2)

    @property
    def bill(self) -> str:
        """The sum as it may be said: "12.34 USD a month", "at least ...", or "unknown" where no price is known."""
        known = [line.usd_per_month is not None for line in self.cost]
        if known and not any(known):
            return "unknown"
        return f"{'' if all(known) else 'at least '}{self.usd_per_month:,.2f} USD a month"


def short_type(token: str) -> str:
    """Return `aws:ec2:Vpc` for Pulumi's `aws:ec2/vpc:Vpc`."""
    return re.sub(r"/[^:]*", "", token)


class ResourceChange(Noun):
    """One operation of a preview, in Pulumi's words. `name` is the logical name."""

    urn: str
    type: str
    name: str
    operation: Literal["same", "create", "update", "replace", "delete", "read", "refresh", "import", "other"]
    reasons: tuple[str, ...] = ()


class Preview(Noun):
    """What `up` would do; only operations other than "same" are listed in `changes`."""

    changes: tuple[ResourceChange, ...] = ()
    unchanged: int = 0
