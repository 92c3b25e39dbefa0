"""Ports on the loopback interface: `localhost` means 127.0.0.1 and ::1, so a port is taken on both or not at all."""

from __future__ import annotations

import errno
import socket
from collections.abc import Container

from autodeploy.errors import LocalTargetError
from autodeploy.local.containers import AGENT

TRIES = 1000


def first_free(first: int, taken: Container[int]) -> tuple[int, list[socket.socket]]:
    """Return the first port from `first` upward that nobody listens on and that is not in `taken`, and its sockets."""
    for port in range(first, first + TRIES):
        if port in taken:
            continue
        try:
            return port, bind(port)
        except LocalTargetError:
            continue
    raise refused(f"all ports from {first} to {first + TRIES - 1} on the loopback interface are taken")


def bind(port: int) -> list[socket.socket]:
    """Return sockets that listen on the port, on IPv4 and, where the machine has it, IPv6."""
    bound: list[socket.socket] = []
    for family, address in ((socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1")):
        try:
            bound.append(_listen(family, address, port))
        except OSError as err:
            if family == socket.AF_INET6 and err.errno != errno.EADDRINUSE:
                break
            for sock in bound:
                sock.close()
            raise refused(f"port {port} on the loopback interface cannot be used: {err.strerror}") from err
    return bound


def _listen(family: int, address: str, port: int) -> socket.socket:
    sock = socket.socket(family, socket.SOCK_STREAM)
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind((address, port))
        sock.listen(128)
    except OSError:
        sock.close()
        raise
    return sock


def refused(message: str) -> LocalTargetError:
    """Return the error of a balancer that cannot be served."""
    return LocalTargetError(
        message,
        "See `autodeploy local status` for what the local target serves, and free the port or correct the plan.",
        agent=AGENT,
        context="Serving a load balancer of the local target",
    )
