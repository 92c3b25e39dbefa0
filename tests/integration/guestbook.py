"""The guestbook of the samples with a database, as a visitor uses it."""

from __future__ import annotations

import json

from integration.world import World


def sign(place: World, identifier: str, message: str) -> None:
    """Write an entry."""
    place.curl(identifier, "--data-urlencode", "name=ada", "--data-urlencode", f"message={message}")


def messages(place: World, identifier: str) -> list[str]:
    """Return what was written, the newest first."""
    answer = place.curl(identifier, path="/entries")
    return [each["message"] for each in json.loads(answer.split("\n\n", 1)[-1].split("\r\n\r\n", 1)[-1])]
