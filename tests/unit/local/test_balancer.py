"""Balancers against a real upstream: names, listeners, TLS, redirect, forwarding, health, draining."""

from __future__ import annotations

import asyncio
import json
import socket
import ssl
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest
from yarl import URL

from autodeploy.errors import LocalTargetError
from autodeploy.local import balancer
from autodeploy.local.balancer import Balancers
from autodeploy.local.dataplane import Listener, Target, TargetGroup

from .certificates import localhost
from .upstream import upstream

ARN = "arn:balancer/app/web"
GROUP = "arn:targetgroup/web"
Body = Callable[[Balancers], Awaitable[None]]


def group(*targets: Target, **changes: object) -> TargetGroup:
    return TargetGroup(arn=GROUP, targets=targets, health_check_path="/health", interval=1, drain=1).but(**changes)


def http(to: TargetGroup | None = None) -> Listener:
    return Listener(port=80, group=to)


def https(to: TargetGroup, number: int = 0) -> Listener:
    certificate, key, chain = localhost(number)
    return Listener(port=443, group=to, certificate_pem=certificate, certificate_key=key, certificate_chain=chain)


def trusting(number: int = 0) -> ssl.SSLContext:
    context = ssl.create_default_context(cadata=localhost(number)[2])
    context.check_hostname = False  # The leaf names 127.0.0.1 and the balancer is called localhost.
    return context


def ports(folder: Path) -> dict[str, int]:
    return dict(json.loads((folder / "balancers.json").read_text())[ARN])


@asynccontextmanager
async def balancers(folder: Path) -> AsyncIterator[tuple[Balancers, aiohttp.ClientSession]]:
    served = Balancers(folder)
    async with aiohttp.ClientSession(auto_decompress=False) as client:
        try:
            yield served, client
        finally:
            await served.stop()


async def until(is_so: Callable[[], bool], told: Callable[[], object] = lambda: "in vain") -> None:
    deadline = time.monotonic() + 30
    while not is_so():
        assert time.monotonic() < deadline, told()
        await asyncio.sleep(0.02)


async def until_healthy(served: Balancers, count: int = 1) -> None:
    await until(lambda: [*served.health(GROUP).values()].count("healthy") == count, lambda: served.health(GROUP))


def test_a_name_is_stable_and_skips_taken_ports(tmp_path: Path) -> None:
    async def body() -> None:
        first = Balancers(tmp_path).name(ARN)
        port = int(first.removeprefix("localhost:"))
        assert port >= balancer.FIRST["https"]
        assert Balancers(tmp_path).name(ARN) == first
        with socket.create_server(("127.0.0.1", port + 1)) if _is_free(port + 1) else socket.socket():
            other = Balancers(tmp_path).name("arn:other")
        assert int(other.removeprefix("localhost:")) > port + 1

    asyncio.run(body())


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) != 0


def test_https_forwards_with_what_an_alb_adds(tmp_path: Path) -> None:
    async def body() -> None:
        async with upstream() as (_, target), balancers(tmp_path) as (served, client):
            await served.serve(ARN, [https(group(target))])
            await until_healthy(served)
            url = URL(f"https://{served.name(ARN)}/echo?a=%2F&b=c%20d", encoded=True)
            given = {"X-Forwarded-For": "1.2.3.4", "X-Forwarded-Proto": "gopher", "X-Mine": "kept"}
            async with client.post(url, data=b"x" * 300_000, ssl=trusting(), headers=given) as answer:
                told = await answer.json(content_type=None)
                assert answer.headers["X-Upstream"] == "one"
            assert (told["path"], told["size"], told["method"]) == ("/echo?a=%2F&b=c%20d", 300_000, "POST")
            assert told["headers"]["x-forwarded-for"].startswith("1.2.3.4, ")
            assert told["headers"]["x-forwarded-proto"] == "https"
            assert told["headers"]["x-forwarded-port"] == str(ports(tmp_path)["https"])
            assert told["headers"]["host"] == served.name(ARN)
            assert told["headers"]["x-mine"] == "kept"
            assert answer.cookies["a"].value == "1"
            async with client.head(url, ssl=trusting()) as answer:
                assert answer.status == 200 and await answer.read() == b""

    asyncio.run(body())


def test_tls_before_1_2_is_refused(tmp_path: Path) -> None:
    async def body() -> None:
        async with upstream() as (_, target), balancers(tmp_path) as (served, client):
            await served.serve(ARN, [https(group(target))])
            old = trusting()
            old.options |= ssl.OP_NO_TLSv1_2 | ssl.OP_NO_TLSv1_3
            old.set_ciphers("ALL:@SECLEVEL=0")
            with pytest.raises(aiohttp.ClientConnectionError):
                await client.get(f"https://{served.name(ARN)}/", ssl=old)

    asyncio.run(body())


def test_http_redirects_to_the_https_port(tmp_path: Path) -> None:
    async def body() -> None:
        async with upstream() as (_, target), balancers(tmp_path) as (served, client):
            await served.serve(ARN, [http(), https(group(target))])
            port = ports(tmp_path)["http"]
            async with client.get(f"http://localhost:{port}/a?b=c", allow_redirects=False) as answer:
                assert answer.status == 301
                assert answer.headers["Location"] == f"https://{served.name(ARN)}/a?b=c"
            if socket.has_ipv6 and _has_ipv6_loopback():
                async with client.get(f"http://[::1]:{port}/", allow_redirects=False) as answer:
                    assert answer.headers["Location"].startswith("https://[::1]:")

    asyncio.run(body())


def _has_ipv6_loopback() -> bool:
    try:
        with socket.create_server(("::1", 0), family=socket.AF_INET6):
            return True
    except OSError:
        return False


def test_a_new_certificate_is_served_without_closing_the_port(tmp_path: Path) -> None:
    async def body() -> None:
        async with upstream() as (_, target), balancers(tmp_path) as (served, client):
            await served.serve(ARN, [https(group(target))])
            await served.serve(ARN, [https(group(target), number=1)])
            await until_healthy(served)
            async with client.get(f"https://{served.name(ARN)}/", ssl=trusting(1)) as answer:
                assert await answer.text() == "one"
            async with aiohttp.ClientSession() as fresh:
                with pytest.raises(aiohttp.ClientConnectorCertificateError):
                    await fresh.get(f"https://{served.name(ARN)}/", ssl=trusting(0))

    asyncio.run(body())


def test_a_certificate_without_its_key_is_refused(tmp_path: Path) -> None:
    async def body() -> None:
        async with balancers(tmp_path) as (served, _):
            listener = https(group()).but(certificate_key=localhost(1)[1])
            with pytest.raises(LocalTargetError, match="certificate and key"):
                await served.serve(ARN, [listener])

    asyncio.run(body())


def test_two_listeners_of_one_scheme_are_refused(tmp_path: Path) -> None:
    async def body() -> None:
        async with balancers(tmp_path) as (served, _):
            with pytest.raises(LocalTargetError, match="at most one HTTP"):
                await served.serve(ARN, [http(), http().but(port=8080)])

    asyncio.run(body())


def test_a_port_that_was_taken_while_the_daemon_was_down_is_named(tmp_path: Path) -> None:
    async def body() -> None:
        async with balancers(tmp_path) as (served, _):
            served.name(ARN)
            await served.stop()
            port = ports(tmp_path)["http"]
            with socket.create_server(("127.0.0.1", port)), pytest.raises(LocalTargetError, match=str(port)):
                await served.serve(ARN, [http()])

    asyncio.run(body())


def test_removal_frees_ports_and_name(tmp_path: Path) -> None:
    async def body() -> None:
        async with upstream() as (_, target), balancers(tmp_path) as (served, client):
            await served.serve(ARN, [http(group(target))])
            port = ports(tmp_path)["http"]
            await until_healthy(served)
            await served.serve(ARN, [])
            with pytest.raises(aiohttp.ClientConnectorError):
                await client.get(f"http://localhost:{port}/")
            assert served.health(GROUP) == {}
            assert json.loads((tmp_path / "balancers.json").read_text()) == {}

    asyncio.run(body())


def test_healthy_targets_take_turns_and_an_unhealthy_one_gets_nothing(tmp_path: Path) -> None:
    async def body() -> None:
        async with (
            upstream("one") as (first, a),
            upstream("two") as (_, b),
            balancers(tmp_path) as (served, client),
        ):
            await served.serve(ARN, [http(group(a, b))])
            await until(lambda: all(state.status == "healthy" for state in served.pools[GROUP].states.values()))
            url = f"http://localhost:{ports(tmp_path)['http']}/"

            async def answers() -> list[str]:
                return [await (await client.get(url)).text() for _ in range(4)]

            assert sorted(await answers()) == ["one", "one", "two", "two"]
            first.status = 500
            bad = "unhealthy: HTTP 500 on /health"
            await until(lambda: bad in [state.status for state in served.pools[GROUP].states.values()])
            assert await answers() == ["two"] * 4

    asyncio.run(body())


def test_whatever_is_not_a_server_error_is_healthy(tmp_path: Path) -> None:
    async def body() -> None:
        async with upstream() as (server, target), balancers(tmp_path) as (served, _):
            server.status = 404
            await served.serve(ARN, [http(group(target))])
            await until_healthy(served)

    asyncio.run(body())


def test_without_a_healthy_target_the_answer_is_503(tmp_path: Path) -> None:
    async def body() -> None:
        async with balancers(tmp_path) as (served, client):
            await served.serve(ARN, [http(group(Target(address="127.0.0.1", port=unused.getsockname()[1])))])
            url = f"http://localhost:{ports(tmp_path)['http']}/"
            assert served.health(GROUP) == {"127.0.0.1": "initial"}
            assert (await client.get(url)).status == 503
            await until(lambda: served.health(GROUP)["127.0.0.1"].startswith("unhealthy: Cannot connect"))
            assert (await client.get(url)).status == 503

    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))  # ours, so that nobody else answers there
        asyncio.run(body())


def test_another_health_path_asks_anew(tmp_path: Path) -> None:
    async def body() -> None:
        async with upstream() as (server, target), balancers(tmp_path) as (served, _):
            server.status = 503
            await served.serve(ARN, [http(group(target, healthy_threshold=1))])
            await asyncio.sleep(0.1)
            assert served.health(GROUP) == {"127.0.0.1": "initial"}
            await served.serve(ARN, [http(group(target, health_check_path="/other"))])
            await until_healthy(served)

    asyncio.run(body())


def test_a_name_holds_its_ports_until_the_balancer_goes(tmp_path: Path) -> None:
    async def body() -> None:
        homes = (balancers(tmp_path / "one"), balancers(tmp_path / "two"))
        async with upstream() as (_, target), homes[0] as (first, _), homes[1] as (second, client):
            assert first.name(ARN) != second.name(ARN)
            given = ports(tmp_path / "two")
            with pytest.raises(OSError, match="in use"):
                socket.create_server(("127.0.0.1", given["http"]))
            await second.serve(ARN, [https(group(target))])
            await until_healthy(second)
            async with client.get(f"https://{second.name(ARN)}/", ssl=trusting()) as answer:
                assert await answer.text() == "one"
            await second.serve(ARN, [])
            for port in given.values():  # the balancer of another test, in another process, may take it at once
                await until(lambda port=port: _is_free(port))

    asyncio.run(body())
