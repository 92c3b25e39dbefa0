"""Ctrl-C, SIGTERM and SIGHUP come in; KeyboardInterrupt goes out: the first at the next safe point, the second at once.

Signals belong to the process, and so does what is kept here. Never ends the process itself.
"""

from __future__ import annotations

import os
import signal
import stat
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import FrameType

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
SAME_PRESS_SECONDS = 1.0
"""A terminal and whoever started us may both pass one Ctrl-C on; what comes this soon is the same one."""

TOLD = b"\nStopping as soon as the step in work has ended. Once more stops at once.\n"


@dataclass
class _Heard:
    """`count` of signals since they are answered here, the last one `at`; one that has to wait is `pending`."""

    listening: bool = False
    count: int = 0
    at: float = -SAME_PRESS_SECONDS
    unbroken: int = 0
    undisturbed: int = 0
    pending: bool = False


_heard = _Heard()


@contextmanager
def heard() -> Iterator[None]:
    """Answer the signals as long as this lasts; within another one, or outside of the main thread, it changes nothing.

    A signal that the caller's shell has switched off (nohup, a background job) stays off.
    """
    if _heard.listening or threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.getsignal(number) for number in SIGNALS}
    _heard.listening, _heard.count, _heard.pending, _heard.at = True, 0, False, -SAME_PRESS_SECONDS
    for number, handler in before.items():
        if handler is not signal.SIG_IGN:
            signal.signal(number, _answer)
    try:
        yield
    finally:
        _heard.listening = False
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def unbroken() -> Iterator[None]:
    """Let the work within end before the first signal is answered; the second cuts it."""
    _heard.unbroken += 1
    try:
        yield
    finally:
        _heard.unbroken -= 1
        _release()


@contextmanager
def undisturbed() -> Iterator[None]:
    """Let the work within end before any signal is answered; for moments only, such as a write of the ledger."""
    _heard.undisturbed += 1
    try:
        yield
    finally:
        _heard.undisturbed -= 1
        _release()


def _answer(number: int, frame: FrameType | None) -> None:
    before, _heard.at = _heard.at, time.monotonic()
    if _heard.at - before < SAME_PRESS_SECONDS:
        return
    _heard.count += 1
    if number == signal.SIGHUP:
        _turn_away()
    if _heard.undisturbed or (_heard.unbroken and _heard.count == 1):
        _heard.pending = True
        if _heard.count == 1:
            os.write(2, TOLD)  # not print: what it interrupts may be a print
        return
    raise KeyboardInterrupt


def _release() -> None:
    if not _heard.pending or _heard.undisturbed or (_heard.unbroken and _heard.count == 1):
        return
    _heard.pending = False
    raise KeyboardInterrupt


def _turn_away() -> None:
    """Write nothing more to a terminal that is gone: every line would be an error."""
    null = os.open(os.devnull, os.O_WRONLY)
    for descriptor in (1, 2):
        if stat.S_ISCHR(os.fstat(descriptor).st_mode):
            os.dup2(null, descriptor)
    os.close(null)
