"""Asks the Pricing API for keys of the planner's price table. Whatever goes wrong is a problem to tell, never an error.

Filters and usage types: https://docs.aws.amazon.com/awsaccountbilling/latest/aboutv2/using-price-list-query-api.html
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Any, NamedTuple

from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from autodeploy.model import PriceList

REGION = "us-east-1"
"""Where the API is served for all commercial regions."""
HASTY = Config(connect_timeout=3, read_timeout=10, retries={"mode": "standard", "total_max_attempts": 2})
ENGINES = {"postgres": "PostgreSQL", "mysql": "MySQL", "mariadb": "MariaDB"}
VOLUMES = {"gp2": "RDS:GP2-Storage", "gp3": "RDS:GP3-Storage"}


class Query(NamedTuple):
    """What the API is asked: a service and its attributes; then the usage type, behind the region's own prefix."""

    service: str
    attributes: Mapping[str, str]
    usage: str


def query(key: str) -> Query | None:
    """Return how AWS's price list knows a key of the planner's table; None for what is not asked for."""
    kind, _, rest = key.partition(":")
    if kind == "instance":
        machine = {"operatingSystem": "Linux", "tenancy": "Shared", "preInstalledSw": "NA", "capacitystatus": "Used"}
        return Query("AmazonEC2", {"instanceType": rest, **machine}, f"BoxUsage:{rest}")
    if kind == "database":
        engine, _, size = rest.partition(":")
        wanted = {"productFamily": "Database Instance", "deploymentOption": "Single-AZ", "instanceType": size}
        return Query("AmazonRDS", {**wanted, "databaseEngine": ENGINES[engine]}, f"InstanceUsage:{size}")
    if kind == "database-storage" and rest in VOLUMES:
        wanted = {"productFamily": "Database Storage", "deploymentOption": "Single-AZ"}
        return Query("AmazonRDS", wanted, VOLUMES[rest])
    if kind == "volume":
        return Query("AmazonEC2", {"productFamily": "Storage", "volumeApiName": rest}, f"EBS:VolumeUsage.{rest}")
    return _PLAIN.get(key)


_PLAIN = {
    "address:ipv4": Query("AmazonVPC", {"group": "VPCPublicIPv4Address"}, "PublicIPv4:InUseAddress"),
    "balancer:application": Query("AWSELB", {"productFamily": "Load Balancer-Application"}, "LoadBalancerUsage"),
    "secret": Query("AWSSecretsManager", {"productFamily": "Secret"}, "AWSSecretsManager-Secrets?"),
    "alarm": Query("AmazonCloudWatch", {"productFamily": "Alarm"}, "CW:AlarmMonitorUsage"),
    "logs": Query("AmazonCloudWatch", {"productFamily": "Data Payload"}, "DataProcessing-Bytes"),
    "snapshot:database": Query("AmazonRDS", {"productFamily": "Storage Snapshot"}, "RDS:ChargedBackupUsage"),
}


def ask(connect: Callable[[], Any], region: str, keys: Collection[str]) -> PriceList:
    """Return the prices of `keys` in USD; one that is not said, or said in two ways, is left out."""
    found: dict[str, float] = {}
    try:
        client = connect()
        for key in keys:
            if (asked := query(key)) and (price := _price(client, region, asked)) is not None:
                found[key] = price
    except ClientError as err:
        # Not one list of two days: what was asked for so far is dropped too.
        return PriceList(problem=f"the Pricing API refused ({err.response.get('Error', {}).get('Code', 'no reason')})")
    except (BotoCoreError, ValueError, KeyError, TypeError) as err:  # or says it in another way than it used to
        return PriceList(problem=f"the Pricing API could not be asked ({type(err).__name__})")
    return PriceList(usd=found)


def _price(client: Any, region: str, asked: Query) -> float | None:
    filters = [
        {"Type": "TERM_MATCH", "Field": field, "Value": value}
        for field, value in {"regionCode": region, **asked.attributes}.items()
    ]
    pages = client.get_paginator("get_products").paginate(ServiceCode=asked.service, Filters=filters)
    usage = re.compile(rf"(?:[A-Z0-9]+-)?(?:{asked.usage})")
    products = [json.loads(text) for page in pages for text in page["PriceList"]]
    fitting = [p for p in products if usage.fullmatch(p["product"]["attributes"].get("usagetype", ""))]
    figures = {figure for product in fitting for figure in _figures(product)}
    return figures.pop() if len(figures) == 1 else None


def _figures(product: Mapping[str, Any]) -> Iterator[float]:
    """Yield what the first unit costs on demand, free tiers left aside."""
    for term in product.get("terms", {}).get("OnDemand", {}).values():
        steps = [
            (float(step["beginRange"]), float(step["pricePerUnit"]["USD"])) for step in term["priceDimensions"].values()
        ]
        charged = sorted(step for step in steps if step[1] > 0)
        yield from (usd for _, usd in charged[:1])
