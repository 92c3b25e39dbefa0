"""What is watched, a table: an InfraPlan comes in, alarms with threshold and reason go out. Makes nothing."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal, NamedTuple

from autodeploy.model import InfraPlan
from autodeploy.naming import numbered

MINUTE, FIVE_MINUTES = 60, 300
GIBIBYTE = 1024**3


class Alarm(NamedTuple):
    """One alarm on one metric of `of`: raised after `periods` of `period` seconds, each beyond the threshold.

    `of` is instance, instance-2 …, balancer, targets or database. `missing` is what a period without data counts as.
    `role` becomes part of the alarm's name.
    """

    role: str
    of: str
    namespace: str
    metric: str
    statistic: Literal["Maximum", "Minimum", "Sum"]
    comparison: Literal["GreaterThanOrEqualToThreshold", "LessThanThreshold"]
    threshold: float
    period: int
    periods: int
    missing: Literal["breaching", "notBreaching", "missing"]
    why: str


def alarms(plan: InfraPlan) -> Iterator[Alarm]:
    """Yield the alarms that the plan's resources can raise."""
    for number in range(1, plan.instances + 1):
        for alarm in (INSTANCE, CREDITS) if plan.is_burstable else (INSTANCE,):
            yield alarm._replace(role=numbered(alarm.role, number), of=numbered(alarm.of, number))
    if plan.web:
        yield UNHEALTHY if plan.instances == 1 else UNHEALTHY._replace(why=ONE_UNHEALTHY)
        yield from (TARGET_ERRORS, BALANCER_ERRORS)
    if plan.database:
        yield _storage(plan.database.storage_gb)


INSTANCE = Alarm(
    "status",
    "instance",
    "AWS/EC2",
    "StatusCheckFailed",
    "Maximum",
    "GreaterThanOrEqualToThreshold",
    1,
    MINUTE,
    3,
    # The check reports every minute of a running machine: silence means that it does not run.
    "breaching",
    "The machine or the hardware below it has failed AWS's checks for three minutes, or it does not run. "
    "A reboot is over sooner.",
)
CREDITS = Alarm(
    "credits",
    "instance",
    "AWS/EC2",
    "CPUCreditBalance",
    "Maximum",
    "LessThanThreshold",
    5,
    FIVE_MINUTES,
    24,
    # Whether it runs at all is what the other alarm says.
    "notBreaching",
    "For two hours there were fewer than 5 CPU credits: the machine asks for more than its size earns, and is slowed "
    "down or charged extra. A new machine begins with none, and has more within an hour when it idles.",
)
UNHEALTHY = Alarm(
    "health",
    "targets",
    "AWS/ApplicationELB",
    "UnHealthyHostCount",
    "Maximum",
    "GreaterThanOrEqualToThreshold",
    1,
    MINUTE,
    3,
    # A balancer with a target always counts: silence means that none is registered, and nobody is served.
    "breaching",
    "The balancer has reached no healthy application for three minutes. A release or a reboot is over sooner.",
)
ONE_UNHEALTHY = (
    "For three minutes the balancer has found a machine without a healthy application; the others go on serving. "
    "A release or a reboot is over sooner."
)
TARGET_ERRORS = Alarm(
    "app-5xx",
    "targets",
    "AWS/ApplicationELB",
    "HTTPCode_Target_5XX_Count",
    "Sum",
    "GreaterThanOrEqualToThreshold",
    10,
    FIVE_MINUTES,
    1,
    # Counted only when there are any: silence is the good case.
    "notBreaching",
    "The application answered 10 requests within five minutes with a server error. A single one is its own log's.",
)
BALANCER_ERRORS = Alarm(
    "lb-5xx",
    "balancer",
    "AWS/ApplicationELB",
    "HTTPCode_ELB_5XX_Count",
    "Sum",
    "GreaterThanOrEqualToThreshold",
    10,
    FIVE_MINUTES,
    1,
    "notBreaching",
    "The balancer answered 10 requests within five minutes itself, because the application did not: 502, 503, 504.",
)


def _storage(gigabytes: int) -> Alarm:
    return Alarm(
        "storage",
        "database",
        "AWS/RDS",
        "FreeStorageSpace",
        "Minimum",
        "LessThanThreshold",
        gigabytes * GIBIBYTE // 10,
        FIVE_MINUTES,
        3,
        # A database that is stopped or restarts says nothing about its disk.
        "missing",
        f"Less than a tenth of the database's {gigabytes} GiB is free. A full disk stops it.",
    )
