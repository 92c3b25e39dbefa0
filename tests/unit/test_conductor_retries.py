"""How often a stage is tried, what a retry takes up, and two runs at once, over a world of fakes."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

import pytest
from fakes.line import BREAKS, URL, Line

from autodeploy.adapters.store import FileStore
from autodeploy.errors import AgentError, ApprovalError, InfrastructureError, LockedError, SourceError
from autodeploy.model import STAGES, DeploymentState, Stage

ATTEMPTS: dict[Stage, int] = {"analyze": 3, "build": 1, "plan": 3, "provision": 5, "deploy": 2, "harden": 2}


@pytest.fixture
def line(tmp_path: Path) -> Line:
    return Line(tmp_path / "home")


def passing(number: int) -> AgentError:
    return InfrastructureError(f"rate exceeded, call {number}", "Wait.", recoverable=True)


class TestTrying:
    @pytest.mark.parametrize("stage", STAGES)
    def test_as_often_as_the_table_says(self, line: Line, stage: Stage) -> None:
        for number in range(ATTEMPTS[stage] - 1):
            line.break_at(stage, passing(number))
        result = line.deploy()
        assert (result.status, result.errors) == ("complete", ())
        warned = [entry for entry in line.ledger(result).logs if entry.level == "WARNING"]
        assert [entry.message for entry in warned] == [
            f"again in {2 ** (number + 1)} s: rate exceeded, call {number}" for number in range(ATTEMPTS[stage] - 1)
        ]
        assert {entry.message for entry in warned} <= set(line.ui.lines)
        assert not line.world.broken[BREAKS[stage]]

    @pytest.mark.parametrize("stage", STAGES)
    def test_not_once_more_and_the_last_error_is_the_one(self, line: Line, stage: Stage) -> None:
        for number in range(7):
            line.break_at(stage, passing(number))
        (entry,) = line.deploy().errors
        assert entry.message == f"rate exceeded, call {ATTEMPTS[stage] - 1}"
        assert len(line.world.broken[BREAKS[stage]]) == 7 - ATTEMPTS[stage]

    @pytest.mark.parametrize("stage", STAGES)
    def test_never_what_stays_wrong(self, line: Line, stage: Stage) -> None:
        line.break_at(stage, InfrastructureError("you may not", "Ask for the right."))
        began = line.clock.now()
        assert line.deploy().errors[0].message == "you may not"
        assert not line.world.broken[BREAKS[stage]]
        assert not [said for said in line.ui.lines if said.startswith("again in")]
        assert began < line.clock.now()

    def test_waits_by_the_clock_and_a_little_more(self, line: Line) -> None:
        slept: list[float] = []
        line.clock.sleep = slept.append  # type: ignore[method-assign]
        for number in range(4):
            line.break_at("provision", passing(number))
        line.deploy()
        assert [int(seconds) for seconds in slept] == [2, 4, 8, 16]
        assert len({seconds % 1 for seconds in slept}) == 4

    def test_a_fault_of_ours_is_not_tried_again(self, line: Line) -> None:
        line.break_at("provision", ZeroDivisionError("division by zero"))
        assert line.deploy().status == "failed"

    def test_nobody_is_asked_twice(self, line: Line) -> None:
        line.ui.answer = False
        line.deploy(yes=False)
        assert line.ui.lines.count("Apply this plan?") == 1


class TestTakingUp:
    @pytest.mark.parametrize("stage", STAGES[1:])
    def test_a_later_stage_releases_the_commit_that_was_analysed(self, line: Line, stage: Stage) -> None:
        before = line.ledger(line.deploy())
        line.world.commit = "b" * 40
        after = line.ledger(line.conductor().retry_stage(before.deployment_id, stage))
        assert (after.status, after.commit) == ("complete", before.commit)
        assert after.deployment_config and before.deployment_config
        assert after.deployment_config.release_id == before.deployment_config.release_id

    def test_the_analysis_itself_checks_out_anew(self, line: Line) -> None:
        identifier = line.deploy().deployment_id
        line.world.commit = "b" * 40
        assert line.ledger(line.conductor().retry_stage(identifier, "analyze")).commit == "b" * 40

    def test_a_checkout_that_is_gone_names_the_stage_that_makes_it(self, line: Line) -> None:
        identifier = line.deploy().deployment_id
        line.break_at("analyze", SourceError("it cannot be checked out into itself", "Name another."))
        (entry,) = line.conductor().retry_stage(identifier, "harden").errors
        assert entry.message == "what was checked out of the repository is gone"
        assert "autodeploy retry --stage analyze" in entry.remediation
        assert entry.context == f"Analysing {URL}"

    def test_where_nothing_was_analysed_it_is_now(self, line: Line) -> None:
        line.break_at("analyze", SourceError("gone", "Give another."))
        identifier = line.deploy().deployment_id
        assert line.conductor().retry_stage(identifier, "harden").status == "complete"


class SlowStore(FileStore):
    """Lets two runs look for their deployment at the same moment, where nothing keeps them apart."""

    both = threading.Barrier(2)

    def list(self) -> Iterable[DeploymentState]:
        found = super().list()
        with suppress(threading.BrokenBarrierError):
            self.both.wait(0.3)
        return found


class TestAtOnce:
    def test_two_first_deploys_make_one_deployment(self, tmp_path: Path) -> None:
        line = Line(tmp_path / "home", store=SlowStore(tmp_path / "home"))

        def deploy() -> None:
            with suppress(LockedError):
                line.deploy()

        runs = [threading.Thread(target=deploy) for _ in range(2)]
        for run in runs:
            run.start()
        for run in runs:
            run.join()
        (state,) = FileStore(tmp_path / "home").list()
        assert state.status == "complete"
        assert [path.name for path in (tmp_path / "home" / "deployments").iterdir()] == [state.deployment_id]

    def test_a_preview_waits_for_the_deploy_that_runs(self, line: Line) -> None:
        identifier = line.deploy().deployment_id
        with line.store.lock(identifier, "deploy"), pytest.raises(LockedError, match="deploy"):
            line.conductor().preview(identifier)


class TestAnotherRepository:
    OTHER = "https://example.com/another/guestbook"

    def test_of_the_same_name_is_asked_for(self, line: Line) -> None:
        before = line.ledger(line.deploy())
        line.ui.answer = False
        with pytest.raises(ApprovalError) as caught:
            line.deploy(self.OTHER, yes=False)
        assert all(word in caught.value.remediation for word in ("--new", "--name", "--yes"))
        assert line.store.load(before.deployment_id) == before
        line.ui.answer = True
        after = line.ledger(line.deploy(self.OTHER, yes=False))
        assert (after.deployment_id, after.repo_url) == (before.deployment_id, self.OTHER)
        assert f"{before.deployment_id} is of {URL}. Replace it by {self.OTHER}?" in line.ui.lines

    @pytest.mark.parametrize("same", [URL, URL.removesuffix(".git"), f"{URL.removesuffix('.git')}/"])
    def test_is_not_the_same_one_written_otherwise(self, line: Line, same: str) -> None:
        line.deploy()
        line.ui.answer = False
        assert line.deploy(same, yes=False, name="guestbook").status == "complete"

    def test_in_place_of_one_that_was_never_read_is_no_question(self, line: Line) -> None:
        line.break_at("analyze", SourceError("no such repository", "Give another."))
        identifier = line.deploy("https://example.com/typo/guestbook").deployment_id
        line.ui.lines.clear()
        assert line.deploy().deployment_id == identifier
        assert not [said for said in line.ui.lines if "becomes" in said]
