"""From a Source to a TechStack, each fact with its evidence: tells the language, and asks its analyser."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

from autodeploy.analyser import language
from autodeploy.analyser.failures import refusal
from autodeploy.analyser.golang import analyse_go
from autodeploy.analyser.language import Home
from autodeploy.analyser.nodejs.analysis import analyse_nodejs
from autodeploy.analyser.python import analyse_python
from autodeploy.analyser.tree import Tree
from autodeploy.model import Language, Source, TechStack

OVERRIDES = frozenset(
    {"app", "start_command", "port", "health_check_path", "runtime_version", "migration_command", "database_type"}
)
"""The facts that a flag may settle."""

_NONE: Mapping[str, str] = MappingProxyType({})
_ANALYSERS: dict[Language, Callable[[Tree, Home, Mapping[str, str]], TechStack]] = {
    "python": analyse_python,
    "go": analyse_go,
    "nodejs": analyse_nodejs,
}


def analyse(source: Source, overrides: Mapping[str, str] = _NONE) -> TechStack:
    """Return the application's technology with evidence; raise AnalysisError naming what to type next."""
    unknown = sorted(set(overrides) - OVERRIDES)
    if unknown:
        raise refusal(f"no fact is named {unknown[0]!r}", f"Facts that can be set: {', '.join(sorted(OVERRIDES))}.")
    home = language.detect_language(source)
    return _ANALYSERS[language.supported(home)](Tree(source, home.root), home, overrides)
