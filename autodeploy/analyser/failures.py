"""The analyser's refusals, in one shape: what was found, what to type next."""

from __future__ import annotations

from autodeploy.errors import AnalysisError


def refusal(message: str, remediation: str) -> AnalysisError:
    """Return the error of HiveMind DevOps for a repository that cannot be settled."""
    return AnalysisError(message, remediation, agent="HiveMind DevOps", context="Analysing the repository")
