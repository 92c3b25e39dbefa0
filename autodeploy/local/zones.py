"""A domain -> its public zone in the emulated account, which nobody could have given one."""

from __future__ import annotations

from typing import Any


def rehearse_zone(route53: Any, domain: str) -> None:
    """Make a public zone of the domain's own, so that a deployment there is what it is where the zone exists."""
    route53.create_hosted_zone(Name=domain, CallerReference=domain)
