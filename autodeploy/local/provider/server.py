"""The provider's server: the emulated API's endpoint and the data plane come in, a gRPC port on loopback goes out."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

import grpc.aio
from pulumi.runtime.proto import provider_pb2_grpc

from autodeploy.errors import LocalTargetError
from autodeploy.local.dataplane import DataPlane
from autodeploy.local.provider import table
from autodeploy.local.provider.account import AGENT, Account
from autodeploy.local.provider.servicer import AwsServicer

_WORKERS = 32
_LARGEST_MESSAGE = 400 * 1024 * 1024
"""As the engine's own clients and servers have it."""


class ProviderServer:
    """A running provider. `port` is where the engine attaches (PULUMI_DEBUG_PROVIDERS=aws:<port>)."""

    def __init__(self, server: grpc.aio.Server, servicer: AwsServicer, pool: ThreadPoolExecutor, port: int) -> None:
        self.port = port
        self._server = server
        self._servicer = servicer
        self._pool = pool

    def working(self) -> list[str]:
        """Return what is being done now, each as a verb and a URN; also for engines that are gone."""
        return self._servicer.working()

    async def stop(self) -> None:
        """Take no more requests, wait for the work that has begun, and end."""
        await self._server.stop(grace=None)
        await self._servicer.finish()
        self._pool.shutdown(wait=False)


async def serve_provider(
    aws_endpoint: str,
    dataplane: DataPlane,
    port: int = 0,
    interceptors: Sequence[grpc.aio.ServerInterceptor] = (),
    sleep: Callable[[float], None] = time.sleep,
) -> ProviderServer:
    """Serve the `aws` provider on a loopback port, 0 for any free one; raise LocalTargetError."""
    pool = ThreadPoolExecutor(_WORKERS, "aws-provider")
    servicer = AwsServicer(Account(aws_endpoint, dataplane, asyncio.get_running_loop(), sleep), pool)
    limits = [("grpc.max_receive_message_length", _LARGEST_MESSAGE), ("grpc.max_send_message_length", _LARGEST_MESSAGE)]
    server = grpc.aio.server(interceptors=interceptors, options=[*limits, ("grpc.so_reuseport", 0)])
    provider_pb2_grpc.add_ResourceProviderServicer_to_server(servicer, server)
    try:
        bound = server.add_insecure_port(f"127.0.0.1:{port}")
        await server.start()
    except RuntimeError as err:
        raise LocalTargetError(
            f"the aws provider cannot listen on 127.0.0.1:{port}: {err}",
            "Free the port, or run `autodeploy local down` and deploy again.",
            agent=AGENT,
            context="Starting the local target's aws provider",
        ) from err
    pool.submit(table.load_schemas)
    return ProviderServer(server, servicer, pool, bound)
