"""status, list, events, logs, open, local: the verbs that only look, and the embedded target's."""

from __future__ import annotations

import json
import os
import sys
import time
from collections import defaultdict
from pathlib import Path

import pytest
from fakes.world import Machine, World
from fixtures.planned import FACTS

from autodeploy.errors import BuildError, InfrastructureError, LocalTargetError
from tests.unit.cli.conftest import Desk, Terminal

URL = "https://example.org/guestbook.git"


def rows(text: str) -> dict[str, str]:
    """Return the lines of `status` by name."""
    return {line.split()[0]: line[13:] for line in text.splitlines() if line[:1].strip()}


class TestStatus:
    def test_of_what_serves(self, desk: Desk) -> None:
        state = desk.deploy()
        found = rows(desk.type("status").out)
        assert found["deployment"] == state.deployment_id
        assert (found["status"], found["url"]) == ("complete", "https://localhost:8443")
        assert found["technology"] == "python 3.11, flask"
        assert found["release"] == state.deployment_config.release_id
        assert found["service"].endswith("running when last looked at")
        assert found["database"] == "10.0.2.9"
        assert found["security"] == "100/100; open on the machine: 22, 80"
        assert found["CA"].endswith(f"{state.deployment_id}/ca.pem")
        assert [part.split()[0] for part in found["stages"].split(", ")] == [
            *("analyze", "build", "plan", "provision", "deploy", "harden"),
        ]

    def test_of_several_machines(self, desk: Desk) -> None:
        state = desk.deploy("--instances", "2")
        found, identifier = rows(desk.type("status").out), state.deployment_id
        assert "machine" not in found
        assert found["app"] == f"instanceId-of-{identifier} publicIp-of-{identifier}"
        assert found["app-2"] == f"{identifier}/app-2 {identifier}/app-2"
        desk.line.world.fleet(identifier)[1].stubborn.add("switch")
        desk.type("deploy", URL, "--env", "GREETING=hello", "--yes")
        found = rows(desk.type("status").out)
        release = state.deployment_config.release_id
        assert found["status"].endswith(
            f"release {release} was serving before, and the error says which machine runs it still"
        )
        assert f"app-2 runs release {release}" in desk.type("status").out

    @pytest.mark.parametrize(
        ("stubborn", "told"),
        [
            (set(), "in CloudWatch's log group other-log-"),
            ({"log-shipping"}, "on the machine alone, not in CloudWatch; log-shipping: send the application's log"),
        ],
    )
    def test_says_where_the_log_is(self, desk: Desk, stubborn: set[str], told: str) -> None:
        assert "logs" not in rows(desk.type("status").out if desk.deploy() else "")
        desk.line.world = World(facts=FACTS)
        machine = Machine()
        machine.open_ports, machine.stubborn = {22}, stubborn
        desk.line.world.machines = defaultdict(lambda: machine)
        state = desk.deploy("--target", "aws", "--name", "other")
        assert rows(desk.type("status", state.deployment_id).out)["logs"].startswith(told)

    def test_says_of_which_of_several_machines_the_log_does_not_arrive(self, desk: Desk) -> None:
        desk.line.world = World(facts=FACTS)
        state = desk.deploy("--target", "aws", "--instances", "2", "--keep")
        for machine in desk.line.world.fleet(state.deployment_id):
            machine.open_ports = {22}
        desk.line.world.fleet(state.deployment_id)[1].stubborn.add("log-shipping")
        desk.type("deploy", URL, "--target", "aws", "--yes")
        told = rows(desk.type("status").out)["logs"]
        assert told.startswith("on the machine alone, not in CloudWatch; app-2: log-shipping: ")
        assert "app: log-shipping" not in told

    def test_says_how_a_machine_without_an_open_port_is_entered(self, desk: Desk) -> None:
        desk.line.world = World(facts=FACTS)
        machine = Machine()
        machine.open_ports = set()
        desk.line.world.machines = defaultdict(lambda: machine)
        desk.deploy("--target", "aws", "--access", "ssm")
        found = rows(desk.type("status").out)
        assert found["machine"].endswith(", entered by sessions of Systems Manager")
        assert found["security"].endswith("open on the machine: none")

    @pytest.mark.parametrize("width", [20, 60, 80, 200])
    def test_on_a_terminal_words_are_whole(
        self, desk: Desk, monkeypatch: pytest.MonkeyPatch, width: int, capsys: pytest.CaptureFixture[str]
    ) -> None:
        state = desk.deploy()
        plain = rows(desk.type("status").out)
        monkeypatch.setenv("COLUMNS", str(width))
        screen = Terminal()
        monkeypatch.setattr(sys, "stdout", screen)
        desk.type("status")
        lines = screen.getvalue().splitlines()
        assert all(len(line) <= max(width, 33) or " " not in line[13:] for line in lines)
        assert {line[:13].strip() for line in lines} - {""} == set(plain)
        assert " ".join(line[13:] for line in lines if line) == " ".join(plain.values())
        assert f"deployment   {state.deployment_id}" in lines

    def test_what_people_wrote_does_not_rule_the_terminal(self, desk: Desk) -> None:
        url = "https://example.org/guestbook.git"
        desk.type("deploy", url, "a\n\x1b[31mguest\u202ebook", "--yes")
        assert rows(desk.type("status").out)["description"] == "a  [31mguest book"

    def test_how_long_it_took(self, desk: Desk) -> None:
        state = desk.deploy()
        total = sum(record.seconds for record in state.stages.values())
        took = rows(desk.type("status").out)["took"].split(", ")
        assert took[0] == f"in all {total:.1f} s"
        assert took[1].startswith("infrastructure ")
        assert took[2:] == ["start-up 1.4 s", f"artifact {state.build_artifact.size_bytes / 1e6:.1f} MB"]

    def test_of_what_failed(self, desk: Desk) -> None:
        desk.line.world.broken["build"].append(BuildError("pip failed", "Correct it."))
        desk.type("deploy", URL, "--yes")
        text = desk.type("status").out
        found = rows(text)
        assert found["status"] == "failed at build"
        assert found["error"] == "BuildError: pip failed"
        assert text.splitlines()[-1].strip() == "Correct it."
        assert not {"machine", "url", "CA", "cost"} & set(found)
        assert found["took"].startswith("in all ")
        assert not any(word in found["took"] for word in ("infrastructure", "start-up", "artifact"))

    def test_as_json_is_the_ledger(self, desk: Desk) -> None:
        state = desk.deploy()
        shown = desk.type("status", "--json").json
        took = shown.pop("performance")
        assert shown == json.loads(state.to_json())
        assert took == {
            "stage_seconds": {name: record.seconds for name, record in state.stages.items()},
            "total_seconds": sum(record.seconds for record in state.stages.values()),
            "provisioning_seconds": state.stages["provision"].seconds,
            "artifact_bytes": state.build_artifact.size_bytes,
            "startup_seconds": 1.4,
        }

    def test_of_what_is_gone(self, desk: Desk) -> None:
        identifier = desk.deploy().deployment_id
        desk.type("destroy", identifier, "--yes")
        assert rows(desk.type("status").out)["status"] == "rolled_back"

    def test_of_a_deployment_that_is_unknown(self, desk: Desk) -> None:
        shown = desk.type("status", "nobody-20000101-abcdef")
        assert (shown.code, shown.out) == (12, "")
        assert "Error: StateError" in shown.err


class TestList:
    def test_none(self, desk: Desk) -> None:
        shown = desk.type("list")
        assert (shown.code, shown.out) == (0, "")
        assert "autodeploy deploy URL" in shown.err
        assert desk.type("list", "--json").json == []

    def test_one_line_each_the_newest_first(self, desk: Desk) -> None:
        first, second = desk.deploy(), desk.deploy("--name", "a-much-longer-name")
        lines = desk.type("list").out.splitlines()
        assert lines[0].split() == [second.deployment_id, "complete", "local", "https://localhost:8443"]
        assert lines[1].split()[0] == first.deployment_id
        assert lines[0].index("complete") == lines[1].index("complete")

    def test_what_is_gone_only_when_asked_for(self, desk: Desk) -> None:
        identifier = desk.deploy().deployment_id
        desk.type("destroy", identifier, "--yes")
        assert desk.type("list").out == ""
        assert identifier in desk.type("list", "--all").out
        assert [state["status"] for state in desk.type("list", "--all", "--json").json] == ["rolled_back"]

    def test_a_damaged_ledger_is_mentioned_beside_the_list(self, desk: Desk) -> None:
        good, bad = desk.deploy(), desk.deploy("--new")
        (desk.line.store.folder(bad.deployment_id) / "state.json").write_text("{")
        shown = desk.type("list")
        assert shown.out.split()[0] == good.deployment_id
        assert f"The ledger of {bad.deployment_id} is damaged" in shown.err
        assert len(desk.type("list", "--json").json) == 1


class TestEvents:
    def test_in_order_with_their_agents(self, desk: Desk) -> None:
        desk.line.world.broken["up"].append(InfrastructureError("no capacity", "Try later."))
        desk.type("deploy", URL, "--yes")
        lines = desk.type("events").out.splitlines()
        assert "[HiveMind DevOps] commit aaaaaaaaaaaa, 4 files" in lines[0]
        assert lines[-1].endswith("ERROR   [HiveMind SysEng] InfrastructureError: no capacity")

    def test_an_error_stands_between_what_was_done_before_and_after_it(self, desk: Desk) -> None:
        desk.line.world.broken["up"].append(InfrastructureError("no capacity", "Try later."))
        desk.type("deploy", URL, "--yes")
        desk.type("deploy", URL, "--yes")
        lines = desk.type("events").out.splitlines()
        (place,) = [number for number, line in enumerate(lines) if "no capacity" in line]
        assert 0 < place < len(lines) - 1
        times = [line.split()[0] for line in lines]
        assert times == sorted(times)

    def test_as_json_lines(self, desk: Desk) -> None:
        desk.line.world.broken["up"].append(InfrastructureError("no capacity", "Try later."))
        desk.type("deploy", URL, "--yes")
        entries = [json.loads(line) for line in desk.type("events", "--json").out.splitlines()]
        assert entries[0]["agent"] == "HiveMind DevOps"
        assert "Traceback" in entries[-1]["stack_trace"]


class TestLogs:
    def test_the_last_lines(self, desk: Desk) -> None:
        desk.deploy()
        assert desk.type("logs").out == "one\ntwo\nthree\n"
        assert desk.type("logs", "-n", "1").out == "three\n"

    def test_no_lines_are_no_question(self, desk: Desk) -> None:
        desk.deploy()
        assert desk.type("logs", "-n", "0").code == 2

    def test_before_a_release(self, desk: Desk) -> None:
        desk.line.world.broken["build"].append(BuildError("pip failed", "Correct it."))
        desk.type("deploy", URL, "--yes")
        assert desk.type("logs").code == 12


class TestOpen:
    def test_prints_the_url(self, desk: Desk) -> None:
        desk.deploy()
        shown = desk.type("open")
        assert (shown.code, shown.out) == (0, "https://localhost:8443\n")

    def test_in_a_browser_where_there_is_one(self, desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        desk.deploy()
        opened, browser = tmp_path / "opened", tmp_path / "xdg-open"
        browser.write_text(f'#!/bin/sh\necho "$1" >{opened}.new && mv {opened}.new {opened}\n')
        browser.chmod(0o755)
        monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
        monkeypatch.setenv("DISPLAY", ":0")
        monkeypatch.setattr(sys, "stdout", Terminal())
        assert desk.type("open").code == 0
        deadline = time.monotonic() + 10
        while not opened.exists() and time.monotonic() < deadline:
            time.sleep(0.01)
        assert opened.read_text() == "https://localhost:8443\n"

    def test_a_worker_has_none(self, desk: Desk) -> None:
        desk.line.world.sample = "python-worker"
        assert desk.deploy().status == "complete"
        shown = desk.type("open")
        assert shown.code == 12
        assert "is a worker" in shown.err and "autodeploy logs" in shown.err
        assert "CA " not in desk.type("status").out
        assert desk.line.world.stacks.popitem()[1].web is None

    def test_before_there_is_one(self, desk: Desk) -> None:
        desk.line.world.broken["build"].append(BuildError("pip failed", "Correct it."))
        desk.type("deploy", URL, "--yes")
        shown = desk.type("open")
        assert shown.code == 12
        assert "has no URL yet" in shown.err


class TestLocal:
    def test_status(self, desk: Desk) -> None:
        assert desk.type("local", "status").out.splitlines() == [
            "daemon           running",
            "machines         i-1 10.88.0.2 running",
            "databases        -",
        ]
        assert desk.type("local", "status", "--json").json["daemon"] == "running"

    def test_down(self, desk: Desk) -> None:
        assert desk.type("local", "down").code == 0
        assert not desk.local.running

    def test_reset_writes_off_what_lived_there_and_starts_nothing(self, desk: Desk) -> None:
        state, other = desk.deploy(), desk.deploy("--new")
        desk.line.store.save(other.but(status="provisioning"))
        shown = desk.type("local", "reset")
        assert "2 deployments are rolled back" in shown.err
        assert {found.status for found in desk.states()} == {"rolled_back"}
        assert desk.line.world.stacks == {}
        assert dict(desk.line.store.secrets(state.deployment_id)) == {}
        assert not list(desk.line.store.folder(state.deployment_id).glob("id_ed25519*"))
        assert not desk.local.running
        assert "0 deployments" in desk.type("local", "reset").err


def test_an_error_of_a_target_is_four_lines(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    desk.line.world.broken["facts"].append(LocalTargetError("no daemon", "Start it."))
    shown = desk.type("deploy", URL, "--yes")
    assert (shown.code, shown.err.splitlines()[1]) == (62, "Message: no daemon")
