"""Bad input through the command line: the document's four lines, the stage's exit code, nothing created or lost."""

from __future__ import annotations

import fcntl
import json
import os
import signal
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


def test_a_branch_tag_or_commit_that_is_not_there(place: World) -> None:
    folder = place.repository("fastapi-plain", "referred")
    for ref in ("nosuch", "v9.9", "0123456789abcdef0123456789abcdef01234567", "--upload-pack=x"):
        four = refused(place.run("deploy", f"file://{folder}", "--target", "local", f"--ref={ref}", "--yes"), 20)
        assert repr(ref) in four[1]
    nothing_stands(place)
    refused(place.run("deploy", f"file://{folder}", "--target", "local", "--ref", ""), 3)


@pytest.mark.parametrize(("commits", "code"), [(0, 20), (1, 30)])
def test_an_empty_repository(place: World, commits: int, code: int) -> None:
    folder = place.folder / f"empty-{commits}"
    git = ["git", "-c", "user.name=test", "-c", "user.email=test@localhost", "-C", str(folder)]
    subprocess.run(["git", "init", "-q", "-b", "main", str(folder)], check=True)
    for _ in range(commits):
        subprocess.run([*git, "commit", "-q", "--allow-empty", "-m", "nothing"], check=True)
    refused(place.run("deploy", f"file://{folder}", "--target", "local", "--yes"), code)
    refused(place.run("deploy", str(folder), "--target", "local", "--yes"), 20)
    nothing_stands(place)


@pytest.mark.parametrize(
    ("files", "code", "said"),
    [
        ({"pyproject.toml": "[project\n"}, 30, "pyproject.toml is no TOML"),
        ({"package.json": '{"name": "x",'}, 30, "package.json is no JSON"),
        ({"requirements.txt": "fastapi >>> 1\n", "main.py": "import fastapi\napp = fastapi.FastAPI()\n"}, 40, ">>> 1"),
        ({"requirements.txt": "flask\n", "app.py": "import flask\napp = flask.Flask(\n"}, 30, "application object"),
    ],
)
def test_a_malformed_file(place: World, tmp_path: Path, files: dict[str, str], code: int, said: str) -> None:
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    done = place.run("deploy", str(tmp_path), "--target", "local", "--yes", "--name", "malformed")
    refused(done, code)
    assert said in done.stderr
    nothing_stands(place)


def test_a_variable_that_is_missing(place: World) -> None:
    folder = place.repository("flask-factory", "needy")
    source = folder / "shop" / "__init__.py"
    source.write_text(f"import os\nTOKEN = os.environ['PAYMENT_TOKEN']\n{source.read_text()}")
    place.commit(folder, "need a token")
    four = refused(place.run("deploy", str(folder), "--target", "local", "--yes"), 30)
    assert "PAYMENT_TOKEN" in four[1]
    assert "--env" in four[3]
    nothing_stands(place)
    refused(place.run("deploy", str(folder), "--target", "local", "--env", "PAYMENT_TOKEN=t"), 3)


def test_a_region_that_is_none(place: World) -> None:
    four = refused(place.run("deploy", str(place.folder), "--target", "local", "--region", "nowhere-9", "--yes"), 60)
    assert "nowhere-9" in four[1]
    nothing_stands(place)


def test_a_second_run_at_once_is_told_whom_it_waits_for(place: World) -> None:
    folder = place.repository("fastapi-plain", "twice")
    deploy = ("deploy", str(folder), "--target", "local")
    refused(place.run(*deploy), 3)
    (identifier,) = [state["deployment_id"] for state in place.json("list") if state["name"] == "twice"]
    lock = place.home / "deployments" / identifier / "lock"
    with lock.open("r+") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        lock.write_text(
            '{"pid": 4711, "host": "h", "command": "autodeploy deploy", "since": "now", "reason": "deploy"}'
        )
        for command in (deploy, ("destroy", identifier, "--yes"), ("local", "reset"), ("local", "down")):
            assert "process 4711 on h" in refused(place.run(*command), 75)[1]
    refused(place.run(*deploy), 3)


def test_a_daemon_that_was_killed(place: World) -> None:
    folder = place.repository("fastapi-plain", "epoch")
    deploy = ("deploy", str(folder), "--target", "local")
    refused(place.run(*deploy), 3)
    os.kill(json.loads((place.home / "local" / "daemon.json").read_text())["pid"], signal.SIGKILL)
    four = refused(place.run(*deploy), 12)
    assert "autodeploy local reset" in four[3]
    assert place.run("local", "reset").returncode == 0
    assert place.json("list") == []
    refused(place.run(*deploy), 3)
