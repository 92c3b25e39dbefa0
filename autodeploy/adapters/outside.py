"""Outside: asks a deployment over HTTPS and TCP what it answers; holds no credentials and changes nothing."""

from __future__ import annotations

import http.client
import socket
import ssl
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from autodeploy.errors import DeploymentError

TIMEOUT_SECONDS = 10.0
CONNECT_SECONDS = 2.0


class OutsideWorld:
    """The Outside port over the operator's own network."""

    def get(self, url: str, ca: Path | None) -> tuple[int, Mapping[str, str]]:
        """Return status and headers of a GET; redirects are answers, not followed."""
        context = ssl.create_default_context(cafile=str(ca) if ca else None)
        opener = urllib.request.build_opener(
            urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=context), _Stay
        )
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


class _Stay(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: object, **__: object) -> None:
        return None


def _accepts(address: str, port: int) -> bool:
    try:
        with socket.create_connection((address, port), timeout=CONNECT_SECONDS):
            return True
    except OSError:
        return False
