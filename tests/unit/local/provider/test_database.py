"""Databases: managed password, endpoint, groups, protection and the last snapshot."""

from __future__ import annotations

import json
from typing import Any

import grpc
import pytest

from autodeploy.errors import LocalTargetError

INSTANCE, SUBNETS = "aws:rds/instance:Instance", "aws:rds/subnetGroup:SubnetGroup"
PARAMETERS = "aws:rds/parameterGroup:ParameterGroup"


@pytest.fixture
def groups(world: Any, engine: Any) -> dict[str, Any]:
    vpc = world.vpc()
    subnets = [world.subnet(vpc, 2, "us-east-1a").id, world.subnet(vpc, 4, "us-east-1b").id]
    return {
        "vpc": vpc,
        "subnets": engine.make(SUBNETS, "private", subnetIds=subnets),
        "parameters": engine.make(
            PARAMETERS, "tls", family="postgres15", parameters=[{"name": "rds.force_ssl", "value": "1"}]
        ),
        "firewall": world.group(vpc),
    }


def given(groups: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {
        "engine": "postgres",
        "engineVersion": "15",
        "instanceClass": "db.t3.micro",
        "allocatedStorage": 20,
        "username": "dbadmin",
        "dbName": "app",
        "manageMasterUserPassword": True,
        "dbSubnetGroupName": groups["subnets"].id,
        "parameterGroupName": groups["parameters"].id,
        "vpcSecurityGroupIds": [groups["firewall"].id],
        **more,
    }


def test_a_database_is_booted_with_its_managed_password(groups: Any, engine: Any, served: Any) -> None:
    database = engine.make(INSTANCE, "db", **given(groups, skipFinalSnapshot=True))
    order = served.plane.databases[database.outputs["identifier"]]
    assert database.outputs["identifier"] == "db-abcdabc"
    assert (order.engine, order.username, order.database_name) == ("postgres", "dbadmin", "app")
    assert order.network == groups["vpc"].id
    assert (database.outputs["address"], database.outputs["port"]) == ("10.88.1.2", 5432)
    assert database.outputs["endpoint"] == "10.88.1.2:5432"
    arn = database.outputs["masterUserSecrets"][0]["secretArn"]
    secret = json.loads(served.aws("secretsmanager").get_secret_value(SecretId=arn)["SecretString"])
    assert secret == {"username": "dbadmin", "password": order.password}
    assert len(order.password) >= 32
    engine.delete(database)
    assert served.plane.databases == {}
    assert engine.read(database) is None
    engine.delete(database)
    assert served.aws("rds").describe_db_snapshots()["DBSnapshots"] == []


@pytest.fixture
def snapshot(groups: Any, engine: Any, served: Any) -> Any:
    """The name of a snapshot of a database that is gone by now."""
    database = engine.make(INSTANCE, "old", **given(groups, skipFinalSnapshot=True, storageEncrypted=True))
    rds = served.aws("rds")
    rds.create_db_snapshot(DBSnapshotIdentifier="kept", DBInstanceIdentifier=database.outputs["identifier"])
    engine.delete(database)
    yield "kept"
    rds.delete_db_snapshot(DBSnapshotIdentifier="kept")


def test_a_database_is_made_from_a_snapshot(groups: Any, engine: Any, served: Any, snapshot: str) -> None:
    vault = served.aws("secretsmanager")
    wanted = given(groups, snapshotIdentifier=snapshot, backupRetentionPeriod=3, storageEncrypted=True)
    database = engine.make(INSTANCE, "new", **wanted, skipFinalSnapshot=True)
    order = served.plane.databases[database.outputs["identifier"]]
    assert (order.snapshot, order.username, order.database_name) == ("kept", "dbadmin", "app")
    (secret,) = vault.list_secrets()["SecretList"]
    assert database.outputs["masterUserSecrets"][0]["secretArn"] == secret["ARN"]
    found = vault.get_secret_value(SecretId=secret["ARN"])["SecretString"]
    assert json.loads(found) == {"username": "dbadmin", "password": order.password}
    (seen,) = served.aws("rds").describe_db_instances()["DBInstances"]
    assert seen["BackupRetentionPeriod"] == 3 and seen["StorageEncrypted"]
    assert [group["VpcSecurityGroupId"] for group in seen["VpcSecurityGroups"]] == [groups["firewall"].id]
    assert engine.read(database).outputs["snapshotIdentifier"] == "kept"
    engine.delete(database)
    assert vault.list_secrets()["SecretList"] == []


def test_another_snapshot_is_another_database(groups: Any, engine: Any, snapshot: str) -> None:
    database = engine.make(INSTANCE, "new", **given(groups), skipFinalSnapshot=True)
    assert "snapshotIdentifier" in engine.diff(database, {**given(groups), "snapshotIdentifier": snapshot}).replaces
    engine.delete(database)


def test_a_snapshot_that_is_not_there_makes_nothing(groups: Any, engine: Any, served: Any) -> None:
    with pytest.raises(grpc.RpcError, match="DBSnapshot"):
        engine.make(INSTANCE, "new", **given(groups), snapshotIdentifier="nowhere")
    assert served.aws("rds").describe_db_instances()["DBInstances"] == []
    assert served.plane.databases == {}


@pytest.mark.parametrize(
    ("kind", "version", "family"), [("mysql", "8.0", "mysql8.0"), ("mariadb", "10.11", "mariadb10.11")]
)
def test_a_mysql_or_mariadb_is_ordered_as_it_was_declared(
    groups: Any, engine: Any, served: Any, kind: str, version: str, family: str
) -> None:
    forced = [{"name": "require_secure_transport", "value": "1"}]
    parameters = engine.make(PARAMETERS, "forced", family=family, parameters=forced)
    declared = given(groups, engine=kind, engineVersion=version, port=3306, skipFinalSnapshot=True)
    database = engine.make(INSTANCE, "db", **{**declared, "parameterGroupName": parameters.id})
    order = served.plane.databases[database.outputs["identifier"]]
    assert (order.engine, order.engine_version, order.username) == (kind, version, "dbadmin")
    assert (database.outputs["engine"], database.outputs["port"]) == (kind, 3306)
    engine.delete(database)
    assert served.plane.databases == {}


@pytest.mark.parametrize(("kind", "version"), [("postgres", "16"), ("mysql", "8.0"), ("mariadb", "11.4")])
def test_a_parameter_group_of_another_release_is_refused(
    groups: Any, engine: Any, served: Any, kind: str, version: str
) -> None:
    with pytest.raises(grpc.RpcError, match=f"Family postgres15 cannot be used for {kind} {version}"):
        engine.make(INSTANCE, "db", **given(groups, engine=kind, engineVersion=version))
    assert served.plane.databases == {}
    assert served.aws("rds").describe_db_instances()["DBInstances"] == []


@pytest.mark.parametrize(("kind", "refused"), [("postgres", False), ("mysql", True), ("mariadb", True)])
def test_a_master_s_name_is_as_long_as_its_engine_takes(groups: Any, engine: Any, kind: str, refused: bool) -> None:
    declared = given(groups, engine=kind, engineVersion="8.0", username="a" * 17)
    _, failures = engine.check(INSTANCE, declared)
    assert list(failures) == (["username"] if refused else [])


def test_every_database_has_its_own_password(groups: Any, engine: Any, served: Any) -> None:
    for name in ("one", "two"):
        engine.make(INSTANCE, name, **given(groups, identifier=name))
    passwords = {order.password for order in served.plane.databases.values()}
    assert len(passwords) == 2


def test_a_protected_database_stays(groups: Any, engine: Any, served: Any) -> None:
    database = engine.make(INSTANCE, "db", **given(groups, deletionProtection=True, skipFinalSnapshot=True))
    with pytest.raises(grpc.RpcError, match="protected"):
        engine.delete(database)
    assert len(served.plane.databases) == 1
    database = engine.change(database, deletionProtection=False)
    engine.delete(database)
    assert served.plane.databases == {}


def test_a_database_needs_a_last_snapshot_or_a_word_that_none_is_wanted(groups: Any, engine: Any, served: Any) -> None:
    database = engine.make(INSTANCE, "db", **given(groups))
    with pytest.raises(grpc.RpcError, match="finalSnapshotIdentifier is required"):
        engine.delete(database)
    assert len(served.plane.databases) == 1
    database = engine.change(database, finalSnapshotIdentifier="web-last")
    engine.delete(database)
    snapshots = served.aws("rds").describe_db_snapshots()["DBSnapshots"]
    assert [item["DBSnapshotIdentifier"] for item in snapshots] == ["web-last"]


def test_a_database_is_changed_in_place(groups: Any, engine: Any, served: Any) -> None:
    database = engine.make(INSTANCE, "db", **given(groups, identifier="web-db", skipFinalSnapshot=True))
    changed = engine.change(database, instanceClass="db.t3.small", backupRetentionPeriod=3, tags={"a": "b"})
    assert changed.outputs["instanceClass"] == "db.t3.small"
    assert changed.outputs["tagsAll"] == {"a": "b", "DeploymentId": "web-1"}
    answer = engine.diff(changed, given(groups, identifier="web-db", dbName="other"))
    assert "dbName" in list(answer.replaces)
    assert answer.deleteBeforeReplace is True


def test_a_database_that_does_not_boot_leaves_nothing(groups: Any, engine: Any, served: Any) -> None:
    served.plane.failure = LocalTargetError("no room", "Make room.")
    with pytest.raises(grpc.RpcError, match="no room"):
        engine.make(INSTANCE, "db", **given(groups, deletionProtection=True))
    assert served.aws("rds").describe_db_instances()["DBInstances"] == []


def test_groups_in_use_stay(groups: Any, engine: Any) -> None:
    database = engine.make(INSTANCE, "db", **given(groups, skipFinalSnapshot=True))
    for name in ("subnets", "parameters"):
        with pytest.raises(grpc.RpcError, match="in use by db-abcdabc"):
            engine.delete(groups[name])
    with pytest.raises(grpc.RpcError, match="DependencyViolation"):
        engine.delete(groups["firewall"])
    engine.delete(database)
    for name in ("subnets", "parameters", "firewall"):
        engine.delete(groups[name])
        assert engine.read(groups[name]) is None
        engine.delete(groups[name])


def test_a_subnet_group_covers_two_zones(groups: Any, world: Any, engine: Any) -> None:
    subnet = world.subnet(groups["vpc"], 6, "us-east-1b")
    with pytest.raises(grpc.RpcError, match="DBSubnetGroupDoesNotCoverEnoughAZs"):
        engine.make(SUBNETS, "narrow", subnetIds=[subnet.id])
    held = groups["subnets"].inputs["subnetIds"]
    changed = engine.change(groups["subnets"], subnetIds=[*held, subnet.id], description="Private subnets")
    assert sorted(changed.outputs["subnetIds"]) == sorted([*held, subnet.id])
    assert engine.diff(changed, {"subnetIds": [subnet.id, *held], "description": "Private subnets"}).diffs == []


def test_parameters_are_changed_and_taken_back(groups: Any, engine: Any) -> None:
    group = engine.change(
        groups["parameters"],
        parameters=[
            {"name": "log_statement", "value": "ddl"},
            {"name": "max_connections", "value": "50", "applyMethod": "pending-reboot"},
        ],
    )
    names = [item["name"] for item in group.outputs["parameters"]]
    assert {"log_statement", "max_connections"} <= set(names)
    assert list(engine.diff(group, {"family": "postgres16"}).replaces) == ["family"]
