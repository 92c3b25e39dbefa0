"""destroy, destroy --only and status --drift: what is typed, what is shown, and the exit code."""

from __future__ import annotations

import sys
from typing import Any

import pytest
from fakes.account import FakeEngine

from autodeploy.errors import InfrastructureError
from autodeploy.model import PropertyDrift, ResourceDrift

CHANGED = ResourceDrift(
    urn="urn:pulumi:x::autodeploy::aws:vpc/rule:Rule::ssh",
    type="aws:vpc:SecurityGroupIngressRule",
    name="ssh",
    operation="update",
    properties=(
        PropertyDrift(path="cidrIpv4", planned='"198.51.100.7/32"', found='"0.0.0.0/0"'),
        PropertyDrift(path="tags.Owner", found='"eve"'),
        PropertyDrift(path="privateKey"),
    ),
)
GONE = ResourceDrift(urn="urn:x", type="aws:ec2:Vpc", name="network", operation="delete")


def already_gone(identifier: str) -> str:
    kept = f"what was kept of its database: autodeploy db backups {identifier}"
    return f"{identifier} rolled_back. Nothing is left of it already; {kept}\n"


class TestDestroy:
    def test_named_and_with_yes(self, desk: Any) -> None:
        identifier = desk.deploy().deployment_id
        shown = desk.type("destroy", identifier, "--yes")
        (name,) = desk.line.world.snapshots
        assert name.startswith(f"{identifier}-final-")
        assert (shown.code, shown.out.splitlines()) == (
            0,
            [
                f"{identifier} rolled_back. Nothing is left but the snapshot {name} (free of charge).",
                f"  kept: snapshot {name}  free of charge; delete it: autodeploy db delete {name} {identifier}",
            ],
        )
        again = desk.type("destroy", identifier)
        assert (again.code, again.out) == (0, already_gone(identifier))

    def test_every_backup_that_is_kept_is_named_with_what_it_costs_and_the_command_that_ends_it(
        self, desk: Any
    ) -> None:
        identifier = desk.deploy().deployment_id
        backup = desk.type("db", "backup", identifier).out.strip()
        shown = desk.type("destroy", identifier, "--yes")
        last = [name for name in desk.line.world.snapshots if name != backup]
        said, *kept = shown.out.splitlines()
        assert said.endswith(f"but the snapshots {last[0]} (free of charge), {backup} (free of charge).")
        assert [line.rpartition("delete it: autodeploy ")[2] for line in kept] == [
            f"db delete {name} {identifier}" for name in (*last, backup)
        ]
        for line in kept:
            assert desk.type(*line.rpartition("autodeploy ")[2].split(), "--yes").code == 0
        assert desk.line.world.snapshots == {}

    @pytest.mark.parametrize("arguments", [["guestbook", "--yes"], ["--yes"], []])
    def test_again_says_so_and_starts_nothing(self, desk: Any, arguments: list[str]) -> None:
        identifier = desk.deploy().deployment_id
        desk.type("destroy", identifier, "--yes")
        desk.local.running = False
        shown = desk.type("destroy", *arguments)
        assert (shown.code, shown.out) == (0, already_gone(identifier))
        assert not desk.local.running

    def test_a_living_one_of_the_name_is_meant_before_one_that_is_gone(self, desk: Any) -> None:
        gone = desk.deploy().deployment_id
        desk.type("destroy", gone, "--yes")
        living = desk.deploy().deployment_id
        assert desk.type("destroy", "guestbook", "--yes").out.startswith(f"{living} rolled_back. Nothing is left b")
        assert desk.type("destroy", "guestbook").out.startswith(f"{living} rolled_back. Nothing is left of it already")

    def test_by_its_name_as_json(self, desk: Any) -> None:
        desk.deploy()
        told = desk.type("destroy", "guestbook", "--yes", "--json").json
        assert (told["status"], told["snapshots"]) == ("rolled_back", list(desk.line.world.snapshots))

    def test_the_last_snapshot_is_left_out_only_where_the_loss_is_allowed(self, desk: Any) -> None:
        identifier = desk.deploy().deployment_id
        shown = desk.type("destroy", identifier, "--yes", "--allow-data-loss", "database")
        assert (shown.code, shown.out) == (0, f"{identifier} rolled_back. Nothing is left.\n")
        assert desk.line.world.snapshots == {}

    @pytest.mark.parametrize("arguments", [[], ["--yes"], ["guestbook"]])
    def test_unconfirmed_deletes_nothing(self, desk: Any, arguments: list[str]) -> None:
        identifier = desk.deploy().deployment_id
        shown = desk.type("destroy", *arguments)
        assert shown.code == 3
        assert f"autodeploy destroy {identifier} --yes" in shown.err
        assert identifier in desk.line.world.stacks

    def test_names_what_is_left(self, desk: Any) -> None:
        identifier = desk.deploy().deployment_id
        desk.line.world.undeletable = ("eni-1",)
        shown = desk.type("destroy", identifier, "--yes")
        assert shown.code == 60
        assert "  left: eni-1  0.00 USD a month" in shown.out.splitlines()

    def test_that_fails_is_an_error(self, desk: Any) -> None:
        identifier = desk.deploy().deployment_id
        desk.line.world.broken["destroy"].append(InfrastructureError("in the way", "Again."))
        assert desk.type("destroy", identifier, "--yes").code == 60


class TestOnly:
    def test_says_what_went_and_how_it_comes_again(self, desk: Any) -> None:
        identifier = desk.deploy().deployment_id
        shown = desk.type("destroy", identifier, "--only", "compute", "--yes")
        assert shown.code == 0
        first, second = shown.out.splitlines()
        assert first.startswith(f"{identifier} stands. Without compute, database and network stay; make it again:")
        assert second == "  deleted: aws:ec2:Instance app"
        assert identifier in desk.line.world.stacks

    def test_as_json(self, desk: Any) -> None:
        identifier = desk.deploy().deployment_id
        found = desk.type("destroy", identifier, "--only", "compute", "--yes", "--json").json
        assert (found["part"], found["deleted"], found["left"]) == ("compute", ["aws:ec2:Instance app"], [])

    def test_shows_in_the_status_until_it_is_made_again(self, desk: Any) -> None:
        identifier = desk.deploy().deployment_id
        desk.type("destroy", identifier, "--only", "compute", "--yes")
        assert (
            "without compute, which was deleted on request; make it again: autodeploy deploy" in desk.type("status").out
        )
        assert "error" not in desk.type("status").out
        desk.deploy()
        assert "without" not in desk.type("status").out

    @pytest.mark.parametrize("part", ["database", "", "Compute"])
    def test_of_what_cannot_go_alone_is_refused(self, desk: Any, part: str) -> None:
        identifier = desk.deploy().deployment_id
        shown = desk.type("destroy", identifier, "--only", part, "--yes")
        assert shown.code == 10
        assert "alone can go: compute" in shown.err

    def test_unconfirmed_deletes_nothing(self, desk: Any) -> None:
        identifier = desk.deploy().deployment_id
        shown = desk.type("destroy", "--only", "compute", "--yes")
        assert shown.code == 3
        assert f"autodeploy destroy {identifier} --only compute --yes" in shown.err
        assert desk.line.world.missing[identifier] == set()

    def test_at_a_terminal_says_what_is_lost(self, desk: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        identifier = desk.deploy().deployment_id
        asked: list[str] = []
        monkeypatch.setattr("sys.stdin", Screen())
        monkeypatch.setattr(sys.stderr, "isatty", lambda: True)

        def answer(question: str, **_: Any) -> str:
            asked.append(question)
            return "guestbook"

        monkeypatch.setattr("typer.prompt", answer)
        assert desk.type("destroy", "--only", "compute").code == 0
        assert asked == [
            f"This deletes of {identifier}: the machine, with what is on its disk, and what depends on it."
            " Type its name (guestbook)"
        ]


class Screen:
    """A keyboard that nobody reads here."""

    def isatty(self) -> bool:
        return True


class TestDrift:
    def test_none(self, desk: Any) -> None:
        desk.deploy()
        shown = desk.type("status", "--drift")
        assert (shown.code, shown.out) == (0, "No drift: 4 resources are as they were made.\n")

    def test_resource_by_resource_and_property_by_property(self, desk: Any) -> None:
        identifier = desk.deploy().deployment_id
        desk.line.world.drift = (CHANGED, GONE)
        shown = desk.type("status", identifier, "--drift")
        assert shown.code == 4
        assert shown.out.splitlines() == [
            "aws:vpc:SecurityGroupIngressRule ssh was changed",
            '  cidrIpv4: "198.51.100.7/32" -> "0.0.0.0/0"',
            '  tags.Owner: nothing -> "eve"',
            "  privateKey: differs, not shown",
            "aws:ec2:Vpc network is gone",
        ]
        again = "autodeploy deploy https://example.org/guestbook.git --target local --region us-east-1 --name guestbook"
        assert shown.err.splitlines()[-1] == f"  {again} --repair-drift"

    def test_is_put_back_by_the_command_that_is_shown(self, desk: Any) -> None:
        identifier = desk.deploy().deployment_id
        world = desk.line.world
        world.drift, world.missing[identifier] = (CHANGED, GONE), {FakeEngine(world).resources(identifier)[0]}
        again = desk.type("status", "--drift").err.splitlines()[-1].split()[1:]
        world.drift = (CHANGED,)
        shown = desk.type(*again, "--yes")
        assert (shown.code, world.missing[identifier]) == (0, set())
        assert "not put back: aws:vpc:SecurityGroupIngressRule ssh: cidrIpv4 is" in shown.err

    def test_as_json(self, desk: Any) -> None:
        identifier = desk.deploy().deployment_id
        assert desk.type("status", "--drift", "--json").json == {
            "deployment_id": identifier,
            "resources": [],
            "unchanged": 4,
        }
        desk.line.world.drift = (CHANGED,)
        shown = desk.type("status", "--drift", "--json")
        assert shown.code == 4
        assert shown.json["resources"][0]["properties"][0]["found"] == '"0.0.0.0/0"'

    def test_that_cannot_be_found_out_is_an_error(self, desk: Any) -> None:
        desk.deploy()
        desk.line.world.broken["drift"].append(InfrastructureError("AWS cannot be reached", "Again."))
        assert desk.type("status", "--drift").code == 60

    def test_of_one_that_is_gone(self, desk: Any) -> None:
        identifier = desk.deploy().deployment_id
        desk.type("destroy", identifier, "--yes")
        shown = desk.type("status", identifier, "--drift")
        assert shown.code == 12
        assert "has no infrastructure" in shown.err
