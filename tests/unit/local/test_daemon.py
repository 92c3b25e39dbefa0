"""The daemon in this process and in its own, started and asked by the client; the container engine is a fake."""

from __future__ import annotations

import asyncio
import http.client
import os
import signal
import stat
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from autodeploy.errors import LocalTargetError
from autodeploy.local import client, daemon
from autodeploy.local.client import LocalTarget
from autodeploy.local.containers import container_engine
from autodeploy.local.fleet import Fleet
from autodeploy.local.records import DaemonInfo, Records

from .conftest import Install, containers


@pytest.fixture
def target(podman: Path, tmp_path: Path) -> Iterator[LocalTarget]:
    found = LocalTarget(tmp_path / "home", tmp_path / "cache")
    yield found
    found.down()


def boot(home: Path, epoch: str) -> None:
    async def both() -> None:
        fleet = Fleet(container_engine(), home, epoch)
        await fleet.start("machine", f"i-{epoch}", "web-1", "vpc-1", "image", (), "/init")
        await fleet.start("database", f"db-{epoch}", "web-1", "vpc-1", "image", (), "/init")

    asyncio.run(both())


def ask(info: DaemonInfo, method: str, path: str, token: str) -> int:
    connection = http.client.HTTPConnection("127.0.0.1", info.control_port, timeout=60)
    connection.request(method, path, headers={"Authorization": f"Bearer {token}"})
    return connection.getresponse().status


def test_two_callers_start_one_daemon_that_outlives_them(target: LocalTarget, podman: Path) -> None:
    with ThreadPoolExecutor(2) as pool:
        first, second = pool.map(lambda _: LocalTarget(target.home, target.cache).ensure(), range(2))
    assert first == second == target.ensure()
    assert os.getsid(first.pid) == first.pid
    assert stat.S_IMODE(target.records.info.stat().st_mode) == 0o600
    assert (target.home / "local" / "rds-ca.pem").is_file()
    assert ask(first, "GET", "/status", "wrong") == 401
    assert ask(first, "GET", "/elsewhere", first.token) == 404
    target.settle("web-1", print)

    boot(target.home, first.account_epoch)
    boot(target.home, "gone")
    target.records.balancers.write_text('{"arn": {"https": 8443, "http": 8080}}')
    status = target.status()
    assert status["account_epoch"] == first.account_epoch
    assert [line.split()[0] for line in status["machines"]] == [f"i-{first.account_epoch}"]  # type: ignore[attr-defined]
    assert len(status["databases"]) == 1 and len(status["leftovers"]) == 2  # type: ignore[arg-type]
    assert status["balancers"] == ["https://localhost:8443/"]

    target.down()
    target.down()
    assert target.running() is None and not target.records.info.exists()
    assert {each["status"] for each in containers(podman).values()} == {"exited"}
    assert len(target.status()["leftovers"]) == 4  # type: ignore[arg-type]
    again = target.ensure()
    assert again.account_epoch != first.account_epoch
    (target.home / "local" / "seeds" / "i-1").mkdir(parents=True)
    target.reset()
    assert not (target.home / "local" / "seeds").exists()
    assert containers(podman) == {} and target.records.balancer_names() == {}


def test_what_a_dead_engine_asked_for_is_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    target = LocalTarget(tmp_path / "home", tmp_path / "cache")
    line = "Creating urn:pulumi:web-1::autodeploy::aws:ec2/vpc:Vpc::vpc"
    answers = iter([[line], [line], []])
    monkeypatch.setattr(target, "running", object)
    monkeypatch.setattr(client, "_ask", lambda info, method, path: {"working": next(answers, [])})
    said: list[str] = []
    target.settle("web-1", said.append)
    assert said == [f"waiting for the local target to finish: {line}"]
    monkeypatch.setattr(client, "_ask", lambda info, method, path: {"working": [line]})
    target.settle("web-2", said.append)
    with pytest.raises(LocalTargetError, match="still busy after 0 s"):
        target.settle("web-1", said.append, 0)


def test_it_tells_of_a_machine_what_no_account_can(target: LocalTarget, podman: Path) -> None:
    info = target.ensure()
    boot(target.home, info.account_epoch)
    machine = Fleet(container_engine(), target.home, "").container("machine", "i-1")
    assert target.console_output("i-1") == f"console of {machine}\n"
    assert target.target_health("web-1") == []

    async def stage() -> list[str]:
        return target.target_health("web-1")  # stages are run by an event loop

    assert asyncio.run(stage()) == []
    target.down()
    assert target.target_health("web-1") == []


def test_sigterm_ends_the_daemon_cleanly_and_removes_no_machine(target: LocalTarget, podman: Path) -> None:
    info = target.ensure()
    boot(target.home, info.account_epoch)
    os.kill(info.pid, signal.SIGTERM)
    assert target._is_over(20)
    assert target.running() is None
    assert "stopping" in target.records.log.read_text()
    assert len(containers(podman)) == 2


def test_a_daemon_that_was_killed_is_replaced(target: LocalTarget) -> None:
    info = target.ensure()
    os.kill(info.pid, signal.SIGKILL)
    assert target._is_over(20)
    assert target.records.info.exists()
    assert target.ensure().account_epoch != info.account_epoch


def test_a_daemon_that_cannot_start_says_its_last_lines(target: LocalTarget, podman: Path) -> None:
    target.records.make()
    with target.records.lock.open("w") as file:
        import fcntl

        fcntl.flock(file, fcntl.LOCK_EX)
        with pytest.raises(LocalTargetError, match="ended with status 62") as caught:
            target.ensure()
    assert "another daemon of this home is running" in caught.value.output
    assert str(target.records.log) in caught.value.remediation


def test_a_daemon_that_is_never_ready_is_ended(target: LocalTarget, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "START_SECONDS", 0.0)
    with pytest.raises(LocalTargetError, match="not ready after 0 s"):
        target.ensure()
    assert target._is_over(20)


def test_a_daemon_of_another_version_is_refused(target: LocalTarget, monkeypatch: pytest.MonkeyPatch) -> None:
    target.ensure()
    monkeypatch.setattr("autodeploy.__version__", "99")
    with pytest.raises(LocalTargetError, match=r"version 0.*this is 99") as caught:
        target.ensure()
    assert "autodeploy local reset" in caught.value.remediation


def test_without_an_engine_nothing_is_started(engine_path: Install, tmp_path: Path) -> None:
    with pytest.raises(LocalTargetError, match="no container engine"):
        LocalTarget(tmp_path / "home", tmp_path).ensure()
    assert not (tmp_path / "home").exists()


def test_the_daemon_keeps_away_from_the_operators_account(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_PROFILE", "production")
    monkeypatch.setenv("NO_PROXY", "internal")
    environment = client._environment()
    assert "AWS_PROFILE" not in environment
    assert environment["NO_PROXY"] == "127.0.0.1,localhost,internal"


def test_it_serves_until_the_control_port_says_stop(
    podman: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MOTO_AMIS_PATH", "")
    records = Records(tmp_path)
    records.make()

    def stop() -> dict[str, object]:
        target = LocalTarget(tmp_path, tmp_path)
        deadline = time.monotonic() + 60
        while target.running() is None and time.monotonic() < deadline:
            time.sleep(0.05)
        info = records.read()
        assert info is not None
        status = target.status()
        assert ask(info, "POST", "/stop", info.token) == 200
        return status

    async def both() -> dict[str, object]:
        running = asyncio.create_task(daemon.serve(tmp_path))
        status = await asyncio.to_thread(stop)
        await asyncio.wait_for(running, 30)
        return status

    assert str(asyncio.run(both())["daemon"]).startswith(f"running, process {os.getpid()}")
    assert not records.info.exists()


def test_a_second_daemon_of_one_home_is_refused(
    podman: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    Records(tmp_path).make()
    with daemon._alone(Records(tmp_path).lock):
        assert daemon.main(["--home", str(tmp_path), "--cache", str(tmp_path)]) == 62
    assert "another daemon" in capsys.readouterr().err


def test_damaged_records_are_none(tmp_path: Path) -> None:
    records = Records(tmp_path)
    records.make()
    records.info.write_text("{")
    records.balancers.write_text("{")
    assert records.read() is None and records.balancer_names() == {}
