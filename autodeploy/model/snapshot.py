"""Snapshot: a copy of a deployment's database that no stack owns. KeptSnapshot: one that outlives it, with its cost."""

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


class KeptSnapshot(Noun):
    """What a destruction leaves on purpose. `delete` is the command that ends it.

    `usd_per_month` is at most what it costs: AWS charges for what it holds, of which `size_gb` is the bound; 0 where
    nothing is charged, None where the price is not known.
    """

    name: str
    size_gb: int
    usd_per_month: float | None
    delete: str

    @property
    def cost(self) -> str:
        """What it costs, as it may be said."""
        if self.usd_per_month is None:
            return "of unknown price"
        return f"at most {self.usd_per_month:,.2f} USD a month" if self.usd_per_month else "free of charge"
