"""Load balancers of the local target: listeners go in, real HTTP and HTTPS ports on the loopback interface come out.

A balancer's two ports are kept in `<home>/local/balancers.json`, so that its name outlives the daemon.
"""

from __future__ import annotations

import asyncio
import json
import socket
import ssl
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path

import aiohttp
from aiohttp import web
from yarl import URL

from autodeploy.local.dataplane import Listener
from autodeploy.local.health import TargetPool, occupied
from autodeploy.local.loopback import bind, first_free, refused
from autodeploy.local.proxy import Front, forward, refusal

FIRST = {"https": 8443, "http": 8080}
"""The port at which the search for a free one begins."""
# https://docs.aws.amazon.com/elasticloadbalancing/latest/application/application-load-balancers.html
IDLE_SECONDS = 60
CONNECT_SECONDS = 10


class FrontEnd:
    """One listening port; its listener and certificate change without closing it."""

    def __init__(self, owner: Balancers, port: int, https_port: int, tls: bool) -> None:
        self._owner = owner
        self._https_port = https_port
        self._front = Front("https" if tls else "http", port)
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER) if tls else None
        self._runner: web.ServerRunner | None = None
        self.listener: Listener | None = None

    async def take(self, listener: Listener) -> None:
        """Serve this listener from now on."""
        if self._context is not None and not _same_certificate(listener, self.listener):
            _load(self._context, listener)
        self.listener = listener
        if self._runner is None:
            drain = listener.group.drain if listener.group else 1
            self._runner = web.ServerRunner(web.Server(self._answer, access_log=None), shutdown_timeout=drain)
            await self._runner.setup()
            for sock in self._owner.sockets(self._front.port):
                await web.SockSite(self._runner, sock, ssl_context=self._context).start()

    async def close(self) -> None:
        """Stop listening and let running requests end."""
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    async def _answer(self, request: web.BaseRequest) -> web.StreamResponse:
        listener = self.listener
        if listener is None or listener.group is None:
            host = URL(f"http://{request.host}").host_subcomponent or "localhost"
            where = f"https://{host}:{self._https_port}{request.raw_path}"
            return web.Response(status=301, headers={"Location": where, "Server": "awselb/2.0"})
        pool = self._owner.pools.get(listener.group.arn)
        state = pool.next() if pool else None
        if state is None:
            return refusal(503, "Service Temporarily Unavailable")
        with occupied(state):
            return await forward(request, state.target, self._owner.session, self._front)


class Balancers:
    """All balancers of one home."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / "balancers.json"
        self._ports: dict[str, dict[str, int]] = json.loads(self._file.read_text()) if self._file.is_file() else {}
        self._served: dict[str, dict[str, FrontEnd]] = {}
        self._listeners: dict[str, tuple[Listener, ...]] = {}
        self._session: aiohttp.ClientSession | None = None
        self._lock = asyncio.Lock()
        self._held: dict[int, list[socket.socket]] = {}
        self.pools: dict[str, TargetPool] = {}

    @property
    def session(self) -> aiohttp.ClientSession:
        """The client towards targets. A connection per request: none can be closed under a POST."""
        if self._session is None:
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=0, force_close=True),
                cookie_jar=aiohttp.DummyCookieJar(),
                timeout=aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_SECONDS, sock_read=IDLE_SECONDS),
                auto_decompress=False,
                skip_auto_headers=("User-Agent", "Accept", "Accept-Encoding", "Content-Type"),
            )
        return self._session

    def name(self, arn: str) -> str:
        """Return `localhost:<https port>`; from the first call on nobody else on this machine gets the ports."""
        if arn not in self._ports:
            taken = {port for ports in self._ports.values() for port in ports.values()}
            self._ports[arn] = {scheme: self._hold(first, taken) for scheme, first in FIRST.items()}
            self._save()
        return f"localhost:{self._ports[arn]['https']}"

    def sockets(self, port: int) -> list[socket.socket]:
        """Return sockets that listen on a balancer's port: those that hold it, or new ones."""
        return self._held.pop(port, None) or bind(port)

    def _hold(self, first: int, taken: set[int]) -> int:
        port, self._held[port] = first_free(first, taken)
        return port

    def _let_go(self, ports: Iterable[int]) -> None:
        for sock in [sock for port in ports for sock in self._held.pop(port, ())]:
            sock.close()

    async def serve(self, arn: str, listeners: Sequence[Listener]) -> None:
        """Serve exactly these listeners; () removes the balancer and frees its ports."""
        wanted = _by_scheme(listeners)
        async with self._lock:
            self.name(arn)
            ports, fronts = self._ports[arn], self._served.setdefault(arn, {})
            self._listeners[arn] = tuple(listeners)
            self._open_pools()
            for scheme, listener in wanted.items():
                front = fronts.get(scheme) or FrontEnd(self, ports[scheme], ports["https"], scheme == "https")
                await front.take(listener)
                fronts[scheme] = front
            for scheme in set(fronts) - set(wanted):
                await fronts.pop(scheme).close()
            await self._close_pools()
            if not listeners:
                self._let_go(ports.values())
                del self._served[arn], self._ports[arn], self._listeners[arn]
                self._save()

    def health(self, group_arn: str) -> dict[str, str]:
        """Return each target's address with its status; {} for a group that no listener forwards to."""
        pool = self.pools.get(group_arn)
        return pool.health() if pool else {}

    async def stop(self) -> None:
        """Close every port; names stay reserved."""
        self._listeners.clear()
        await asyncio.gather(*(front.close() for fronts in self._served.values() for front in fronts.values()))
        self._served.clear()
        self._let_go([*self._held])
        await self._close_pools()
        if self._session is not None:
            await self._session.close()
            self._session = None

    def _open_pools(self) -> None:
        for listener in (each for listeners in self._listeners.values() for each in listeners):
            if listener.group is None:
                continue
            pool = self.pools.get(listener.group.arn)
            if pool is None:
                self.pools[listener.group.arn] = TargetPool(listener.group, self.session)
            elif pool.group != listener.group:
                pool.update(listener.group)

    async def _close_pools(self) -> None:
        used = {each.group.arn for listeners in self._listeners.values() for each in listeners if each.group}
        for arn in set(self.pools) - used:
            await self.pools.pop(arn).close()

    def _save(self) -> None:
        self._file.parent.mkdir(parents=True, exist_ok=True)
        part = self._file.with_suffix(".part")
        part.write_text(json.dumps(self._ports, indent=2), "utf-8")
        part.replace(self._file)


def _by_scheme(listeners: Sequence[Listener]) -> dict[str, Listener]:
    wanted = {"https" if listener.certificate_pem else "http": listener for listener in listeners}
    if len(wanted) != len(listeners):
        raise refused("a balancer of the local target has at most one HTTP and one HTTPS listener")
    return wanted


def _same_certificate(one: Listener, other: Listener | None) -> bool:
    fields = ("certificate_pem", "certificate_key", "certificate_chain")
    return other is not None and all(getattr(one, field) == getattr(other, field) for field in fields)


def _load(context: ssl.SSLContext, listener: Listener) -> None:
    """Put the certificate into the context; ssl reads files only."""
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols(["http/1.1"])
    parts = (listener.certificate_pem, listener.certificate_chain, listener.certificate_key)
    with tempfile.NamedTemporaryFile("w", suffix=".pem") as file:
        file.write("\n".join(part.strip() for part in parts if part) + "\n")
        file.flush()
        try:
            context.load_cert_chain(file.name)
        except (ssl.SSLError, OSError) as err:
            raise refused("the listener's certificate and key cannot be used together") from err
