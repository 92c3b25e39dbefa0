"""One request through the balancer: streams, failures of the target, WebSockets, draining."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest

from autodeploy.local import balancer
from autodeploy.local.balancer import Balancers
from autodeploy.local.dataplane import Listener, Target, TargetGroup

from .upstream import Upstream, upstream

ARN = "arn:balancer"


def listener(*targets: Target, drain: int = 60) -> Listener:
    return Listener(port=80, group=TargetGroup(arn="g", targets=targets, health_check_path="/health", drain=drain))


@asynccontextmanager
async def through(
    folder: Path, drain: int = 1
) -> AsyncIterator[tuple[Upstream, Balancers, aiohttp.ClientSession, str]]:
    """Serve one upstream, healthy, behind an HTTP listener."""
    async with upstream() as (server, target), aiohttp.ClientSession() as client:
        served = Balancers(folder)
        try:
            await served.serve(ARN, [listener(target, drain=drain)])
            while served.health("g") != {"127.0.0.1": "healthy"}:
                await asyncio.sleep(0.01)
            port = json.loads((folder / "balancers.json").read_text())[ARN]["http"]
            yield server, served, client, f"http://127.0.0.1:{port}"
        finally:
            await served.stop()


def test_answers_are_streamed_piece_by_piece(tmp_path: Path) -> None:
    async def body() -> None:
        async with through(tmp_path) as (server, _, client, url), client.get(f"{url}/stream") as answer:
            assert await answer.content.readany() == b"first"
            server.release.set()
            assert await answer.content.read() == b"second"

    asyncio.run(body())


def test_a_body_of_unknown_length_is_streamed_on(tmp_path: Path) -> None:
    async def pieces() -> AsyncIterator[bytes]:
        for _ in range(3):
            yield b"y" * 1000
            await asyncio.sleep(0)

    async def body() -> None:
        async with through(tmp_path) as (_, _, client, url), client.post(f"{url}/echo", data=pieces()) as answer:
            assert (await answer.json(content_type=None))["size"] == 3000

    asyncio.run(body())


def test_a_client_that_waits_for_100_continue_gets_it(tmp_path: Path) -> None:
    async def body() -> None:
        async with through(tmp_path) as (_, _, client, url):
            async with client.post(f"{url}/echo", data=b"z" * 10, expect100=True) as answer:
                told = await answer.json(content_type=None)
            assert told["size"] == 10 and "expect" not in told["headers"]

    asyncio.run(body())


def test_a_target_that_hangs_up_gives_502(tmp_path: Path) -> None:
    async def body() -> None:
        async with through(tmp_path) as (_, _, client, url), client.get(f"{url}/cut") as answer:
            assert answer.status == 502
            assert answer.headers["Server"] == "awselb/2.0"

    asyncio.run(body())


def test_half_an_answer_is_never_a_whole_one(tmp_path: Path) -> None:
    async def body() -> None:
        async with through(tmp_path) as (_, _, client, url):
            with pytest.raises(aiohttp.ClientError):
                async with client.get(f"{url}/half") as answer:
                    await answer.read()

    asyncio.run(body())


def test_a_target_that_does_not_answer_gives_504(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(balancer, "IDLE_SECONDS", 0.2)

    async def body() -> None:
        async with through(tmp_path) as (_, _, client, url), client.get(f"{url}/slow") as answer:
            assert answer.status == 504

    asyncio.run(body())


def test_a_client_that_goes_away_breaks_nothing(tmp_path: Path) -> None:
    async def body() -> None:
        async with through(tmp_path) as (server, _, client, url):
            async with client.get(f"{url}/stream") as answer:
                await answer.content.readany()
                answer.close()
            server.release.set()
            async with client.get(f"{url}/") as answer:
                assert await answer.text() == "one"

    asyncio.run(body())


def test_a_removed_target_finishes_what_it_began(tmp_path: Path) -> None:
    async def body() -> None:
        async with through(tmp_path, drain=60) as (server, served, client, url):
            running = asyncio.create_task(client.get(f"{url}/slow"))
            await server.entered.wait()
            await served.serve(ARN, [listener()])
            async with client.get(f"{url}/") as answer:
                assert answer.status == 503
            server.release.set()
            assert await (await running).text() == "late"

    asyncio.run(body())


def test_a_removed_target_is_cut_after_the_drain_time(tmp_path: Path) -> None:
    async def body() -> None:
        async with through(tmp_path) as (server, served, client, url):
            running = asyncio.create_task(client.post(f"{url}/slow"))
            await server.entered.wait()
            await served.serve(ARN, [listener()])
            with pytest.raises(aiohttp.ClientError):
                await asyncio.wait_for(running, 60)

    asyncio.run(body())


def test_websockets_pass_both_ways(tmp_path: Path) -> None:
    async def body() -> None:
        async with through(tmp_path) as (_, _, client, url):
            async with client.ws_connect(f"{url}/ws", protocols=["chat"]) as sock:
                assert sock.protocol == "chat"
                await sock.send_str("hello")
                assert await sock.receive_str() == "one: hello"
                await sock.send_bytes(b"abc")
                assert await sock.receive_bytes() == b"cba"
                await sock.ping()
            assert sock.close_code == 1000

    asyncio.run(body())


def test_a_websocket_the_target_refuses_is_refused(tmp_path: Path) -> None:
    async def body() -> None:
        async with through(tmp_path) as (_, _, client, url):
            with pytest.raises(aiohttp.WSServerHandshakeError) as caught:
                await client.ws_connect(f"{url}/plain")
            assert caught.value.status == 502
            with pytest.raises(aiohttp.WSServerHandshakeError) as caught:
                await client.ws_connect(f"{url}/cut")
            assert caught.value.status == 502

    asyncio.run(body())


def test_http_1_0_clients_get_no_chunks(tmp_path: Path) -> None:
    async def body() -> None:
        async with through(tmp_path) as (server, _, _, url):
            server.release.set()
            reader, writer = await asyncio.open_connection("127.0.0.1", int(url.rpartition(":")[2]))
            writer.write(b"GET /stream HTTP/1.0\r\n\r\n")
            text = (await reader.read()).decode()
            writer.close()
            assert "chunked" not in text.lower() and text.endswith("firstsecond")

    asyncio.run(body())


def test_the_session_listens_to_no_proxy_of_the_environment() -> None:
    async def body() -> None:
        served = Balancers(Path("/nonexistent"))
        assert not served.session.trust_env
        await served.stop()

    asyncio.run(body())
    assert socket.getdefaulttimeout() is None
