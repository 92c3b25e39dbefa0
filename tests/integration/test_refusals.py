"""Bad input through the command line: the document's four lines, the stage's exit code, nothing created or lost."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import Any

import pytest
from integration.world import World, world

pytestmark = pytest.mark.local


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Any:
    with world(tmp_path_factory.mktemp("refusals")) as made:
        yield made


def refused(done: subprocess.CompletedProcess[str], code: int) -> list[str]:
    """Assert that the run ended as an error should; return the four lines."""
    assert done.returncode == code, (done.returncode, done.stderr)
    assert "Traceback" not in done.stderr
    lines = done.stderr.splitlines()
    first = next(number for number, line in enumerate(lines) if " Error: " in line and line.startswith("["))
    four = lines[first : first + 4]
    assert [line.split(":")[0].split("] ")[-1] for line in four] == ["Error", "Message", "Context", "Remediation"]
    return four


def nothing_stands(place: World) -> None:
    """Assert that no machine, network or stack resource of this home exists."""
    engine = (
        "podman" if subprocess.run(["which", "podman"], capture_output=True, check=False).returncode == 0 else "docker"
    )
    for kind in (["ps", "-a"], ["network", "ls"]):
        listed = subprocess.run([engine, *kind, "--format", "json"], capture_output=True, text=True, check=True).stdout
        for state in place.json("list", "--all"):
            assert state["deployment_id"] not in listed


@pytest.mark.parametrize("url", ["word", "http://localhost/a.git", "--upload-pack=x", "ext::sh -c true"])
def test_an_invalid_url(place: World, url: str) -> None:
    refused(place.run("deploy", "--target", "local", "--yes", "--", url), 20)
    assert place.json("list", "--all") == []
    assert not (place.home / "local" / "daemon.json").exists()


def test_no_target_and_no_terminal(place: World) -> None:
    refused(place.run("deploy", "https://localhost/a.git", "--yes"), 10)


def test_an_unreachable_repository(place: World) -> None:
    refused(place.run("deploy", "https://localhost:1/nobody/nothing.git", "--target", "local", "--yes"), 20)
    nothing_stands(place)


def test_an_unsupported_language(place: World) -> None:
    folder = place.folder / "ruby"
    folder.mkdir()
    (folder / "Gemfile").write_text("source 'https://rubygems.org'\ngem 'rails'\n")
    place.commit(folder, "begin")
    four = refused(place.run("deploy", str(folder), "--target", "local", "--yes"), 30)
    assert "Gemfile" in four[1]
    nothing_stands(place)


def test_a_failing_build(place: World) -> None:
    folder = place.repository("fastapi-plain", "failing")
    (folder / "requirements.txt").write_text("fastapi\nthis-package-does-not-exist-at-all==9.9.9\n")
    place.commit(folder, "break")
    done = place.run("deploy", str(folder), "--target", "local", "--yes")
    refused(done, 40)
    assert "this-package-does-not-exist-at-all" in done.stderr
    nothing_stands(place)


def test_an_application_that_never_listens(place: World) -> None:
    folder = place.repository("fastapi-plain", "mute")
    source = next(path for path in folder.rglob("*.py") if "FastAPI(" in path.read_text())
    source.write_text("raise RuntimeError('the configuration is broken on purpose')\n" + source.read_text())
    place.commit(folder, "break")
    done = place.run("deploy", str(folder), "--target", "local", "--yes")
    refused(done, 45)
    assert "broken on purpose" in done.stderr
    nothing_stands(place)


def test_a_plan_that_nobody_approves(place: World) -> None:
    folder = place.repository("fastapi-plain", "unapproved")
    done = place.run("deploy", str(folder), "--target", "local")
    refused(done, 3)
    assert "USD" in done.stderr
    nothing_stands(place)


def test_no_container_engine(place: World, tmp_path: Path) -> None:
    folder = place.repository("fastapi-plain", "engineless")
    tools = tmp_path / "bin"
    tools.mkdir()
    for name in ("git", "sh", "bash", "env", "ssh"):
        found = subprocess.run(["which", name], capture_output=True, text=True, check=True).stdout.strip()
        (tools / name).symlink_to(found)
    environment = {**place.environment, "PATH": str(tools), "AUTODEPLOY_HOME": str(tmp_path / "home")}
    environment.pop("DOCKER_HOST", None)
    refused(place.run("deploy", str(folder), "--target", "local", "--yes", env=environment), 62)


def test_an_unknown_deployment(place: World) -> None:
    for verb in ("status", "events", "logs", "destroy", "preview", "open"):
        refused(place.run(verb, "nobody-20000101-abcdef", *(["--yes"] if verb == "destroy" else [])), 12)


def test_a_home_that_cannot_be_written(place: World, tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("")
    environment = {**os.environ, "AUTODEPLOY_HOME": str(blocked / "home")}
    done = place.run("deploy", str(place.folder), "--target", "local", "--yes", env=environment)
    assert done.returncode in (12, 62)
    refused(done, done.returncode)
