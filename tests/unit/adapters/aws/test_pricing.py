"""The Pricing API: what it is asked, what is made of its answers, and that no failure of it goes further."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import boto3
import pytest
from botocore.exceptions import EndpointConnectionError, NoCredentialsError
from botocore.stub import Stubber

from autodeploy.adapters.aws import AwsCloud
from autodeploy.adapters.aws.pricing import query
from autodeploy.planner import price_table


def product(usage: str, *steps: tuple[str, str]) -> str:
    """Return a product as the API writes it: its usage type and its price from each amount on."""
    dimensions = {
        f"S.T.{number}": {"unit": "Hrs", "beginRange": begin, "endRange": "Inf", "pricePerUnit": {"USD": usd}}
        for number, (begin, usd) in enumerate(steps)
    }
    return json.dumps(
        {
            "product": {"sku": "S", "attributes": {"usagetype": usage}},
            "serviceCode": "AmazonEC2",
            "terms": {"OnDemand": {"S.T": {"priceDimensions": dimensions}}},
        }
    )


def asked(region: str, keys: list[str], *answers: Any, expected: Any = None) -> Any:
    stub = boto3.client("pricing", region_name="us-east-1", aws_access_key_id="x", aws_secret_access_key="x")
    stubber = Stubber(stub)
    for answer in answers:
        if isinstance(answer, str):
            stubber.add_client_error("get_products", service_error_code=answer, service_message="no")
        else:
            stubber.add_response("get_products", {"FormatVersion": "aws_v1", "PriceList": answer}, expected)
    stubber.activate()
    return AwsCloud("aws", region, connect=lambda service: stub).prices(keys)


def test_a_price_is_that_of_the_region_and_the_size() -> None:
    wanted = {
        "ServiceCode": "AmazonEC2",
        "Filters": [
            {"Type": "TERM_MATCH", "Field": field, "Value": value}
            for field, value in (
                ("regionCode", "eu-central-1"),
                ("instanceType", "t3.small"),
                ("operatingSystem", "Linux"),
                ("tenancy", "Shared"),
                ("preInstalledSw", "NA"),
                ("capacitystatus", "Used"),
            )
        ],
    }
    answer = [product("EUC1-BoxUsage:t3.small", ("0", "0.0240000000")), product("EUC1-UnusedBox:t3.small", ("0", "9"))]
    found = asked("eu-central-1", ["instance:t3.small"], answer, expected=wanted)
    assert (found.usd, found.problem) == ({"instance:t3.small": 0.024}, "")


def test_free_tiers_are_left_aside_and_the_first_charged_step_counts() -> None:
    answer = [product("CW:AlarmMonitorUsage", ("0", "0"), ("10", "0.10"), ("1000", "0.05"))]
    assert asked("us-east-1", ["alarm"], answer).usd == {"alarm": 0.1}


@pytest.mark.parametrize(
    "answer",
    [
        [],
        [product("EUC1-Other", ("0", "1"))],
        [product("LoadBalancerUsage", ("0", "1")), product("EU-LoadBalancerUsage", ("0", "2"))],
    ],
)
def test_a_price_that_is_not_said_or_said_twice_is_left_out(answer: list[str]) -> None:
    found = asked("eu-central-1", ["balancer:application"], answer)
    assert (found.usd, found.problem) == ({}, "")


def test_what_the_api_is_not_asked_for_is_left_out() -> None:
    assert asked("us-east-1", ["dashboard", "database-storage:io1"]).usd == {}


def test_a_refusal_is_a_problem_to_tell() -> None:
    found = asked(
        "us-east-1", ["secret", "alarm"], [product("AWSSecretsManager-Secret", ("0", "0.4"))], "AccessDeniedException"
    )
    assert (found.usd, found.problem) == ({}, "the Pricing API refused (AccessDeniedException)")


def test_an_answer_that_is_none_is_a_problem_to_tell() -> None:
    assert asked("us-east-1", ["secret"], ["{"]).problem == "the Pricing API could not be asked (JSONDecodeError)"
    assert asked("us-east-1", ["secret"], ["{}"]).problem == "the Pricing API could not be asked (KeyError)"


@pytest.mark.parametrize("failure", [NoCredentialsError(), EndpointConnectionError(endpoint_url="https://x")])
def test_without_credentials_or_network_it_is_a_problem_to_tell(failure: Exception) -> None:
    def connect(service: str) -> Any:
        raise failure

    assert type(failure).__name__ in AwsCloud("aws", "us-east-1", connect=connect).prices(["secret"]).problem


def test_an_emulated_account_is_not_asked(cloud: AwsCloud) -> None:
    found = cloud.prices(["instance:t3.small"])
    assert (found.usd, found.problem) == ({}, "")


def test_the_client_is_of_the_region_that_serves_all(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "x")
    client = AwsCloud("aws", "eu-north-1")._boto3_client("pricing")
    assert client.meta.region_name == "us-east-1"
    assert client.meta.config.read_timeout == 10


def keys_of_the_table() -> list[str]:
    rows = [row.split()[0] for row in price_table.BY_REGION.strip().splitlines()]
    named = {row if ":" in row else f"instance:{row}" for row in rows}
    return sorted(
        named | set(price_table.EVERYWHERE) | {key for region in price_table.OTHERS.values() for key in region}
    )


@pytest.mark.parametrize("key", [key for key in keys_of_the_table() if key not in ("dashboard", "snapshot:volume")])
def test_every_key_of_the_table_is_asked_for(key: str) -> None:
    found: Callable[[str], Any] = query
    assert found(key) is not None
