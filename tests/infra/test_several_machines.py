"""Several machines behind one balancer: spread, joined, watched; one machine stays what it always was."""

from __future__ import annotations

import json

import pytest
from fixtures.planned import planned

from autodeploy.model import InfraPlan, TechStack
from autodeploy.planner.cost import bill
from tests.infra.deploying import Deployed, deploy
from tests.infra.test_program import plan

STACK = TechStack(language="python", runtime_version="3.11", build_tool="pip")


@pytest.fixture(scope="module")
def three() -> Deployed:
    return deploy(plan(instances=3))


def machines(deployed: Deployed) -> dict[str, dict[str, object]]:
    return {each.name: dict(each.inputs) for each in deployed.resources if each.type == "aws:ec2/instance:Instance"}


def test_machines_take_turns_in_the_zones_and_differ_in_nothing_else(three: Deployed) -> None:
    found = machines(three)
    subnets = [three.one("Subnet", f"public-{number}").id for number in (1, 2, 1)]
    assert {name: inputs.pop("subnetId") for name, inputs in found.items()} == dict(
        zip(("app", "app-2", "app-3"), subnets, strict=True)
    )
    names = [inputs.pop("tags") for inputs in found.values()]
    assert names == [{"Name": "guestbook"}, {"Name": "guestbook-2"}, {"Name": "guestbook-3"}]
    assert found["app"] == found["app-2"] == found["app-3"]


def test_all_are_in_the_one_target_group(three: Deployed) -> None:
    group = three.one("TargetGroup")
    members = {each.name: each.inputs for each in three.of("TargetGroupAttachment")}
    assert {name: inputs["targetId"].partition("|")[0] for name, inputs in members.items()} == {
        "app": "app",
        "app-2": "app-2",
        "app-3": "app-3",
    }
    assert {inputs["targetGroupArn"] for inputs in members.values()} == {f"arn:{group.id}"}


def test_each_is_watched_and_shown_and_charged(three: Deployed) -> None:
    watched = {
        each.name: each.inputs["dimensions"]["InstanceId"].partition("|")[0]
        for each in three.of("MetricAlarm")
        if "InstanceId" in each.inputs["dimensions"]
    }
    assert watched == {
        **{"status": "app", "status-2": "app-2", "status-3": "app-3"},
        **{"credits": "app", "credits-2": "app-2", "credits-3": "app-3"},
    }
    alarms = three.of("MetricAlarm")
    assert len({each.inputs["name"] for each in alarms}) == len(alarms)
    shown = json.loads(three.one("Dashboard").inputs["dashboardBody"])["widgets"]
    assert len(shown) == 1 + len(alarms)
    (billed,) = [line for line in bill(plan(instances=3)) if line.what == "CloudWatch alarms"]
    assert billed.basis.startswith(f"{len(alarms)}:")
    assert "others go on serving" in three.one("MetricAlarm", "health").inputs["alarmDescription"]


def test_the_first_is_exported_as_ever_and_the_others_beside_it(three: Deployed) -> None:
    one = deploy(plan())
    assert "moreMachines" not in one.outputs
    more = three.outputs.pop("moreMachines")
    assert three.outputs.keys() == one.outputs.keys()
    assert three.outputs["instanceId"] == one.outputs["instanceId"]
    assert [(each["name"], each["instance_id"].partition("|")[0]) for each in more] == [
        ("app-2", "app-2"),
        ("app-3", "app-3"),
    ]


def test_another_machine_changes_nothing_of_the_first_and_one_less_neither(three: Deployed) -> None:
    one = deploy(plan())
    before = {(each.type, each.name): each.inputs for each in one.resources}
    now = {(each.type, each.name): each.inputs for each in three.resources}
    assert before.keys() <= now.keys()
    assert set(one.urns) <= set(three.urns)
    # The alarm's words speak of one machine or of several; the dashboard shows more.
    differing = {name for (kind, name), inputs in before.items() if now[kind, name] != inputs}
    assert differing == {"health", "overview"}


def test_a_plan_of_one_reads_as_it_did_before_there_were_several() -> None:
    assert "instances" not in plan().to_json()
    assert InfraPlan.model_validate_json(plan().to_json()).instances == 1
    assert InfraPlan.model_validate_json(plan(instances=2).to_json()).instances == 2
    assert plan(instances=2).digest() != plan().digest() == plan(instances=1).digest()
    assert planned(STACK, instances=1).to_json() == planned(STACK).to_json()
