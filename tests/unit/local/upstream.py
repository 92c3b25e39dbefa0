"""A real HTTP server on a loopback port: what stands behind the balancer in tests."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiohttp import WSMsgType, web

from autodeploy.local.dataplane import Target


class Upstream:
    """Answers by path; `status` is what the health check gets."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.status = 200
        self.release = asyncio.Event()
        self.entered = asyncio.Event()

    async def answer(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer one request."""
        if request.path == "/health":
            return web.Response(status=self.status)
        if request.path == "/echo":
            body = await request.read()
            seen = {name.lower(): value for name, value in request.headers.items()}
            told = {"path": request.raw_path, "headers": seen, "size": len(body), "method": request.method}
            return web.Response(text=json.dumps(told), headers={"X-Upstream": self.name, "Set-Cookie": "a=1"})
        if request.path == "/slow":
            self.entered.set()
            await self.release.wait()
            return web.Response(text="late")
        if request.path == "/stream":
            response = web.StreamResponse()
            response.enable_chunked_encoding()
            await response.prepare(request)
            await response.write(b"first")
            await self.release.wait()
            await response.write(b"second")
            await response.write_eof()
            return response
        if request.path == "/half":
            response = web.StreamResponse(headers={"Content-Length": "1000"})
            await response.prepare(request)
            await response.write(b"half")
            assert request.transport is not None
            request.transport.abort()
            return response
        if request.path == "/cut":
            assert request.transport is not None
            request.transport.abort()
        if request.path == "/ws":
            return await self._websocket(request)
        return web.Response(text=self.name)

    async def _websocket(self, request: web.BaseRequest) -> web.StreamResponse:
        sock = web.WebSocketResponse(protocols=["chat"])
        await sock.prepare(request)
        async for message in sock:
            if message.type is WSMsgType.TEXT:
                await sock.send_str(f"{self.name}: {message.data}")
            elif message.type is WSMsgType.BINARY:
                await sock.send_bytes(message.data[::-1])
        return sock


@asynccontextmanager
async def upstream(name: str = "one") -> AsyncIterator[tuple[Upstream, Target]]:
    """Serve on a free port while the block runs."""
    server = Upstream(name)
    runner = web.ServerRunner(web.Server(server.answer, access_log=None), shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield server, Target(address="127.0.0.1", port=runner.addresses[0][1])
    finally:
        await runner.cleanup()
