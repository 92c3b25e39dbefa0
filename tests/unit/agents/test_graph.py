"""The stages as a Strands graph: in order, up to the first that fails, and never twice."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable

import pytest

from autodeploy.agents.graph import Outcome, Step, walk
from autodeploy.errors import BuildError


def steps(done: list[str], names: str, **actions: Callable[[], None]) -> list[Step]:
    def step(name: str) -> Step:
        return (f"agent.{name}", actions.get(name, lambda: done.append(name)))

    return [step(name) for name in names]


@pytest.mark.parametrize("names", ["", "a", "ab", "abcdef"])
def test_all_in_order(names: str) -> None:
    done: list[str] = []
    outcome = walk(steps(done, names))
    assert "".join(done) == names
    assert outcome == Outcome([f"agent.{name}" for name in names], None)


@pytest.mark.parametrize("at", range(4))
def test_it_ends_at_the_first_that_raises(at: int) -> None:
    done: list[str] = []
    err = BuildError("no", "Mend it.")

    def fail() -> None:
        raise err

    outcome = walk(steps(done, "abcd", **{"abcd"[at]: fail}))
    assert "".join(done) == "abcd"[:at]
    assert outcome.error is err
    assert len(outcome.finished) == at


def test_an_interrupt_is_no_outcome() -> None:
    done: list[str] = []

    def interrupt() -> None:
        signal.raise_signal(signal.SIGINT)

    with pytest.raises(KeyboardInterrupt):
        walk(steps(done, "abc", b=interrupt))
    assert done == ["a"]


def test_after_a_walk_ctrl_c_means_what_it_meant() -> None:
    before = signal.getsignal(signal.SIGINT)
    walk(steps([], "ab"))
    assert signal.getsignal(signal.SIGINT) == before


def test_it_walks_in_a_thread_too() -> None:
    done: list[str] = []
    thread = threading.Thread(target=lambda: walk(steps(done, "abc")))
    thread.start()
    thread.join()
    assert done == ["a", "b", "c"]
