"""Machines and databases behind the data plane, on a fake engine whose addresses are this machine's loopback."""

from __future__ import annotations

import asyncio
import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from autodeploy.errors import LocalTargetError
from autodeploy.local import databases, machines, mariadb, postgres
from autodeploy.local.containers import container_engine
from autodeploy.local.databases import server_of
from autodeploy.local.dataplane import DatabaseOrder, DataPlane, Listener, MachineOrder, TargetGroup
from autodeploy.local.fleet import Speaks, await_answer
from autodeploy.local.local_dataplane import LocalDataPlane
from autodeploy.local.postgres import SSL_REQUEST

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
    for module in (postgres, mariadb):
        monkeypatch.setattr(module, "PORT", port)
    monkeypatch.setattr(machines, "SSH_PORT", port)

    def serve() -> None:
        while True:
            try:
                peer, _ = server.accept()
            except OSError:
                return
            with peer, suppress(OSError):
                if not question or peer.recv(len(question), socket.MSG_WAITALL) == question:
                    peer.sendall(answer)

    serving = threading.Thread(target=serve)
    serving.start()
    try:
        yield
    finally:
        # Closing alone leaves a waiting accept, which may take what comes to the next one of this number.
        server.shutdown(socket.SHUT_RDWR)
        serving.join()
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


def test_a_database_is_filled_from_its_snapshot_once(
    engine_path: Install, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    state = engine_path("podman", says="")
    order = DATABASE.but(snapshot="kept")

    def done(of: LocalDataPlane) -> list[str]:
        before = len(fake_engine.calls(state))
        asyncio.run(of.run_database(order))
        return [" ".join(call) for call in fake_engine.calls(state)[before:]]

    with speaking(SSL_REQUEST, b"S", monkeypatch):
        made = plane(tmp_path)
        asyncio.run(made.run_database(DATABASE))
        made._snapshots.keep("kept", "web-db", "postgres", "app")
        first = done(made)
        filling = [number for number, call in enumerate(first) if "pg_restore" in call or "psql -X" in call]
        marking = next(number for number, call in enumerate(first) if f"touch {databases.FILLED}" in call)
        assert filling and max(filling) < marking
        # The master's password is set once more: the one of then came along.
        assert any("sh -s" in call for call in first[max(filling) : marking])
        kept = json.loads(state.read_text())
        state.write_text(json.dumps({**kept, "says": "yes"}))
        assert not [call for call in done(made) if "pg_restore" in call or "touch" in call]


async def impatient(address: str, port: int, speaks: Speaks, seconds: float) -> bool:
    """Ask for a second, while all that goes before has its time."""
    return await await_answer(address, port, speaks, 1.0)


def test_a_database_without_tls_is_an_error(podman: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(databases, "await_answer", impatient)
    with speaking(SSL_REQUEST, b"N", monkeypatch), pytest.raises(LocalTargetError, match="accepts no TLS connection"):
        asyncio.run(plane(tmp_path).run_database(DATABASE))


def greeting(capabilities: int) -> bytes:
    """A server's first packet, as far as it is read: protocol, version, thread, seed, filler, capabilities."""
    body = b"\x0a5.5.5-10.11.19-MariaDB\0" + bytes(4) + b"12345678\0" + capabilities.to_bytes(2, "little") + bytes(20)
    return len(body).to_bytes(3, "little") + b"\0" + body


@pytest.mark.parametrize(("engine", "version"), [("mariadb", "10.11.9"), ("mysql", "8.0.41"), ("mysql", "8.4")])
def test_a_mariadb_is_set_up_with_tls_alone_and_a_master_without_super(
    podman: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, engine: str, version: str
) -> None:
    order = DATABASE.but(engine=engine, engine_version=version)
    with speaking(b"", greeting(0x0800), monkeypatch):
        address, _ = asyncio.run(plane(tmp_path).run_database(order))
    assert address == "127.89.0.10"
    [run] = [call for call in fake_engine.calls(podman) if "run" in call]
    assert any(word.startswith("localhost/autodeploy-mariadb:debian-12-") for word in run)
    script = json.loads(podman.read_text())["stdin"]
    assert "require_secure_transport = ON" in script
    assert "IDENTIFIED BY 'it''s\\\\secret'" in script
    assert "CREATE USER" in script and "SUPER" not in script and "ALL PRIVILEGES" not in script
    assert "secret" not in json.dumps(fake_engine.calls(podman))


@pytest.mark.parametrize("answer", [greeting(0), b"\x10\0\0\0\xffHost is blocked"[:20], b"HTTP/1.1 400"])
def test_a_mariadb_without_tls_is_an_error(
    podman: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, answer: bytes
) -> None:
    monkeypatch.setattr(databases, "await_answer", impatient)
    order = DATABASE.but(engine="mariadb", engine_version="10.11")
    with speaking(b"", answer, monkeypatch), pytest.raises(LocalTargetError, match="accepts no TLS connection"):
        asyncio.run(plane(tmp_path).run_database(order))


@pytest.mark.parametrize(
    ("engine", "version"),
    [("oracle-se2", "19"), ("mariadb", "10.6"), ("mariadb", ""), ("postgres", "9.6"), ("postgres", "")],
)
def test_other_engines_are_refused_by_name(engine: str, version: str) -> None:
    with pytest.raises(LocalTargetError, match=engine) as caught:
        server_of(engine, version)
    assert "postgres 15" in caught.value.remediation
    assert "mysql, which MariaDB 10.11 stands in for" in caught.value.remediation


def test_each_version_has_the_debian_that_brings_it() -> None:
    assert (server_of("mariadb", "11.8.2").base_image, server_of("postgres", "17.4").base_image) == ("debian-13",) * 2


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
