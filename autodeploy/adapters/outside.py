"""Outside: asks a deployment over HTTPS and TCP what it answers; holds no credentials and changes nothing."""

from __future__ import annotations

import http.client
import socket
import ssl
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

from autodeploy.errors import DeploymentError

TIMEOUT_SECONDS = 10.0
CONNECT_SECONDS = 2.0


class OutsideWorld:
    """The Outside port over the operator's own network."""

    def get(self, url: str, ca: Path | None, at: str | None = None) -> tuple[int, Mapping[str, str]]:
        """Return status and headers of a GET, from host:port `at` where it is given; redirects are not followed."""
        context = ssl.create_default_context(cafile=str(ca) if ca else None)
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), _Https(context, at), _Stay)
        try:
            with opener.open(urllib.request.Request(url), timeout=TIMEOUT_SECONDS) as answer:
                return answer.status, {name.lower(): value for name, value in answer.headers.items()}
        except urllib.error.HTTPError as err:
            return err.code, {name.lower(): value for name, value in err.headers.items()}
        except (OSError, ValueError, http.client.HTTPException) as err:
            reason = getattr(err, "reason", err)
            raise DeploymentError(
                f"{url} does not answer: {reason}",
                "Look at the application's log (autodeploy logs), then deploy again.",
                recoverable=True,
                context="Asking the public URL",
            ) from err

    def open_ports(self, address: str, ports: Sequence[int]) -> tuple[int, ...]:
        """Return those of `ports` that accept a TCP connection within two seconds."""
        with ThreadPoolExecutor(max_workers=16) as pool:
            found = list(pool.map(lambda port: _accepts(address, port), ports))
        return tuple(port for port, accepts in zip(ports, found, strict=True) if accepts)


class _Connection(http.client.HTTPSConnection):
    """Leads to host:port `at`; the certificate must still be the name's that was asked for."""

    def __init__(self, host: str, *, timeout: float, context: ssl.SSLContext, at: str) -> None:
        super().__init__(host, timeout=timeout, context=context)
        self._tls, self._at = context, at

    def connect(self) -> None:
        name, _, port = self._at.partition(":")
        raw = socket.create_connection((name, int(port or 443)), self.timeout)
        self.sock = self._tls.wrap_socket(raw, server_hostname=self.host)


class _Https(urllib.request.HTTPSHandler):
    def __init__(self, context: ssl.SSLContext, at: str | None) -> None:
        super().__init__(context=context)
        self._connection = partial(_Connection, context=context, at=at) if at else None

    def https_open(self, request: urllib.request.Request) -> http.client.HTTPResponse:
        return self.do_open(self._connection, request) if self._connection else super().https_open(request)


class _Stay(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: object, **__: object) -> None:
        return None


def _accepts(address: str, port: int) -> bool:
    try:
        with socket.create_connection((address, port), timeout=CONNECT_SECONDS):
            return True
    except OSError:
        return False
