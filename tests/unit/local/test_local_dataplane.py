"""Machines and databases behind the data plane, on a fake engine whose addresses are this machine's loopback."""

from __future__ import annotations

import asyncio
import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from autodeploy.errors import LocalTargetError
from autodeploy.local import databases, machines
from autodeploy.local.containers import container_engine
from autodeploy.local.databases import SSL_REQUEST, supported_version
from autodeploy.local.dataplane import DatabaseOrder, DataPlane, Listener, MachineOrder, TargetGroup
from autodeploy.local.local_dataplane import LocalDataPlane

from . import fake_engine
from .conftest import Install, containers

MACHINE = MachineOrder(
    instance_id="i-1",
    deployment_id="web-1",
    network="vpc-1",
    image="debian-12",
    public_key="ssh-ed25519 AAAA\n",
    user_data="",
)
DATABASE = DatabaseOrder(
    identifier="web-db",
    deployment_id="web-1",
    network="vpc-1",
    engine="postgres",
    engine_version="15.8",
    username="dbadmin",
    password="it's\\secret",
    database_name="app",
)


def plane(home: Path) -> LocalDataPlane:
    return LocalDataPlane(container_engine(), home, "epoch")


@contextmanager
def speaking(question: bytes, answer: bytes, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Listen on 127.89.0.10, where the fake engine puts the first container, on a free port."""
    server = socket.create_server(("127.89.0.10", 0))
    port = server.getsockname()[1]
    monkeypatch.setattr(databases, "PORT", port)
    monkeypatch.setattr(machines, "SSH_PORT", port)

    def serve() -> None:
        while True:
            try:
                peer, _ = server.accept()
            except OSError:
                return
            with peer:
                if peer.recv(len(question)) == question if question else True:
                    peer.sendall(answer)

    threading.Thread(target=serve, daemon=True).start()
    yield
    server.close()


def test_a_machine_is_booted_from_its_seed(podman: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with speaking(b"", b"SSH-2.0-x", monkeypatch):
        data: DataPlane = plane(tmp_path)
        assert asyncio.run(data.run_instance(MACHINE)) == "127.89.0.10"
        assert asyncio.run(data.run_instance(MACHINE)) == "127.89.0.10"
    seed = tmp_path / "local" / "seeds" / "i-1"
    meta = json.loads((seed / "meta-data").read_text())
    assert meta == {"instance-id": "i-1", "public-keys": ["ssh-ed25519 AAAA"]}
    assert (seed / "user-data").read_text().startswith("#cloud-config\n")
    [run] = [call for call in fake_engine.calls(podman) if "run" in call]
    assert f"{seed}:/var/lib/cloud/seed/nocloud:ro" in run
    assert "autodeploy.deployment=web-1" in run
    asyncio.run(data.terminate_instance("i-1"))
    asyncio.run(data.terminate_instance("i-1"))
    assert containers(podman) == {} and not seed.exists()


def test_a_machine_without_sshd_is_an_error_with_its_console(
    podman: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(machines, "BOOT_SECONDS", 0.1)
    with pytest.raises(LocalTargetError, match="does not answer SSH") as caught:
        asyncio.run(plane(tmp_path).run_instance(MACHINE))
    assert "last words" in caught.value.output


def test_a_console_that_cannot_be_read_says_why(
    engine_path: Install, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine_path("podman", broken=["exec"])
    monkeypatch.setattr(machines, "BOOT_SECONDS", 0.1)
    with pytest.raises(LocalTargetError, match="does not answer SSH") as caught:
        asyncio.run(plane(tmp_path).run_instance(MACHINE))
    assert "exec is broken" in caught.value.output


def test_a_database_is_set_up_by_a_script_without_secrets_in_arguments(
    podman: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with speaking(SSL_REQUEST, b"S", monkeypatch):
        address, _ = asyncio.run(plane(tmp_path).run_database(DATABASE))
    assert address == "127.89.0.10"
    script = json.loads(podman.read_text())["stdin"]
    assert "hostssl all all" in script and "'it''s\\secret'" in script
    assert "CREATEROLE CREATEDB" in script and "LOGIN SUPERUSER" not in script
    assert "secret" not in json.dumps(fake_engine.calls(podman))
    asyncio.run(plane(tmp_path).delete_database("web-db"))
    asyncio.run(plane(tmp_path).remove_network("vpc-1"))
    assert containers(podman) == {}


def test_a_database_without_tls_is_an_error(podman: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(databases, "BOOT_SECONDS", 1.0)
    with speaking(SSL_REQUEST, b"N", monkeypatch), pytest.raises(LocalTargetError, match="accepts no TLS connection"):
        asyncio.run(plane(tmp_path).run_database(DATABASE))


@pytest.mark.parametrize(("engine", "version"), [("mysql", "8.0"), ("postgres", "9.6"), ("postgres", "")])
def test_other_engines_are_refused_by_name(engine: str, version: str) -> None:
    with pytest.raises(LocalTargetError, match=engine) as caught:
        supported_version(engine, version)
    assert "postgres 15" in caught.value.remediation


def test_balancers_answer_through_the_plane(podman: Path, tmp_path: Path) -> None:
    async def body() -> None:
        data = plane(tmp_path)
        name = await data.balancer_name("arn")
        assert name.startswith("localhost:")
        group = TargetGroup(arn="group", targets=(), health_check_path="/")
        await data.serve("arn", [Listener(port=80, group=group)])
        assert await data.health("group") == {}
        assert await data.health("unknown") == {}
        await data.stop()
        assert await data.balancer_name("arn") == name

    asyncio.run(body())
