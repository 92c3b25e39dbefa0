"""Containers and networks of one home: names, labels, addresses, and never another home's."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import threading
from pathlib import Path

import pytest

from autodeploy.errors import LocalTargetError
from autodeploy.local.containers import container_engine
from autodeploy.local.fleet import Fleet, await_answer

from . import fake_engine
from .conftest import Install, containers


def fleet(home: Path, epoch: str = "one") -> Fleet:
    return Fleet(container_engine(), home, epoch)


async def speaks_ssh(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> bool:
    return await reader.readexactly(4) == b"SSH-"


async def boot(fleet: Fleet, name: str, network: str = "vpc-1") -> str:
    return await fleet.start("machine", name, "web-1", network, "image", (), "/init")


def test_each_container_has_its_own_address_and_hardware_address(podman: Path, tmp_path: Path) -> None:
    async def both() -> list[str]:
        one = fleet(tmp_path)
        return list(await asyncio.gather(boot(one, "i-1"), boot(one, "i-2")))

    assert sorted(asyncio.run(both())) == ["127.89.0.10", "127.89.0.11"]
    runs = [call for call in fake_engine.calls(podman) if "run" in call]
    assert {call[call.index("--mac-address") + 1] for call in runs} == {"9a:ad:7f:59:00:0a", "9a:ad:7f:59:00:0b"}
    assert all("--restart=always" in call for call in runs)


def test_every_vpc_has_a_network_of_its_own(podman: Path, tmp_path: Path) -> None:
    async def both() -> tuple[str, str]:
        one = fleet(tmp_path)
        return await boot(one, "i-1", "vpc-1"), await boot(one, "i-2", "vpc-2")

    assert asyncio.run(both()) == ("127.89.0.10", "127.89.1.10")


def test_docker_gets_a_subnet_that_is_free(engine_path: Install, tmp_path: Path) -> None:
    state = engine_path("docker", taken_subnets=["10.89.0.0/24"])
    assert asyncio.run(boot(fleet(tmp_path), "i-1")) == "10.89.1.10"
    assert len(containers(state)) == 1


def test_docker_without_a_free_subnet_says_so(engine_path: Install, tmp_path: Path) -> None:
    engine_path("docker", taken_subnets=[f"10.89.{third}.0/24" for third in range(64)])
    with pytest.raises(LocalTargetError, match="no free subnet"):
        asyncio.run(boot(fleet(tmp_path), "i-1"))


def test_a_failed_start_leaves_nothing(engine_path: Install, tmp_path: Path) -> None:
    state = engine_path("podman", broken=["run"])
    with pytest.raises(LocalTargetError, match="run is broken"):
        asyncio.run(boot(fleet(tmp_path), "i-1"))
    assert containers(state) == {}


def test_a_stopped_container_is_resumed_at_its_address(podman: Path, tmp_path: Path) -> None:
    async def again() -> tuple[str, str | None, str | None]:
        one = fleet(tmp_path)
        address = await boot(one, "i-1")
        await one.stop(one.container("machine", "i-1"))
        return address, await one.resume("machine", "i-1"), await one.resume("machine", "i-2")

    assert asyncio.run(again()) == ("127.89.0.10", "127.89.0.10", None)
    assert [each["status"] for each in containers(podman).values()] == ["running"]


def test_a_container_of_an_account_that_is_gone_is_not_resumed(podman: Path, tmp_path: Path) -> None:
    asyncio.run(boot(fleet(tmp_path, "old"), "i-1"))
    assert asyncio.run(fleet(tmp_path, "new").resume("machine", "i-1")) is None
    assert containers(podman) == {}


def test_reset_and_members_see_only_this_home(podman: Path, tmp_path: Path) -> None:
    mine, other = tmp_path / "mine", tmp_path / "other"
    asyncio.run(boot(fleet(mine), "i-1"))
    asyncio.run(boot(fleet(other), "i-1"))
    [member] = asyncio.run(fleet(mine).members())
    assert (member.kind, member.name, member.deployment, member.epoch) == ("machine", "i-1", "web-1", "one")
    asyncio.run(fleet(mine).reset())
    assert list(containers(podman)) == [fleet(other).container("machine", "i-1")]
    assert len(asyncio.run(container_engine().names("network", {"autodeploy.home": fleet(other).seal}))) == 1


def test_removing_twice_is_done(podman: Path, tmp_path: Path) -> None:
    async def twice() -> None:
        one = fleet(tmp_path)
        await boot(one, "i-1")
        for _ in range(2):
            await one.remove("machine", "i-1")
            await one.remove_network("vpc-1")

    asyncio.run(twice())
    assert containers(podman) == {}


@pytest.mark.parametrize(("busy", "left"), [(1, 0), (9, 1)])
def test_a_container_between_end_and_restart_is_removed_in_the_end(
    engine_path: Install, tmp_path: Path, busy: int, left: int
) -> None:
    state = engine_path("podman", busy=busy)
    asyncio.run(boot(fleet(tmp_path), "i-1"))
    with pytest.raises(LocalTargetError, match="podman rm") if left else contextlib.nullcontext():
        asyncio.run(fleet(tmp_path).remove("machine", "i-1"))
    assert len(containers(state)) == left


def test_a_port_that_says_something_else_is_no_answer() -> None:
    server = socket.create_server(("127.0.0.1", 0))
    address, port = server.getsockname()[:2]

    def speak() -> None:
        for words in (b"HTTP", b"SSH-2.0"):
            peer, _ = server.accept()
            peer.sendall(words)
            peer.close()

    threading.Thread(target=speak, daemon=True).start()
    assert asyncio.run(await_answer(address, port, speaks_ssh, 60))
    server.close()


def test_a_port_where_nobody_listens_is_no_answer() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))  # ours, so that nobody else answers there
        assert not asyncio.run(await_answer(*unused.getsockname(), speaks_ssh, 0.3))
