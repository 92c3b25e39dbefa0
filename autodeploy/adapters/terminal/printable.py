"""Text from tools and repositories -> text that is safe to show; durations for people."""

from __future__ import annotations

import re

_SEQUENCE = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|[@-Z\\-_])")
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


def line(text: str) -> str:
    """Return `text` as one line without terminal sequences, control characters or direction overrides."""
    return " ".join(lines(text))


def lines(text: str) -> list[str]:
    """Return the lines of `text`, trailing blanks gone; of a progress bar redrawn with \\r only its last state."""
    plain = _SEQUENCE.sub("", text).replace("\r\n", "\n")
    last_states = (part.rstrip("\r").rsplit("\r", 1)[-1] for part in plain.rstrip().split("\n"))
    return [_CONTROL.sub("", part).rstrip() for part in last_states]


def duration(seconds: float) -> str:
    """Return "0.4 s", "12 s" or "3 min 20 s"."""
    if seconds < 9.95:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    return f"{whole} s" if whole < 60 else f"{whole // 60} min {whole % 60} s"
