"""Plan: what will be made, why, and what it costs a month; approved by its digest."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Literal, NamedTuple

from autodeploy.model.infrastructure import InfraPlan
from autodeploy.model.noun import Noun


class CostLine(Noun):
    """One line of the bill. `usd_per_month` is None where the price is not known for the region.

    `resource` is what causes it, by type and logical name; with `kind` it tells the same line of two plans.
    """

    what: str
    usd_per_month: float | None
    basis: str
    resource: str = ""
    kind: str = ""


class Plan(Noun):
    """The compiled plan. `application` is what will run, as label and value; `prices_as_of` dates the prices.

    `cost_before` is the bill, at the same prices, of what stands when the plan is made; None where nothing does.
    """

    infra: InfraPlan
    application: tuple[tuple[str, str], ...] = ()
    cost: tuple[CostLine, ...]
    prices_as_of: str
    notes: tuple[str, ...] = ()
    cost_before: tuple[CostLine, ...] | None = None

    @property
    def usd_per_month(self) -> float:
        """Sum of the known lines, in USD."""
        return _sum(self.cost)

    @property
    def comparison(self) -> tuple[CostChange, ...]:
        """The bill against the one before: what stays in its order, then what goes."""
        return compare(self.cost, self.cost_before or ())

    @property
    def usd_difference(self) -> float | None:
        """How much more a month than what stands, of the lines whose price is known; None where nothing stands."""
        return None if self.cost_before is None else round(_sum(self.cost) - _sum(self.cost_before), 2)

    @property
    def bill(self) -> str:
        """The sum as it may be said: "12.34 USD a month", "at least ...", or "unknown" where no price is known."""
        known = [line.usd_per_month is not None for line in self.cost]
        if known and not any(known):
            return "unknown"
        return f"{'' if all(known) else 'at least '}{self.usd_per_month:,.2f} USD a month"


class CostChange(NamedTuple):
    """One line of two bills; None on the side that has none."""

    now: CostLine | None
    before: CostLine | None

    @property
    def usd(self) -> float | None:
        """The difference in USD a month; None where a price is unknown."""
        sides = [0.0 if line is None else line.usd_per_month for line in (self.now, self.before)]
        return None if None in sides else round((sides[0] or 0.0) - (sides[1] or 0.0), 2)


def compare(now: Sequence[CostLine], before: Sequence[CostLine]) -> tuple[CostChange, ...]:
    """Match the lines of two bills by what causes them: what stays or comes in its order, then what goes."""
    old = {_identity(line): line for line in before}
    pairs = [CostChange(line, old.pop(_identity(line), None)) for line in now]
    return (*pairs, *(CostChange(None, line) for line in old.values()))


def _identity(line: CostLine) -> tuple[str, str]:
    return (line.resource or line.what, line.kind)


def _sum(lines: Sequence[CostLine]) -> float:
    return round(sum(line.usd_per_month or 0.0 for line in lines), 2)


def short_type(token: str) -> str:
    """Return `aws:ec2:Vpc` for Pulumi's `aws:ec2/vpc:Vpc`."""
    return re.sub(r"/[^:]*", "", token)


class ResourceChange(Noun):
    """One operation of a preview, in Pulumi's words. `name` is the logical name.

    `reasons` are the inputs that differ, and which of them force a replacement; `purpose` is what the resource is for.
    """

    urn: str
    type: str
    name: str
    operation: Literal["same", "create", "update", "replace", "delete", "read", "refresh", "import", "other"]
    reasons: tuple[str, ...] = ()
    purpose: str = ""


class Preview(Noun):
    """What `up` would do; only operations other than "same" are listed in `changes`.

    `picture` is what is planned, drawn in characters, a string a line.
    """

    changes: tuple[ResourceChange, ...] = ()
    unchanged: int = 0
    picture: tuple[str, ...] = ()
