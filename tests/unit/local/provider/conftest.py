"""A real provider over moto's server, with a data plane that only remembers; the protocol is spoken over gRPC."""

from __future__ import annotations

import asyncio
import os
import threading
import urllib.request
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any

import boto3
import pytest
from fakes.plane import FakePlane
from protocol_engine import REGION, Engine
from whole import World

from autodeploy.local.provider import amis_file, serve_provider
from autodeploy.local.provider.table import load_schemas
from autodeploy.local.provider.wire import UNKNOWN


@dataclass
class Served:
    """A running provider and what stands behind it."""

    port: int
    plane: FakePlane
    endpoint: str
    run: Callable[[Any], Any]
    stop: Callable[[], None]
    working: Callable[[], list[str]]

    def aws(self, service: str) -> Any:
        return boto3.client(
            service,
            region_name=REGION,
            endpoint_url=self.endpoint,
            aws_access_key_id="test",
            aws_secret_access_key="test",
        )

    def tags(self, identity: str) -> dict[str, str]:
        found = self.aws("ec2").describe_tags(Filters=[{"Name": "resource-id", "Values": [identity]}])["Tags"]
        return {item["Key"]: item["Value"] for item in found}


@pytest.fixture(scope="session")
def emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    amis = tmp_path_factory.mktemp("moto") / "amis.json"
    amis_file(amis)
    os.environ["MOTO_AMIS_PATH"] = str(amis)
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture(scope="session")
def loop() -> Iterator[asyncio.AbstractEventLoop]:
    made = asyncio.new_event_loop()
    thread = threading.Thread(target=made.run_forever, daemon=True)
    thread.start()
    yield made
    made.call_soon_threadsafe(made.stop)
    thread.join(5)


@pytest.fixture(scope="session")
def reset(emulator: str) -> Callable[[], None]:
    """Empties the account."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    request = urllib.request.Request(f"{emulator}/moto-api/reset", method="POST")
    return lambda: opener.open(request, timeout=30).close()


@pytest.fixture
def served(emulator: str, reset: Callable[[], None], loop: asyncio.AbstractEventLoop) -> Iterator[Served]:
    def run(work: Any) -> Any:
        future: Future[Any] = asyncio.run_coroutine_threadsafe(work, loop)
        return future.result(60)

    reset()
    plane = FakePlane()
    server = run(serve_provider(emulator, plane))
    # Both ends live in one process here, and pulumi_aws cannot be imported by two threads at once.
    load_schemas()
    yield Served(server.port, plane, emulator, run, lambda: run(server.stop()), server.working)
    run(server.stop())


@pytest.fixture
def engine(served: Served) -> Iterator[Engine]:
    made = Engine(served.port).configure()
    yield made
    made.channel.close()


@pytest.fixture
def another_engine(served: Served) -> Callable[[], Engine]:
    return lambda: Engine(served.port)


@pytest.fixture
def world(engine: Engine) -> World:
    return World(engine)


@pytest.fixture
def unknown() -> str:
    return UNKNOWN
