"""The application's log on its way to CloudWatch: for real as shell, on a machine whose programs are written down."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
from pathlib import Path

import pytest
from fixtures.planned import LOCAL, planned
from fixtures.released import STACK

from autodeploy.hardener.logs import CONFIG_PATH, SIGNED_BY, steps
from autodeploy.model import Step
from stacks.profile import log_policy

STANDS_IN = {
    "dpkg-query": 'cat "$HERE/installed" 2>/dev/null',
    "apt-get": 'for word; do last=$word; done; case $last in *.deb) echo installed >"$HERE/installed";; esac',
    "gpgv": '[ -e "$HERE/forged" ] || echo "[GNUPG:] VALIDSIG A 2026 $SIGNED_BY"',
    "curl": """[ ! -e "$HERE/offline" ] || exit 7
while [ "$1" != --output ]; do shift; done
echo "$3" >>"$HERE/asked"; : >"$2"
""",
    "systemctl": """case $1 in
  is-enabled) echo enabled;;
  is-active) [ ! -e "$HERE/running" ] || { [ "$2" = --quiet ] || echo active; exit 0; }; exit 3;;
  restart) : >"$HERE/running";;
esac
""",
    "amazon-cloudwatch-agent-ctl": """for word; do last=$word; done
cp "${last#file:}" "$HERE/taken"; : >"$HERE/running"; echo again >>"$HERE/restarts"
[ -e "$HERE/denied" ] || : >"$HERE/opt/logs/state/_var_log_app_release-r1.log"
""",
    "sleep": ":",
}
WELL = ["installed", "enabled", "active", "applied", "delivered"]


class Host:
    """A folder that stands for the machine: its logs, its agent, and what its programs were asked."""

    def __init__(self, folder: Path, step: Step) -> None:
        self.folder = folder
        self.step = step
        (folder / "bin").mkdir()
        for name, script in STANDS_IN.items():
            (folder / "bin" / name).write_text(f"#!/bin/sh\n{script}\n")
            (folder / "bin" / name).chmod(0o755)
        for name in ("opt/logs/state", "etc", "app"):
            (folder / name).mkdir(parents=True)
        (folder / "app/release-r1.log").write_text("it began\n")
        (folder / "app/app.log").symlink_to(folder / "app/release-r1.log")
        self.upload()

    def upload(self) -> None:
        (self.folder / "etc/cloudwatch-agent.json").write_text(self.step.uploads[0].content or "")

    def _run(self, script: str) -> subprocess.CompletedProcess[str]:
        for path, here in (
            ("/opt/aws/amazon-cloudwatch-agent", "opt"),
            ("/etc/autodeploy", "etc"),
            ("/var/log/app", "app"),
        ):
            script = script.replace(path, str(self.folder / here))
        environment = {
            "PATH": f"{self.folder}/bin:{os.environ['PATH']}",
            "HERE": str(self.folder),
            "SIGNED_BY": SIGNED_BY,
            "TMPDIR": str(self.folder),
        }
        return subprocess.run(["sh", "-c", script], env=environment, capture_output=True, text=True, check=False)

    def fix(self) -> subprocess.CompletedProcess[str]:
        return self._run(self.step.fix or "")

    def seen(self) -> list[str]:
        """Return what the observation says after the two lines on the configuration's file."""
        return self._run(self.step.observe).stdout.splitlines()[2:]

    def has(self, name: str) -> bool:
        return (self.folder / name).exists()


@pytest.fixture
def host(tmp_path: Path) -> Host:
    (step,) = steps(planned(STACK))
    return Host(tmp_path, step)


def test_the_local_target_has_no_cloudwatch() -> None:
    assert steps(planned(STACK, LOCAL)) == ()


def test_every_release_has_a_stream_in_the_group_that_the_machine_may_write_to(host: Host) -> None:
    config = json.loads(host.step.uploads[0].content or "")
    (files,) = config["logs"]["logs_collected"]["files"]["collect_list"]
    assert (files["file_path"], files["publish_multi_logs"]) == ("/var/log/app/release-*.log", True)
    assert files["log_stream_name"] == "{instance_id}"
    group = f"arn:aws:logs:us-east-1:1:log-group:{files['log_group_name']}"
    assert json.loads(log_policy(group))["Statement"][0]["Resource"] == f"{group}:*"
    assert "retention_in_days" not in files, "the stack's to set; the agent may not"
    assert "metrics" not in config


def test_the_agent_is_installed_configured_and_seen_to_deliver(host: Host) -> None:
    assert host.seen() == ["enabled"]
    done = host.fix()
    assert done.returncode == 0, done.stderr
    assert host.seen() == WELL == host.step.want.splitlines()[2:]
    asked = (host.folder / "asked").read_text()
    assert "https://amazoncloudwatch-agent-us-east-1.s3.us-east-1.amazonaws.com/debian/amd64/latest/" in asked
    assert "assets/amazon-cloudwatch-agent.gpg" in asked and ".deb.sig" in asked
    assert (host.folder / "taken").read_text() == host.step.uploads[0].content


def test_what_runs_is_left_alone_and_another_configuration_is_taken(host: Host) -> None:
    host.fix()
    (host.folder / "asked").unlink()
    assert host.fix().returncode == 0
    assert not host.has("asked") and (host.folder / "restarts").read_text() == "again\n"
    (host.folder / "etc/cloudwatch-agent.json").write_text("{}")
    assert "applied" not in host.seen()
    assert host.fix().returncode == 0 and host.seen() == WELL
    assert (host.folder / "taken").read_text() == "{}"
    assert (host.folder / "restarts").read_text() == "again\n" * 2


def test_one_that_was_stopped_is_started_again(host: Host) -> None:
    host.fix()
    (host.folder / "running").unlink()
    assert host.seen() == ["installed", "enabled", "applied", "delivered"]
    assert host.fix().returncode == 0 and host.seen() == WELL


def test_a_release_that_nothing_was_delivered_of_is_waited_for(host: Host) -> None:
    host.fix()
    (host.folder / "app/release-r2.log").write_text("it began too\n")
    (host.folder / "app/app.log").unlink()
    (host.folder / "app/app.log").symlink_to(host.folder / "app/release-r2.log")
    assert host.seen() == WELL[:-1]
    assert host.fix().returncode != 0, "the stand-in delivers nothing of the second release"
    (host.folder / "opt/logs/state/_var_log_app_release-r2.log").touch()
    assert host.fix().returncode == 0 and host.seen() == WELL


def test_a_log_that_says_nothing_has_nothing_to_deliver(host: Host) -> None:
    (host.folder / "denied").touch()
    (host.folder / "app/release-r1.log").write_text("")
    assert host.fix().returncode == 0 and host.seen() == WELL


def test_what_cloudwatch_does_not_take_is_told_in_the_agents_words(host: Host) -> None:
    (host.folder / "denied").touch()
    (host.folder / "opt/logs/amazon-cloudwatch-agent.log").write_text("I! fine\n2026 E! AccessDeniedException: no\n")
    done = host.fix()
    assert done.returncode != 0 and done.stderr.strip().endswith("E! AccessDeniedException: no")
    assert "delivered" not in host.seen()


@pytest.mark.parametrize("trouble", ["offline", "forged"])
def test_an_agent_that_cannot_be_fetched_or_verified_is_not_installed(host: Host, trouble: str) -> None:
    (host.folder / trouble).touch()
    assert host.fix().returncode != 0
    assert not host.has("installed") and not host.has("running")


def test_the_configuration_is_seen_by_its_content(host: Host) -> None:
    digest = hashlib.sha256((host.step.uploads[0].content or "").encode()).hexdigest()
    assert host.step.want.splitlines()[:2] == ["644 root", f"{digest}  -"]
    assert host.step.uploads[0].path == CONFIG_PATH
    assert host.step.transaction and host.step.weight == 5
