"""Where the end-to-end tests deploy: the local target, or the real account that `--aws-account` names."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import boto3
from integration.host_properties import hold_on_the_host
from integration.properties import Client, hold_of_what_stands
from integration.world import World, world

from autodeploy.adapters.aws import leftovers

TEST_RUN = "TestRun"


class Place:
    """A world with its target; the bodies of the tests are the same on both."""

    def __init__(self, world: World, target: str, profile: str | None = None) -> None:
        self.world = world
        self.target = target
        self.flags = ["--target", target, "--tag", f"{TEST_RUN}=true", *(["--profile", profile] if profile else [])]
        # A database of RDS alone takes some minutes.
        self.seconds = 2400 if target == "aws" else 900
        self.client: Client = boto3.Session(profile_name=profile).client if profile else world.aws

    def deploy(self, url: str | Path, *options: str, name: str | None = None) -> dict[str, object]:
        """Deploy, expect the end `complete`, return the ledger."""
        named = ["--name", name] if name else []
        made = self.world.json("deploy", str(url), *self.flags, *named, "--yes", *options)
        return self.state(made["deployment_id"])

    def holds(self, state: Any) -> None:
        """Assert the properties of infrastructure and host of a deployment that is complete."""
        hold_of_what_stands(state, self.client, self.world.home)
        hold_on_the_host(state, self.world.home)

    def state(self, deployment_id: str) -> dict[str, object]:
        """Return the ledger."""
        found: dict[str, object] = self.world.json("status", deployment_id)
        return found

    def destroy(self, deployment_id: str) -> None:
        """Destroy, and see that nothing is left; the last snapshot is deleted too."""
        gone = self.world.json("destroy", deployment_id, "--yes")
        assert (gone["status"], gone["remaining"]) == ("rolled_back", []), gone
        for name in gone["snapshots"]:
            assert self.world.run("db", "delete", name, deployment_id, "--yes").returncode == 0


@contextmanager
def local_place(folder: Path) -> Iterator[Place]:
    """Open the local target, and leave nothing of it behind."""
    with world(folder) as made:
        yield Place(made, "local")


@contextmanager
def aws_place(folder: Path, profile: str) -> Iterator[Place]:
    """Open a real account through a profile; afterwards destroy what is not, and prove by the tags that nothing is."""
    place = Place(World(folder), "aws", profile)
    try:
        yield place
    finally:
        states = place.world.json("list")
        for state in states:
            lost = ("--allow-data-loss", "database")  # what tests write is nothing to keep
            place.world.run("destroy", state["deployment_id"], "--yes", *lost, timeout=place.seconds)
        session = boto3.Session(profile_name=profile)
        left = [name for s in states for name in leftovers.find(session.client, s["deployment_id"])]
        tagged = session.client("resourcegroupstaggingapi").get_paginator("get_resources")
        pages = tagged.paginate(TagFilters=[{"Key": TEST_RUN, "Values": ["true"]}])
        arns = [found["ResourceARN"] for page in pages for found in page["ResourceTagMappingList"]]
        assert not left, f"left in the account: {left}; tagged {TEST_RUN}: {arns}"
