"""A home of its own for end-to-end tests: the command line as a user types it, and the machines it made."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import boto3

SAMPLES = Path(__file__).parents[1] / "fixtures" / "sample_repos"
ROOT = Path(__file__).parents[2]


class World:
    """`home` is $AUTODEPLOY_HOME; every command runs in `folder`, so that no autodeploy.toml is met by chance."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.home = folder / "home"
        self.environment = {**os.environ, "AUTODEPLOY_HOME": str(self.home), "NO_COLOR": "1"}

    def run(self, *arguments: str, **options: Any) -> subprocess.CompletedProcess[str]:
        """Run the command line without a terminal; return what came of it."""
        command = [sys.executable, "-m", "autodeploy", *arguments]
        options = {"cwd": self.folder, "env": self.environment, "stdin": subprocess.DEVNULL, "timeout": 900, **options}
        return subprocess.run(command, capture_output=True, text=True, check=False, **options)

    def json(self, *arguments: str) -> Any:
        """Run a command that must succeed with --json; return what it printed."""
        done = self.run(*arguments, "--json")
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    def repository(self, sample: str, name: str | None = None) -> Path:
        """Make a Git repository of a sample application; return its folder."""
        folder = self.folder / (name or sample)
        shutil.copytree(SAMPLES / sample, folder, ignore=shutil.ignore_patterns("techstack.json", "plan.json"))
        self.commit(folder, "begin")
        return folder

    @staticmethod
    def commit(folder: Path, message: str) -> None:
        """Commit all that is in the folder."""
        git = ["git", "-C", str(folder), "-c", "user.name=test", "-c", "user.email=test@localhost"]
        if not (folder / ".git").exists():
            subprocess.run([*git, "init", "-q", "-b", "main"], check=True)
        subprocess.run([*git, "add", "-A"], check=True)
        subprocess.run([*git, "commit", "-q", "-m", message], check=True)

    def ssh(self, deployment_id: str, command: str, check: bool = True, machine: int = 1) -> str:
        """Run a command on the deployment's machine (1: the first) as its operator would."""
        spec = self.json("status", deployment_id)["infrastructure"]
        options = ["-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null", "-o", "LogLevel=ERROR"]
        # A machine that goes down in the middle of a session says nothing more.
        options += ["-o", "ConnectTimeout=10", "-o", "ServerAliveInterval=5"]
        addresses = [spec["ec2_public_ip"], *(more["public_ip"] for more in spec.get("more_machines", ()))]
        target = ["-i", spec["ssh_private_key_path"], f"ubuntu@{addresses[machine - 1]}", command]
        done = subprocess.run(["ssh", *options, *target], capture_output=True, text=True, check=False, timeout=60)
        assert done.returncode == 0 or not check, done.stderr
        return done.stdout

    def curl(self, deployment_id: str, *arguments: str, path: str = "/") -> str:
        """Ask the deployment's public URL, its certificate verified; return headers and body."""
        state = self.json("status", deployment_id)
        ca = self.home / "deployments" / deployment_id / "ca.pem"
        url = state["deployment_config"]["url"] + path
        command = ["curl", "-sS", "--max-time", "10", "--cacert", str(ca), "-i", *arguments, url]
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def aws(self, service: str) -> Any:
        """Return a client of the emulated account, as somebody else would use it."""
        endpoint = json.loads((self.home / "local" / "daemon.json").read_text())["aws_endpoint"]
        keys = {"aws_access_key_id": "eve", "aws_secret_access_key": "eve"}
        return boto3.client(service, region_name="us-east-1", endpoint_url=endpoint, **keys)

    def eventually(self, question: Any, seconds: float = 30.0) -> Any:
        """Ask again until the answer is true; the last failure is raised."""
        deadline = time.monotonic() + seconds
        while True:
            try:
                if answer := question():
                    return answer
            except AssertionError:
                if time.monotonic() > deadline:
                    raise
            assert time.monotonic() < deadline, "it never became true"
            time.sleep(0.3)


@contextmanager
def world(folder: Path) -> Iterator[World]:
    """Open a world, and leave nothing of it behind."""
    made = World(folder)
    try:
        yield made
    finally:
        done = made.run("local", "reset")
        made.run("local", "down")
        assert done.returncode == 0, done.stderr
