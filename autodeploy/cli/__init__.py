"""The command line: parse, call, print, exit code. Decides nothing and imports nothing heavy at start."""

from __future__ import annotations

import gc
import os
import sys
from typing import TYPE_CHECKING

from autodeploy.cli.app import app

if TYPE_CHECKING:
    from autodeploy.cli.choices import Wire

__all__ = ["app", "main"]


def main(wire: Wire | None = None) -> None:
    """Run the command line; every error ends here as four lines and an exit code. `wire` is for `run`."""
    from autodeploy.cli import streams
    from autodeploy.cli.outcome import INTERRUPTED, run

    # What is imported is large and stays: looking through it again and again finds nothing to free.
    gc.set_threshold(50_000)
    streams.prepare()
    code = run(app, sys.argv[1:], wire)
    streams.finish()
    if code == INTERRUPTED:
        os._exit(code)  # a plain exit would wait for the engine that was left to finish alone
    sys.exit(code)
