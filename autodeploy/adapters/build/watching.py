"""Runs inside the trial's container as a part of boot.py: the application's process, its sockets, what it answers.

A watch's outcome is `answered` (with port, path and status), `running` (a worker), `exited`, `unwell` (answers with
errors) or `silent`. Nothing of AutoDeploy is imported here.
"""

from __future__ import annotations

import collections
import contextlib
import http.client
import os
import signal
import socket
import struct
import subprocess
import threading
import time
from collections.abc import Collection, Sequence
from typing import Any

REACHABLE = ("0.0.0.0", "127.0.0.1", "::", "::1")
"""What a socket may be bound to for the host's proxy, which asks the loopback addresses, to reach it."""

_LISTENING = "0A"


class Application:
    """The application's process, and the last lines that it wrote."""

    def __init__(self, prefix: Sequence[str], command: str, environment: dict[str, str], folder: str) -> None:
        self.before = frozenset(sockets())
        self.lines: collections.deque[str] = collections.deque(maxlen=100)
        self.process = subprocess.Popen(
            [*prefix, "sh", "-c", command], cwd=folder, env=environment, stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True,
        )  # fmt: skip
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stdout
        while raw := self.process.stdout.readline(4096):
            self.lines.append(raw.decode("utf-8", "replace").rstrip("\n"))

    def sockets(self) -> list[tuple[str, int]]:
        """Return address and port of what is listened on since it was started, sorted by port."""
        found = {where: inode for where, inode in sockets().items() if where not in self.before}
        foreign = others(self.process.pid) if found else frozenset()
        # One that somebody closed before its owner was looked for has none, and is gone.
        left = sockets() if found else {}
        ours = [where for where, inode in found.items() if inode not in foreign and left.get(where) == inode]
        return sorted(ours, key=lambda where: (where[1], where[0]))

    def end(self) -> list[str]:
        """Kill it with all its children, and return its last lines."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        self._reader.join(2)
        return list(self.lines)


def sockets(tables: Collection[str] = ("/proc/net/tcp", "/proc/net/tcp6")) -> dict[tuple[str, int], str]:
    """Return address, port and inode of every TCP socket that somebody listens on."""
    found = {}
    for table in tables:
        if os.path.exists(table):  # noqa: PTH110
            with open(table, encoding="ascii") as lines:  # noqa: PTH123
                rows = [line.split() for line in list(lines)[1:]]
            found.update({_address(row[1]): row[9] for row in rows if row[3] == _LISTENING})
    return found


def others(pid: int) -> frozenset[str]:
    """Return the inodes of the sockets that are known to belong to no process of one's session or descent.

    In the container nobody's are known, and all belong to the application.
    """
    parents, families = {}, {pid}
    for name in filter(str.isdigit, os.listdir("/proc")):  # noqa: PTH208
        with contextlib.suppress(OSError), open(f"/proc/{name}/stat", encoding="utf-8", errors="replace") as file:  # noqa: PTH123
            _, parent, _, session = file.read().rpartition(")")[2].split()[:4]
            parents[int(name)] = pid if int(session) == pid else int(parent)
    for _ in range(8):
        families |= {child for child, parent in parents.items() if parent in families}
    return frozenset(inode for process in parents if process not in families for inode in _inodes(process))


def _inodes(process: int) -> list[str]:
    folder, found = f"/proc/{process}/fd", []
    with contextlib.suppress(OSError):
        for name in os.listdir(folder):  # noqa: PTH208
            with contextlib.suppress(OSError):
                target = os.readlink(f"{folder}/{name}")  # noqa: PTH115
                if target.startswith("socket:["):
                    found.append(target[8:-1])
    return found


def _address(text: str) -> tuple[str, int]:
    """Read the kernel's notation: 32-bit words in the machine's own order, a colon, the port, all in hex."""
    host, _, port = text.partition(":")
    words = [int(host[at : at + 8], 16) for at in range(0, len(host), 8)]
    packed = struct.pack(f"={len(words)}I", *words)
    family = socket.AF_INET if len(words) == 1 else socket.AF_INET6
    name = socket.inet_ntop(family, packed)
    return name.removeprefix("::ffff:"), int(port, 16)


def answer(port: int, path: str) -> int | None:
    """Return the status that a page is answered with; None when nobody answers in HTTP, by IPv4 or IPv6."""
    found = _answer("127.0.0.1", port, path)
    return _answer("::1", port, path) if found is None else found


def _answer(host: str, port: int, path: str) -> int | None:
    connection = http.client.HTTPConnection(host, port, timeout=10)
    try:
        connection.request("GET", path, headers={"Host": "localhost", "User-Agent": "AutoDeploy-Trial"})
        return connection.getresponse().status
    except (OSError, http.client.HTTPException):
        return None
    finally:
        connection.close()


def ask(port: int, paths: Sequence[str]) -> dict[str, Any] | None:
    """Return the first page that answers as it should; else the first page's answer, None where it gives none."""
    first = answer(port, paths[0])
    if first is None:
        return None
    answers = {paths[0]: first}
    if 400 <= first < 500:
        for path in paths[1:]:
            answers[path] = answer(port, path) or 0
            if 200 <= answers[path] < 400:
                return {"port": port, "path": path, "status": answers[path], "answers": answers}
    return {"port": port, "path": paths[0], "status": first, "answers": answers}


def watch(application: Application, order: dict[str, Any]) -> dict[str, Any]:
    """Wait until the application answers, ends, goes on failing or listening elsewhere, or the time is over."""
    started = time.monotonic()
    result = _watch(application, order, started)
    listened = [f"[{host}]:{port}" if ":" in host else f"{host}:{port}" for host, port in application.sockets()]
    return {"seconds": round(time.monotonic() - started, 1), "sockets": listened, **result}


def _watch(application: Application, order: dict[str, Any], started: float) -> dict[str, Any]:
    seen: dict[str, Any] | None = None
    while time.monotonic() - started < order["seconds"]:
        code = application.process.poll()
        seconds = time.monotonic() - started
        if code is not None:
            return {"outcome": "exited", "code": code}
        if order["web"]:
            seen = ask(order["port"], order["paths"]) or seen
            if seen and 200 <= seen["status"] < 500:
                return {"outcome": "answered", **seen}
        elif seconds >= order["settle"]:
            return (order["elsewhere"] and _elsewhere(application, order)) or {"outcome": "running"}
        if order["web"] and seconds > order["patience"]:
            if seen:
                break
            if order["elsewhere"] and (found := _elsewhere(application, order)):
                return found
            if application.sockets() and order["port"] not in _reachable(application):
                break
        time.sleep(0.1)
    return {"outcome": "unwell", **seen} if seen else {"outcome": "silent"}


def _elsewhere(application: Application, order: dict[str, Any]) -> dict[str, Any] | None:
    """Return what another port than the expected one answers; a page that answers well goes first."""
    ports = [port for port in _reachable(application) if port != order["port"]]
    found = [seen for seen in (ask(port, order["paths"]) for port in ports) if seen and 200 <= seen["status"] < 500]
    best = min(found, key=lambda seen: seen["status"] >= 400, default=None)
    return {"outcome": "answered", **best} if best else None


def _reachable(application: Application) -> list[int]:
    return sorted({port for host, port in application.sockets() if host in REACHABLE})
