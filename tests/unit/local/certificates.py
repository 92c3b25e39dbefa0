"""Certificates for tests: a CA and a leaf for localhost, made once per process."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from tempfile import mkdtemp

from autodeploy.local.authority import authority, server_certificate


@cache
def localhost(number: int = 0) -> tuple[str, str, str]:
    """Return certificate, key and CA certificate, in PEM; another number, another CA."""
    folder = Path(mkdtemp())
    certificate, key = server_certificate(folder, "127.0.0.1")
    return certificate, key, authority(folder).read_text()
