"""python -m interrupted [--trace FILE] [--point POINT] [--unseen STRIKE FILE] [--nobody-answers] COMMAND…: the command line, struck at a point."""

from __future__ import annotations

import argparse
import signal
import sys
from pathlib import Path

from autodeploy import cli
from interrupted.effects import Effects, Point, Unseen, strike
from interrupted.wiring import InterruptedWiring


def main() -> None:
    """Run one command as the program does; its exit code is the program's own."""
    parser = argparse.ArgumentParser(prog="python -m interrupted", description=__doc__)
    parser.add_argument("--trace", type=Path)
    parser.add_argument("--point", type=Point.parse)
    parser.add_argument("--unseen", nargs=2)
    parser.add_argument("--nobody-answers", action="store_true")
    parser.add_argument("command", nargs=argparse.REMAINDER)
    chosen = parser.parse_args()
    # Whoever started the tests in the background has switched Ctrl-C off for all that they start.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    unseen = Unseen(chosen.unseen[0], Path(chosen.unseen[1])) if chosen.unseen else None
    effects = Effects(chosen.trace, chosen.point or unseen, strike)
    answers = not chosen.nobody_answers
    sys.argv = ["autodeploy", *chosen.command]
    cli.main(lambda settings: InterruptedWiring(settings, answers, effects))


if __name__ == "__main__":
    main()
