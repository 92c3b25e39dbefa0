"""What a repository leaves open: asked once, as a closed question, and kept as a flag would be.

Where nobody can be asked, what has one likely answer is taken, and what has several is refused, naming the flag.
"""

from __future__ import annotations

from collections.abc import Callable

from autodeploy.errors import AnalysisError, ApprovalError
from autodeploy.model import Request, TechStack, Unknown
from autodeploy.ports import UI

Remember = Callable[[Request], object]
PATH = "--path"


def open_questions(stack: TechStack, request: Request) -> tuple[Unknown, ...]:
    """Return what has several answers and was not settled by a flag or an earlier answer."""
    return tuple(
        unknown for unknown in stack.unknowns if len(unknown.choices) > 1 and not _is_settled(unknown, request)
    )


def ask(questions: tuple[Unknown, ...], request: Request, ui: UI, may_ask: bool, remember: Remember) -> Request:
    """Return the request with the answers, each remembered as it is given; raise AnalysisError naming the flags."""
    for unknown in questions:
        if not may_ask:
            raise _refusal(questions)
        try:
            answer = ui.choose(f"{unknown.message}. Which is it?", unknown.choices)
        except ApprovalError as err:
            raise _refusal(questions) from err
        request = _with_answer(request, unknown, answer)
        remember(request)
    return request


def _is_settled(unknown: Unknown, request: Request) -> bool:
    if unknown.flag == PATH:
        return request.subdirectory is not None
    return _fact(unknown) in request.overrides


def _with_answer(request: Request, unknown: Unknown, answer: str) -> Request:
    if unknown.flag == PATH:
        chosen: Request = request.but(subdirectory=answer)
    else:
        chosen = request.but(overrides={**request.overrides, _fact(unknown): answer})
    return chosen


def _fact(unknown: Unknown) -> str:
    return (unknown.flag or unknown.fact).removeprefix("--").replace("-", "_")


def _refusal(questions: tuple[Unknown, ...]) -> AnalysisError:
    flags = (f"{unknown.flag} {' | '.join(unknown.choices)}" for unknown in questions)
    return AnalysisError(
        f"the repository leaves open: {'; '.join(unknown.message for unknown in questions)}",
        f"Say which: {'; '.join(flags)}",
        agent="HiveMind DevOps",
        context="Settling what the repository leaves open",
    )
