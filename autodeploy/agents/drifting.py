"""What the engine cannot see, rules that were added by hand, put to what it found and would do; what is left. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from autodeploy.model import Drift, Preview, PropertyDrift, ResourceChange, ResourceDrift, Standing
from autodeploy.model.plan import short_type


def with_foreign(drift: Drift, foreign: Mapping[Standing, Mapping[str, str]]) -> Drift:
    """Return the drift with the rules that somebody added to security groups."""
    found = {each.urn: each for each in drift.resources}
    for group, rules in foreign.items():
        added = tuple(PropertyDrift(path=f"rules.{name}", found=said) for name, said in sorted(rules.items()))
        known = found.get(group.urn)
        found[group.urn] = ResourceDrift(
            urn=group.urn,
            type=short_type(group.type),
            name=group.urn.rsplit("::", 1)[-1],
            operation="update",
            properties=(*(known.properties if known else ()), *added),
        )
    new = len(found) - len(drift.resources)
    return drift.but(resources=tuple(found[urn] for urn in sorted(found)), unchanged=drift.unchanged - new)


def with_revoked(preview: Preview, foreign: Mapping[Standing, Mapping[str, str]]) -> Preview:
    """Return the preview with the end of these rules, as updates of the groups they are in."""
    changes = {change.urn: change for change in preview.changes}
    for group, rules in foreign.items():
        told = tuple(f"rules.{name}: {said} -> nothing" for name, said in sorted(rules.items()))
        known = changes.get(group.urn)
        changes[group.urn] = ResourceChange(
            urn=group.urn,
            type=short_type(group.type),
            name=group.urn.rsplit("::", 1)[-1],
            operation=known.operation if known else "update",
            reasons=(*(known.reasons if known else ()), *told),
            purpose=known.purpose if known else "",
        )
    new = len(changes) - len(preview.changes)
    return preview.but(changes=tuple(changes.values()), unchanged=preview.unchanged - new)


def still_drifting(drift: Drift) -> tuple[str, ...]:
    """Return what an apply has left of the drift, a line a resource: what AWS does not change as asked, for one."""
    return tuple(
        f"not put back: {each.type} {each.name}: "
        + (", ".join(f"{it.path} is {it.found or 'not there'}" for it in each.properties) or "it is not there")
        for each in drift.resources
    )
