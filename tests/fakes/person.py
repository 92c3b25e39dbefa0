"""The operator's side: a clock that ticks and a person who answers."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta, timezone

from autodeploy.errors import ApprovalError
from autodeploy.model import Plan, Preview

BEGINNING = datetime(2026, 11, 22, 12, 0, tzinfo=timezone.utc)


class FakeClock:
    """Every reading is a second later; sleeping is free."""

    def __init__(self, start: datetime = BEGINNING) -> None:
        self._now = start

    def now(self) -> datetime:
        self._now += timedelta(seconds=1)
        return self._now

    def sleep(self, seconds: float) -> None:
        self._now += timedelta(seconds=seconds)


class FakeUI:
    """A person who says `answer` to every question and takes the same choice; `lines` is all that was shown."""

    def __init__(self, answer: bool = True) -> None:
        self.answer = answer
        self.choice = 0
        self.lines: list[str] = []

    def stage(self, agent: str, title: str) -> None:
        self.lines.append(f"[{agent}] {title}")

    def say(self, message: str) -> None:
        self.lines.append(message)

    def done(self, message: str) -> None:
        self.lines.append(f"done: {message}")

    def show_plan(self, plan: Plan, preview: Preview) -> None:
        self.lines.append(f"plan: {len(preview.changes)} changes, {plan.usd_per_month} USD")

    def confirm(self, question: str) -> bool:
        self.lines.append(question)
        return self.answer

    def choose(self, question: str, choices: Sequence[str]) -> str:
        self.lines.append(f"{question} {' | '.join(choices)}")
        if not self.answer:
            raise ApprovalError("nobody answers", "Give it as a flag.")
        return choices[self.choice]
