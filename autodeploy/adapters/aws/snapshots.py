"""AwsSnapshots: snapshots of RDS instances by boto3, taken, awaited, verified, listed and deleted.

An emulated account keeps their records only: there a vault keeps the data.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any, Protocol

from botocore.exceptions import ClientError

from autodeploy.adapters.aws.failures import AGENT, code_of
from autodeploy.errors import InfrastructureError
from autodeploy.model import Snapshot
from autodeploy.ports import Say

TAG = "DeploymentId"
# https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_CreateDBSnapshot.html
READY = ("available", "storage-optimization")
HOPELESS = ("failed", "stopped", "inaccessible-encryption-credentials", "storage-full")
PAUSE_SECONDS = 5.0
INSTANCE_SECONDS = 1800.0
SNAPSHOT_SECONDS = 7200.0
Translated = Callable[[str], AbstractContextManager[None]]


class Vault(Protocol):
    """Who keeps the data of an emulated account's databases."""

    def keep(self, name: str, database: str, engine: str, database_name: str) -> None:
        """Copy the database's data, and prove the copy readable."""

    def check(self, name: str, engine: str) -> None:
        """Raise LocalTargetError where the copy is missing, damaged, or of another engine."""

    def delete(self, name: str) -> None:
        """Forget the copy; gone already counts as done."""


class AwsSnapshots:
    """The snapshots of one account and region. `rds` returns the client; `vault` is an emulated account's."""

    def __init__(
        self,
        rds: Callable[[], Any],
        translated: Translated,
        sleep: Callable[[float], None],
        vault: Vault | None = None,
    ) -> None:
        self._rds = rds
        self._translated = translated
        self._sleep = sleep
        self._vault = vault

    def databases(self, deployment_id: str, named: str) -> Sequence[str]:
        """Return the identifiers of the databases that are tagged as the deployment's, or named so, the newest first.

        One that is being deleted stands no more.
        """
        with self._translated(f"Looking for the database of {deployment_id}"):
            pages = self._rds().get_paginator("describe_db_instances").paginate()
            every = [each for page in pages for each in page["DBInstances"]]
        own = [e for e in every if _tags(e).get(TAG) == deployment_id or e["DBInstanceIdentifier"] == named]
        standing = [each for each in own if each["DBInstanceStatus"] != "deleting"]
        standing.sort(key=lambda each: str(each.get("InstanceCreateTime", "")), reverse=True)
        return [each["DBInstanceIdentifier"] for each in standing]

    def take(self, name: str, database: str, say: Say) -> Snapshot:
        """Return the snapshot of that name once it is whole and verified; it is taken where there is none."""
        with self._translated(f"Taking the snapshot {name}"):
            instance = self._instance(database)
            found = self._described(name)
            if found and found["Status"] == "failed":
                self._rds().delete_db_snapshot(DBSnapshotIdentifier=name)
                found = None
            if found is None:
                self._await_ready(database, say)
                say(f"taking the snapshot {name} of {database}")
                if self._vault:
                    self._vault.keep(name, database, instance["Engine"], instance.get("DBName") or "")
                tags = [{"Key": key, "Value": value} for key, value in _own(_tags(instance)).items()]
                self._rds().create_db_snapshot(DBSnapshotIdentifier=name, DBInstanceIdentifier=database, Tags=tags)
            taken = self._whole(name, say)
            self._verify(taken, instance)
        return _snapshot(taken)

    def find(self, name: str) -> Snapshot | None:
        """Return one snapshot, None when there is none of that name."""
        with self._translated(f"Looking for the snapshot {name}"):
            found = self._described(name)
        return _snapshot(found) if found else None

    def of(self, deployment_id: str) -> Sequence[Snapshot]:
        """Return the deployment's snapshots, the newest first."""
        with self._translated(f"Listing the snapshots of {deployment_id}"):
            pages = self._rds().get_paginator("describe_db_snapshots").paginate(SnapshotType="manual")
            every = [_snapshot(each) for page in pages for each in page["DBSnapshots"]]
        own = [each for each in every if each.deployment_id == deployment_id]
        return sorted(own, key=lambda each: (str(each.created_at), each.name), reverse=True)

    def restorable(self, name: str, database: str) -> Snapshot:
        """Return a snapshot that an instance like the database can be made from; raise InfrastructureError."""
        with self._translated(f"Looking at the snapshot {name}"):
            found, instance = self._described(name), self._instance(database)
        again = "Choose another one: autodeploy db backups"
        if found is None:
            raise _refusal(f"there is no snapshot {name}", "List them: autodeploy db backups")
        if found["Engine"] != instance["Engine"]:
            raise _refusal(f"{name} is of {found['Engine']}, the database is {instance['Engine']}", again)
        if found["Status"] != "available":
            raise _refusal(f"the snapshot {name} is {found['Status']}", f"Wait until it is available. {again}")
        if not found.get("Encrypted"):
            raise _refusal(f"{name} is not encrypted, and neither would be what is made from it", again)
        if self._vault:
            self._vault.check(name, instance["Engine"])
        return _snapshot(found)

    def delete(self, name: str) -> None:
        """Delete a snapshot; gone already counts as done."""
        with self._translated(f"Deleting the snapshot {name}"):
            if self._described(name) is not None:
                self._rds().delete_db_snapshot(DBSnapshotIdentifier=name)
            if self._vault:
                self._vault.delete(name)

    def _instance(self, database: str) -> Mapping[str, Any]:
        found: Mapping[str, Any] = self._rds().describe_db_instances(DBInstanceIdentifier=database)["DBInstances"][0]
        return found

    def _described(self, name: str) -> Mapping[str, Any] | None:
        try:
            found = self._rds().describe_db_snapshots(DBSnapshotIdentifier=name)["DBSnapshots"]
        except ClientError as err:
            if "NotFound" in code_of(err):
                return None
            raise
        return found[0] if found else None

    def _await_ready(self, database: str, say: Say) -> None:
        waited, told = 0.0, ""
        while (status := self._instance(database)["DBInstanceStatus"]) not in READY:
            if status in HOPELESS or status.startswith("incompatible-") or waited >= INSTANCE_SECONDS:
                raise _refusal(
                    f"the database {database} is {status}: AWS takes no snapshot of it",
                    f"See why: aws rds describe-db-instances --db-instance-identifier {database}; then try again.",
                )
            if status != told:
                say(f"waiting for the database {database}, which is {status}")
            told, waited = status, waited + PAUSE_SECONDS
            self._sleep(PAUSE_SECONDS)

    def _whole(self, name: str, say: Say) -> Mapping[str, Any]:
        waited, told = 0.0, -1
        while True:
            found = self._described(name)
            status = found["Status"] if found else "gone"
            if found and status == "available":
                return found
            if status not in ("creating", "pending") or waited >= SNAPSHOT_SECONDS:
                raise _refusal(f"the snapshot {name} is {status}", "Run the same command again; it is taken anew.")
            done = int((found or {}).get("PercentProgress", 0))
            if done != told:
                say(f"snapshot {name}: {done} %")
            told, waited = done, waited + PAUSE_SECONDS
            self._sleep(PAUSE_SECONDS)

    def _verify(self, taken: Mapping[str, Any], instance: Mapping[str, Any]) -> None:
        """Raise InfrastructureError unless the snapshot is what was asked for, encrypted, as large and tagged."""
        name = taken["DBSnapshotIdentifier"]
        wrong = [
            *([] if taken["DBInstanceIdentifier"] == instance["DBInstanceIdentifier"] else ["of another database"]),
            *([] if taken.get("Encrypted") else ["not encrypted"]),
            *([] if taken["AllocatedStorage"] >= instance["AllocatedStorage"] else ["smaller than the database"]),
            *([] if _tags(taken).get(TAG) == _tags(instance).get(TAG) else ["not tagged as the deployment's"]),
        ]
        if wrong:
            raise _refusal(
                f"the snapshot {name} is not good: it is {', '.join(wrong)}",
                f"Look at it, delete it, try again: aws rds describe-db-snapshots --db-snapshot-identifier {name}",
            )
        if self._vault:
            self._vault.check(name, instance["Engine"])


def _tags(described: Mapping[str, Any]) -> dict[str, str]:
    return {tag["Key"]: tag["Value"] for tag in described.get("TagList", ())}


def _own(tags: Mapping[str, str]) -> dict[str, str]:
    """Return the tags that a snapshot takes over: not AWS's own, and not that of the stack's resource."""
    return {key: value for key, value in tags.items() if not key.startswith(("aws:", "autodeploy:"))}


def _snapshot(described: Mapping[str, Any]) -> Snapshot:
    return Snapshot(
        name=described["DBSnapshotIdentifier"],
        deployment_id=_tags(described).get(TAG, ""),
        database=described["DBInstanceIdentifier"],
        engine=described["Engine"],
        engine_version=described["EngineVersion"],
        created_at=described.get("SnapshotCreateTime"),
        size_gb=described["AllocatedStorage"],
        encrypted=bool(described.get("Encrypted")),
        status=described["Status"],
    )


def _refusal(message: str, remediation: str) -> InfrastructureError:
    return InfrastructureError(message, remediation, agent=AGENT)
