"""db connect, backup, backups, restore, delete: what is typed, what is shown, what is asked."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from fakes.world import World

from tests.unit.cli.conftest import Desk, Terminal


def lines(text: str) -> list[list[str]]:
    return [line.split() for line in text.splitlines()]


class TestSnapshots:
    def test_are_taken_and_listed(self, desk: Desk) -> None:
        desk.deploy()
        taken = desk.type("db", "backup")
        (name,) = desk.line.world.snapshots
        assert (taken.code, taken.out) == (0, f"{name}\n")
        told = desk.type("db", "backup", "--json").json
        assert (told["status"], told["encrypted"]) == ("available", True)
        (newest, oldest) = lines(desk.type("db", "backups").out)
        assert (newest[0], oldest[0]) == (told["name"], name)
        assert oldest[1:] == ["2026-11-25", "12:00:00", "UTC", "postgres", "15", "20", "GB", "available"]
        assert [each["name"] for each in desk.type("db", "backups", "--json").json] == [told["name"], name]

    def test_of_a_deployment_that_has_none(self, desk: Desk) -> None:
        desk.deploy()
        shown = desk.type("db", "backups")
        assert (shown.code, shown.out, shown.err) == (0, "", "No snapshots. Take one: autodeploy db backup\n")
        assert desk.type("db", "backups", "--json").json == []

    def test_outlive_the_deployment_until_they_are_deleted(self, desk: Desk) -> None:
        identifier = desk.deploy().deployment_id
        desk.type("destroy", identifier, "--yes")
        (name,) = desk.line.world.snapshots
        assert lines(desk.type("db", "backups", identifier).out)[0][0] == name
        refused = desk.type("db", "delete", name, identifier)
        assert refused.code == 3 and f"autodeploy db delete {name} {identifier} --yes" in refused.err
        assert desk.type("db", "delete", name, identifier, "--yes").code == 0
        assert desk.line.world.snapshots == {}

    def test_a_name_that_is_not_there_is_four_lines(self, desk: Desk) -> None:
        desk.deploy()
        shown = desk.type("db", "delete", "nowhere", "--yes")
        assert shown.code == 12
        assert [line.split(":")[0] for line in shown.err.splitlines()[-4:]] == [
            *("[HiveMind Control Plane] Error", "Message", "Context", "Remediation"),
        ]


class TestRestore:
    def test_with_yes(self, desk: Desk) -> None:
        identifier = desk.deploy().deployment_id
        name = desk.type("db", "backup").out.strip()
        desk.line.world.databases[f"{identifier}-db"] = "spoilt"
        shown = desk.type("db", "restore", name, "--yes")
        (before,) = set(desk.line.world.snapshots) - {name}
        said = " ".join(shown.err.split())
        assert shown.code == 0 and f"a new database is made from the snapshot {name}" in said
        assert f"back to it: autodeploy db restore {before} {identifier}" in said
        assert desk.line.world.databases[f"{identifier}-db"] == "rows"
        told = desk.type("db", "restore", before, identifier, "--yes", "--json").json
        assert (told["status"], told["deployment_id"]) == ("complete", identifier)
        assert desk.line.world.databases[f"{identifier}-db"] == "spoilt"

    def test_without_it_nothing_is_replaced(self, desk: Desk) -> None:
        desk.deploy()
        name = desk.type("db", "backup").out.strip()
        shown = desk.type("db", "restore", name)
        assert shown.code == 3 and "--yes" in shown.err
        assert list(desk.line.world.snapshots) == [name]

    def test_of_what_is_not_there_is_four_lines(self, desk: Desk) -> None:
        desk.deploy()
        shown = desk.type("db", "restore", "nowhere", "--yes")
        assert shown.code != 0
        assert [line.split(":")[0] for line in shown.err.splitlines()[-4:]] == [
            *("[HiveMind SysEng] Error", "Message", "Context", "Remediation"),
        ]


class TestConnect:
    def test_without_a_terminal_the_command_is_printed(self, desk: Desk) -> None:
        identifier = desk.deploy().deployment_id
        shown = desk.type("db", "connect")
        assert shown.code == 0
        assert shown.out.startswith("ssh -t -i ") and f"ubuntu@publicIp-of-{identifier}" in shown.out

    def test_on_a_terminal_it_is_run_and_its_status_is_ours(
        self, desk: Desk, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        desk.deploy()
        ssh = tmp_path / "bin" / "ssh"
        ssh.parent.mkdir()
        ssh.write_text(f'#!/bin/sh\nprintf "%s\\n" "$@" >{tmp_path}/words\nexit 3\n')
        ssh.chmod(0o755)
        monkeypatch.setenv("PATH", f"{ssh.parent}:/usr/bin:/bin")
        monkeypatch.setattr(sys, "stdin", Terminal())
        monkeypatch.setattr(sys, "stdout", Terminal())
        assert desk.type("db", "connect").code == 3
        assert "exec psql" in (tmp_path / "words").read_text()

    def test_to_a_deployment_without_a_database(self, desk: Desk) -> None:
        desk.line.world.__dict__.update(World("fastapi-plain").__dict__)
        desk.deploy()
        shown = desk.type("db", "connect")
        assert shown.code == 12 and "no database of its own" in shown.err


def test_the_group_says_what_it_is(desk: Desk) -> None:
    shown = desk.type("db", "--help")
    assert all(verb in shown.out for verb in ("connect", "backup", "backups", "restore", "delete"))
