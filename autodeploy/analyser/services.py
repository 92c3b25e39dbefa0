"""What every language shares about services, such as redis, that an application uses and that nobody makes for it."""

from __future__ import annotations

from collections.abc import Iterable


def unmade(services: Iterable[str]) -> list[str]:
    """Return a warning for each service: its address has to be given."""
    return [f"{name} is used and not made: give its address with --env" for name in services]
