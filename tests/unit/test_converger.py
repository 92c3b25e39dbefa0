"""The converger, on a host that really runs the scripts."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest
from fixtures.hosts import LocalHost
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from autodeploy.converger import converge, verify
from autodeploy.errors import DeploymentError
from autodeploy.interruption import heard
from autodeploy.model import CommandResult, Step, StepResult, Upload


@pytest.fixture
def host(tmp_path: Path) -> LocalHost:
    return LocalHost(tmp_path / "host")


def step(name: str = "one", **fields: object) -> Step:
    return Step.model_validate({"name": name, "why": f"do {name}", "observe": f"cat {name}", "want": "right", **fields})


def statuses(results: tuple[StepResult, ...]) -> dict[str, str]:
    return {result.name: result.status for result in results}


def silent(_: str) -> None: ...


def test_verify_observes_everything_in_one_round_trip_and_changes_nothing(host: LocalHost) -> None:
    (host.root / "one").write_text("right\n")
    steps = (step(), step("two", fix="echo right >two"), step("three", not_applicable="no kernel of its own"))
    results = verify(host, steps)
    assert statuses(results) == {"one": "ok", "two": "failed", "three": "not_applicable"}
    assert "No such file" in results[1].output
    assert results[2].observed == "no kernel of its own"
    assert len(host.commands) == 1
    assert not (host.root / "two").exists()


def test_nothing_to_observe_is_nothing_to_say(host: LocalHost) -> None:
    assert verify(host, ()) == ()
    assert host.commands == []


@settings(
    max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(text=st.text(st.characters(blacklist_categories=("Cs",), blacklist_characters="\0\r"), max_size=60))
def test_whatever_an_observation_prints_comes_back_trimmed(host: LocalHost, text: str) -> None:
    (host.root / "one").write_bytes(text.encode())
    (result,) = verify(host, (step(want=text.strip()),))
    assert (result.status, result.observed) == ("ok", text.strip())


def test_an_observation_that_hangs_is_a_difference(host: LocalHost) -> None:
    (result,) = verify(host, (step(observe="echo right; sleep 30", timeout_seconds=1),))
    assert result.seconds < 10
    # What it printed before counts: equality alone decides.
    assert result.observed == "right"
    (late,) = verify(host, (step(observe="sleep 30; echo right", timeout_seconds=1),))
    assert late.status == "failed"


def test_what_differs_is_mended_once_in_order(host: LocalHost, tmp_path: Path) -> None:
    (tmp_path / "archive").write_bytes(b"right")
    steps = (
        step("a", fix="cat >a", stdin="right"),
        step("b", fix="cp /opt/app/incoming/b b", uploads=(Upload(path="/opt/app/incoming/b", content="right"),)),
        step(
            "c",
            fix="test -e b && cp /opt/app/c c",
            uploads=(Upload(path="/opt/app/c", local_path=f"{tmp_path}/archive"),),
        ),
    )
    said: list[str] = []
    assert set(statuses(converge(host, steps, said.append)).values()) == {"changed"}
    assert said == ["do a", "do b", "do c"]
    host.commands.clear()
    assert set(statuses(converge(host, steps, silent)).values()) == {"ok"}
    assert len(host.commands) == 1


def test_the_first_failure_stops_a_release_and_carries_the_output(host: LocalHost) -> None:
    steps = (step("a", fix="echo because; exit 3"), step("b", fix="echo right >b"))
    with pytest.raises(DeploymentError, match="'a' failed: because") as caught:
        converge(host, steps, silent)
    assert caught.value.output == "because"
    assert caught.value.context == "do a"
    assert not (host.root / "b").exists()


def test_hardening_goes_on_after_a_failure(host: LocalHost) -> None:
    steps = (step("a", fix="exit 3", weight=5), step("b", fix="echo right >b"))
    results = converge(host, steps, silent, keep_going=True)
    assert statuses(results) == {"a": "failed", "b": "changed"}
    assert results[0].weight == 5


def test_a_fix_that_does_not_help_is_a_failure(host: LocalHost) -> None:
    with pytest.raises(DeploymentError, match="wanted 'right', observed 'wrong'"):
        converge(host, (step(fix="echo wrong >one"),), silent)


def test_a_check_that_fails_says_what_was_wanted(host: LocalHost) -> None:
    (host.root / "one").write_text("3.13")
    with pytest.raises(DeploymentError, match=r"wanted '3\.11', observed '3\.13'"):
        converge(host, (step(want="3.11"),), silent)


def test_a_step_that_a_later_one_undoes_is_found(host: LocalHost) -> None:
    steps = (step("a", fix="echo right >a"), step("b", fix="echo right >b; echo wrong >a"))
    with pytest.raises(DeploymentError, match="'a' failed"):
        converge(host, steps, silent)
    (host.root / "b").unlink()
    (host.root / "a").write_text("right")
    assert statuses(converge(host, steps, silent, keep_going=True)) == {"a": "failed", "b": "changed"}


def test_a_fix_that_takes_too_long_is_ended(host: LocalHost) -> None:
    with pytest.raises(DeploymentError, match="timed out after 1 s"):
        converge(host, (step(fix="echo busy; sleep 30", timeout_seconds=1),), silent)


def test_a_lock_out_is_confirmed_over_a_fresh_connection(host: LocalHost) -> None:
    locked = step(fix="echo armed >one", confirm="echo right >one")
    assert statuses(converge(host, (locked,), silent)) == {"one": "changed"}
    assert host.connections == 2


def test_a_refused_confirmation_is_a_failure(host: LocalHost) -> None:
    with pytest.raises(DeploymentError, match="not there"):
        converge(host, (step(fix="true", confirm="echo not there; exit 1"),), silent)


def test_an_answer_that_is_none_can_be_asked_for_again() -> None:
    class Mute(LocalHost):
        def run(self, command: str, stdin: str | None = None, timeout_seconds: int = 120) -> CommandResult:
            return CommandResult(code=1, stdout="", stderr="sudo: a password is required")

    with pytest.raises(DeploymentError) as caught:
        verify(Mute.__new__(Mute), (step(),))
    assert caught.value.recoverable
    assert "sudo" in caught.value.output


class TestTransaction:
    def test_it_runs_as_its_own_unit_and_gives_back_its_output(self, host: LocalHost) -> None:
        switch = step(fix="read -r word; echo $word >one; echo done", stdin="right\n", transaction=True)
        (result,) = converge(host, (switch,), silent)
        assert (result.status, result.output) == ("changed", "done")
        assert not list((host.root / "run/autodeploy").glob("*/stdin"))

    def test_its_failure_is_reported(self, host: LocalHost) -> None:
        with pytest.raises(DeploymentError, match="it does not listen"):
            converge(host, (step(fix="echo it does not listen; exit 4", transaction=True),), silent)

    def test_a_lost_line_does_not_cut_it_and_it_runs_once(self, host: LocalHost) -> None:
        host.losses = {"while !": 2}
        said: list[str] = []
        switch = step(fix="sleep 0.3; echo run >>count; echo right >one", transaction=True)
        assert statuses(converge(host, (switch,), said.append)) == {"one": "changed"}
        assert (host.root / "count").read_text() == "run\n"
        assert host.connections == 3
        assert "connection lost" in said[1]

    def test_a_line_lost_before_the_start_starts_it_later(self, host: LocalHost) -> None:
        host.losses = {"systemd-run": 1}
        assert statuses(converge(host, (step(fix="echo right >one", transaction=True),), silent)) == {"one": "changed"}

    def test_a_line_that_stays_lost_is_an_error(self, host: LocalHost) -> None:
        host.losses = {"while !": 99}
        with pytest.raises(DeploymentError, match="lost"):
            converge(host, (step(fix="echo right >one", transaction=True),), silent)

    def test_it_does_not_start_beside_another_of_its_name(self, host: LocalHost) -> None:
        other = subprocess.Popen(["sleep", "30"])
        try:
            (host.root / "units" / "autodeploy-one-00000000").write_text(str(other.pid))
            with pytest.raises(DeploymentError, match="another one is still running"):
                converge(host, (step(fix="echo right >one", transaction=True),), silent)
        finally:
            other.kill()
            other.wait()

    def test_one_that_runs_already_is_found_again(self, host: LocalHost) -> None:
        class Opening(LocalHost):
            def run(self, command: str, stdin: str | None = None, timeout_seconds: int = 120) -> CommandResult:
                if "while !" in command and not self.losses:
                    (self.root / "go").touch()  # it ends once the second run watches it
                return super().run(command, stdin, timeout_seconds)

        host = Opening(host.root / "slow")
        switch = step(fix="until [ -e go ]; do sleep 0.05; done; echo run >>count; echo right >one", transaction=True)
        host.losses = {"while !": 99}
        with pytest.raises(DeploymentError):
            converge(host, (switch,), silent)
        host.losses = {}
        assert statuses(converge(host, (switch,), silent)) == {"one": "changed"}
        assert (host.root / "count").read_text() == "run\n"

    def test_one_that_is_killed_is_a_failure(self, host: LocalHost) -> None:
        with pytest.raises(DeploymentError, match="ended before its time"):
            converge(host, (step(fix="kill -9 $PPID; sleep 1", transaction=True),), silent)

    def test_an_error_that_is_final_is_not_repeated(self, host: LocalHost) -> None:
        class Refusing(LocalHost):
            def reconnect(self) -> None:
                raise DeploymentError("another host key", "Look.", recoverable=False)

        refusing = Refusing(host.root / "other")
        refusing.losses = {"while !": 1}
        with pytest.raises(DeploymentError, match="another host key"):
            converge(refusing, (step(fix="true", transaction=True),), silent)


def test_ctrl_c_lets_the_step_in_work_end_and_begins_no_other(host: LocalHost) -> None:
    steps = (step(fix=f"kill -INT {os.getpid()}; sleep 0.3; echo right >one"), step("two", fix="echo right >two"))
    with pytest.raises(KeyboardInterrupt), heard():
        converge(host, steps, silent)
    assert (host.root / "one").read_text() == "right\n"
    assert not (host.root / "two").exists()
