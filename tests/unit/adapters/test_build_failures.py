"""Builds that fail, run out of something or are interrupted: named, bounded, and nothing left behind."""

from __future__ import annotations

import io
import multiprocessing
import os
import signal
import stat
import tarfile
import threading
import time
from pathlib import Path

import pytest
from fixtures.pressing import until
from unit.adapters.building import RECIPE, STACK, World

from autodeploy.adapters.build import Limits, artifacts, context, failures
from autodeploy.adapters.build.container import printable
from autodeploy.builder.noderuntime import fetch_command
from autodeploy.errors import BuildError, LocalTargetError
from autodeploy.model import BuildArtifact, BuildStep, Source


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


@pytest.mark.parametrize(
    ("step", "code", "message", "advice"),
    [
        (2, 1, "pip install failed with exit code 1", "Check requirements.txt for invalid dependencies"),
        (3, 2, "manage.py collectstatic failed with exit code 2", "Run it by hand"),
        (3, 137, "manage.py collectstatic failed with exit code 137", "out of memory"),
    ],
)
def test_a_failing_step_is_named(world: World, step: int, code: int, message: str, advice: str) -> None:
    noise = [f"line {number}" for number in range(100)]
    world.engine.play(lines=[f"MARK step {step}", *noise, f"MARK failed {step} {code}"], code=1)
    with pytest.raises(BuildError) as caught:
        world.build()
    error = caught.value
    assert error.message == message
    assert advice in error.remediation
    assert str(world.folder / "out" / "build.log") in error.remediation
    assert error.output.splitlines() == noise[-40:]
    assert error.context.endswith("for Python application")
    assert (error.agent, error.exit_code, error.recoverable) == ("HiveMind DevOps", 40, False)
    assert "line 0" in (world.folder / "out" / "build.log").read_text()
    assert not list((world.folder / "out").glob(".*partial"))


@pytest.mark.parametrize(
    ("said", "advice"),
    [
        ("ERROR: No matching distribution found for x", "does not exist"),
        ("NewConnectionError: failed", "registry could not be reached"),
        ("SSLError(CERTIFICATE_VERIFY_FAILED)", "PIP_CERT"),
        ("npm error `npm ci` can only install packages when your package.json and lock are in sync", "commit the lock"),
        ("npm error code ERESOLVE", "legacy-peer-deps"),
        ("npm ERR! code E404", "does not exist"),
        ("npm error request to https://r failed, reason: getaddrinfo EAI_AGAIN r", "NPM_CONFIG_REGISTRY"),
        ("gyp ERR! build error", "has a binary"),
        ("FATAL ERROR: Reached heap limit - JavaScript heap out of memory", "ran out of memory"),
        ("src/a.ts(1,2): error TS2322: no", "npm run build"),
        ("Error: pg_config executable not found.", "binary wheel"),
        ("go: go.mod requires go >= 1.99 (running go 1.27.3; GOTOOLCHAIN=local)", "go and toolchain lines"),
        ("main.go:3:8: missing go.sum entry for module providing package x", "go mod tidy"),
        ("main.go:9:12: pattern dist/*: no matching files found", "go:embed"),
        ("main.go:4:2: no required module provides package example.org/x; to add it:", "go.mod does not require"),
        ("go: example.org/x@v1.0.0: reading https://proxy.example/x/@v/v1.0.0.mod: 404 Not Found", "GOPRIVATE"),
    ],
)
def test_common_causes_are_explained(world: World, said: str, advice: str) -> None:
    world.engine.play(lines=[said, "MARK failed 2 1"], code=1)
    with pytest.raises(BuildError) as caught:
        world.build()
    assert advice in caught.value.remediation


@pytest.mark.parametrize(
    ("command", "name", "advice"),
    [
        (
            "mkdir -p /app/modules && cp package.json /app/modules && cd /app/modules && npm ci",
            "npm ci",
            "package.json",
        ),
        ("npm install", "npm install", "Check package.json for invalid dependencies"),
        ("npm run build", "npm run build", "Run it by hand"),
        ("PATH=$PWD/node_modules/.bin:$PATH tsc -p x", "tsc x", "Run it by hand"),
        (fetch_command("24.15.0"), "fetching Node.js", "nodejs.org"),
    ],
)
def test_the_tool_is_called_as_people_call_it(command: str, name: str, advice: str) -> None:
    error = failures.step_failed(BuildStep(what="x", command=command), 1, "nodejs", [], Path("/log"))
    assert error.message == f"{name} failed with exit code 1"
    assert advice in error.remediation
    assert error.context == "x for Node.js application"


def test_a_step_killed_for_memory_is_named(world: World) -> None:
    world.engine.play(lines=["MARK step 3"], code=137)
    with pytest.raises(BuildError, match="collectstatic failed with exit code 137"):
        world.build()


def test_a_step_cannot_speak_for_the_builder(world: World) -> None:
    world.engine.play(lines=["archive 00 5", "failed 1 1", "MARK step 1"], archive="bytes")
    assert Path(world.build().path).read_bytes().endswith(b"bytes")


def test_what_is_missing_is_named(world: World) -> None:
    world.engine.play(lines=["MARK missing venv"], code=1)
    with pytest.raises(BuildError, match="left no /app/venv"):
        world.build()


@pytest.mark.parametrize(
    "plan",
    [
        {"lines": ["Error: no such image"], "code": 125},
        {"lines": [], "code": 0},
        {"archive": "bytes", "seal": "0" * 64},
        {"lines": ["MARK unsafe"], "code": 1},
    ],
)
def test_a_failing_engine_is_no_build_error(world: World, plan: dict[str, object]) -> None:
    world.engine.play(**plan)
    with pytest.raises(LocalTargetError) as caught:
        world.build()
    assert len(str(caught.value).splitlines()) == 4


def test_an_engine_that_is_not_there_is_named(world: World) -> None:
    world.builder._engine = ("/nowhere/podman", "run")
    with pytest.raises(LocalTargetError, match="cannot be started"):
        world.build()


def test_a_build_ends_in_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    world = World(tmp_path, Limits(build_seconds=1))

    class Clock(threading.Timer):
        """Begins when the build has spoken, however long a busy machine takes to start it."""

        def run(self) -> None:
            until(lambda: "still here" in world.said)
            super().run()

    monkeypatch.setattr(threading, "Timer", Clock)
    world.engine.play(lines=["MARK step 1", "still here"], hangs=True)
    with pytest.raises(BuildError, match="did not end within 1 s") as caught:
        world.build()
    assert "still here" in caught.value.output
    assert len(world.engine.killed) == 1


def test_an_archive_too_large_is_refused(tmp_path: Path) -> None:
    world = World(tmp_path, Limits(archive_bytes=3, memory=""))
    world.engine.play(archive="bytes")
    with pytest.raises(BuildError, match="more than is deployed"):
        world.build()
    assert "--memory" not in world.engine.words


def test_the_output_of_a_chatty_build_is_cut_and_the_build_goes_on(tmp_path: Path) -> None:
    world = World(tmp_path, Limits(log_bytes=100))
    world.engine.play(lines=[*["x" * 30] * 50, "MARK packing"], archive="bytes")
    assert Path(world.build().path).read_bytes().endswith(b"bytes")
    assert world.said == [*["x" * 30] * 3, "Packing the archive"]
    assert "47 lines were left out" in (world.folder / "out" / "build.log").read_text()


def test_a_chatty_build_that_fails_shows_its_last_lines(tmp_path: Path) -> None:
    world = World(tmp_path, Limits(log_bytes=100))
    world.engine.play(lines=["MARK step 3", *["x" * 30] * 300, "the reason", "MARK failed 3 1"], code=1)
    with pytest.raises(BuildError, match="collectstatic failed") as caught:
        world.build()
    assert caught.value.output.splitlines()[-1] == "the reason"


def test_input_may_be_left_unread(world: World) -> None:
    (world.root / "large").write_bytes(b"\0" * 4_000_000)
    source = Source(world.source.url, "1" * 40, world.root, ("large", "r.txt"))
    world.engine.play(reads=False, archive="bytes")
    assert Path(world.build(source).path).read_bytes().endswith(b"bytes")


def test_ctrl_c_ends_the_container(world: World) -> None:
    world.engine.play(lines=["MARK step 1"], hangs=True)

    def interrupt() -> None:
        while not world.said:
            time.sleep(0.02)
        os.kill(os.getpid(), signal.SIGINT)

    threading.Thread(target=interrupt, daemon=True).start()
    with pytest.raises(KeyboardInterrupt):
        world.build()
    [name] = world.engine.killed
    assert name.startswith("autodeploy-build-")


def test_the_container_of_a_killed_run_is_ended_by_the_next(world: World) -> None:
    world.engine.play(lines=["MARK step 1"], hangs=True)
    run = multiprocessing.get_context("fork").Process(target=world.build)
    run.start()
    while not world.engine.words:
        time.sleep(0.02)
    left = world.engine.words[world.engine.words.index("--name") + 1]
    run.kill()
    run.join()
    assert world.engine.killed == []
    world.engine.play(archive="bytes")
    (world.folder / "out" / ".of-another-commit.partial").touch()
    assert Path(world.build().path).read_bytes().endswith(b"bytes")
    assert world.engine.killed == [left]
    assert list((world.folder / "out").glob(".*")) == list((world.folder / "cache").rglob("*.running")) == []


def test_builds_of_one_key_wait_for_each_other(world: World) -> None:
    name = artifacts.key(world.source, RECIPE, "builder-debian-12")
    done: list[BuildArtifact] = []
    world.engine.play(archive="bytes")
    with artifacts.ArtifactCache(world.folder / "cache" / "artifacts").held(name):
        thread = threading.Thread(target=lambda: done.append(world.build()))
        thread.start()
        time.sleep(0.3)
        assert not done
    thread.join(60)
    assert len(done) == 1


def test_only_the_application_root_is_built(world: World) -> None:
    (world.root / "web").mkdir()
    (world.root / "web" / "r.txt").write_text("x")
    source = Source("u", "2" * 40, world.root, ("r.txt", "web/r.txt"))
    world.engine.play(archive="bytes")
    stack = STACK.but(app_root="web")
    world.builder.build(source, stack, RECIPE, world.folder / "out", world.said.append)
    with tarfile.open(fileobj=io.BytesIO(world.engine.stdin)) as archive:
        assert [name for name in archive.getnames() if name.startswith("app/src/")] == ["app/src/r.txt"]


def test_the_archive_bears_the_newest_time_of_the_source(world: World) -> None:
    for path in world.source.paths:
        os.utime(world.root / path, (0, 0), follow_symlinks=False)
    assert context.epoch(world.source) == 315_619_200
    os.utime(world.root / "r.txt", (1_700_000_000, 1_700_000_000))
    assert context.epoch(world.source) == 1_700_000_000


@pytest.mark.parametrize(
    ("raw", "text"),
    [(b"plain\n", "plain"), (b"\x1b[31mred\x1b[0m\r\n", "red"), (b"10%\r20%", "20%"), (b"\x1b]0;t\x07x\x00\x9b", "x�")],
)
def test_a_line_cannot_drive_the_terminal(raw: bytes, text: str) -> None:
    assert printable(raw) == text


def test_the_cache_is_private(world: World) -> None:
    world.engine.play(archive="bytes")
    world.build()
    assert stat.S_IMODE((world.folder / "cache" / "artifacts").stat().st_mode) == 0o700
