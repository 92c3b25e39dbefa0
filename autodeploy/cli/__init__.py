"""The command line: parse, call, print, exit code. Decides nothing and imports nothing heavy at start."""

from __future__ import annotations

import sys

from autodeploy.cli.app import app

__all__ = ["app", "main"]


def main() -> None:
    """Run the command line; every error ends here as four lines and an exit code."""
    from autodeploy.cli.outcome import run

    sys.exit(run(app, sys.argv[1:]))
