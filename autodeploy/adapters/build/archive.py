"""What a build left, as a tar.zst, and its manifest go in; the one archive that is deployed comes out.

It streams: neither tree nor archive is ever in memory, and nothing of either is unpacked here.
"""

from __future__ import annotations

import hashlib
import io
import struct
import tarfile
from pathlib import Path
from typing import NamedTuple

from autodeploy.adapters.build.context import EARLIEST
from autodeploy.model import Manifest

NAME = "manifest.json"
_CHUNK = 1 << 20
_BLOCK = 1 << 17


class Assembled(NamedTuple):
    """An archive as it lies on the disk: SHA-256 in hex and size; `body` is the SHA-256 of what the build left."""

    checksum: str
    size_bytes: int
    body: str


def assemble(body: Path, manifest: Manifest, into: Path) -> Assembled:
    """Write the manifest and then the body, as frames of one zstd stream, to `into`."""
    whole, rest = hashlib.sha256(), hashlib.sha256()
    head = _frame(_member(NAME, manifest.to_json().encode() + b"\n"))
    size = len(head)
    with into.open("wb") as out, body.open("rb") as file:
        whole.update(head)
        out.write(head)
        while chunk := file.read(_CHUNK):
            whole.update(chunk)
            rest.update(chunk)
            out.write(chunk)
            size += len(chunk)
    return Assembled(whole.hexdigest(), size, rest.hexdigest())


def _member(name: str, content: bytes) -> bytes:
    """Return one member of a tar without the archive's end, so that another archive may follow."""
    entry = tarfile.TarInfo(name)
    entry.size, entry.mode, entry.mtime = len(content), 0o644, EARLIEST
    padding = -len(content) % tarfile.BLOCKSIZE
    return entry.tobuf(tarfile.GNU_FORMAT) + content + bytes(padding)


def _frame(content: bytes) -> bytes:
    """Return the content as one zstd frame of blocks that are not compressed (RFC 8878, section 3.1.1)."""
    out = io.BytesIO()
    out.write(struct.pack("<IBI", 0xFD2FB528, 0b10100000, len(content)))
    for at in range(0, len(content), _BLOCK):
        block = content[at : at + _BLOCK]
        is_last = at + _BLOCK >= len(content)
        out.write(struct.pack("<I", is_last | len(block) << 3)[:3])
        out.write(block)
    return out.getvalue()
