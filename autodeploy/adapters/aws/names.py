"""Inputs of certificates, their validation and DNS records -> their ids in the account."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import timezone
from typing import Any

from autodeploy.adapters.aws.leftovers import TAG

Connect = Callable[[str], Any]
Inputs = Mapping[str, Any]


def certificate(connect: Connect, inputs: Inputs, deployment_id: str) -> Iterable[str]:
    """Yield the deployment's certificates of the domain; without one, its imported ones."""
    acm, wanted = connect("acm"), inputs.get("domainName")
    # Unless it is asked for them, ACM shows no certificates with EC keys, as those are that AutoDeploy imports.
    for page in acm.get_paginator("list_certificates").paginate(Includes={"keyTypes": ["RSA_2048", "EC_prime256v1"]}):
        for item in page["CertificateSummaryList"]:
            arn = item["CertificateArn"]
            tags = acm.list_tags_for_certificate(CertificateArn=arn)["Tags"]
            if {"Key": TAG, "Value": deployment_id} in tags and wanted == _issued_for(acm, arn):
                yield arn


def _issued_for(acm: Any, arn: str) -> str | None:
    """Return the domain of a certificate that AWS issues, None for an imported one."""
    found = acm.describe_certificate(CertificateArn=arn)["Certificate"]
    return None if found["Type"] == "IMPORTED" else str(found["DomainName"])


def validation(connect: Connect, inputs: Inputs, deployment_id: str) -> Iterable[str]:
    """Yield the id of a validation that is over."""
    found = connect("acm").describe_certificate(CertificateArn=inputs["certificateArn"])["Certificate"]
    if found["Status"] == "ISSUED":
        # The provider's id is the time of issue; nothing refers to it.
        yield f"{found['IssuedAt'].astimezone(timezone.utc):%Y-%m-%d %H:%M:%S} +0000 UTC"


def record(connect: Connect, inputs: Inputs, deployment_id: str) -> Iterable[str]:
    """Yield the id of the record of that name and type in the zone."""
    zone, name, kind = inputs["zoneId"], inputs["name"].rstrip(".").lower(), inputs["type"]
    for page in connect("route53").get_paginator("list_resource_record_sets").paginate(HostedZoneId=zone):
        for item in page["ResourceRecordSets"]:
            if (item["Name"].rstrip(".").lower(), item["Type"]) == (name, kind):
                yield f"{zone}_{name}_{kind}"
