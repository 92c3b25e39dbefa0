"""A run that is stopped, and one beside it whose hardening fails, through the command line with engine and machines.

The tests of this file are one story, told in order of two deployments.
"""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest
from integration.properties import retry_and_rollback_are_offered
from integration.world import World, world

from autodeploy.interruption import SAME_PRESS_SECONDS

pytestmark = pytest.mark.local


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Any:
    with world(tmp_path_factory.mktemp("interruption")) as made:
        yield made


class Run:
    """One command in a process group of its own, as a terminal would start it; `lines` is all that it showed."""

    def __init__(self, place: World, *arguments: str) -> None:
        self.lines: list[str] = []
        command = [sys.executable, "-m", "autodeploy", *arguments]
        pipes = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
        self.process = subprocess.Popen(
            command,
            cwd=place.folder,
            env=place.environment,
            text=True,
            start_new_session=True,
            **pipes,  # type: ignore[call-overload]
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        for line in self.process.stdout:
            self.lines.append(line.rstrip("\n"))

    def until(self, pattern: str, seconds: float = 300) -> None:
        """Wait for a line; fail where the command ends before."""
        deadline = time.monotonic() + seconds
        while not any(re.search(pattern, line) for line in self.lines):
            assert self.process.poll() is None and time.monotonic() < deadline, "\n".join(self.lines)
            time.sleep(0.02)

    def press(self, *numbers: int, gap: float = SAME_PRESS_SECONDS + 0.1) -> tuple[int, float]:
        """Send the signals; return the exit code and how many seconds after the last one it came."""
        for number in numbers:
            self.process.send_signal(number)
            began = time.monotonic()
            time.sleep(gap if number is not numbers[-1] or len(numbers) > 1 else 0)
        code = self.process.wait(120)
        self._reader.join(5)
        return code, time.monotonic() - began


def ledger(place: World, name: str) -> Any:
    return place.json("status", name)


def ended_well(place: World, name: str, run: Run, stage: str) -> None:
    """Assert that the ledger and what was shown agree on how the run was stopped and how to go on."""
    state = ledger(place, name)
    assert (state["status"], state["failed_stage"]) == ("failed", stage)
    assert state["completed_at"]
    assert state["errors"][-1]["error_type"] == "Interrupted"
    assert not state["errors"][-1]["message"].endswith("None")
    assert any(line.startswith(f"  autodeploy retry {state['deployment_id']} --stage {stage}") for line in run.lines)
    if stage in ("provision", "deploy"):
        retry_and_rollback_are_offered("\n".join(run.lines), state, stage)
    assert not any("Traceback" in line for line in run.lines)


def serves(place: World, name: str) -> bool:
    """Say whether a deployment's public URL answers."""
    state = ledger(place, name)
    path = state["tech_stack"]["health_check_path"]
    return " 200" in place.curl(state["deployment_id"], path=path).splitlines()[0]


def test_stopped_at_every_stage_it_goes_on_to_the_end_and_is_asked_nothing_again(place: World) -> None:
    repository = place.repository("fastapi-plain", "stopped")
    (repository / "app" / "routers" / "status.py").open("a").write("\n# nothing was built of this before\n")
    place.commit(repository, "unseen")
    deploy = ("deploy", str(repository), "--target", "local")

    run = Run(place, *deploy, "--yes", "--env", "QUOTES_LIMIT=3")
    run.until("Building and trying")
    code, _ = run.press(signal.SIGTERM)
    assert code == 130
    ended_well(place, "stopped", run, "build")

    run = Run(place, *deploy, "--yes")
    run.until("Creating the infrastructure")  # any later, and a quick engine has made everything before it hears
    code, _ = run.press(signal.SIGINT)
    assert code == 130
    ended_well(place, "stopped", run, "provision")

    run = Run(place, *deploy)  # without --yes and a terminal: the approval is remembered
    run.until("creating aws:ec2:Instance")
    code, seconds = run.press(signal.SIGINT, signal.SIGINT)
    assert (code, seconds < 10) == (130, True)
    ended_well(place, "stopped", run, "provision")

    run = Run(place, *deploy)
    run.until("bring the application")
    code, _ = run.press(signal.SIGINT)
    assert code == 130
    ended_well(place, "stopped", run, "deploy")
    assert any("Once more stops at once" in line for line in run.lines)

    run = Run(place, *deploy)
    run.until("start release")
    code, seconds = run.press(signal.SIGINT, signal.SIGINT)
    assert (code, seconds < 10) == (130, True)
    ended_well(place, "stopped", run, "deploy")

    run = Run(place, *deploy)
    run.until("Hardening and verifying")
    run.process.kill()
    run.process.wait(30)
    assert ledger(place, "stopped")["status"] == "hardening"

    done = place.run("retry", "stopped")
    assert done.returncode == 0, done.stderr
    assert "the run before was killed while the deployment was hardening" in done.stderr
    state = ledger(place, "stopped")
    assert (state["status"], state["failed_stage"]) == ("complete", None)
    assert serves(place, "stopped")
    assert state["deployment_config"]["environment_variables"]["QUOTES_LIMIT"]


def test_a_failed_hardening_leaves_a_dossier_and_nothing_else(place: World) -> None:
    repository = place.repository("fastapi-plain", "unhardened")
    run = Run(place, "deploy", str(repository), "--target", "local", "--yes", "--env", "QUOTES_LIMIT=77317731")
    run.until("bring the application")
    # A firewall that cannot be switched on is a control without which a machine must not stay.
    place.ssh("unhardened", "sudo mv /usr/sbin/ufw /usr/sbin/ufw.away")
    code = run.process.wait(300)
    run._reader.join(5)
    assert code == 90, "\n".join(run.lines)
    state = ledger(place, "unhardened")
    identifier = state["deployment_id"]
    assert (state["status"], state["errors"][0]["error_type"]) == ("rolled_back", "HardeningError")
    folder = place.home / "deployments" / identifier / "dossier"
    assert any("Remediation: " in line and str(folder) in line for line in run.lines)
    assert any("Everything that was made is taken back" in line for line in run.lines)
    told = {path.name: path.read_text() for path in folder.iterdir()}
    assert "uvicorn" in told["app.log"].lower() or "started" in told["app.log"].lower()
    assert "nginx" in told["sockets.txt"] and ":80" in told["sockets.txt"]
    assert "app-" in told["units.txt"] and "server {" in told["nginx-config.txt"]
    assert "status: done" in told["cloud-init-status.txt"]
    assert len(told["journal.txt"].splitlines()) > 50
    assert "healthy" in told["balancer.txt"]
    assert not [name for name, text in told.items() if "77317731" in text]
    assert identifier not in json.dumps(place.json("local", "status"))
    assert not (folder.parent / "id_ed25519").exists()
    assert serves(place, "stopped"), "what stands beside it is left alone"


def test_it_can_be_deployed_anew_and_a_second_run_is_told_whom_it_waits_for(place: World) -> None:
    repository: Path = place.folder / "unhardened"
    (gone,) = [state for state in place.json("list", "--all") if state["name"] == "unhardened"]
    first = Run(place, "deploy", str(repository), "--target", "local", "--yes")
    first.until("Analysing the repository")
    second = place.run("deploy", str(repository), "--target", "local", "--yes")
    assert second.returncode == 75
    assert f"process {first.process.pid} on " in second.stderr
    assert ": deploy" in second.stderr and "since 20" in second.stderr
    assert first.process.wait(300) == 0
    state = ledger(place, "unhardened")
    assert state["status"] == "complete" and state["deployment_id"] != gone["deployment_id"]
    assert serves(place, "unhardened") and serves(place, "stopped")


def test_a_destruction_that_is_stopped_can_be_repeated(place: World) -> None:
    identifier = ledger(place, "stopped")["deployment_id"]
    run = Run(place, "destroy", identifier, "--yes")
    run.until("deleting aws:")
    code, _ = run.press(signal.SIGINT)
    assert code == 130
    state = ledger(place, identifier)
    assert (state["status"], state["errors"][-1]["error_type"]) == ("failed", "Interrupted")
    assert place.json("destroy", identifier, "--yes")["status"] == "rolled_back"
    assert identifier not in json.dumps(place.json("local", "status"))
    assert serves(place, "unhardened")


def test_a_missing_variable_is_refused_before_anything_is_built(place: World) -> None:
    repository = place.repository("fastapi-plain", "needy")
    source = repository / "app" / "main.py"
    source.write_text(f"import os\nKEY = os.environ['PAYMENT_KEY']\n{source.read_text()}")
    place.commit(repository, "need")
    done = place.run("deploy", str(repository), "--target", "local", "--yes")
    assert done.returncode == 30
    assert "PAYMENT_KEY (app/main.py:2)" in done.stderr and "--env PAYMENT_KEY=" in done.stderr
    state = ledger(place, "needy")
    assert (state["failed_stage"], state["build_artifact"]) == ("analyze", None)


def test_a_daemon_that_was_restarted_is_another_account(place: World) -> None:
    assert place.run("local", "down").returncode == 0
    done = place.run("deploy", str(place.folder / "unhardened"), "--target", "local", "--yes")
    assert done.returncode == 12
    assert "autodeploy local reset" in done.stderr
