"""Snapshot: a copy of a deployment's database that no stack owns, and that outlives the deployment."""

from __future__ import annotations

from autodeploy.model.noun import Noun, Timestamp


class Snapshot(Noun):
    """One snapshot as the account describes it. `size_gb` is the database's storage, in GiB."""

    name: str
    deployment_id: str
    database: str
    engine: str
    engine_version: str
    created_at: Timestamp | None = None
    size_gb: int
    encrypted: bool
    status: str
