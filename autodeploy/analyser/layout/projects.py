"""Finds the projects of a repository by their package files: folder, language, and the files that told."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cached_property

from autodeploy.analyser.layout.names import LANGUAGE_OF_SUFFIX, MANIFESTS, is_aside
from autodeploy.analyser.toml import table
from autodeploy.analyser.tree import Tree

MAX_DEPTH = 5
MAX_PROJECTS = 60
"""A repository with more is judged by those that lie highest."""

_EXACT = frozenset(name for names in MANIFESTS.values() for name in names if "*" not in name)
_WILD = tuple(name for names in MANIFESTS.values() for name in names if "*" in name)
_ENDS = tuple(name.rpartition("*")[2] for name in _WILD)


@dataclass(frozen=True)
class Project:
    """One language in one folder ("" is the repository's root); `files` are the package files that told."""

    folder: str
    language: str
    files: tuple[str, ...]

    @property
    def prefix(self) -> str:
        """What the paths of its files begin with."""
        return f"{self.folder}/" if self.folder else ""

    @property
    def depth(self) -> int:
        """How many folders down it lies."""
        return self.folder.count("/") + 1 if self.folder else 0


@dataclass(frozen=True)
class Layout:
    """A tree with the projects in it."""

    tree: Tree

    @cached_property
    def named(self) -> dict[str, list[str]]:
        """The names of package files by the folder that they speak for."""
        found: dict[str, list[str]] = {}
        for path in self.tree.paths:
            folder, _, name = path.rpartition("/")
            if name in _EXACT or name.endswith(_ENDS):
                parent, _, last = folder.rpartition("/")
                if last == "requirements" and name.endswith(".txt"):
                    found.setdefault(parent, []).append(f"requirements/{name}")
                else:
                    found.setdefault(folder, []).append(name)
        return found

    @cached_property
    def projects(self) -> tuple[Project, ...]:
        """The projects, the highest first; those of documents, tests and tools only where the root has none."""
        folders = sorted(self.named, key=lambda folder: (folder != "", folder.count("/"), folder))
        near = [folder for folder in folders if folder.count("/") < MAX_DEPTH]
        kept = self._projects([folder for folder in near if not is_aside(folder)][:MAX_PROJECTS])
        return kept or self._projects(near[:MAX_PROJECTS])

    def count(self, folder: str, language: str) -> int:
        """Return how many files of a language lie below a folder, without those of tests and documents."""
        return self._sources[folder][language]

    @cached_property
    def _sources(self) -> dict[str, Counter[str]]:
        """Source files by language, for each folder that has package files."""
        own = Counter[tuple[str, str]]()
        for path in self.tree.paths:
            language = LANGUAGE_OF_SUFFIX.get(path[path.rfind(".") + 1 :])
            if language:
                own[path.rpartition("/")[0], language] += 1
        found: dict[str, Counter[str]] = {folder: Counter() for folder in ("", *self.named)}
        for (folder, language), number in own.items():
            for above in _above(folder):
                if above in found and not is_aside(folder[len(above) :].lstrip("/")):
                    found[above][language] += number
        return found

    def _projects(self, folders: list[str]) -> tuple[Project, ...]:
        return tuple(
            Project(folder, language, tuple(f"{folder}/{name}" if folder else name for name in names))
            for folder in folders
            for language, names in self._told(folder).items()
        )

    def _told(self, folder: str) -> dict[str, list[str]]:
        found: dict[str, list[str]] = {}
        for language, patterns in MANIFESTS.items():
            hits = [name for pattern in patterns for name in self.named[folder] if _matches(name, pattern)]
            if language == "python" and hits == ["pyproject.toml"] and not self._declares_project(folder):
                hits = []
            if hits == ["environment.yml"] and "dependencies:" not in self._read(folder, "environment.yml"):
                hits = []  # other tools than conda call theirs so
            if hits:
                found[language] = list(dict.fromkeys(hits))
        return found

    def _read(self, folder: str, name: str) -> str:
        return self.tree.read(f"{folder}/{name}" if folder else name)

    def _declares_project(self, folder: str) -> bool:
        """A pyproject.toml that only configures tools says nothing of the application."""
        text = self._read(folder, "pyproject.toml")
        return bool(table(text, "project") or table(text, "tool", "poetry") or table(text, "tool", "pdm"))


def _matches(name: str, pattern: str) -> bool:
    return name == pattern or ("*" in pattern and name.count("/") == pattern.count("/") and fnmatchcase(name, pattern))


def _above(folder: str) -> list[str]:
    parts = folder.split("/") if folder else []
    return ["/".join(parts[:number]) for number in range(len(parts) + 1)]
