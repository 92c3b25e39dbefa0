"""The picture of a plan: what is in it, that it fits a terminal, and that its SVG is XML whatever the names are."""

from __future__ import annotations

from xml.etree import ElementTree

import pytest
from fixtures.planned import FACTS, planned
from hypothesis import given, settings
from hypothesis import strategies as st

from autodeploy.model import InfraPlan, Preview, TechStack
from autodeploy.planner import explained, svg
from autodeploy.planner.layout import WIDTH, lay_out
from autodeploy.planner.picture import text
from tests.properties.generators import infra_plans

STACK = TechStack(
    language="python", runtime_version="3.11", build_tool="pip", requires_database=True, database_type="postgresql"
)
WHOLE = planned(STACK).infra
TEXT = "{http://www.w3.org/2000/svg}text"
PLANS = [
    WHOLE,
    planned(STACK.but(is_web_service=False)).infra,
    planned(STACK.but(requires_database=False)).infra,
    planned(STACK.but(requires_database=False, is_web_service=False)).infra,
    planned(STACK, access="ssm").infra,
]


def said(infra: InfraPlan) -> list[str]:
    """Return the texts of the SVG."""
    return ["".join(element.itertext()) for element in ElementTree.fromstring(svg(infra)).iter(TEXT)]


@pytest.mark.parametrize("infra", PLANS)
def test_shows_the_same_in_characters_and_in_svg(infra: InfraPlan) -> None:
    drawn = "\n".join(text(infra))
    layout = lay_out(infra)
    for shown in [*(box.title for box in layout.boxes), *(arrow.label for arrow in layout.arrows)]:
        assert shown in drawn
        assert shown in said(infra)


@pytest.mark.parametrize("infra", PLANS)
def test_fits_a_terminal_and_closes_its_frames(infra: InfraPlan) -> None:
    rows = text(infra)
    assert max(map(len, rows)) == WIDTH <= 80
    drawn = "".join(rows)
    assert drawn.count("┌") == drawn.count("┘") == drawn.count("└") == drawn.count("┐")
    assert any(row.endswith("╝") for row in rows)


def test_shows_what_the_plan_has_and_nothing_else() -> None:
    whole, worker, small = ("\n".join(text(infra)) for infra in (WHOLE, PLANS[1], PLANS[2]))
    assert "balancer public" in whole and "443; 80 is redirected" in whole and "5432, TLS only" in whole
    assert "balancer" not in worker and "443" not in worker
    assert "database" not in small and "5432" not in small
    for drawn in (whole, worker, small):
        assert "22 from 203.0.113.7/32" in drawn and "t3.small" in drawn
    closed = "\n".join(text(PLANS[-1]))
    assert "no port: sessions of SSM" in closed and "22 from" not in closed


def test_no_way_takes_a_sign_out_of_a_name() -> None:
    wide = WHOLE.but(public_cidrs=("100.100.100.128/28", "100.100.100.144/28"), vpc_cidr="100.100.100.0/24")
    assert "public subnets 100.100.100.128/28 and 100.100.100.144/28" in "\n".join(text(wide))


def test_shows_who_is_told_of_trouble() -> None:
    for address, told in ((None, "nobody"), ("ops@example.org", "ops@example.org")):
        (box,) = [box for box in lay_out(WHOLE.but(alarm_email=address)).boxes if box.title == "CloudWatch"]
        assert box.lines[-1] == told


def test_the_widest_ways_in_fit() -> None:
    far = FACTS.but(
        region="ap-southeast-1", zones=("ap-southeast-1a", "ap-southeast-1b"), admin_cidr="255.255.255.254/31"
    )
    infra = planned(STACK, far, instance_type="m6idn.metal-very-large-and-long-32xlarge").infra
    drawn = "\n".join(text(infra))
    assert "22 from 255.255.255.254/31" in drawn
    assert "in ap-southeast-1a" in drawn
    assert "m6idn.metal-very-large-and-…" in drawn
    assert max(map(len, text(infra))) == WIDTH


@given(name=st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs", "Cn", "Co"]), min_size=1))
def test_the_svg_is_xml_whatever_the_names_are(name: str) -> None:
    odd = WHOLE.but(name=name, region=f"<{name}>&\"'")
    root = ElementTree.fromstring(svg(odd))
    assert root[0].text == f"{name} ({WHOLE.deployment_id})"
    assert any(f"<{name}>&\"'" in shown for shown in said(odd))


def test_the_same_plan_gives_the_same_bytes() -> None:
    assert svg(WHOLE) == svg(WHOLE.but())
    assert explained(Preview(), WHOLE).picture == text(WHOLE)


@settings(max_examples=100)
@given(infra_plans())
def test_any_plan_can_be_drawn(infra: InfraPlan) -> None:
    rows = text(infra)
    assert max(map(len, rows)) == WIDTH
    assert ("balancer" in "".join(rows), "database" in "".join(rows)) == (bool(infra.web), bool(infra.database))
    assert ElementTree.fromstring(svg(infra)).tag.endswith("svg")
