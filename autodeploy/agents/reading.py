"""From an address to a Source and its TechStack: what `deploy` and `analyze` share. Builds nothing, keeps no ledger."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from autodeploy.analyser import analyse
from autodeploy.model import Source, TechStack
from autodeploy.ports import Repo
from autodeploy.settings import Settings

AGENT = "HiveMind DevOps"


class Reading(NamedTuple):
    """What was read of a repository."""

    source: Source
    stack: TechStack


def read_repository(repo: Repo, repo_url: str, into: Path, settings: Settings, description: str = "") -> Reading:
    """Check the repository out into the folder `into`, and analyse it; raise SourceError or AnalysisError."""
    source = repo.checkout(repo_url, settings.ref or None, settings.path or ".", into)
    return Reading(source, analyse(source, settings.overrides, description))
