"""Entries of what CloudWatch keeps: log groups, alarms and dashboards. The emulator measures nothing by itself."""

from __future__ import annotations

from typing import Any

from autodeploy.local.provider import limits
from autodeploy.local.provider.entry import Call, Entry
from autodeploy.local.provider.wire import Values

_ALARM = {
    "ActionsEnabled": "actionsEnabled",
    "AlarmActions": "alarmActions",
    "AlarmDescription": "alarmDescription",
    "ComparisonOperator": "comparisonOperator",
    "DatapointsToAlarm": "datapointsToAlarm",
    "EvaluationPeriods": "evaluationPeriods",
    "InsufficientDataActions": "insufficientDataActions",
    "MetricName": "metricName",
    "Namespace": "namespace",
    "OKActions": "okActions",
    "Period": "period",
    "Statistic": "statistic",
    "Threshold": "threshold",
    "TreatMissingData": "treatMissingData",
}


def _log_group_create(call: Call) -> str:
    call.client("logs").create_log_group(**call.given(logGroupName="name", logGroupClass="logGroupClass"))
    name = str(call.inputs["name"])
    _write_retention(call, name)
    return name


def _write_retention(call: Call, identity: str) -> None:
    days = call.inputs.get("retentionInDays")
    if days:
        call.client("logs").put_retention_policy(logGroupName=identity, retentionInDays=days)
    elif call.state.get("retentionInDays"):
        call.client("logs").delete_retention_policy(logGroupName=identity)


def _log_group_read(call: Call, identity: str) -> Values | None:
    for page in call.client("logs").get_paginator("describe_log_groups").paginate(logGroupNamePrefix=identity):
        for found in page["logGroups"]:
            if found["logGroupName"] == identity:
                return {
                    "arn": found["logGroupArn"],
                    "name": identity,
                    "retentionInDays": found.get("retentionInDays", 0),
                    "logGroupClass": found.get("logGroupClass", "STANDARD"),
                }
    return None


def _alarm_write(call: Call) -> str:
    dimensions = [{"Name": name, "Value": value} for name, value in sorted(call.inputs.get("dimensions", {}).items())]
    call.client("cloudwatch").put_metric_alarm(
        AlarmName=call.inputs["name"], Dimensions=dimensions, **call.given(**_ALARM)
    )
    return str(call.inputs["name"])


def _alarm_update(call: Call, identity: str) -> None:
    _alarm_write(call)


def _alarm_read(call: Call, identity: str) -> Values | None:
    alarms = call.client("cloudwatch").describe_alarms(AlarmNames=[identity])["MetricAlarms"]
    if not alarms:
        return None
    found: dict[str, Any] = alarms[0]
    known = {name: found[parameter] for parameter, name in _ALARM.items() if parameter in found}
    named = {"arn": found["AlarmArn"], "name": identity}
    return {**known, **named, "dimensions": {item["Name"]: item["Value"] for item in found["Dimensions"]}}


def _dashboard_write(call: Call) -> str:
    given = call.given(DashboardName="dashboardName", DashboardBody="dashboardBody")
    call.client("cloudwatch").put_dashboard(**given)
    return str(call.inputs["dashboardName"])


def _dashboard_update(call: Call, identity: str) -> None:
    _dashboard_write(call)


def _dashboard_read(call: Call, identity: str) -> Values | None:
    found = call.client("cloudwatch").get_dashboard(DashboardName=identity)
    return {
        "dashboardArn": found["DashboardArn"],
        "dashboardBody": found["DashboardBody"],
        "dashboardName": found["DashboardName"],
    }


LOG_GROUP = Entry(
    "aws:cloudwatch/logGroup:LogGroup",
    _log_group_create,
    _log_group_read,
    lambda call, identity: call.client("logs").delete_log_group(logGroupName=identity),
    _write_retention,
    limits=limits.log_group,
    replaces=("logGroupClass",),
    updates=("retentionInDays",),
    defaults={"retentionInDays": 0},
    tagged=("logs", "arn"),
    named=("name", 512),
)
ALARM = Entry(
    "aws:cloudwatch/metricAlarm:MetricAlarm",
    _alarm_write,
    _alarm_read,
    lambda call, identity: call.client("cloudwatch").delete_alarms(AlarmNames=[identity]),
    _alarm_update,
    limits=limits.alarm,
    updates=(*_ALARM.values(), "dimensions"),
    defaults={"actionsEnabled": True, "treatMissingData": "missing"},
    tagged=("cloudwatch", "arn"),
    named=("name", 255),
)
DASHBOARD = Entry(
    "aws:cloudwatch/dashboard:Dashboard",
    _dashboard_write,
    _dashboard_read,
    lambda call, identity: call.client("cloudwatch").delete_dashboards(DashboardNames=[identity]),
    _dashboard_update,
    limits=limits.dashboard,
    replaces=("dashboardName",),
    updates=("dashboardBody",),
)
ENTRIES = (LOG_GROUP, ALARM, DASHBOARD)
