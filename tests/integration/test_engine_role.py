"""The real engine as a role: the provider assumes it whatever the stack's state says, and no resource changes for it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from integration.killing import ID, Place
from integration.test_engine_kills import plan

from autodeploy.adapters.pulumi import PulumiEngine
from autodeploy.errors import InfrastructureError
from stacks.program import program

pytestmark = pytest.mark.engine

OURS, OTHER = (f"arn:aws:iam::123456789012:role/{name}" for name in ("deployer", "other"))
GONE = "arn:aws:iam::555555555555:role/gone"
"""The emulated account has no such role, and says so."""


def acting(place: Place, role_arn: str | None) -> PulumiEngine:
    """Return another engine over the same home."""
    real = place.engine
    return PulumiEngine(
        program,
        place.home,
        place.home,
        real._environment,
        refresh=True,
        role_arn=role_arn,
        executable=real._executable,
    )


def role_of(place: Place) -> str | None:
    file = place.home / "pulumi" / ".pulumi" / "stacks" / "autodeploy" / f"{ID}.json"
    resources: list[dict[str, Any]] = json.loads(file.read_text())["checkpoint"]["latest"]["resources"]
    (provider,) = [each for each in resources if each["type"] == "pulumi:providers:aws"]
    roles = json.loads(provider["inputs"].get("assumeRoles", "[]"))
    return roles[0]["roleArn"] if roles else None


def test_a_role_comes_changes_and_goes_and_nothing_else_does(place: Place) -> None:
    plain = plan("").but(web=None, database=None)
    before = place.standing()
    place.engine.up(plain, {}, None, place.say)
    stood = place.standing()
    assert role_of(place) is None

    ours = acting(place, OURS)
    assert ours.drift(ID, place.say).resources == ()
    assert role_of(place) == OURS
    assert ours.preview(plain.but(role_arn=OURS), {}, None, place.say).changes == ()
    ours.up(plain.but(role_arn=OURS), {}, None, place.say)
    other = acting(place, OTHER)
    assert other.preview(plain.but(role_arn=OURS), {}, None, place.say).changes == ()

    with pytest.raises(InfrastructureError, match="is of 555555555555"):
        acting(place, GONE).drift(ID, place.say)
    assert role_of(place) == GONE
    other.up(plain.but(role_arn=GONE), {}, None, place.say)
    assert (role_of(place), place.standing()) == (OTHER, stood)

    with pytest.raises(InfrastructureError, match="is of 555555555555"):
        acting(place, GONE).destroy(ID, place.say)
    assert place.engine.preview(plain, {}, None, place.say).changes == ()
    assert (role_of(place), place.standing()) == (None, stood)
    ours.destroy(ID, place.say)
    assert place.standing() == before
