"""PlainTerminal: the UI port as plain lines on stderr, for logs, pipes and CI; what both kinds of terminal share."""

from __future__ import annotations

import contextlib
import sys
import threading
import time
from collections.abc import Sequence
from typing import TextIO

from rich.console import Console, RenderableType

from autodeploy.adapters.terminal import plan_view, printable
from autodeploy.errors import AgentError, ApprovalError
from autodeploy.model import DeploymentResult, Plan, Preview

OUTPUT_LINES = 20
CONTROL_PLANE = "HiveMind Control Plane"


class PlainTerminal:
    """One line per event: `[HiveMind SysEng] creating aws:ec2:Vpc network`."""

    def __init__(self, stream: TextIO | None = None, answers: TextIO | None = None, width: int = 80) -> None:
        self._stream = sys.stderr if stream is None else stream
        self._answers = sys.stdin if answers is None else answers
        self._console = Console(file=self._stream, force_terminal=False, color_system=None, width=width)
        self._agent = CONTROL_PLANE
        self._began: float | None = None
        self._turn = threading.Lock()

    def stage(self, agent: str, title: str) -> None:
        """Say that a stage begins."""
        self._agent, self._began = agent, time.monotonic()
        self._line(f"[{agent}] {printable.line(title)}")

    def say(self, message: str) -> None:
        """Show one line of progress of the current stage."""
        self._line(f"[{self._agent}] {printable.line(message)}")

    def done(self, message: str) -> None:
        """Say how the current stage ended and how long it took."""
        self._line(f"[{self._agent}] {printable.line(message)}{self._elapsed()}")
        self._began = None

    def show_plan(self, plan: Plan, preview: Preview) -> None:
        """Show the plan, its operations and its monthly cost."""
        self._show(plan_view.render(plan, preview, self._stream.encoding))

    def confirm(self, question: str) -> bool:
        """Ask yes or no; without a terminal, raise ApprovalError naming --yes."""
        if not self._can_ask():
            raise ApprovalError(
                "this needs a yes, and there is no terminal to ask on",
                "Read what is shown above, then run the same command with --yes.",
                context=printable.line(question),
            )
        return self._ask(f"{printable.line(question)} [y/N] ")

    def choose(self, question: str, choices: Sequence[str]) -> str:
        """Ask which of `choices`, by its number or itself; nothing typed: the first. Raise ApprovalError at the end."""
        shown = [printable.line(choice) for choice in choices]
        while self._can_ask():
            self._line(printable.line(question))
            for number, choice in enumerate(shown, 1):
                self._line(f"  {number}  {choice}")
            typed = self._typed(f"1 to {len(shown)} [1] ")
            if not typed.endswith("\n"):
                break
            answer = typed.strip() or "1"
            if answer in shown:
                return choices[shown.index(answer)]
            if answer.isdecimal() and 1 <= int(answer) <= len(choices):
                return choices[int(answer) - 1]
        raise ApprovalError(
            "this needs an answer, and there is nobody to ask", "Give it as a flag.", context=printable.line(question)
        )

    def summary(self, result: DeploymentResult, hints: Sequence[str] = ()) -> None:
        """Show where the application answers, or that it does not, and what can be typed next."""
        self.close()
        self._line("")
        self._line(f"{result.deployment_id}: {result.status}")
        if result.url:
            self._line(f"URL: {result.url}")
        for heading, entries in (("Options", result.options), ("Next", hints)):
            for number, entry in enumerate(entries):
                self._line(f"{f'{heading}:' if number == 0 else '':<9}{printable.line(entry)}")

    def error(self, error: AgentError) -> None:
        """Show the error's four lines, and the last lines of the failing tool's own output."""
        self._stop(failed=True)
        for text in str(error).splitlines():
            self._error_line("\n".join(printable.lines(text)))
        output = printable.lines(error.output) if error.output.strip() else []
        if output:
            left_out = len(output) - OUTPUT_LINES
            self._line(f"Output{f' (the last {OUTPUT_LINES} of {len(output)} lines)' if left_out > 0 else ''}:")
            for text in output[-OUTPUT_LINES:]:
                self._line(f"  {text}")

    def close(self) -> None:
        """Leave the terminal as it was found."""
        self._stop(failed=False)

    def _line(self, text: str) -> None:
        # A deployment does not end because nobody looks any more; its ledger has it all.
        with self._turn, contextlib.suppress(OSError):
            print(text, file=self._stream, flush=True)

    def _error_line(self, text: str) -> None:
        self._line(text)

    def _show(self, renderable: RenderableType) -> None:
        with self._turn, self._console.capture() as capture:
            self._console.print(renderable)
        self._line("\n".join(part.rstrip() for part in capture.get().splitlines()))

    def _elapsed(self) -> str:
        return "" if self._began is None else f" ({printable.duration(time.monotonic() - self._began)})"

    def _can_ask(self) -> bool:
        return self._answers.isatty() and self._stream.isatty()

    def _ask(self, question: str) -> bool:
        return self._typed(question).strip().lower() in {"y", "yes"}

    def _typed(self, question: str) -> str:
        with self._turn:
            print(question, end="", file=self._stream, flush=True)
            answer = self._answers.readline()
            if not answer.endswith("\n"):
                print(file=self._stream)
        return answer

    def _stop(self, failed: bool) -> None:
        """Nothing stands on a plain terminal."""
