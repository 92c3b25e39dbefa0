"""Plan: what its bill says, and how its types are shown."""

from __future__ import annotations

import pytest
from fixtures.planned import planned

from autodeploy.model import CostLine, TechStack
from autodeploy.model.build import image_of_python
from autodeploy.model.plan import short_type


@pytest.mark.parametrize(
    ("prices", "bill"),
    [
        ((), "0.00 USD a month"),
        ((1000.0, 2.5), "1,002.50 USD a month"),
        ((12.0, None), "at least 12.00 USD a month"),
        ((None, None), "unknown"),
    ],
)
def test_the_bill_says_what_is_known(prices: tuple[float | None, ...], bill: str) -> None:
    lines = tuple(CostLine(what="machine", usd_per_month=price, basis="list") for price in prices)
    assert planned(TechStack(language="python", runtime_version="3.11", build_tool="pip")).but(cost=lines).bill == bill


@pytest.mark.parametrize(
    ("full", "short"),
    [
        ("aws:ec2/vpc:Vpc", "aws:ec2:Vpc"),
        ("aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule", "aws:vpc:SecurityGroupIngressRule"),
        ("pulumi:providers:aws", "pulumi:providers:aws"),
        ("autodeploy:network:Network", "autodeploy:network:Network"),
        ("autodeploy:Network", "autodeploy:Network"),
    ],
)
def test_short_type(full: str, short: str) -> None:
    assert short_type(full) == short


@pytest.mark.parametrize(
    ("version", "image"),
    [("3.11", "debian-12"), ("3.11.9", "debian-12"), ("3.13", "debian-13"), ("3.12", "debian-13"), ("2.7", None)],
)
def test_the_image_that_brings_a_python(version: str, image: str | None) -> None:
    assert image_of_python(version) == image
