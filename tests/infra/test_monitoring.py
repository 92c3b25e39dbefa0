"""What is watched: only what the plan has, with a threshold and a reason, told to a topic and shown on a dashboard."""

from __future__ import annotations

import json
from typing import Any

import pytest

from autodeploy.model import DatabasePlan, InfraPlan
from autodeploy.planner.cost import bill
from stacks.monitoring import RETENTION_DAYS
from tests.infra.deploying import Deployed, deploy
from tests.infra.test_program import plan

WEB = {"health", "app-5xx", "lb-5xx"}
MACHINE = {"status", "credits"}


def named(deployed: Deployed) -> set[str]:
    return {alarm.name for alarm in deployed.of("MetricAlarm")}


@pytest.fixture(scope="module")
def whole() -> Deployed:
    return deploy(plan())


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, {*MACHINE, *WEB, "storage"}),
        ({"web": None}, {*MACHINE, "storage"}),
        ({"database": None}, {*MACHINE, *WEB}),
        ({"web": None, "database": None, "instance_type": "m5.large"}, {"status"}),
        ({"instance_type": "t2.nano"}, {*MACHINE, *WEB, "storage"}),
    ],
)
def test_only_what_the_plan_has_is_watched(changes: dict[str, Any], expected: set[str]) -> None:
    wanted = plan(**changes)
    config = {"autodeploy:plan": wanted.to_json()} if wanted.web is None else None
    deployed = deploy(wanted, config)
    assert named(deployed) == expected
    billed = [line.basis for line in bill(wanted) if line.what == "CloudWatch alarms"]
    assert billed[0].startswith(f"{len(expected)}:")


def test_every_alarm_tells_the_topic_of_trouble_and_of_its_end_and_says_why(whole: Deployed) -> None:
    topic = f"arn:{whole.one('Topic').id}"
    for alarm in whole.of("MetricAlarm"):
        assert alarm.inputs["alarmActions"] == alarm.inputs["okActions"] == [topic]
        assert len(alarm.inputs["alarmDescription"]) > 40


def test_silence_counts_as_what_it_means(whole: Deployed) -> None:
    assert {alarm.name: alarm.inputs["treatMissingData"] for alarm in whole.of("MetricAlarm")} == {
        "status": "breaching",  # a running machine reports every minute
        "health": "breaching",  # a balancer with a target always counts
        "credits": "notBreaching",
        "app-5xx": "notBreaching",  # errors are counted only where there are any
        "lb-5xx": "notBreaching",
        "storage": "missing",  # a stopped database's disk is not known
    }


def test_metrics_are_those_of_the_deployments_own_resources(whole: Deployed) -> None:
    alarms = {alarm.name: alarm.inputs for alarm in whole.of("MetricAlarm")}
    machine = {"InstanceId": whole.one("Instance", "app").id}
    balancer = {"LoadBalancer": "app/lb/1"}
    assert alarms["status"]["dimensions"] == alarms["credits"]["dimensions"] == machine
    assert alarms["lb-5xx"]["dimensions"] == balancer
    targets = {**balancer, "TargetGroup": "targetgroup/web/2"}
    assert alarms["health"]["dimensions"] == alarms["app-5xx"]["dimensions"] == targets
    database = {"DBInstanceIdentifier": whole.one("Instance", "database").inputs["identifier"]}
    assert alarms["storage"]["dimensions"] == database


@pytest.mark.parametrize("gigabytes", [20, 100])
def test_a_tenth_of_the_databases_disk_is_the_least(gigabytes: int) -> None:
    database = DatabasePlan(engine="postgres", engine_version="15.8", storage_gb=gigabytes)
    alarm = deploy(plan(database=database)).one("MetricAlarm", "storage").inputs
    assert (alarm["comparisonOperator"], alarm["threshold"]) == ("LessThanThreshold", gigabytes * 1024**3 // 10)
    assert f"{gigabytes} GiB" in alarm["alarmDescription"]


def test_logs_are_kept_for_a_while_and_not_for_ever(whole: Deployed) -> None:
    assert whole.one("LogGroup").inputs["retentionInDays"] == RETENTION_DAYS == 30


def test_nobody_is_subscribed_unless_named(whole: Deployed) -> None:
    assert whole.of("TopicSubscription") == []
    named = deploy(plan(alarm_email="ops@example.org")).one("TopicSubscription").inputs
    assert named == {"topic": f"arn:{whole.one('Topic').id}", "protocol": "email", "endpoint": "ops@example.org"}


def test_no_key_stands_between_the_alarms_and_their_topic(whole: Deployed) -> None:
    # CloudWatch may not use alias/aws/sns: its alarms would reach nobody.
    assert "kmsMasterKeyId" not in whole.one("Topic").inputs


def test_the_dashboard_shows_each_alarm_and_its_metric_side_by_side(whole: Deployed) -> None:
    dashboard = whole.one("Dashboard").inputs
    assert dashboard["dashboardName"] == "guestbook-1"
    first, *metrics = json.loads(dashboard["dashboardBody"])["widgets"]
    alarms = whole.of("MetricAlarm")
    assert sorted(first["properties"]["alarms"]) == sorted(f"arn:{alarm.id}" for alarm in alarms)
    shown = {widget["properties"]["metrics"][0][1]: widget["properties"] for widget in metrics}
    assert set(shown) == {alarm.inputs["metricName"] for alarm in alarms}
    health = shown["UnHealthyHostCount"]
    assert health["metrics"][0] == [
        *("AWS/ApplicationELB", "UnHealthyHostCount"),
        *("LoadBalancer", "app/lb/1", "TargetGroup", "targetgroup/web/2"),
    ]
    assert (health["region"], health["annotations"]["horizontal"][0]["value"]) == ("us-east-1", 1)
    places = [(widget["x"], widget["y"], widget["width"], widget["height"]) for widget in (first, *metrics)]
    for number, (x, y, width, height) in enumerate(places):
        assert x + width <= 24
        for other_x, other_y, other_width, other_height in places[number + 1 :]:
            apart = x + width <= other_x or other_x + other_width <= x
            assert apart or y + height <= other_y or other_y + other_height <= y


def test_a_plan_of_before_has_no_subscriber() -> None:
    fields = json.loads(plan().to_json())
    fields.pop("alarm_email")
    assert InfraPlan.model_validate(fields) == plan()
