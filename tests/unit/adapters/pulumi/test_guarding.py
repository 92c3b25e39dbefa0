"""A stack's state as it is on disk, against the plan that is to be applied to it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from fixtures.planned import planned

from autodeploy.adapters.pulumi.guarding import check, standing
from autodeploy.errors import PlanError
from autodeploy.model import InfraPlan, TechStack

SAMPLE = Path(__file__).parents[3] / "fixtures/sample_repos/flask-postgres/techstack.json"
KEY = {"certificateKey": "key"}


@pytest.fixture(scope="module")
def plan() -> InfraPlan:
    return planned(TechStack.model_validate_json(SAMPLE.read_text())).infra


def state(kind: str = "aws:ec2/vpc:Vpc", **outputs: Any) -> dict[str, Any]:
    entry = {"type": kind, "urn": f"urn:pulumi:x::autodeploy::{kind}::vpc", "outputs": outputs}
    return {"resources": [{"type": "pulumi:pulumi:Stack", "urn": "urn:pulumi:x::autodeploy::s::x"}, entry]}


def test_a_plan_for_the_account_of_its_stack_passes(plan: InfraPlan) -> None:
    ours = state(
        arn=f"arn:aws:ec2:{plan.region}:{plan.account_id}:vpc/vpc-1", tagsAll={"DeploymentId": plan.deployment_id}
    )
    for found in (ours, state(tags={"DeploymentId": plan.deployment_id}), state(), {}, {"resources": None}):
        check(plan, KEY, found)


@pytest.mark.parametrize(
    ("outputs", "complaint"),
    [
        ({"arn": "arn:aws:ec2:us-east-1:999999999999:vpc/vpc-1"}, "aws:ec2:Vpc vpc is of account 999999999999"),
        ({"arn": "arn:aws:ec2:eu-west-1:123456789012:vpc/vpc-1"}, "of region eu-west-1"),
        ({"tagsAll": {"DeploymentId": "shop-1"}}, "of deployment shop-1"),
        ({"tags": {"DeploymentId": "shop-1"}}, "of deployment shop-1"),
    ],
)
def test_another_ones_stack_is_refused(plan: InfraPlan, outputs: dict[str, Any], complaint: str) -> None:
    with pytest.raises(PlanError, match=complaint):
        check(plan, KEY, state(**outputs))


def test_a_secret_tells_nothing(plan: InfraPlan) -> None:
    sealed = {"4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270", "ciphertext": "v1"}
    (found,) = standing(state(arn=sealed, tagsAll=sealed))
    assert (found.type, found.name, found.arn, found.deployment_id) == ("aws:ec2:Vpc", "vpc", "", "")
    check(plan, KEY, state(arn=sealed, tagsAll=[]))


def test_an_unsafe_plan_and_one_without_its_key_are_refused(plan: InfraPlan) -> None:
    with pytest.raises(PlanError, match="open SSH"):
        check(plan.but(admin_cidr="0.0.0.0/0"), KEY, {})
    with pytest.raises(PlanError, match="key of its certificate is missing"):
        check(plan, {}, {})
    check(plan.but(web=None), {}, {})
