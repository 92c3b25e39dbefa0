"""One request through the balancer: request and target go in, the target's response streams out.

It adds what an ALB adds and answers 502 and 504 as an ALB does; it chooses no target.
"""

from __future__ import annotations

import asyncio
from typing import NamedTuple

import aiohttp
from aiohttp import web
from multidict import CIMultiDict
from yarl import URL

from autodeploy.local.dataplane import Target

# RFC 9110, 7.6.1: these belong to one connection.
HOP_BY_HOP = {
    *("connection", "keep-alive", "proxy-connection", "proxy-authenticate", "proxy-authorization"),
    *("te", "trailer", "transfer-encoding", "upgrade", "expect"),
}
PIECE = 64 * 1024


class Front(NamedTuple):
    """Where the request came in."""

    scheme: str
    port: int


def refusal(status: int, reason: str) -> web.Response:
    """Return the balancer's own answer."""
    text = f"<html><head><title>{status} {reason}</title></head><body><h1>{status} {reason}</h1></body></html>\n"
    return web.Response(status=status, text=text, content_type="text/html", headers={"Server": "awselb/2.0"})


async def forward(
    request: web.BaseRequest, target: Target, session: aiohttp.ClientSession, front: Front
) -> web.StreamResponse:
    """Send the request to the target and stream the answer back."""
    url = URL(f"http://{target.address}:{target.port}{request.raw_path}", encoded=True)
    headers = _headers(request, front)
    if request.headers.get("Upgrade", "").lower() == "websocket":
        return await _websocket(request, url, headers, session)
    if request.headers.get("Expect", "").lower() == "100-continue":
        await request.writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        request.writer.output_size = 0
    body = request.content if request.body_exists else None
    response: web.StreamResponse | None = None
    try:
        async with session.request(
            request.method, url, headers=headers, data=body, allow_redirects=False, max_line_size=16384
        ) as answer:
            response = web.StreamResponse(status=answer.status, reason=answer.reason, headers=_end_to_end(answer))
            if "Content-Length" not in response.headers and request.version >= aiohttp.HttpVersion11:
                response.enable_chunked_encoding()
            await response.prepare(request)
            async for piece in answer.content.iter_chunked(PIECE):
                await response.write(piece)
            await response.write_eof()
            return response
    except ConnectionResetError:
        # The client went away; there is nobody to answer.
        return response or refusal(502, "Bad Gateway")
    except (aiohttp.ClientError, asyncio.TimeoutError) as err:
        return _broken(request, response, err)


def _broken(request: web.BaseRequest, response: web.StreamResponse | None, err: Exception) -> web.StreamResponse:
    if response is not None:
        # Half an answer must not look like a whole one.
        if request.transport is not None:
            request.transport.abort()
        return response
    if isinstance(err, asyncio.TimeoutError):
        return refusal(504, "Gateway Time-out")
    return refusal(502, "Bad Gateway")


def _headers(request: web.BaseRequest, front: Front) -> CIMultiDict[str]:
    dropped = HOP_BY_HOP | {name.strip().lower() for name in request.headers.get("Connection", "").split(",")}
    headers = CIMultiDict((name, value) for name, value in request.headers.items() if name.lower() not in dropped)
    seen = request.headers.getall("X-Forwarded-For", [])
    headers["X-Forwarded-For"] = ", ".join([*seen, request.remote or "127.0.0.1"])
    headers["X-Forwarded-Proto"] = front.scheme
    headers["X-Forwarded-Port"] = str(front.port)
    return headers


def _end_to_end(answer: aiohttp.ClientResponse) -> CIMultiDict[str]:
    return CIMultiDict((name, value) for name, value in answer.headers.items() if name.lower() not in HOP_BY_HOP)


async def _websocket(
    request: web.BaseRequest, url: URL, headers: CIMultiDict[str], session: aiohttp.ClientSession
) -> web.StreamResponse:
    """Join two WebSockets, message by message."""
    asked = request.headers.get("Sec-WebSocket-Protocol", "")
    protocols = [name.strip() for name in asked.split(",") if name.strip()]
    plain = CIMultiDict((k, v) for k, v in headers.items() if not k.lower().startswith("sec-websocket-"))
    try:
        upstream = await session.ws_connect(url, protocols=protocols, headers=plain, autoping=False, max_msg_size=0)
    except aiohttp.WSServerHandshakeError as err:
        return refusal(err.status if err.status >= 400 else 502, "Upgrade Refused")
    except (aiohttp.ClientError, asyncio.TimeoutError) as err:
        return _broken(request, None, err)
    chosen = [upstream.protocol] if upstream.protocol else []
    downstream = web.WebSocketResponse(protocols=chosen, autoping=False, max_msg_size=0)
    async with upstream:
        await downstream.prepare(request)
        ends = [asyncio.ensure_future(_pump(downstream, upstream)), asyncio.ensure_future(_pump(upstream, downstream))]
        try:
            await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for end in ends:
                end.cancel()
            await asyncio.gather(*ends, return_exceptions=True)
    return downstream


Socket = web.WebSocketResponse | aiohttp.ClientWebSocketResponse


async def _pump(source: Socket, sink: Socket) -> None:
    async for message in source:
        if message.type is aiohttp.WSMsgType.TEXT:
            await sink.send_str(message.data)
        elif message.type is aiohttp.WSMsgType.BINARY:
            await sink.send_bytes(message.data)
        elif message.type is aiohttp.WSMsgType.PING:
            await sink.ping(message.data)
        elif message.type is aiohttp.WSMsgType.PONG:
            await sink.pong(message.data)
    await sink.close(code=source.close_code or 1000)
