"""A run that is killed, or meets Ctrl-C, at every one of its effects, over a world of fakes: the next one ends it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from fakes.mortal import Moments, MortalLine
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from autodeploy.errors import AgentError
from autodeploy.model import STAGES, Stage

STRIKES = ("KILL", "INT")


def moments_of(folder: Path, *before: str) -> list[str]:
    """Return the moments of an undisturbed run of the last of these commands, after the others."""
    line = MortalLine(folder)
    for command in before:
        moments = Moments()
        line.run(command, moments)
    return moments.seen


def points(whole: list[str]) -> list[tuple[int, str]]:
    """Return the moments with their numbers; after one effect and before the next is the same point."""
    last = len(whole) - 1
    return [(number, name) for number, name in enumerate(whole) if name.startswith("before") or number == last]


def recorded(seen: list[str], stage: Stage) -> bool:
    """Say whether the stage was in the ledger as done before the run ended."""
    later = STAGES[STAGES.index(stage) :]
    saves = [moment for moment in seen if moment.startswith("after store.save ")]
    return any(f" after {name}#" in moment for moment in saves for name in later)


def complete(line: MortalLine) -> None:
    """Run `deploy` undisturbed; it ends complete, with one of each kind."""
    result = line.run("deploy", Moments())
    assert result.status == "complete", result.errors[-1]
    (state,) = line.states()
    assert list(line.world.stacks) == list(line.world.machines) == [state.deployment_id]
    assert line.world.machines[state.deployment_id].release == state.deployment_config.release_id
    assert state.completed_at and state.security_config


def empty(line: MortalLine) -> None:
    """Run `destroy` undisturbed; nothing is left but what was kept of a database that stood."""
    for state in line.states():
        assert line.conductor().rollback(state.deployment_id).status == "rolled_back"
        assert dict(line.kept.secrets(state.deployment_id)) == {}
    assert line.world.stacks == {} and dict(line.world.machines) == {}


@pytest.fixture
def homes(tmp_path: Path) -> Iterator[Path]:
    """Folders without end."""
    return (tmp_path / f"home-{number}" for number in range(10_000))


@contextmanager
def noted(broken: dict[str, str], case: str) -> Iterator[None]:
    """Note what does not hold, and let the cases after it be tried."""
    try:
        yield
    except (AssertionError, AgentError) as err:
        broken[case] = str(err)


@pytest.mark.parametrize("strike", STRIKES)
def test_a_deployment_that_is_struck_anywhere_is_brought_to_its_end(homes: Iterator[Path], strike: str) -> None:
    whole, broken = points(moments_of(next(homes), "deploy")), dict[str, str]()
    assert len(whole) > 50
    for number, name in whole:
        line, struck = MortalLine(next(homes)), Moments(number, strike)
        with noted(broken, name):
            line.run("deploy", struck)
            complete(line)
            assert line.person.questions == 1 or not recorded(struck.seen, "plan")
            assert line.world.builds == 1 or not recorded(struck.seen, "build")
            (ups,) = line.world.history.values()
            assert len(ups) == 1 or not recorded(struck.seen, "provision")
            empty(line)
    assert broken == {}


@pytest.mark.parametrize("strike", STRIKES)
def test_a_deployment_that_is_struck_anywhere_can_be_destroyed(homes: Iterator[Path], strike: str) -> None:
    broken = dict[str, str]()
    for number, name in points(moments_of(next(homes), "deploy")):
        line = MortalLine(next(homes))
        with noted(broken, name):
            line.run("deploy", Moments(number, strike))
            empty(line)
    assert broken == {}


@pytest.mark.parametrize("strike", STRIKES)
@pytest.mark.parametrize("then", ["destroy", "deploy"])
def test_a_destruction_that_is_struck_anywhere(homes: Iterator[Path], strike: str, then: str) -> None:
    broken = dict[str, str]()
    for number, name in points(moments_of(next(homes), "deploy", "destroy")):
        line = MortalLine(next(homes))
        with noted(broken, name):
            line.run("deploy", Moments())
            line.run("destroy", Moments(number, strike))
            if then == "deploy" and line.states()[0].status != "rolled_back":
                complete(line)
            empty(line)
            # Of one destruction, begun twice, there is one snapshot; what was served in between has its own.
            assert 1 <= len(line.world.snapshots) <= (1 if then == "destroy" else 2)
            assert set(line.world.kept.values()) == {"rows"}
    assert broken == {}


@pytest.mark.parametrize("strike", STRIKES)
def test_an_update_that_is_struck_anywhere_keeps_one_release_serving(homes: Iterator[Path], strike: str) -> None:
    broken = dict[str, str]()
    for number, name in points(moments_of(next(homes), "deploy", "deploy")):
        line = MortalLine(next(homes))
        line.run("deploy", Moments())
        (machine,) = line.world.machines.values()
        before, line.world.commit = machine.release, "b" * 40
        with noted(broken, name):
            line.run("deploy", Moments(number, strike))
            assert machine.release and not machine.stopped
            complete(line)
            assert machine.release != before
            assert line.person.questions == 1
            empty(line)
    assert broken == {}


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(strikes=st.lists(st.tuples(st.integers(0, 250), st.sampled_from(STRIKES)), max_size=6))
def test_a_deployment_that_is_struck_again_and_again(homes: Iterator[Path], strikes: list[tuple[int, str]]) -> None:
    line = MortalLine(next(homes))
    for at, strike in strikes:
        line.run("deploy", Moments(at, strike))
    complete(line)
    assert line.person.questions <= 1 + len(strikes)
    empty(line)
