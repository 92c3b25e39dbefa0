"""The main job through the command line: a Python application with PostgreSQL, from Git URL to hardened HTTPS."""

from __future__ import annotations

import json
import re
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest
from integration.world import ROOT, World, world

pytestmark = pytest.mark.local


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Any:
    with world(tmp_path_factory.mktemp("deploy")) as made:
        yield made


@pytest.fixture(scope="module")
def deployed(place: World) -> dict[str, Any]:
    """The guestbook, deployed once for the module; with how long it took."""
    repository = place.repository("flask-postgres", "guestbook")
    begun = time.monotonic()
    result: dict[str, Any] = place.json(
        "deploy",
        f"file://{repository}",
        "a guestbook",
        "--target",
        "local",
        "--yes",
        "--env",
        "SECRET_KEY=s3cr3t-canary",
    )
    return {**result, "seconds": time.monotonic() - begun}


def test_it_ends_complete_with_all_outputs(place: World, deployed: dict[str, Any]) -> None:
    state = place.json("status", deployed["deployment_id"])
    assert state["status"] == "complete" and state["completed_at"]
    for output in ("tech_stack", "build_artifact", "infrastructure", "deployment_config", "security_config"):
        assert state[output], output
    assert state["deployment_config"]["service_status"] == "running"
    assert state["security_config"]["security_score"] >= 80
    assert set(state["security_config"]["open_ports"]) <= {22, 80}
    agents = {entry["agent"] for entry in state["logs"]}
    assert {"HiveMind DevOps", "HiveMind SysEng", "HiveMind Release-Engineer", "HiveMind SecOps"} <= agents


def test_the_page_comes_with_the_release_header(place: World, deployed: dict[str, Any]) -> None:
    state = place.json("status", deployed["deployment_id"])
    answer = place.curl(deployed["deployment_id"])
    assert " 200" in answer.splitlines()[0] and "<form" in answer
    assert f"x-autodeploy-release: {state['deployment_config']['release_id']}" in answer.lower()


def test_a_row_survives_the_restart_of_the_service(place: World, deployed: dict[str, Any]) -> None:
    identifier = deployed["deployment_id"]
    place.curl(identifier, "--data-urlencode", "name=ada", "--data-urlencode", "message=written before the restart")
    place.ssh(identifier, "sudo systemctl restart app")

    def page() -> str:
        shown = place.curl(identifier)
        return shown if "written before the restart" in shown else ""

    assert place.eventually(page)


def test_secrets_stay_out_of_ledger_and_stack(place: World, deployed: dict[str, Any]) -> None:
    found = subprocess.run(
        ["grep", "-rl", "s3cr3t-canary", str(place.home)], capture_output=True, text=True, check=False
    ).stdout.split()
    assert [Path(path).name for path in found] == ["secrets.json"]


def test_the_bare_pulumi_sees_no_change(place: World, deployed: dict[str, Any]) -> None:
    lines = place.run("pulumi-env", deployed["deployment_id"]).stdout
    before = subprocess.run(["git", "status", "--porcelain"], cwd=ROOT, capture_output=True, text=True, check=True)
    done = subprocess.run(
        ["bash", "-c", f"{lines}\npulumi preview --expect-no-changes --non-interactive"],
        cwd=ROOT,
        env=place.environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    after = subprocess.run(["git", "status", "--porcelain"], cwd=ROOT, capture_output=True, text=True, check=True)
    assert after.stdout == before.stdout
    assert place.json("preview", deployed["deployment_id"])["changes"] == []


def test_an_unchanged_deploy_builds_and_changes_nothing(place: World, deployed: dict[str, Any]) -> None:
    identifier = deployed["deployment_id"]
    before = place.json("status", identifier)
    begun = time.monotonic()
    again = place.json("deploy", before["repo_url"], "a guestbook", "--target", "local", "--yes")
    seconds = time.monotonic() - begun
    after = place.json("status", identifier)
    assert again["deployment_id"] == identifier
    for stage in ("build", "provision"):
        assert after["stages"][stage] == before["stages"][stage]
    for fact in ("release_id", "service_name", "service_status", "app_port", "url"):
        assert after["deployment_config"][fact] == before["deployment_config"][fact]
    assert seconds < deployed["seconds"], (seconds, deployed["seconds"])  # others may be at work that were not then


def test_a_killed_application_comes_back(place: World, deployed: dict[str, Any]) -> None:
    identifier = deployed["deployment_id"]
    before = place.ssh(identifier, "systemctl show -p MainPID --value app").strip()
    place.ssh(identifier, f"sudo kill -9 {before}")
    place.eventually(
        lambda: place.ssh(identifier, "systemctl show -p MainPID --value app").strip() not in (before, "0")
    )
    place.eventually(lambda: " 200" in place.curl(identifier).splitlines()[0])


def test_a_rebooted_machine_comes_back(place: World, deployed: dict[str, Any]) -> None:
    identifier = deployed["deployment_id"]
    boot = place.ssh(identifier, "cat /proc/sys/kernel/random/boot_id; stat -c %Y /proc/1")
    place.ssh(identifier, "sudo systemctl reboot", check=False)
    place.eventually(
        lambda: (
            place.ssh(identifier, "cat /proc/sys/kernel/random/boot_id; stat -c %Y /proc/1", check=False)
            not in ("", boot)
        ),
        60,
    )
    place.eventually(lambda: " 200" in place.curl(identifier).splitlines()[0], 60)


def test_a_changed_commit_is_released_without_touching_the_infrastructure(
    place: World, deployed: dict[str, Any]
) -> None:
    before = place.json("status", deployed["deployment_id"])
    repository = Path(before["repo_url"].removeprefix("file://"))
    page = next(
        path for path in repository.rglob("*") if path.suffix in (".py", ".html") and "<form" in path.read_text()
    )
    page.write_text(page.read_text().replace("<form", "<!-- second release --><form", 1))
    place.commit(repository, "second")
    place.json("deploy", before["repo_url"], "--target", "local", "--yes")
    after = place.json("status", deployed["deployment_id"])
    assert after["infrastructure"] == before["infrastructure"]
    assert after["deployment_config"]["release_id"] != before["deployment_config"]["release_id"]
    assert "second release" in place.curl(deployed["deployment_id"])


def test_destroy_leaves_nothing_and_says_so_again(place: World, deployed: dict[str, Any]) -> None:
    identifier = deployed["deployment_id"]
    assert place.run("destroy", "--yes").returncode == 3
    first = place.json("destroy", identifier, "--yes")
    assert (first["status"], first["remaining"]) == ("rolled_back", [])
    again = place.run("destroy", identifier, "--yes")
    assert again.returncode == 0 and "already" in again.stdout
    folder = place.home / "deployments" / identifier
    assert not (folder / "id_ed25519").exists()
    assert json.loads(place.run("status", identifier, "--json").stdout)["status"] == "rolled_back"
    status = place.json("local", "status")
    assert not re.search(identifier, json.dumps(status))
