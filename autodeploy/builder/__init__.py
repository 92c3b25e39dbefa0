"""TechStack and Source in, Recipe out: what to run in the builder, and what to keep. It runs nothing itself."""

from __future__ import annotations

from autodeploy.builder import golang, nodejs, python
from autodeploy.builder.testing import tests
from autodeploy.errors import AnalysisError
from autodeploy.model import Recipe, Source, TechStack

__all__ = ["recipe", "tests"]

_LANGUAGES = {"python": python.recipe, "go": golang.recipe, "nodejs": nodejs.recipe}


def recipe(stack: TechStack, source: Source) -> Recipe:
    """Return how to build `source`; raise AnalysisError for what cannot be built."""
    if stack.language not in _LANGUAGES:
        raise AnalysisError(
            f"{stack.language} applications cannot be built yet",
            f"Deploy an application in one of: {', '.join(sorted(_LANGUAGES))}.",
            agent="HiveMind DevOps",
            context="Choosing how to build the application",
        )
    return _LANGUAGES[stack.language](stack, source.built_in(stack.app_root, stack.facts("install_root")))
