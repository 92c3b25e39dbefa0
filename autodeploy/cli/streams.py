"""Standard output and standard error of one run: nothing that is written there ends in a traceback."""

from __future__ import annotations

import codecs
import os
import sys
from io import TextIOWrapper

ESCAPED = "autodeploy.escaped"


def prepare() -> None:
    """Let what an encoding lacks be written as JSON escapes it: `\\u2713` can be read by people and programs."""
    codecs.register_error(ESCAPED, _escape)
    for stream in _open():
        stream.reconfigure(errors=ESCAPED)


def finish() -> None:
    """Write what is left; where nobody reads any more, forget it, so that the interpreter's end does not complain."""
    for stream in _open():
        try:
            stream.flush()
        except OSError:
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, stream.fileno())
            os.close(nowhere)


def _open() -> list[TextIOWrapper]:
    return [stream for stream in (sys.stdout, sys.stderr) if isinstance(stream, TextIOWrapper)]


def _escape(err: UnicodeError) -> tuple[str, int]:
    if not isinstance(err, UnicodeEncodeError):
        raise err
    units = err.object[err.start : err.end].encode("utf-16-be", "surrogatepass").hex()
    return "".join(f"\\u{units[at : at + 4]}" for at in range(0, len(units), 4)), err.end
