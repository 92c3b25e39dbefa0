"""Spells a language as its people do, where one package file serves several: Kotlin and Clojure are built like Java."""

from __future__ import annotations

from autodeploy.analyser.layout.projects import Project
from autodeploy.analyser.tree import Tree


def spelled(tree: Tree, project: Project) -> str:
    """Return the name of the project's language."""
    if project.language == "java":
        ends = [path.rsplit(".", 1)[-1] for path in tree.paths_below(project.folder)]
        return "kotlin" if ends.count("kt") > ends.count("java") else "java"
    return project.language
