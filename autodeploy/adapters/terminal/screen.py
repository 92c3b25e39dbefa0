"""RichTerminal: the UI port on a terminal: a spinner with the elapsed time, the last progress line dim, check marks."""

from __future__ import annotations

import os
import sys
import textwrap
import time
from collections.abc import Mapping, Sequence
from typing import TextIO

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.spinner import Spinner
from rich.text import Text

from autodeploy.adapters.terminal import printable
from autodeploy.adapters.terminal.plain import PlainTerminal


def open_terminal(
    stream: TextIO | None = None, answers: TextIO | None = None, environ: Mapping[str, str] | None = None
) -> PlainTerminal:
    """Return the terminal that fits: rich where stderr is a capable terminal, plain lines elsewhere."""
    stream = sys.stderr if stream is None else stream
    environ = os.environ if environ is None else environ
    capable = stream.isatty() and environ.get("TERM") not in (None, "", "dumb") and not environ.get("CI")
    if capable and _can_show(stream, "✓⠋"):
        return RichTerminal(stream, answers, no_color=bool(environ.get("NO_COLOR")))
    return PlainTerminal(stream, answers)


def _can_show(stream: TextIO, signs: str) -> bool:
    try:
        signs.encode(stream.encoding or "utf-8")
    except UnicodeEncodeError:
        return False
    return True


class RichTerminal(PlainTerminal):
    """A live stage at the bottom, finished stages above it."""

    def __init__(self, stream: TextIO, answers: TextIO | None = None, no_color: bool = False) -> None:
        super().__init__(stream, answers)
        self._console = Console(file=stream, force_terminal=True, no_color=no_color, highlight=False)
        self._live: Live | None = None
        self._title = ""
        self._latest = ""
        self._spinner = Spinner("dots", style="cyan")

    def stage(self, agent: str, title: str) -> None:
        """Say that a stage begins; one that was not said to be done ends without a mark."""
        self._stop(failed=False)
        self._agent, self._title, self._latest = agent, printable.line(title), ""
        self._began = time.monotonic()
        self._live = Live(get_renderable=self._render, console=self._console, transient=True, refresh_per_second=10)
        self._live.start()

    def say(self, message: str) -> None:
        """Show one line of progress of the current stage; before any stage, print it."""
        if self._live is None:
            self._console.print(Text(printable.line(message), style="dim"))
        self._latest = printable.line(message)

    def done(self, message: str) -> None:
        """Say how the current stage ended and how long it took."""
        self._finish("✓", "green", printable.line(message))

    def confirm(self, question: str) -> bool:
        """Ask yes or no; without a terminal, raise ApprovalError naming --yes."""
        self._stop(failed=False)
        return super().confirm(question)

    def choose(self, question: str, choices: Sequence[str]) -> str:
        """Ask which of `choices`; raise ApprovalError where nobody answers."""
        self._stop(failed=False)
        return super().choose(question, choices)

    def _show(self, renderable: RenderableType) -> None:
        self._console.print(renderable)

    def _line(self, text: str) -> None:
        self._console.print(Text(text), soft_wrap=True)

    def _error_line(self, text: str) -> None:
        label, colon, _ = text.partition(": ")
        # Broken between words, so that a path or a command stays whole.
        lines = textwrap.wrap(text, self._console.width, break_long_words=False, break_on_hyphens=False)
        styled = Text("\n".join(lines))
        styled.stylize("bold red" if label.startswith("[") else "bold", 0, len(f"{label}{colon}"))
        self._console.print(styled, soft_wrap=True)

    def _render(self) -> RenderableType:
        width = max(self._console.width - 4, 20)
        self._spinner.update(text=self._heading(self._title))
        if not self._latest:
            return self._spinner
        latest = Text(self._latest, style="dim", no_wrap=True, overflow="ellipsis")
        latest.truncate(width, overflow="ellipsis")
        return Group(self._spinner, Text.assemble("    ", latest))

    def _heading(self, text: str) -> Text:
        return Text.assemble((f"{self._agent}  ", "bold"), text, (self._elapsed(), "dim"))

    def _stop(self, failed: bool) -> None:
        if self._live is not None:
            mark, style = ("✗", "red") if failed else ("·", "dim")
            self._finish(mark, style, self._title)

    def _finish(self, mark: str, style: str, text: str) -> None:
        live, self._live = self._live, None
        if live is not None:
            live.stop()
        self._console.print(Text.assemble((f"{mark} ", style), self._heading(text)))
        self._began = None
