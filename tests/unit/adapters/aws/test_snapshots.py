"""Snapshots on the emulated RDS: fresh names, tags, verification, waiting; a vault that keeps the data."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from datetime import datetime, timezone
from typing import Any

import pytest

from autodeploy.adapters.aws import AwsCloud
from autodeploy.adapters.aws.snapshots import AwsSnapshots
from autodeploy.errors import InfrastructureError, LocalTargetError

DEPLOYMENT = "guestbook-20261125-7f3a9c"
NAME = f"{DEPLOYMENT}-final-20261125194405"


class Shelf:
    """A vault whose data is the database's name."""

    def __init__(self) -> None:
        self.data: dict[str, tuple[str, str, str]] = {}

    def keep(self, name: str, database: str, engine: str, database_name: str) -> None:
        self.data[name] = (database, engine, database_name)

    def check(self, name: str, engine: str) -> None:
        if self.data.get(name, ("", "", ""))[1] != engine:
            raise LocalTargetError(f"the data of the snapshot {name} is not there", "Take another one.")

    def delete(self, name: str) -> None:
        self.data.pop(name, None)


@pytest.fixture
def rds(client: Callable[[str], Any]) -> Any:
    made = client("rds")
    yield made
    for each in made.describe_db_snapshots()["DBSnapshots"]:
        made.delete_db_snapshot(DBSnapshotIdentifier=each["DBSnapshotIdentifier"])
    for each in made.describe_db_instances()["DBInstances"]:
        made.delete_db_instance(DBInstanceIdentifier=each["DBInstanceIdentifier"], SkipFinalSnapshot=True)


def database(rds: Any, name: str = "guestbook-db", deployment: str = DEPLOYMENT, **changes: Any) -> str:
    rds.create_db_instance(
        **{
            "DBInstanceIdentifier": name,
            "Engine": "postgres",
            "DBInstanceClass": "db.t3.micro",
            "AllocatedStorage": 20,
            "StorageEncrypted": True,
            "DBName": "app",
            "MasterUsername": "dbadmin",
            "MasterUserPassword": "not-a-secret",
            "Tags": [
                {"Key": "DeploymentId", "Value": deployment},
                {"Key": "ManagedBy", "Value": "AutoDeploy"},
                {"Key": "autodeploy:urn", "Value": "urn:pulumi:x"},
            ],
            **changes,
        }
    )
    return name


@pytest.fixture
def shelf() -> Shelf:
    return Shelf()


@pytest.fixture
def snapshots(endpoint: str, shelf: Shelf) -> AwsSnapshots:
    return AwsCloud("local", "us-east-1", endpoint_url=endpoint, vault=shelf).snapshots


@pytest.fixture
def on_aws(endpoint: str) -> AwsSnapshots:
    """Without a vault, as at AWS."""
    return AwsCloud("local", "us-east-1", endpoint_url=endpoint).snapshots


class TestTaking:
    def test_a_snapshot_is_encrypted_as_large_and_tagged_as_its_database(self, rds: Any, on_aws: AwsSnapshots) -> None:
        taken = on_aws.take(NAME, database(rds), lambda _: None)
        assert (taken.name, taken.database, taken.deployment_id) == (NAME, "guestbook-db", DEPLOYMENT)
        assert (taken.encrypted, taken.size_gb, taken.status) == (True, 20, "available")
        (described,) = rds.describe_db_snapshots(DBSnapshotIdentifier=NAME)["DBSnapshots"]
        tags = {tag["Key"]: tag["Value"] for tag in described["TagList"]}
        assert tags == {"DeploymentId": DEPLOYMENT, "ManagedBy": "AutoDeploy"}

    def test_one_of_that_name_is_not_taken_again(self, rds: Any, snapshots: AwsSnapshots, shelf: Shelf) -> None:
        first = snapshots.take(NAME, database(rds), lambda _: None)
        shelf.data[NAME] = ("as it was", "postgres", "app")
        assert snapshots.take(NAME, "guestbook-db", lambda _: None) == first
        assert shelf.data[NAME][0] == "as it was"
        assert len(rds.describe_db_snapshots(SnapshotType="manual")["DBSnapshots"]) == 1

    def test_an_emulated_account_has_the_data_kept_elsewhere(
        self, rds: Any, snapshots: AwsSnapshots, shelf: Shelf
    ) -> None:
        snapshots.take(NAME, database(rds), lambda _: None)
        assert shelf.data == {NAME: ("guestbook-db", "postgres", "app")}

    def test_data_that_is_lost_makes_no_good_snapshot(self, rds: Any, snapshots: AwsSnapshots, shelf: Shelf) -> None:
        snapshots.take(NAME, database(rds), lambda _: None)
        shelf.data.clear()
        with pytest.raises(LocalTargetError, match="is not there"):
            snapshots.take(NAME, "guestbook-db", lambda _: None)

    @pytest.mark.parametrize(
        ("changes", "words"),
        [
            ({"StorageEncrypted": False}, "not encrypted"),
            ({"AllocatedStorage": 50}, "smaller than the database"),
            ({"deployment": "another"}, "not tagged"),
        ],
    )
    def test_what_is_not_as_its_database_is_refused(
        self, rds: Any, on_aws: AwsSnapshots, changes: dict[str, Any], words: str
    ) -> None:
        first = {name: value for name, value in changes.items() if name == "StorageEncrypted"}
        on_aws.take(NAME, database(rds), lambda _: None) if not first else None
        if first:
            database(rds, **first)
        else:
            rds.delete_db_instance(DBInstanceIdentifier="guestbook-db", SkipFinalSnapshot=True)
            database(rds, **changes)
        with pytest.raises(InfrastructureError, match=words) as caught:
            on_aws.take(NAME, "guestbook-db", lambda _: None)
        assert NAME in caught.value.remediation

    def test_of_a_name_that_is_another_databases(self, rds: Any, on_aws: AwsSnapshots) -> None:
        on_aws.take(NAME, database(rds), lambda _: None)
        with pytest.raises(InfrastructureError, match="of another database"):
            on_aws.take(NAME, database(rds, "other-db"), lambda _: None)

    def test_a_database_that_is_gone(self, rds: Any, on_aws: AwsSnapshots) -> None:
        with pytest.raises(InfrastructureError, match="DBInstanceNotFound"):
            on_aws.take(NAME, "gone", lambda _: None)


class TestLooking:
    def test_only_the_deployments_own_the_newest_first(self, rds: Any, snapshots: AwsSnapshots) -> None:
        database(rds)
        database(rds, "other-db", "another")
        for name in (f"{DEPLOYMENT}-backup-1", f"{DEPLOYMENT}-backup-2"):
            snapshots.take(name, "guestbook-db", lambda _: None)
        snapshots.take("another-backup-1", "other-db", lambda _: None)
        assert [each.name for each in snapshots.of(DEPLOYMENT)] == [f"{DEPLOYMENT}-backup-2", f"{DEPLOYMENT}-backup-1"]
        assert snapshots.databases(DEPLOYMENT, "") == ["guestbook-db"]
        assert snapshots.databases("nobody", "guestbook-db") == ["guestbook-db"]
        assert snapshots.databases("nobody", "nothing") == []

    def test_by_name(self, rds: Any, snapshots: AwsSnapshots) -> None:
        assert snapshots.find(NAME) is None
        taken = snapshots.take(NAME, database(rds), lambda _: None)
        assert snapshots.find(NAME) == taken

    def test_it_outlives_its_database_and_can_be_deleted_twice(
        self, rds: Any, snapshots: AwsSnapshots, shelf: Shelf
    ) -> None:
        taken = snapshots.take(NAME, database(rds), lambda _: None)
        rds.delete_db_instance(DBInstanceIdentifier="guestbook-db", SkipFinalSnapshot=True)
        assert snapshots.of(DEPLOYMENT) == [taken]
        snapshots.delete(NAME)
        snapshots.delete(NAME)
        assert (snapshots.of(DEPLOYMENT), shelf.data) == ([], {})


class TestRestoring:
    def test_of_a_whole_snapshot_of_the_same_engine(
        self, rds: Any, snapshots: AwsSnapshots, on_aws: AwsSnapshots
    ) -> None:
        taken = snapshots.take(NAME, database(rds), lambda _: None)
        assert snapshots.restorable(NAME, "guestbook-db") == on_aws.restorable(NAME, "guestbook-db") == taken

    def test_what_is_not_there_or_of_another_engine(self, rds: Any, snapshots: AwsSnapshots) -> None:
        with pytest.raises(InfrastructureError, match="no snapshot"):
            snapshots.restorable(NAME, database(rds))
        snapshots.take(NAME, "guestbook-db", lambda _: None)
        mine = database(rds, "my-db", Engine="mariadb", EngineVersion="10.11")
        with pytest.raises(InfrastructureError, match="is of postgres, the database is mariadb"):
            snapshots.restorable(NAME, mine)

    def test_what_the_vault_has_no_data_of(self, rds: Any, snapshots: AwsSnapshots, shelf: Shelf) -> None:
        snapshots.take(NAME, database(rds), lambda _: None)
        shelf.data.clear()
        with pytest.raises(LocalTargetError, match="is not there"):
            snapshots.restorable(NAME, "guestbook-db")

    @pytest.mark.parametrize(
        ("status", "encrypted", "said"), [("creating", True, "creating"), ("available", False, "not")]
    )
    def test_what_is_not_whole_or_in_clear(self, status: str, encrypted: bool, said: str) -> None:
        class Told:
            def describe_db_snapshots(self, **_: Any) -> dict[str, Any]:
                return described(status, Encrypted=encrypted)

            def describe_db_instances(self, **_: Any) -> dict[str, Any]:
                return {"DBInstances": [{"Engine": "postgres"}]}

        with pytest.raises(InfrastructureError, match=said):
            AwsSnapshots(Told, lambda _: contextlib.nullcontext(), lambda _: None).restorable(NAME, "db")


def described(status: str, **more: Any) -> dict[str, Any]:
    return {
        "DBSnapshots": [
            {
                "DBSnapshotIdentifier": NAME,
                "DBInstanceIdentifier": "db",
                "Status": status,
                "Engine": "postgres",
                "EngineVersion": "15.8",
                "AllocatedStorage": 20,
                "Encrypted": True,
                "SnapshotCreateTime": datetime(2026, 11, 25, tzinfo=timezone.utc),
                "TagList": [{"Key": "DeploymentId", "Value": DEPLOYMENT}],
                **more,
            }
        ]
    }


def instance(status: str) -> dict[str, Any]:
    tags = [{"Key": "DeploymentId", "Value": DEPLOYMENT}]
    found = {"DBInstanceIdentifier": "db", "DBInstanceStatus": status, "Engine": "postgres", "AllocatedStorage": 20}
    return {"DBInstances": [{**found, "TagList": tags}]}


class TestWaiting:
    """Answers in the shapes of botocore's own model: at AWS a snapshot takes minutes."""

    def snapshots(self, stubbed: Any, *answers: tuple[str, Any]) -> tuple[AwsSnapshots, list[float]]:
        naps: list[float] = []
        stub = stubbed("rds", *answers)
        return AwsCloud("aws", "us-east-1", connect=lambda _: stub, sleep=naps.append).snapshots, naps

    def test_for_the_database_and_then_for_the_snapshot(self, stubbed: Any) -> None:
        snapshots, naps = self.snapshots(
            stubbed,
            ("describe_db_instances", instance("backing-up")),
            ("describe_db_snapshots", "DBSnapshotNotFound"),
            ("describe_db_instances", instance("backing-up")),
            ("describe_db_instances", instance("available")),
            ("create_db_snapshot", {}),
            ("describe_db_snapshots", described("creating", PercentProgress=0)),
            ("describe_db_snapshots", described("creating", PercentProgress=60)),
            ("describe_db_snapshots", described("available", PercentProgress=100)),
        )
        said: list[str] = []
        assert snapshots.take(NAME, "db", said.append).status == "available"
        assert said == [
            "waiting for the database db, which is backing-up",
            f"taking the snapshot {NAME} of db",
            f"snapshot {NAME}: 0 %",
            f"snapshot {NAME}: 60 %",
        ]
        assert naps == [5.0, 5.0, 5.0]

    def test_one_that_failed_is_taken_anew(self, stubbed: Any) -> None:
        snapshots, _ = self.snapshots(
            stubbed,
            ("describe_db_instances", instance("available")),
            ("describe_db_snapshots", described("failed")),
            ("delete_db_snapshot", {}),
            ("describe_db_instances", instance("available")),
            ("create_db_snapshot", {}),
            ("describe_db_snapshots", described("available")),
        )
        assert snapshots.take(NAME, "db", lambda _: None).name == NAME

    @pytest.mark.parametrize("status", ["stopped", "failed", "incompatible-parameters"])
    def test_a_database_that_no_snapshot_can_be_taken_of(self, stubbed: Any, status: str) -> None:
        snapshots, _ = self.snapshots(
            stubbed,
            ("describe_db_instances", instance(status)),
            ("describe_db_snapshots", "DBSnapshotNotFound"),
            ("describe_db_instances", instance(status)),
        )
        with pytest.raises(InfrastructureError, match=f"db is {status}"):
            snapshots.take(NAME, "db", lambda _: None)

    def test_one_that_fails_on_the_way(self, stubbed: Any) -> None:
        snapshots, _ = self.snapshots(
            stubbed,
            ("describe_db_instances", instance("available")),
            ("describe_db_snapshots", described("creating")),
            ("describe_db_snapshots", described("failed")),
        )
        with pytest.raises(InfrastructureError, match="is failed"):
            snapshots.take(NAME, "db", lambda _: None)

    def test_a_refusal_of_aws_is_told(self, stubbed: Any) -> None:
        snapshots, _ = self.snapshots(stubbed, ("describe_db_snapshots", "AccessDenied"))
        with pytest.raises(InfrastructureError, match="may not call DescribeDBSnapshots"):
            snapshots.find(NAME)
