"""A key such as "instance:t3.small" -> USD, from what the Pricing API said of the account's day, else from the table.

A figure that neither has is unknown; it is never borrowed from another region, size or engine.
"""

from __future__ import annotations

from functools import cache

from autodeploy.model import PriceList
from autodeploy.planner import price_table

AS_OF = price_table.AS_OF
HOURS_PER_MONTH = 730
HOURLY = ("address", "balancer", "database", "instance")
"""The kinds that are charged by the hour; all others are by the month. A kind is a key up to its first colon."""

TABLE = PriceList(as_of=AS_OF)
"""No fresh prices: all comes from the table."""


def kind_of(key: str) -> str:
    """Return what kind of thing a key prices: "database" of "database:postgres:db.t3.micro"."""
    return key.partition(":")[0]


def per_month(region: str, key: str, amount: float = 1, fresh: PriceList = TABLE) -> float | None:
    """Return USD a month for `amount` units (GB, or pieces); None where nobody says what one costs."""
    unit = fresh.usd.get(key, _table(region).get(key))
    if unit is None:
        return None
    return round(unit * amount * (HOURS_PER_MONTH if kind_of(key) in HOURLY else 1), 2)


def dated(keys: tuple[str, ...], fresh: PriceList) -> str:
    """Return of when the prices of these keys are."""
    asked = [key in fresh.usd for key in keys]
    if not any(asked):
        return AS_OF
    return fresh.as_of if all(asked) else f"{fresh.as_of}, some of {AS_OF}"


@cache
def _table(region: str) -> dict[str, float]:
    if region not in price_table.REGIONS:
        return {}
    column = price_table.REGIONS.index(region)
    found = dict(price_table.EVERYWHERE)
    for row in price_table.BY_REGION.strip().splitlines():
        name, *figures = row.split()
        if figures[column] != "-":
            found[name if ":" in name else f"instance:{name}"] = float(figures[column])
    return found | price_table.OTHERS.get(region, {})
