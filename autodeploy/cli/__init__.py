"""The command line: parse, call, print, exit code. Decides nothing and imports nothing heavy at start."""

from __future__ import annotations

import os
import sys

from autodeploy.cli.app import app

__all__ = ["app", "main"]


def main() -> None:
    """Run the command line; every error ends here as four lines and an exit code."""
    from autodeploy.cli import streams
    from autodeploy.cli.outcome import INTERRUPTED, run

    streams.prepare()
    code = run(app, sys.argv[1:])
    streams.finish()
    if code == INTERRUPTED:
        os._exit(code)  # a plain exit would wait for the engine that was left to finish alone
    sys.exit(code)
