"""The ledger: only the table's moves, each written; proofs, errors, and the options that follow from them."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import get_args

import pytest
from fakes.memory import MemoryStore
from fakes.person import BEGINNING, FakeClock

from autodeploy.errors import BuildError, StateError
from autodeploy.ledger import Ledger, digest
from autodeploy.model import ENDS, STAGES, TRANSITIONS, WORK, DeploymentState, Stage, StageRecord, Status
from autodeploy.stages import LINE, recovery_options

STATUSES: tuple[Status, ...] = get_args(Status)
MOVES = [(before, after) for before in STATUSES for after in STATUSES if before != after]


def ledger(tmp_path: Path, status: Status = "pending", **fields: object) -> Ledger:
    state = DeploymentState.model_validate(
        {
            "deployment_id": "a",
            "status": status,
            "repo_url": "https://example.org/a.git",
            "description": "",
            "created_at": BEGINNING,
            "updated_at": BEGINNING,
            **fields,
        }
    )
    return Ledger(MemoryStore(tmp_path), FakeClock(), state)


class TestTransitions:
    def test_the_table_knows_every_status(self) -> None:
        assert set(TRANSITIONS) == set(STATUSES)
        assert all(after in STATUSES for row in TRANSITIONS.values() for after in row)

    def test_the_line_follows_the_table(self) -> None:
        assert tuple(LINE) == STAGES
        walked = list(dict.fromkeys(WORK.values()))
        path: list[Status] = ["pending", *walked, "complete"]
        assert all(after in TRANSITIONS[before] for before, after in itertools.pairwise(path))

    def test_every_status_of_work_can_fail_and_only_the_end_is_final(self) -> None:
        assert [status for status, row in TRANSITIONS.items() if not row] == ["rolled_back"]
        assert all("failed" in row for status, row in TRANSITIONS.items() if status not in ("failed", "rolled_back"))

    @pytest.mark.parametrize(("before", "after"), MOVES)
    def test_a_move_is_made_only_when_it_is_in_the_table(self, tmp_path: Path, before: Status, after: Status) -> None:
        book = ledger(tmp_path, before)
        if after in TRANSITIONS[before]:
            book.move(after)
            assert book.state.status == after
            ended = after in ENDS
            assert (book.state.completed_at is not None) == ended
            return
        with pytest.raises(StateError, match=f"that is {before} cannot become {after}"):
            book.move(after)
        assert book.state.status == before

    @pytest.mark.parametrize("status", STATUSES)
    def test_to_stay_is_no_move(self, tmp_path: Path, status: Status) -> None:
        book = ledger(tmp_path, status)
        book.move(status)
        assert book.state.updated_at == BEGINNING


class TestSettling:
    @pytest.mark.parametrize("status", STATUSES)
    def test_what_no_living_run_works_on_counts_as_failed(self, tmp_path: Path, status: Status) -> None:
        book = ledger(tmp_path, status, completed_at=BEGINNING if status in ENDS else None)
        doing = book.settle()
        if status in ENDS:
            assert (doing, book.state.status) == ("", status)
            return
        assert (doing, book.state.status) == (status, "failed")
        assert book.state.completed_at is not None
        assert book.state.failed_stage == next((stage for stage in STAGES if WORK[stage] == status), None)
        assert book.settle() == ""

    @pytest.mark.parametrize("status", ["complete", "failed"])
    def test_so_does_one_that_was_being_destroyed(self, tmp_path: Path, status: Status) -> None:
        book = ledger(tmp_path, status, destroying=True)
        assert book.settle() == "being destroyed"
        assert (book.state.status, book.state.destroying) == ("failed", False)

    def test_it_failed_at_the_stage_that_is_not_proven(self, tmp_path: Path) -> None:
        done = {"plan": StageRecord(inputs="abc", seconds=1, finished_at=BEGINNING)}
        book = ledger(tmp_path, "provisioning", stages=done)
        book.settle()
        assert book.state.failed_stage == "provision"

    def test_it_is_said_in_the_log(self, tmp_path: Path) -> None:
        book = ledger(tmp_path, "building")
        book.settle()
        (entry,) = book._store.load("a").logs
        assert (entry.level, entry.message) == (
            "WARNING",
            "the run before was killed while the deployment was building",
        )


class TestRecords:
    def test_a_stage_that_ends_is_proven_by_its_inputs_alone(self, tmp_path: Path) -> None:
        book = ledger(tmp_path)
        book.perform("build", "abc", lambda state: state.but(commit="c"))
        assert book.proven("build", "abc")
        assert not book.proven("build", "other")
        assert not book.proven("plan", "abc")
        assert book.state.commit == "c"
        assert book.state.stages["build"].seconds == 1.0

    def test_a_stage_that_fails_is_not_even_proven_by_its_last_success(self, tmp_path: Path) -> None:
        book = ledger(tmp_path, stages={"build": StageRecord(inputs="abc", seconds=1, finished_at=BEGINNING)})

        def fail(state: DeploymentState) -> DeploymentState:
            raise BuildError("no", "Mend it.")

        with pytest.raises(BuildError):
            book.perform("build", "abc", fail)
        assert not book.proven("build", "abc")

    def test_an_error_is_kept_with_its_traceback(self, tmp_path: Path) -> None:
        book = ledger(tmp_path, "building")
        try:
            raise BuildError("pip failed", "Mend it.", agent="HiveMind DevOps", context="Building", output="last line")
        except BuildError as err:
            entry = book.fail(err, "build")
        assert book.state.errors == (entry,)
        assert (book.state.status, book.state.failed_stage) == ("failed", "build")
        assert (entry.agent, entry.context, entry.output) == ("HiveMind DevOps", "Building", "last line")
        assert entry.stack_trace and entry.stack_trace.startswith("Traceback")

    def test_a_traceback_that_an_error_brings_is_kept(self, tmp_path: Path) -> None:
        entry = ledger(tmp_path, "building").fail(BuildError("no", "Mend it.", stack="Traceback of old"), "build")
        assert entry.stack_trace == "Traceback of old"

    def test_a_second_error_keeps_the_first(self, tmp_path: Path) -> None:
        book = ledger(tmp_path, "failed")
        book.fail(BuildError("one", "Mend it."), "build")
        book.fail(BuildError("two", "Mend it."), None)
        assert [entry.message for entry in book.state.errors] == ["one", "two"]
        assert book.state.status == "failed"

    def test_a_digest_depends_on_the_parts_and_their_borders(self) -> None:
        assert digest("a", "b") == digest("a", "b")
        assert len({digest("ab", ""), digest("a", "b"), digest("", "ab"), digest("b", "a")}) == 4


class TestOptions:
    @pytest.mark.parametrize("stage", STAGES)
    def test_of_a_failure_begin_with_its_stage(self, tmp_path: Path, stage: Stage) -> None:
        state = ledger(tmp_path, "failed", failed_stage=stage).state
        assert recovery_options(state) == (f"autodeploy retry a --stage {stage}",)

    def test_of_a_failure_nowhere_begin_at_the_start(self, tmp_path: Path) -> None:
        assert recovery_options(ledger(tmp_path, "failed").state) == ("autodeploy retry a --stage analyze",)

    def test_of_what_serves(self, tmp_path: Path) -> None:
        found = recovery_options(ledger(tmp_path, "complete").state)
        assert found == ("autodeploy status a", "autodeploy logs a")

    @pytest.mark.parametrize("status", ["pending", "building", "rolled_back"])
    def test_of_the_others_there_are_none(self, tmp_path: Path, status: Status) -> None:
        assert recovery_options(ledger(tmp_path, status).state) == ()
