"""The table of resource types that the local target emulates: type token in, its entry out."""

from __future__ import annotations

import difflib

from autodeploy.local.provider import (
    balancer,
    certificate,
    compute,
    database,
    database_groups,
    dns,
    identity,
    monitoring,
    network,
    notices,
    routing,
    security,
    targets,
)
from autodeploy.local.provider.account import refusal
from autodeploy.local.provider.entry import Entry
from autodeploy.local.provider.schema import schema

_MODULES = (
    *(network, routing, security, identity, compute, database_groups, database),
    *(dns, certificate, balancer, targets, monitoring, notices),
)
TABLE: dict[str, Entry] = {entry.token: entry for module in _MODULES for entry in module.ENTRIES}


def entry(token: str) -> Entry:
    """Return the entry of a type token; raise InfrastructureError for a type that is not emulated."""
    if token not in TABLE:
        near = difflib.get_close_matches(token, TABLE, 1, 0.0)
        raise refusal(
            f"the local target does not emulate {token}; the nearest type is {near[0]}",
            "Use a type that it emulates, or deploy with --target aws.",
            "Looking up a resource type",
        )
    return TABLE[token]


def load_schemas() -> None:
    """Read the annotations of every type once, so that no deployment waits for the imports."""
    for token in TABLE:
        schema(token)
