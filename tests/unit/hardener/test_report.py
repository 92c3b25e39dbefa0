"""The score: of what was verified, and of nothing else."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from autodeploy.hardener import report
from autodeploy.model import Step, StepResult


def step(name: str, weight: int) -> Step:
    return Step(name=name, why=f"do {name}", observe="", want="", weight=weight, reference="a book")


def result(name: str, status: str, **fields: str) -> StepResult:
    return StepResult.model_validate({"name": name, "status": status, **fields})


STEPS = (step("a", 20), step("b", 10), step("c", 70))


def test_what_does_not_apply_is_reported_and_not_counted() -> None:
    results = (
        result("a", "ok"),
        result("b", "failed", observed="x", output="why\nbecause"),
        result("c", "not_applicable", observed="a container"),
    )
    score, findings, recommendations = report(STEPS, results)
    assert score == 66
    assert [(finding.name, finding.status, finding.weight) for finding in findings] == [
        ("a", "pass", 20), ("b", "fail", 10), ("c", "not_applicable", 70),
    ]  # fmt: skip
    assert "a container" in findings[2].detail
    assert recommendations == ("b: do b (observed: because; a book)",)


def test_a_failure_without_a_word_is_still_a_recommendation() -> None:
    assert report(STEPS, (result("a", "failed"),))[2] == ("a: do a (observed: no answer; a book)",)


def test_nothing_verified_is_no_score() -> None:
    assert report((), ()) == (0, (), ())


@settings(max_examples=100)
@given(
    st.lists(st.tuples(st.integers(1, 30), st.sampled_from(["ok", "changed", "failed", "not_applicable"])), min_size=1)
)
def test_the_score_is_bounded_and_full_only_when_nothing_failed(drawn: list[tuple[int, str]]) -> None:
    steps = [step(str(index), weight) for index, (weight, _) in enumerate(drawn)]
    results = [result(str(index), status) for index, (_, status) in enumerate(drawn)]
    score, findings, recommendations = report(steps, results)
    assert 0 <= score <= 100
    failed = [status for _, status in drawn if status == "failed"]
    assert len(recommendations) == len(failed)
    assert len(findings) == len(drawn)
    applicable = [status for _, status in drawn if status != "not_applicable"]
    assert (score == 100) == (bool(applicable) and not failed)
