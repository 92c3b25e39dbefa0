"""Clients and ids -> what the account itself says of a machine and of a balancer's targets."""

from __future__ import annotations

from typing import Any

from autodeploy.adapters.aws.leftovers import TAG, Connect


def console_output(ec2: Any, instance_id: str) -> str:
    """Return the last 64 KB that the instance wrote on its console; "" when nothing is there yet."""
    # botocore has decoded it already: https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_GetConsoleOutput.html.
    return str(ec2.get_console_output(InstanceId=instance_id).get("Output", ""))


def target_health(connect: Connect, deployment_id: str) -> list[str]:
    """Return "id:port health reason: description" of every target of the deployment's target groups."""
    filters = [{"Key": TAG, "Values": [deployment_id]}]
    pages = connect("resourcegroupstaggingapi").get_paginator("get_resources").paginate(TagFilters=filters)
    arns = [resource["ResourceARN"] for page in pages for resource in page["ResourceTagMappingList"]]
    lines = []
    for group in (arn for arn in arns if ":targetgroup/" in arn):
        for told in connect("elbv2").describe_target_health(TargetGroupArn=group)["TargetHealthDescriptions"]:
            target, health = told["Target"], told["TargetHealth"]
            reason = ": ".join(filter(None, (health.get("Reason"), health.get("Description"))))
            lines.append(f"{target['Id']}:{target.get('Port', '')} {health['State']} {reason}".rstrip())
    return lines
