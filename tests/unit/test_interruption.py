"""Signals: the first at the next safe point, the second at once, none while the ledger is written."""

from __future__ import annotations

import os
import pty
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from autodeploy import interruption
from autodeploy.interruption import SIGNALS, heard, unbroken, undisturbed


def press(number: int = signal.SIGINT) -> None:
    signal.raise_signal(number)


@pytest.mark.parametrize("number", SIGNALS)
def test_between_steps_every_signal_stops_at_once(number: int) -> None:
    with pytest.raises(KeyboardInterrupt), heard():
        press(number)
        pytest.fail("it went on")


def test_a_step_ends_before_the_first_is_answered(capfd: pytest.CaptureFixture[str]) -> None:
    done = []
    with pytest.raises(KeyboardInterrupt), heard():
        with unbroken():
            press()
            done.append("the step")
        done.append("the next")
    assert done == ["the step"]
    assert "Once more stops at once" in capfd.readouterr().err


def test_the_second_cuts_the_step(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(interruption, "SAME_PRESS_SECONDS", 0.0)
    done = []
    with pytest.raises(KeyboardInterrupt), heard(), unbroken():
        press()
        done.append("half")
        press()
        done.append("all")
    assert done == ["half"]


def test_one_press_that_comes_twice_is_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(interruption, "SAME_PRESS_SECONDS", 3600.0)  # however busy the machine
    done = []
    with pytest.raises(KeyboardInterrupt), heard():
        with unbroken():
            press()
            press()
            done.append("the step")
        done.append("the next")
    assert done == ["the step"]


def test_nothing_cuts_a_write(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(interruption, "SAME_PRESS_SECONDS", 0.0)
    done = []
    with pytest.raises(KeyboardInterrupt), heard():
        with undisturbed():
            press()
            press()
            done.append("written")
        done.append("more")
    assert done == ["written"]


def test_a_write_within_a_step_leaves_the_first_for_the_step_s_end() -> None:
    done = []
    with pytest.raises(KeyboardInterrupt), heard():
        with unbroken():
            with undisturbed():
                press()
            done.append("the rest of the step")
        done.append("the next step")
    assert done == ["the rest of the step"]


def test_a_step_that_fails_while_one_waits_is_an_interrupt() -> None:
    with pytest.raises(KeyboardInterrupt) as caught, heard(), unbroken():
        press()
        raise ValueError("the step failed")
    assert isinstance(caught.value.__context__, ValueError)


def test_afterwards_signals_mean_what_they_meant() -> None:
    before = [signal.getsignal(number) for number in SIGNALS]
    with heard():
        with heard():
            assert signal.getsignal(signal.SIGTERM) != before[1]
        assert signal.getsignal(signal.SIGTERM) != before[1]
    assert [signal.getsignal(number) for number in SIGNALS] == before


def test_one_of_an_earlier_time_is_forgotten() -> None:
    for _ in range(2):
        with pytest.raises(KeyboardInterrupt), heard():
            press()


def test_what_the_shell_has_switched_off_stays_off() -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with heard():
            press(signal.SIGHUP)
    finally:
        signal.signal(signal.SIGHUP, before)


def test_in_another_thread_nothing_is_changed() -> None:
    seen = []

    def work() -> None:
        with heard(), unbroken(), undisturbed():
            seen.append(signal.getsignal(signal.SIGTERM))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert seen == [signal.getsignal(signal.SIGTERM)]


HANGING_UP = """
import signal, sys, time
from autodeploy.interruption import heard
try:
    with heard():
        print("ready", file=sys.stderr, flush=True)
        time.sleep(60)
except KeyboardInterrupt:
    print("to nobody", file=sys.stderr, flush=True)
    open(sys.argv[1], "w").write("ended in order")
"""


def test_a_terminal_that_hangs_up_is_not_written_to(tmp_path: Path) -> None:
    leader, follower = pty.openpty()
    told = tmp_path / "told"
    command = [sys.executable, "-c", HANGING_UP, str(told)]
    process = subprocess.Popen(command, stdin=follower, stdout=follower, stderr=follower, start_new_session=True)
    os.close(follower)
    said = b""
    while not said.endswith(b"\n"):  # a terminal passes a line on in pieces; its writer must have ended
        said += os.read(leader, 100)
    assert said.strip() == b"ready"
    os.close(leader)
    process.send_signal(signal.SIGHUP)
    assert process.wait(60) == 0
    assert told.read_text() == "ended in order"
