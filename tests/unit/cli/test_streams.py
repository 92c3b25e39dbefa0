"""Where a command writes to: closed pipes, full disks, narrow encodings, a working folder that is gone."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from fakes.line import Line

ROOT = Path(__file__).parents[3]
DESCRIPTION = "Grüße ✓ 日本 🎉"


@pytest.fixture
def home(tmp_path: Path) -> Path:
    Line(tmp_path / "home").deploy(description=DESCRIPTION)
    return tmp_path / "home"


def command(home: Path, *arguments: str, **environment: str) -> dict[str, Any]:
    program = [sys.executable, "-m", "autodeploy", *arguments]
    kept = {**os.environ, "PYTHONPATH": str(ROOT), "AUTODEPLOY_HOME": str(home), **environment}
    return {"args": program, "env": kept, "cwd": home, "stdin": subprocess.DEVNULL}


@pytest.mark.parametrize("arguments", [("status", "--json"), ("events",), ("list",), ("--help",)])
def test_a_reader_who_has_gone(home: Path, arguments: tuple[str, ...]) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    done = subprocess.run(**command(home, *arguments), stdout=writing, stderr=subprocess.PIPE, text=True, check=False)
    os.close(writing)
    assert (done.returncode, done.stderr) == (1, "")


@pytest.mark.parametrize("arguments", [("status", "--json"), ("list",), ("--help",)])
def test_a_disk_that_is_full(home: Path, arguments: tuple[str, ...]) -> None:
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(**command(home, *arguments), stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    lines = done.stderr.splitlines()
    assert done.returncode == 13
    assert [line.split(":")[0] for line in lines] == [
        "[HiveMind Control Plane] Error",
        "Message",
        "Context",
        "Remediation",
    ]
    assert "the disk is full" in lines[1]


@pytest.mark.parametrize(
    "environment",
    [{"LC_ALL": "C"}, {"PYTHONIOENCODING": "latin-1"}, {"PYTHONIOENCODING": "ascii"}, {"TERM": "dumb"}],
)
def test_a_terminal_with_few_signs(home: Path, environment: dict[str, str]) -> None:
    done = subprocess.run(**command(home, "status", **environment), capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (0, b"")
    assert b"description  Gr" in done.stdout
    done = subprocess.run(**command(home, "status", "--json", **environment), capture_output=True, check=False)
    encoding = "latin-1" if environment.get("PYTHONIOENCODING") == "latin-1" else "utf-8"
    assert json.loads(done.stdout.decode(encoding))["description"] == DESCRIPTION
    done = subprocess.run(**command(home, "status", "nü✓", **environment), capture_output=True, check=False)
    assert (done.returncode, len(done.stderr.splitlines())) == (12, 4)


def test_a_working_folder_that_is_gone(home: Path, tmp_path: Path) -> None:
    gone = tmp_path / "gone"
    script = f"mkdir {gone} && cd {gone} && rmdir {gone} && exec {sys.executable} -m autodeploy"
    for arguments, code in (("list", 0), ("deploy --target local", 20)):
        started = {**command(home), "args": ["sh", "-c", f"{script} {arguments}"]}
        done = subprocess.run(**started, capture_output=True, text=True, check=False)
        assert done.returncode == code, done.stderr
        assert "fault of AutoDeploy" not in done.stderr
