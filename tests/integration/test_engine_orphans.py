"""We are killed, or interrupted twice, while the engine runs: it finishes alone, and the next run waits for it."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from integration.killing import Place
from integration.test_engine_kills import WHOLE, plan

from autodeploy.interruption import SAME_PRESS_SECONDS

pytestmark = pytest.mark.engine


class Run:
    """A first `up` in a process of its own, and the place it works in."""

    def __init__(self, folder: Path, executable: Path, place: Place, certificate: str) -> None:
        self.plan = plan(certificate)
        self.place = place
        self.before = place.standing()
        (folder / "plan.json").write_text(self.plan.to_json())
        (folder / "key.pem").write_text(place.key)
        script = Path(__file__).with_name("up_once.py")
        words = [place.home, executable, place.server.port, folder / "plan.json", folder / "key.pem"]
        self.process = subprocess.Popen(
            [sys.executable, str(script), *map(str, words)], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )

    def until(self, calls: int) -> None:
        """Return when the engine has made so many calls."""
        deadline = time.monotonic() + 120
        while len(self.place.executioner.calls) < calls:
            assert time.monotonic() < deadline and self.process.poll() is None
            time.sleep(0.01)

    def interrupt(self) -> str:
        """Press Ctrl-C; return what was said until it was answered."""
        self.process.send_signal(signal.SIGINT)
        assert self.process.stdout is not None
        said = ""
        while "Ctrl-C again leaves it to finish alone" not in said:
            line = self.process.stdout.readline()
            assert line, said
            said += line
        return said

    def go_on(self) -> None:
        """Run `up` again, here; it must end with everything there once. Who is waited for may then finish."""
        said: list[str] = []

        def say(line: str) -> None:
            said.append(line)
            if "waiting for the Pulumi engine of an earlier run" in line and self.place.plane.gate:
                self.place.plane.gate.set()

        self.place.engine.up(self.plan, {"certificateKey": self.place.key}, None, say)
        assert self.place.standing() - self.before == WHOLE, said
        assert len(self.place.plane.machines) == len(self.place.plane.databases) == 1
        self.said = said


@pytest.fixture
def run(tmp_path: Path, engine_binary: Path, place: Place, pair: tuple[str, str]) -> Iterator[Run]:
    made = Run(tmp_path, engine_binary, place, pair[0])
    end = threading.Timer(300, made.process.kill)  # one that says nothing more is no reason to wait for ever
    end.start()
    yield made
    end.cancel()
    made.process.kill()
    made.process.wait()
    if made.place.plane.gate:
        made.place.plane.gate.set()


def test_an_engine_whose_starter_was_killed_ends_by_itself_and_is_waited_for(run: Run) -> None:
    run.place.plane.gate = threading.Event()
    assert run.place.plane.begun.wait(120)  # the database is being made, and takes its time
    run.process.kill()
    run.process.wait()
    run.go_on()
    assert any("waiting for the Pulumi engine of an earlier run" in line for line in run.said)
    # It ended in order: whatever it was making it has written down, so nothing had to be looked for.
    assert not any("cut short" in line for line in run.said), run.said


@pytest.mark.nightly
@pytest.mark.parametrize("calls", [1, 8, 20, 40, 60, 74])
def test_a_starter_killed_at_any_point(run: Run, calls: int) -> None:
    run.until(calls)
    run.process.kill()
    run.process.wait()
    run.go_on()


def test_the_second_ctrl_c_returns_at_once_and_the_engine_finishes_alone(run: Run) -> None:
    run.place.plane.gate = threading.Event()
    assert run.place.plane.begun.wait(120)
    run.interrupt()
    time.sleep(SAME_PRESS_SECONDS + 0.1)
    assert run.process.poll() is None  # it waits for what the engine is making
    run.process.send_signal(signal.SIGINT)
    assert run.process.stdout is not None
    assert "the next command waits for it" in run.process.stdout.read()
    run.process.wait(60)
    assert not run.place.plane.databases
    run.go_on()
    assert not any("cut short" in line for line in run.said), run.said


def test_one_ctrl_c_lets_the_engine_finish_and_leaves_nothing_to_repair(run: Run) -> None:
    run.place.plane.gate = threading.Event()
    assert run.place.plane.begun.wait(120)
    run.interrupt()
    run.place.plane.gate.set()
    run.process.communicate(timeout=60)
    assert run.place.engine.locks("web-1") == []
    run.go_on()
    assert not any("cut short" in line or "waiting" in line for line in run.said), run.said
