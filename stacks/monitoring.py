"""What tells of trouble: the log group, alarms to a topic (with a subscriber where one is named), and a dashboard.

No key of our own encrypts the topic: SNS encrypts at rest by itself, and CloudWatch may not use the account's own key
for SNS (alias/aws/sns), so that its alarms would reach nobody.
https://repost.aws/knowledge-center/cloudwatch-configure-alarm-sns
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import pulumi
import pulumi_aws as aws

from autodeploy.model import InfraPlan
from autodeploy.naming import log_group, physical
from stacks.alarms import Alarm, alarms

RETENTION_DAYS = 30
"""Long enough to look into last month's trouble; not for ever, which is CloudWatch's default."""

Dimensions = Mapping[str, Mapping[str, pulumi.Input[str]]]


class Logs(pulumi.ComponentResource):
    """The log group of one deployment, and the only one that its machine may write to."""

    def __init__(self, name: str, plan: InfraPlan, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("autodeploy:monitoring:Logs", name, None, opts)
        self.group = aws.cloudwatch.LogGroup(
            "app",
            name=log_group(plan),
            retention_in_days=RETENTION_DAYS,
            opts=pulumi.ResourceOptions(parent=self),
        )
        self.register_outputs({"name": self.group.name})


class Monitoring(pulumi.ComponentResource):
    """`dimensions` name the resources to watch in CloudWatch's words; what the plan lacks is not there."""

    def __init__(
        self, name: str, plan: InfraPlan, dimensions: Dimensions, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("autodeploy:monitoring:Monitoring", name, None, opts)
        self._child = pulumi.ResourceOptions(parent=self)
        self._plan = plan
        self._dimensions = dimensions
        self.topic = self._topic()
        watched = list(alarms(plan))
        made = [self._alarm(alarm) for alarm in watched]
        aws.cloudwatch.Dashboard(
            "overview",
            # It carries no tags: by this name it is found when its stack is gone.
            dashboard_name=plan.deployment_id,
            dashboard_body=self._dashboard(watched, made),
            opts=self._child,
        )
        self.register_outputs({"topicArn": self.topic.arn})

    def _topic(self) -> aws.sns.Topic:
        plan = self._plan
        topic = aws.sns.Topic("alarms", name=physical(plan.name, plan.deployment_id, "alarms"), opts=self._child)
        if plan.alarm_email:
            aws.sns.TopicSubscription(
                "operator", topic=topic.arn, protocol="email", endpoint=plan.alarm_email, opts=self._child
            )
        return topic

    def _alarm(self, alarm: Alarm) -> aws.cloudwatch.MetricAlarm:
        return aws.cloudwatch.MetricAlarm(
            alarm.role,
            name=physical(self._plan.name, self._plan.deployment_id, alarm.role),
            alarm_description=alarm.why,
            namespace=alarm.namespace,
            metric_name=alarm.metric,
            dimensions=dict(self._dimensions[alarm.of]),
            statistic=alarm.statistic,
            comparison_operator=alarm.comparison,
            threshold=alarm.threshold,
            period=alarm.period,
            evaluation_periods=alarm.periods,
            treat_missing_data=alarm.missing,
            alarm_actions=[self.topic.arn],
            ok_actions=[self.topic.arn],
            opts=self._child,
        )

    def _dashboard(self, watched: Sequence[Alarm], made: Sequence[aws.cloudwatch.MetricAlarm]) -> pulumi.Output[str]:
        region = self._plan.region
        known = pulumi.Output.all(
            [alarm.arn for alarm in made], [dict(self._dimensions[alarm.of]) for alarm in watched]
        )
        return known.apply(lambda both: json.dumps(dashboard(region, watched, *both), sort_keys=True))


def dashboard(
    region: str, watched: Sequence[Alarm], arns: Sequence[str], dimensions: Sequence[Mapping[str, str]]
) -> dict[str, Any]:
    """Return the dashboard: the alarms' states, and below them the metric of each with its threshold.

    https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/CloudWatch-Dashboard-Body-Structure.html
    """
    states = {"type": "alarm", "x": 0, "y": 0, "width": 24, "height": 3}
    widgets: list[dict[str, Any]] = [{**states, "properties": {"title": "Alarms", "alarms": list(arns)}}]
    for number, (alarm, named) in enumerate(zip(watched, dimensions, strict=True)):
        pairs = [text for pair in sorted(named.items()) for text in pair]
        properties = {
            "title": alarm.metric,
            "region": region,
            "view": "timeSeries",
            "period": alarm.period,
            "stat": alarm.statistic,
            "metrics": [[alarm.namespace, alarm.metric, *pairs]],
            "annotations": {"horizontal": [{"label": "alarm", "value": alarm.threshold}]},
        }
        column, row = number % 3, number // 3
        place = {"type": "metric", "x": 8 * column, "y": 3 + 6 * row, "width": 8, "height": 6}
        widgets.append({**place, "properties": properties})
    return {"widgets": widgets}
