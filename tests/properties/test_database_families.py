"""Database versions: each belongs to one parameter group family that requires TLS, or nothing is planned."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from autodeploy.errors import PlanError
from autodeploy.model import DatabaseEngine, DatabasePlan, DatabaseType, TechStack
from autodeploy.model.families import RELEASES, family
from tests.fixtures.planned import FACTS, planned
from tests.infra.deploying import deploy
from tests.properties.generators import database_versions, tech_stacks

TYPES: dict[DatabaseEngine, DatabaseType] = {"postgres": "postgresql", "mysql": "mysql", "mariadb": "mariadb"}
engines = st.sampled_from(sorted(TYPES))
numbers = st.integers(0, 40).map(str)
COUNTED = {"postgres": 1, "mysql": 2, "mariadb": 2}
"""How many numbers name a release: https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/USER_UpgradeDBInstance.Upgrading.html"""


def stored(stack: TechStack, engine: DatabaseEngine) -> TechStack:
    """Return the application with a database of the engine."""
    return stack.but(requires_database=True, database_type=TYPES[engine], services=())


@settings(max_examples=100)
@given(tech_stacks(), st.data())
def test_what_is_declared_is_of_the_family_of_its_version(stack: TechStack, data: st.DataObject) -> None:
    engine = data.draw(engines)
    version, release = data.draw(database_versions(engine))
    made = planned(stored(stack, engine), FACTS.but(engine_versions={engine: version}))
    deployed = deploy(made.infra)
    group, instance = deployed.one("ParameterGroup").inputs, deployed.one("Instance", "database").inputs
    assert group["family"] == engine + release
    assert (instance["engine"], instance["engineVersion"]) == (engine, version)
    assert instance["parameterGroupName"] == group["name"]


@settings(max_examples=300)
@given(engines, st.lists(numbers, min_size=1, max_size=4).map(".".join) | st.text(max_size=12))
def test_a_version_is_of_the_release_that_its_first_numbers_name_or_of_none(
    engine: DatabaseEngine, version: str
) -> None:
    found = family(engine, version)
    parts = version.split(".")
    release = ".".join(parts[: COUNTED[engine]])
    if found is None:
        well_formed = re.fullmatch(rf"\d+(\.\d+){{0,{COUNTED[engine]}}}", version, re.ASCII)
        assert release not in RELEASES[engine] or not well_formed
    else:
        assert found == engine + release and release in RELEASES[engine]


@settings(max_examples=100)
@given(tech_stacks(), engines, st.lists(numbers, min_size=1, max_size=3).map(".".join))
def test_a_version_outside_is_refused_before_anything_is_made(
    stack: TechStack, engine: DatabaseEngine, version: str
) -> None:
    facts = FACTS.but(engine_versions={engine: version})
    if family(engine, version):
        assert planned(stored(stack, engine), facts).infra.database
        return
    with pytest.raises(PlanError, match=f"{engine} {version} belongs to no parameter group family") as caught:
        planned(stored(stack, engine), facts)
    assert "--env DATABASE_URL=" in caught.value.remediation
    with pytest.raises(ValueError, match=version):
        _ = DatabasePlan(engine=engine, engine_version=version).parameter_family


def test_every_family_is_written_as_rds_writes_it() -> None:
    named = {engine + release for engine, releases in RELEASES.items() for release in releases}
    assert {"postgres16", "postgres17", "mysql8.0", "mysql8.4", "mariadb10.11", "mariadb11.4"} <= named
