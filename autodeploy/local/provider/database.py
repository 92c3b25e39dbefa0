"""The entry of databases: instances with a managed master password, which the data plane boots."""

from __future__ import annotations

import json
import secrets
from typing import Any

from autodeploy.local.dataplane import DatabaseOrder
from autodeploy.local.provider import limits
from autodeploy.local.provider.account import ignoring_absent, refusal
from autodeploy.local.provider.entry import Call, Entry
from autodeploy.local.provider.wire import Values
from autodeploy.model.families import RELEASES, family

_MODIFIABLE = {
    "DBInstanceClass": "instanceClass",
    "AllocatedStorage": "allocatedStorage",
    "MaxAllocatedStorage": "maxAllocatedStorage",
    "StorageType": "storageType",
    "EngineVersion": "engineVersion",
    "BackupRetentionPeriod": "backupRetentionPeriod",
    "PreferredBackupWindow": "backupWindow",
    "PreferredMaintenanceWindow": "maintenanceWindow",
    "MultiAZ": "multiAz",
    "AutoMinorVersionUpgrade": "autoMinorVersionUpgrade",
    "CopyTagsToSnapshot": "copyTagsToSnapshot",
    "DeletionProtection": "deletionProtection",
    "DBParameterGroupName": "parameterGroupName",
    "VpcSecurityGroupIds": "vpcSecurityGroupIds",
    "PubliclyAccessible": "publiclyAccessible",
}
_FIXED = {
    "DBInstanceIdentifier": "identifier",
    "Engine": "engine",
    "MasterUsername": "username",
    "ManageMasterUserPassword": "manageMasterUserPassword",
    "DBName": "dbName",
    "DBSubnetGroupName": "dbSubnetGroupName",
    "AvailabilityZone": "availabilityZone",
    "StorageEncrypted": "storageEncrypted",
    "Port": "port",
}
_OF_A_RESTORE = frozenset(
    {
        *("DBInstanceIdentifier", "DBInstanceClass", "Engine", "DBSubnetGroupName", "AvailabilityZone", "Port"),
        *("VpcSecurityGroupIds", "DBParameterGroupName", "MultiAZ", "PubliclyAccessible", "AutoMinorVersionUpgrade"),
        *("CopyTagsToSnapshot", "DeletionProtection"),
    }
)
"""What pulumi-aws gives to RestoreDBInstanceFromDBSnapshot; the master, names and encryption are the snapshot's."""


def _found(call: Call, identity: str) -> dict[str, Any] | None:
    for item in call.client("rds").describe_db_instances()["DBInstances"]:
        if item["DBInstanceIdentifier"] == identity:
            return dict(item)
    return None


def _limits(inputs: Values) -> Any:
    yield from limits.database_identifier(inputs)
    yield from limits.database_engine(inputs)
    yield from limits.needs(inputs, "engine", "engineVersion", "username", "allocatedStorage", "dbSubnetGroupName")
    if inputs.get("manageMasterUserPassword") is not True:
        yield "manageMasterUserPassword", "the local target manages the master password itself: this must be true"


def _check_family(call: Call) -> None:
    """Refuse, as RDS does and the emulator does not, a parameter group that is of another release's family."""
    asked: list[Any] = [call.inputs.get(name) for name in ("engine", "engineVersion", "parameterGroupName")]
    engine, version, group = asked
    wanted = family(engine, version) if engine in RELEASES else None
    if wanted is None or group is None:
        return
    (found,) = call.client("rds").describe_db_parameter_groups(DBParameterGroupName=group)["DBParameterGroups"]
    if (theirs := found["DBParameterGroupFamily"]) != wanted:
        raise refusal(
            f"InvalidParameterCombination: the parameter group {group} with DBParameterGroupFamily {theirs} cannot be "
            f"used for {engine} {version}",
            f"Use a parameter group with DBParameterGroupFamily {wanted}.",
            "Making a database",
        )


def _create(call: Call) -> str:
    _check_family(call)
    if "snapshotIdentifier" in call.inputs:
        return _create_from_snapshot(call)
    made = call.client("rds").create_db_instance(**call.given(**_FIXED, **_MODIFIABLE))["DBInstance"]
    # pulumi-aws takes the resource id; the emulator's is the same for all instances.
    return str(made["DBInstanceIdentifier"])


def _create_from_snapshot(call: Call) -> str:
    """Make it as pulumi-aws does: restored, and only then changed to what a restore cannot be told."""
    rds = call.client("rds")
    asked = {key: name for key, name in {**_FIXED, **_MODIFIABLE}.items() if key in _OF_A_RESTORE}
    made = rds.restore_db_instance_from_db_snapshot(
        DBSnapshotIdentifier=call.inputs["snapshotIdentifier"], **call.given(**asked)
    )["DBInstance"]
    identity = str(made["DBInstanceIdentifier"])
    later = {key: name for key, name in _MODIFIABLE.items() if key not in _OF_A_RESTORE}
    # RDS manages no password of what is restored until it is asked to; the emulator goes on with the snapshot's way.
    password = {} if "MasterUserSecret" in made else call.given(ManageMasterUserPassword="manageMasterUserPassword")
    rds.modify_db_instance(DBInstanceIdentifier=identity, ApplyImmediately=True, **call.given(**later), **password)
    return identity


def _start(call: Call, identity: str) -> None:
    found = _found(call, identity) or {}
    # The emulator writes one well-known password for all; RDS makes a random one, and so do we.
    secret = {"username": found["MasterUsername"], "password": secrets.token_urlsafe(24)}
    vault = call.client("secretsmanager")
    vault.put_secret_value(SecretId=found["MasterUserSecret"]["SecretArn"], SecretString=json.dumps(secret))
    order = DatabaseOrder(
        identifier=identity,
        deployment_id=call.deployment_id,
        network=found["DBSubnetGroup"]["VpcId"],
        engine=found["Engine"],
        engine_version=found["EngineVersion"],
        username=found["MasterUsername"],
        password=secret["password"],
        database_name=found.get("DBName") or "",
        snapshot=str(call.inputs.get("snapshotIdentifier") or ""),
    )
    call.account.endpoints[identity] = call.account.wait(call.account.plane.run_database(order))


def _read(call: Call, identity: str) -> Values | None:
    found = _found(call, identity)
    if found is None:
        return None
    observed = {name: found.get(parameter) for parameter, name in {**_FIXED, **_MODIFIABLE}.items()}
    observed |= {
        "arn": found["DBInstanceArn"],
        "resourceId": found["DbiResourceId"],
        "status": found["DBInstanceStatus"],
        "engineVersionActual": found["EngineVersion"],
        "parameterGroupName": found["DBParameterGroups"][0]["DBParameterGroupName"],
        "dbSubnetGroupName": found["DBSubnetGroup"]["DBSubnetGroupName"],
        "vpcSecurityGroupIds": [group["VpcSecurityGroupId"] for group in found["VpcSecurityGroups"]],
        "manageMasterUserPassword": "MasterUserSecret" in found,
    }
    for name in ("publiclyAccessible", "maxAllocatedStorage", "port", "copyTagsToSnapshot"):
        if observed[name] is None:
            del observed[name]
    secret = found.get("MasterUserSecret")
    if secret:
        observed["masterUserSecrets"] = [
            {"secretArn": secret["SecretArn"], "secretStatus": "active", "kmsKeyId": secret["KmsKeyId"]}
        ]
    return observed | _endpoint(call, identity)


def _endpoint(call: Call, identity: str) -> Values:
    if identity not in call.account.endpoints:
        return {}
    address, port = call.account.endpoints[identity]
    return {"address": address, "port": port, "endpoint": f"{address}:{port}"}


def _update(call: Call, identity: str) -> None:
    changed = {parameter: name for parameter, name in _MODIFIABLE.items() if call.changed(name)}
    given = call.given(**changed)
    if given:
        call.client("rds").modify_db_instance(DBInstanceIdentifier=identity, ApplyImmediately=True, **given)


def _delete(call: Call, identity: str) -> None:
    found, values = _found(call, identity), call.state or call.inputs
    if found is not None:
        snapshot = values.get("finalSnapshotIdentifier")
        if not values.get("skipFinalSnapshot") and not snapshot:
            raise refusal(
                f"finalSnapshotIdentifier is required when skipFinalSnapshot is false: {identity}",
                "Set one of the two, deploy, and delete again.",
                "Deleting a database",
            )
        last = (
            {"SkipFinalSnapshot": True} if values.get("skipFinalSnapshot") else {"FinalDBSnapshotIdentifier": snapshot}
        )
        ignoring_absent(lambda: call.client("rds").delete_db_instance(DBInstanceIdentifier=identity, **last))
    call.account.wait(call.account.plane.delete_database(identity))
    call.account.endpoints.pop(identity, None)


def _undo(call: Call, identity: str) -> None:
    """Take back an instance that never ran; it has nothing to protect or to keep."""
    rds = call.client("rds")
    rds.modify_db_instance(DBInstanceIdentifier=identity, DeletionProtection=False, ApplyImmediately=True)
    rds.delete_db_instance(DBInstanceIdentifier=identity, SkipFinalSnapshot=True)
    call.account.wait(call.account.plane.delete_database(identity))


INSTANCE = Entry(
    "aws:rds/instance:Instance",
    _create,
    _read,
    _delete,
    _update,
    _start,
    undo=_undo,
    limits=_limits,
    replaces=(
        *("engine", "username", "dbName", "dbSubnetGroupName", "availabilityZone", "storageEncrypted", "port"),
        "snapshotIdentifier",
    ),
    updates=tuple(_MODIFIABLE.values()),
    recorded=(
        *("manageMasterUserPassword", "skipFinalSnapshot", "finalSnapshotIdentifier", "applyImmediately"),
        *("allowMajorVersionUpgrade", "deleteAutomatedBackups", "performanceInsightsEnabled", "monitoringInterval"),
        *("enabledCloudwatchLogsExports", "caCertIdentifier"),
    ),
    tagged=("rds", "arn"),
    named=("identifier", 63),
)


ENTRIES = (INSTANCE,)
