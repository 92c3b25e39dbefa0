"""AWS on a bad day: a server in front of an emulated one that throttles, is out of order, or hangs up."""

from __future__ import annotations

import json
import re
import threading
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Literal, NamedTuple
from urllib.error import HTTPError

Fault = Literal["throttled", "overloaded", "out of order", "gateway", "lost", "refused"]
CODES: dict[Fault, tuple[int, str]] = {
    "throttled": (400, "Throttling"),
    "overloaded": (503, "ServiceUnavailable"),
    "out of order": (500, "InternalFailure"),
    "refused": (403, "AccessDenied"),
}


class Asked(NamedTuple):
    """One request: the operation's name as the API has it, and all that was sent."""

    operation: str
    body: bytes


class BadDay:
    """Between a client and `upstream`. `fate` says of each request what becomes of it: a fault, or None to let it by.

    `asked` has all requests in order, `served` those that were let by.
    """

    def __init__(self, upstream: str) -> None:
        self.upstream = upstream
        self.fate: Callable[[Asked], Fault | None] = lambda asked: None
        self.asked: list[Asked] = []
        self.served: list[Asked] = []
        self.endpoint = ""


def refuses_each_first(fault: Fault) -> Callable[[Asked], Fault | None]:
    """Return a fate: every request meets the fault once, and is let by when it comes again."""
    met: set[Asked] = set()
    lock = threading.Lock()

    def fate(asked: Asked) -> Fault | None:
        with lock:
            if asked in met:
                met.remove(asked)
                return None
            met.add(asked)
            return fault

    return fate


@contextmanager
def bad_day(upstream: str) -> Iterator[BadDay]:
    """Serve on a loopback port until the block ends."""
    day = BadDay(upstream)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        # Headers and body go out one by one: held back until the first is acknowledged, each answer takes 40 ms.
        disable_nagle_algorithm = True

        def answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            asked = Asked(_operation(self, body), body)
            day.asked.append(asked)
            fault = day.fate(asked)
            if fault == "lost":
                self.close_connection = True
                self.connection.close()
                return
            if fault:
                return self.reply(*_refusal(fault, self.headers.get("X-Amz-Target")))
            day.served.append(asked)
            self.reply(*_forwarded(day.upstream + self.path, self, body))

        do_GET = do_POST = do_PUT = do_DELETE = do_HEAD = answer

        def reply(self, status: int, kind: str, text: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        def log_message(self, *_: Any) -> None:
            pass

    class Server(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, *_: Any) -> None:
            """A client that has gone is no trouble of ours."""

    server = Server(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    day.endpoint = f"http://127.0.0.1:{server.server_port}"
    try:
        yield day
    finally:
        server.shutdown()
        server.server_close()


def _operation(handler: BaseHTTPRequestHandler, body: bytes) -> str:
    target = handler.headers.get("X-Amz-Target")
    if target:
        return target.rpartition(".")[2]
    named = re.search(rb"Action=(\w+)", body)
    return named.group(1).decode() if named else f"{handler.command} {handler.path.partition('?')[0]}"


def _refusal(fault: Fault, target: str | None) -> tuple[int, str, bytes]:
    if fault == "gateway":
        return 502, "text/html", b"<!doctype html>\n<html lang=en><title>Bad Gateway</title>\n<p>a bad day</html>"
    status, code = CODES[fault]
    if target:
        return status, "application/x-amz-json-1.1", json.dumps({"__type": code, "message": "a bad day"}).encode()
    error = f"<Error><Code>{code}</Code><Message>a bad day</Message></Error>"
    # EC2's answers have a level more than those of the other services; each reads its own.
    text = f"<Response><Errors>{error}</Errors>{error}<RequestID>1</RequestID></Response>"
    return status, "text/xml", text.encode()


def _forwarded(url: str, handler: BaseHTTPRequestHandler, body: bytes) -> tuple[int, str, bytes]:
    headers = {name: value for name, value in handler.headers.items() if name.lower() not in ("host", "connection")}
    request = urllib.request.Request(url, data=body or None, headers=headers, method=handler.command)
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(request, timeout=60) as answer:
            return answer.status, answer.headers.get("Content-Type", ""), answer.read()
    except HTTPError as err:
        return err.code, err.headers.get("Content-Type", ""), err.read()
