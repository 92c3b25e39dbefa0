"""The last snapshot that a destruction takes of the stack's database before anything of it goes."""

from __future__ import annotations

from pathlib import Path

import pytest
from fakes.account import FakeCloud
from fakes.line import Line
from fakes.provisioning import provisioner
from fakes.snapshots import FakeSnapshots
from fakes.world import World
from fixtures.planned import FACTS, LOCAL

from autodeploy.agents import backups
from autodeploy.errors import InfrastructureError, StateError
from autodeploy.model import CloudFacts, DeploymentState, PriceList


@pytest.fixture
def line(tmp_path: Path) -> Line:
    return Line(tmp_path / "home")


def deployed(line: Line) -> DeploymentState:
    """Return a deployment whose infrastructure stands; on AWS nobody answers to what comes after."""
    line.break_at("deploy", InfrastructureError("not yet", "Wait."))
    return line.ledger(line.deploy())


@pytest.mark.parametrize("facts", [FACTS, LOCAL])
def test_takes_a_last_snapshot_of_what_the_database_held(tmp_path: Path, facts: CloudFacts) -> None:
    line = Line(tmp_path, World(facts=facts))
    state = deployed(line)
    line.world.databases[f"{state.deployment_id}-db"] = "precious"
    provisioner(line).destroy(state)
    ((name, rows),) = line.world.kept.items()
    assert name.startswith(f"{state.deployment_id}-final-2026") and rows == "precious"
    assert line.world.databases == {}


def test_without_its_snapshot_the_database_stays_as_protected_as_it_was(line: Line) -> None:
    state = line.ledger(line.deploy())
    line.world.broken["snapshot"].append(InfrastructureError("the database is stopped", "Start it."))
    with pytest.raises(InfrastructureError, match="stopped") as caught:
        provisioner(line).destroy(state)
    assert caught.value.remediation == (
        f"Start it. To delete it without a last snapshot: autodeploy destroy {state.deployment_id} "
        "--allow-data-loss database"
    )
    database = line.world.stacks[state.deployment_id].database
    assert database and database.deletion_protection
    assert len(line.world.databases) == 1


def test_whose_loss_is_allowed_goes_without_a_snapshot(line: Line) -> None:
    state = line.ledger(line.deploy())
    assert provisioner(line, allow_data_loss=("database",)).destroy(state) == ()
    assert (line.world.snapshots, line.world.databases) == ({}, {})


def test_the_loss_of_something_else_allows_nothing(line: Line) -> None:
    state = line.ledger(line.deploy())
    provisioner(line, allow_data_loss=("app",)).destroy(state)
    assert len(line.world.snapshots) == 1


def test_a_database_that_is_not_seen_is_not_given_up(line: Line) -> None:
    state = line.ledger(line.deploy())
    line.world.databases.clear()
    with pytest.raises(StateError, match="does not show") as caught:
        provisioner(line).destroy(state)
    assert "--allow-data-loss database" in caught.value.remediation
    assert state.deployment_id in line.world.stacks
    assert provisioner(line, allow_data_loss=("database",)).destroy(state) == ()


def test_a_database_that_is_gone_after_its_last_snapshot_is_no_trouble(line: Line) -> None:
    state = line.ledger(line.deploy()).but(final_snapshot="last")
    line.world.broken["after up"].append(InfrastructureError("killed", "Again."))
    with pytest.raises(InfrastructureError, match="killed"):
        provisioner(line).destroy(state)
    line.world.databases.clear()
    assert provisioner(line).destroy(state) == ()
    assert list(line.world.snapshots) == ["last"]


class TestWhatIsKept:
    """Every snapshot that the account has of the deployment, and what it costs there."""

    def test_is_every_backup_beside_the_last_one(self, line: Line) -> None:
        state = line.ledger(line.deploy())
        snapshots = FakeSnapshots(line.world)
        for name in ("by-hand", f"{state.deployment_id}-backup-1"):
            snapshots.take(name, f"{state.deployment_id}-db", lambda _: None)
        line.world.databases["another-db"] = "not ours"
        snapshots.take("another", "another-db", lambda _: None)
        kept = backups.kept(state, FakeCloud(line.world, None))
        assert [each.name for each in kept] == [f"{state.deployment_id}-backup-1", "by-hand"]
        assert {each.usd_per_month for each in kept} == {0.0}
        assert kept[1].delete == f"autodeploy db delete by-hand {state.deployment_id}"

    @pytest.mark.parametrize(
        ("region", "asked", "cost"),
        [
            ("us-east-1", {}, "at most 1.90 USD a month"),
            ("eu-west-3", {"snapshot:database": 0.1}, "at most 2.00 USD a month"),
            ("eu-west-3", {}, "of unknown price"),
        ],
    )
    def test_costs_what_the_account_or_the_table_says(
        self, tmp_path: Path, region: str, asked: dict[str, float], cost: str
    ) -> None:
        line = Line(tmp_path, World(facts=FACTS))
        state = deployed(line)
        FakeSnapshots(line.world).take("by-hand", f"{state.deployment_id}-db", lambda _: None)
        line.world.prices = PriceList(usd=asked)
        (kept,) = backups.kept(state.but(region=region), FakeCloud(line.world, None))
        assert (kept.size_gb, kept.cost) == (20, cost)
