"""Log groups, alarms, dashboards, topics and subscriptions: made, changed, replaced, deleted, and gone."""

from __future__ import annotations

import json
from typing import Any

import grpc
import pytest

LOG_GROUP = "aws:cloudwatch/logGroup:LogGroup"
ALARM = "aws:cloudwatch/metricAlarm:MetricAlarm"
DASHBOARD = "aws:cloudwatch/dashboard:Dashboard"
TOPIC = "aws:sns/topic:Topic"
SUBSCRIPTION = "aws:sns/topicSubscription:TopicSubscription"
BODY = json.dumps({"widgets": [{"type": "text", "x": 0, "width": 24, "properties": {"markdown": "hello"}}]})


def alarm(engine: Any, topics: list[str], **more: Any) -> Any:
    given: dict[str, Any] = {
        "name": "web-status",
        "alarmDescription": "It does not run.",
        "namespace": "AWS/EC2",
        "metricName": "StatusCheckFailed",
        "dimensions": {"InstanceId": "i-1"},
        "statistic": "Maximum",
        "comparisonOperator": "GreaterThanOrEqualToThreshold",
        "threshold": 1,
        "period": 60,
        "evaluationPeriods": 3,
        "treatMissingData": "breaching",
        "alarmActions": topics,
        "okActions": topics,
        **more,
    }
    return engine.make(ALARM, "status", **given)


def test_a_log_group_keeps_its_events_for_the_days_that_are_asked_for(engine: Any, served: Any) -> None:
    made = engine.make(LOG_GROUP, "app", name="web-log", retentionInDays=30)
    assert made.id == "web-log"
    # As the provider says it: without the wildcard that AWS puts behind.
    assert made.outputs["arn"] == "arn:aws:logs:us-east-1:123456789012:log-group:web-log"
    longer = engine.change(made, retentionInDays=90)
    (found,) = served.aws("logs").describe_log_groups()["logGroups"]
    assert found["retentionInDays"] == 90
    for_ever = engine.change(longer, retentionInDays=None)
    (found,) = served.aws("logs").describe_log_groups()["logGroups"]
    assert "retentionInDays" not in found
    tagged = engine.change(for_ever, tags={"Team": "blue"})
    assert tagged.outputs["tagsAll"] == {"DeploymentId": "web-1", "Team": "blue"}
    assert engine.change(tagged, tags=None).outputs["tagsAll"] == {"DeploymentId": "web-1"}
    assert list(engine.diff(made, {"name": "other", "retentionInDays": 30}).replaces) == ["name"]
    engine.delete(made)
    assert engine.read(made) is None
    engine.delete(made)


def test_a_log_group_of_a_longer_name_is_another(engine: Any) -> None:
    engine.make(LOG_GROUP, "longer", name="web-log-2")
    made = engine.make(LOG_GROUP, "app", name="web-log")
    engine.delete(made)
    assert engine.read(made) is None


def test_an_alarm_is_changed_in_place_and_replaced_for_another_name(engine: Any, served: Any) -> None:
    topic = engine.make(TOPIC, "alarms", name="web-alarms")
    made = alarm(engine, [topic.id])
    (found,) = served.aws("cloudwatch").describe_alarms()["MetricAlarms"]
    assert (found["TreatMissingData"], found["AlarmActions"], found["OKActions"]) == (
        "breaching",
        [topic.id],
        [topic.id],
    )
    assert found["Dimensions"] == [{"Name": "InstanceId", "Value": "i-1"}]
    changed = engine.change(made, threshold=2, dimensions={"InstanceId": "i-2"}, okActions=None)
    (found,) = served.aws("cloudwatch").describe_alarms()["MetricAlarms"]
    assert (found["Threshold"], found["OKActions"]) == (2, [])
    assert found["Dimensions"] == [{"Name": "InstanceId", "Value": "i-2"}]
    assert engine.change(changed, tags={"Team": "blue"}).outputs["tagsAll"]["Team"] == "blue"
    news = {name: value for name, value in made.inputs.items() if name != "__defaults"}
    assert list(engine.diff(made, {**news, "name": "other"}).replaces) == ["name"]
    engine.delete(made)
    assert engine.read(made) is None
    engine.delete(made)


def test_the_order_of_an_alarms_actions_means_nothing(engine: Any) -> None:
    topics = [engine.make(TOPIC, name, name=name).id for name in ("one", "two")]
    made = alarm(engine, topics)
    news = {name: value for name, value in made.inputs.items() if name != "__defaults"}
    assert list(engine.diff(made, {**news, "alarmActions": topics[::-1]}).diffs) == []


def test_a_dashboard_is_drawn_anew_in_place(engine: Any, served: Any) -> None:
    made = engine.make(DASHBOARD, "overview", dashboardName="web-1", dashboardBody=BODY)
    assert made.outputs["dashboardArn"] == "arn:aws:cloudwatch::123456789012:dashboard/web-1"
    engine.change(made, dashboardBody='{"widgets": []}')
    assert served.aws("cloudwatch").get_dashboard(DashboardName="web-1")["DashboardBody"] == '{"widgets": []}'
    assert list(engine.diff(made, {"dashboardName": "web-2", "dashboardBody": BODY}).replaces) == ["dashboardName"]
    engine.delete(made)
    assert engine.read(made) is None
    engine.delete(made)


def test_a_topic_has_aws_own_policy_and_a_changeable_title(engine: Any, served: Any) -> None:
    made = engine.make(TOPIC, "alarms", name="web-alarms")
    assert made.id == made.outputs["arn"] == "arn:aws:sns:us-east-1:123456789012:web-alarms"
    assert json.loads(made.outputs["policy"])["Statement"][0]["Condition"]["StringEquals"] == {
        "AWS:SourceOwner": "123456789012"
    }
    titled = engine.change(made, displayName="Web")
    assert engine.change(titled, displayName=None, tags={"Team": "blue"}).outputs["tagsAll"]["Team"] == "blue"
    assert served.aws("sns").get_topic_attributes(TopicArn=made.id)["Attributes"]["DisplayName"] == ""
    engine.delete(made)
    assert engine.read(made) is None
    engine.delete(made)


def test_a_subscription_waits_for_its_subscriber_and_is_replaced_for_another(engine: Any, served: Any) -> None:
    topic = engine.make(TOPIC, "alarms", name="web-alarms")
    news = {"topic": topic.id, "protocol": "email", "endpoint": "ops@example.org"}
    made = engine.make(SUBSCRIPTION, "operator", **news)
    assert made.outputs["pendingConfirmation"] is True
    (found,) = served.aws("sns").list_subscriptions_by_topic(TopicArn=topic.id)["Subscriptions"]
    assert (found["Protocol"], found["Endpoint"]) == ("email", "ops@example.org")
    answer = engine.diff(made, {**news, "endpoint": "other@example.org"})
    assert (list(answer.replaces), answer.deleteBeforeReplace) == (["endpoint"], False)
    engine.delete(made)
    assert engine.read(made) is None
    engine.delete(made)


def test_a_subscription_needs_a_topic_that_is_there(engine: Any) -> None:
    gone = "arn:aws:sns:us-east-1:123456789012:gone"
    with pytest.raises(grpc.RpcError, match="NotFound"):
        engine.make(SUBSCRIPTION, "operator", topic=gone, protocol="email", endpoint="ops@example.org")
