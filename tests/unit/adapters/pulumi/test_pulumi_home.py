"""Pulumi's files under $AUTODEPLOY_HOME: what is made, what is kept, whose lock goes."""

from __future__ import annotations

import json
import os
import socket
import subprocess
from pathlib import Path

from autodeploy.adapters.pulumi.home import PulumiHome


def test_passphrase_is_made_once_for_the_owner_only(tmp_path: Path) -> None:
    file = PulumiHome(tmp_path / "home").passphrase_file
    first = file.read_text()
    assert len(first) >= 32
    assert file.stat().st_mode & 0o777 == 0o600
    assert PulumiHome(tmp_path / "home").passphrase_file.read_text() == first
    assert [path.name for path in file.parent.iterdir()] == ["passphrase"]


def test_backend_folder_is_there_when_its_url_is_known(tmp_path: Path) -> None:
    url = PulumiHome(tmp_path / "a home").backend_url
    assert url == f"file://{tmp_path}/a%20home/pulumi"
    assert (tmp_path / "a home" / "pulumi").stat().st_mode & 0o777 == 0o700


def test_project_file_is_made_and_never_replaced(tmp_path: Path) -> None:
    home = PulumiHome(tmp_path)
    file = home.project("x-1") / "Pulumi.yaml"
    assert json.loads(file.read_text()) == {"name": "autodeploy", "runtime": "python"}
    file.write_text("name: mine\n")
    home.project("x-1")
    assert file.read_text() == "name: mine\n"
    assert home.candidate("x-1").parent == home.project("x-1")
    assert home.config("x-1") == home.project("x-1") / "Pulumi.x-1.yaml"
    assert not home.has_stack("x-1")


def test_only_a_dead_engine_of_this_machine_loses_its_lock(tmp_path: Path) -> None:
    locks = tmp_path / "pulumi" / ".pulumi" / "locks" / "organization" / "autodeploy" / "x-1"
    locks.mkdir(parents=True)
    gone = subprocess.Popen(["true"])
    gone.wait()
    here = socket.gethostname()
    owners = {"dead": (gone.pid, here), "live": (os.getpid(), here), "init": (1, here), "far": (gone.pid, "elsewhere")}
    for name, (pid, host) in owners.items():
        (locks / f"{name}.json").write_text(json.dumps({"pid": pid, "hostname": host}))
    (locks / "damaged.json").write_text("{")
    assert PulumiHome(tmp_path).free_dead_locks("x-1") == 1
    assert sorted(path.stem for path in locks.iterdir()) == ["damaged", "far", "init", "live"]
    assert PulumiHome(tmp_path).free_dead_locks("unknown") == 0
