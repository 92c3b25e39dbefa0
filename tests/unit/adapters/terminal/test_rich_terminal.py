"""The terminal on a real pseudo-terminal: the spinner goes, what was done stays, colours are off when asked."""

from __future__ import annotations

import io
import os
import pty
import re
from collections.abc import Callable
from typing import TextIO

import pytest

from autodeploy.adapters.terminal import PlainTerminal, RichTerminal, open_terminal
from autodeploy.errors import InfrastructureError

COLOURED = {"TERM": "xterm-256color"}
END = "\0"
PLAIN_TEXT = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


def on_a_terminal(act: Callable[[TextIO, TextIO], None], typed: str = "") -> str:
    """Return all that was written to a fresh pseudo-terminal."""
    ours, theirs = pty.openpty()
    try:
        with os.fdopen(os.dup(theirs), "w") as stream, os.fdopen(theirs) as answers:
            os.write(ours, typed.encode())
            act(stream, answers)
            stream.write(END)
            stream.flush()
            seen = b""
            while not seen.endswith(END.encode()):  # a terminal passes on in pieces
                seen += os.read(ours, 1_000_000)
            return seen.decode().removesuffix(END)
    finally:
        os.close(ours)


def stage(stream: TextIO, answers: TextIO) -> None:
    terminal = open_terminal(stream, answers, COLOURED)
    terminal.stage("HiveMind SysEng", "Creating the infrastructure")
    terminal.say("creating [vpc] network")
    terminal.done("20 resources")


def test_a_terminal_that_cannot_show_the_signs_gets_plain_lines() -> None:
    def act(stream: TextIO, answers: TextIO) -> None:
        assert type(open_terminal(stream, answers, COLOURED)) is RichTerminal
        with os.fdopen(os.dup(stream.fileno()), "w", encoding="latin-1") as narrow:
            assert type(open_terminal(narrow, answers, COLOURED)) is PlainTerminal

    on_a_terminal(lambda stream, answers: (act(stream, answers), stream.write("."))[1])


@pytest.mark.parametrize("width", ["30", "80", "200"])
def test_an_error_is_broken_between_words_and_nothing_of_it_is_lost(
    monkeypatch: pytest.MonkeyPatch, width: str
) -> None:
    monkeypatch.setenv("COLUMNS", width)
    err = InfrastructureError(
        "there is no [zone] at /a/rather-long/path/that-goes/over/the/edge/of/a-terminal/state.json",
        "Give an https://, ssh:// or file:// URL, or a path (for example: autodeploy deploy ./name).",
        context="Reading the repository's address",
    )
    written = on_a_terminal(lambda stream, answers: open_terminal(stream, answers, COLOURED).error(err))
    lines = PLAIN_TEXT.sub("", written).splitlines()
    assert " ".join(lines).split() == str(err).split()
    assert all(len(line) <= int(width) or " " not in line.strip() for line in lines)


def test_a_stage_spins_and_then_stays_as_one_line() -> None:
    written = on_a_terminal(stage)
    text = PLAIN_TEXT.sub("", written)
    assert re.search(r"HiveMind SysEng  Creating the infrastructure \(\d+\.\d s\)", text)
    assert "creating [vpc] network" in text
    last = text.splitlines()[-1].rsplit("\r", 1)[-1]
    assert re.fullmatch(r"✓ HiveMind SysEng  20 resources \(\d+\.\d s\)", last)
    assert written.rindex("\x1b[?25h") > written.rindex("\x1b[?25l"), "the cursor is shown again"


def test_no_color_is_honoured() -> None:
    def act(stream: TextIO, answers: TextIO) -> None:
        terminal = open_terminal(stream, answers, {**COLOURED, "NO_COLOR": "1"})
        terminal.stage("HiveMind DevOps", "Analysing")
        terminal.done("Flask")

    coloured = re.compile(r"\x1b\[(?:[0-9;]*;)?(?:3[0-8]|9[0-7])[0-9;]*m")
    assert coloured.search(on_a_terminal(stage))
    assert not coloured.search(on_a_terminal(act))


@pytest.mark.parametrize("environ", [{}, {"TERM": "dumb"}, {"TERM": "xterm", "CI": "true"}])
def test_a_terminal_that_cannot_gets_plain_lines(environ: dict[str, str]) -> None:
    def act(stream: TextIO, answers: TextIO) -> None:
        terminal = open_terminal(stream, answers, environ)
        assert type(terminal) is PlainTerminal
        terminal.say("hello")

    assert on_a_terminal(act) == "[HiveMind Control Plane] hello\r\n"
    assert type(open_terminal(io.StringIO(), io.StringIO(), COLOURED)) is PlainTerminal


def test_an_error_ends_the_stage_with_a_cross_and_keeps_brackets() -> None:
    def act(stream: TextIO, answers: TextIO) -> None:
        terminal = open_terminal(stream, answers, COLOURED)
        terminal.stage("HiveMind SysEng", "Creating")
        terminal.error(InfrastructureError("AWS refused [x]", "Wait", agent="HiveMind SysEng", output="why [y]"))

    text = PLAIN_TEXT.sub("", on_a_terminal(act))
    assert "✗ HiveMind SysEng  Creating" in text
    assert "[HiveMind SysEng] Error: InfrastructureError" in text
    assert "Message: AWS refused [x]" in text
    assert "  why [y]" in text


def test_a_stage_that_nobody_ended_gets_no_check_mark() -> None:
    def act(stream: TextIO, answers: TextIO) -> None:
        terminal = open_terminal(stream, answers, COLOURED)
        terminal.stage("HiveMind DevOps", "Analysing")
        terminal.stage("HiveMind DevOps", "Building")
        terminal.close()
        terminal.close()
        terminal.say("after all stages")

    text = PLAIN_TEXT.sub("", on_a_terminal(act))
    assert "· HiveMind DevOps  Analysing" in text
    assert "· HiveMind DevOps  Building" in text
    assert "✓" not in text
    assert "after all stages" in text


def test_a_question_is_asked_below_the_stages() -> None:
    answered: list[bool] = []

    def act(stream: TextIO, answers: TextIO) -> None:
        terminal = open_terminal(stream, answers, COLOURED)
        assert isinstance(terminal, RichTerminal)
        terminal.stage("HiveMind SysEng", "Planning")
        answered.append(terminal.confirm("Apply this plan?"))

    text = PLAIN_TEXT.sub("", on_a_terminal(act, "y\n"))
    assert answered == [True]
    assert text.index("· HiveMind SysEng  Planning") < text.index("Apply this plan? [y/N]")
