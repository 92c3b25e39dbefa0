"""docs/infrastructure.md and the purposes speak of every resource that the program declares, and of no other."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import pytest
from fixtures.planned import FACTS, planned

from autodeploy.model import DatabasePlan, HostedZone, InfraPlan, TechStack
from autodeploy.model.plan import short_type
from autodeploy.planner.purposes import PURPOSES
from tests.infra.deploying import deploy

DOCUMENT = Path(__file__).parents[2] / "docs" / "infrastructure.md"
ROW = re.compile(r"^\| `(aws:[^`]+)` \|([^|]+)\|([^|]*)\|([^|]*)\|$", re.M)
CONTROL = re.compile(r"^\| ([A-Za-z]+[A-Za-z0-9]*\.\d+) \|[^|]+\| (yes|no|partly) \|([^|]*)\|$", re.M)
STACK = TechStack(
    language="python", runtime_version="3.11", build_tool="pip", requires_database=True, database_type="postgresql"
)


def whole() -> InfraPlan:
    """Return a plan with all that the program can declare: what is optional belongs in here."""
    return planned(STACK, alarm_email="ops@example.org").infra


def at_a_domain() -> InfraPlan:
    """Return the plan with what takes the place of an imported certificate."""
    facts = FACTS.but(hosted_zones={"shop.example.com": HostedZone(zone_id="ZSHOP", name="example.com")})
    return planned(STACK, facts, domain="shop.example.com").infra


def by_sessions() -> InfraPlan:
    """Return the plan whose machine has no open port for the operator."""
    return planned(STACK, access="ssm").infra


def declared(infra: InfraPlan) -> set[str]:
    return {f"{short_type(found.type)} {re.sub(r'-[0-9]+$', '', found.name)}" for found in deploy(infra).physical}


@pytest.fixture(scope="module")
def resources() -> set[str]:
    return declared(whole()) | declared(at_a_domain()) | declared(by_sessions())


def rows() -> list[tuple[str, str, str, str]]:
    return ROW.findall(DOCUMENT.read_text("utf-8"))


def test_every_resource_has_a_purpose(resources: set[str]) -> None:
    resources = resources | {"pulumi:providers:aws aws"}
    missing = sorted(resources - set(PURPOSES))
    assert not missing, f"add to PURPOSES in autodeploy/planner/purposes.py what these are for: {missing}"
    unused = sorted(set(PURPOSES) - resources)
    assert not unused, (
        f"the program declares none of these: drop them, or let whole() in {__file__} plan them: {unused}"
    )


def test_every_resource_is_documented_once(resources: set[str]) -> None:
    found = Counter(name for name, *_ in rows())
    missing = sorted(resources - set(found))
    assert not missing, (
        f"add a row to the tables of docs/infrastructure.md for each of {missing}: "
        "| `type name` | why it is there | USD a month in us-east-1, or nothing | controls it is asked about, met or not |"
    )
    assert not sorted(set(found) - resources), "docs/infrastructure.md has rows that the program does not declare"
    assert {name for name, count in found.items() if count > 1} == set()


def test_the_costs_are_those_of_the_bill() -> None:
    billed: dict[str, float] = {}
    for line in planned(STACK).cost:
        assert line.usd_per_month is not None
        billed[line.resource] = round(billed.get(line.resource, 0) + line.usd_per_month, 2)
    written = {name: float(cost) for name, _, cost, _ in rows() if cost.strip()}
    assert written == billed, "correct the USD column of docs/infrastructure.md"
    assert f"{planned(STACK).usd_per_month:.2f} USD a month" in DOCUMENT.read_text("utf-8")
    assert planned(STACK).prices_as_of in DOCUMENT.read_text("utf-8")


def test_every_control_is_answered_and_asked() -> None:
    asked = {control for *_, controls in rows() for control in re.findall(r"[A-Za-z]+[0-9]*\.\d+", controls)}
    answers = CONTROL.findall(DOCUMENT.read_text("utf-8"))
    answered = {control for control, *_ in answers}
    assert asked == answered, f"asked about only: {asked - answered}; answered only: {answered - asked}"
    assert len(answered) == len(answers)
    for control, met, because in answers:
        assert met == "yes" or because.strip(), f"{control}: say why it is not met"


def test_what_it_says_of_protection_is_what_the_program_declares() -> None:
    deployed = deploy(whole())
    met = {control: answer == "yes" for control, answer, _ in CONTROL.findall(DOCUMENT.read_text("utf-8"))}
    machine, database = deployed.one("Instance", "app").inputs, deployed.one("Instance", "database").inputs
    balancer, https = deployed.one("LoadBalancer").inputs, deployed.one("Listener", "https").inputs
    seen = {
        "EC2.3": machine["rootBlockDevice"]["encrypted"],
        "EC2.8": machine["metadataOptions"]["httpTokens"] == "required",
        "EC2.9": not machine["associatePublicIpAddress"],
        "EC2.15": not any(subnet.inputs["mapPublicIpOnLaunch"] for subnet in deployed.of("Subnet")),
        "ELB.4": balancer["dropInvalidHeaderFields"],
        "ELB.5": bool(balancer.get("accessLogs", {}).get("enabled")),
        "ELB.6": bool(balancer.get("enableDeletionProtection")),
        "ELB.13": len(balancer["subnets"]) > 1,
        "ELB.17": https["sslPolicy"] == "ELBSecurityPolicy-TLS13-1-2-2021-06",
        "RDS.2": not database["publiclyAccessible"],
        "RDS.3": database["storageEncrypted"],
        "RDS.5": database["multiAz"],
        "RDS.6": bool(database.get("monitoringInterval")),
        "RDS.8": database["deletionProtection"],
        "RDS.9": bool(database.get("enabledCloudwatchLogsExports")),
        "RDS.10": bool(database.get("iamDatabaseAuthenticationEnabled")),
        "RDS.11": database["backupRetentionPeriod"] >= 7,
        "RDS.13": database["autoMinorVersionUpgrade"],
        "RDS.17": database["copyTagsToSnapshot"],
    }
    differing = {control for control, shown in seen.items() if met[control] != bool(shown)}
    assert not differing, f"docs/infrastructure.md says otherwise of {sorted(differing)} than the program declares"


def test_no_smaller_plan_declares_what_is_not_documented(resources: set[str]) -> None:
    smaller = [
        planned(STACK.but(is_web_service=False)).infra,
        planned(STACK.but(requires_database=False), FACTS).infra,
        whole().but(database=DatabasePlan(engine="mariadb", engine_version="10.11", port=3306)),
    ]
    for infra in smaller:
        assert declared(infra) <= resources
