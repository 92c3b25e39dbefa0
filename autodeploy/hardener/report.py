"""Controls and their verified results in; score, findings and recommendations out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from autodeploy.model import Finding, Step, StepResult

_STATUS: dict[str, Literal["pass", "fail", "not_applicable"]] = {
    "ok": "pass",
    "changed": "pass",
    "failed": "fail",
    "not_applicable": "not_applicable",
}


def report(controls: Sequence[Step], results: Sequence[StepResult]) -> tuple[int, tuple[Finding, ...], tuple[str, ...]]:
    """Return the score (0-100), the findings and the recommendations.

    The score is the weight of what was verified over the weight of what applies; nothing unverified counts.
    """
    by_name = {step.name: step for step in controls}
    findings, recommendations = [], []
    for result in results:
        step = by_name[result.name]
        status = _STATUS[result.status]
        reason = f" ({result.observed})" if status == "not_applicable" else ""
        findings.append(
            Finding(name=step.name, status=status, detail=f"{step.why}{reason}; {step.reference}", weight=step.weight)
        )
        if status == "fail":
            last = (result.output or result.observed or "no answer").strip().splitlines()[-1]
            recommendations.append(f"{step.name}: {step.why} (observed: {last[:200]}; {step.reference})")
    applicable = sum(finding.weight for finding in findings if finding.status != "not_applicable")
    passed = sum(finding.weight for finding in findings if finding.status == "pass")
    return (100 * passed // applicable if applicable else 0), tuple(findings), tuple(recommendations)
