"""Chooses among a repository's projects the one that is deployed. Its docstrings are the precedence."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from autodeploy.analyser.layout.hosting import Hint, read_hints
from autodeploy.analyser.layout.names import MANIFESTS, is_aside, role
from autodeploy.analyser.layout.projects import Layout, Project
from autodeploy.analyser.layout.strength import Strength, is_spread, judge
from autodeploy.analyser.layout.workspaces import members

_ORDER = {language: number for number, language in enumerate(MANIFESTS)}
_OURS = frozenset({"python", "go", "nodejs"})


@dataclass(frozen=True)
class Candidate:
    """A project with what speaks for it. `hint` is the file for a host that names it.

    `own` is its strength without that; `is_spread`: a workspace that is as good as its best package, and no better.
    """

    project: Project
    strength: Strength
    hint: Hint | None
    sources: int
    own: Strength
    is_spread: bool = False

    @property
    def is_ours(self) -> bool:
        """Whether its language can be deployed."""
        return self.project.language in _OURS

    @property
    def weight(self) -> tuple[int, bool, int]:
        """What decides between folders: what it is for, whether a host's file names it, what it is called."""
        return self.strength, self.hint is not None, role(self.project.folder, self.project.language)


@dataclass(frozen=True)
class Choice:
    """The candidate that was taken, the equals among which it was guessed, and all others."""

    taken: Candidate
    rule: str
    equals: tuple[Candidate, ...] = ()
    others: tuple[Candidate, ...] = ()


def choose(layout: Layout) -> Choice | None:
    """Return the project to deploy; None where no package file is.

    1. What a host's file names (Procfile, render.yaml, app.yaml, fly.toml, …) counts as a service.
    2. The root, when it serves, or when nothing below it is a better service.
    3. Else the project that is most of a service: server, pages rendered on a server, program, pages, tools.
    4. Of equals: the one that a Dockerfile or compose file builds, then the one called like a server, not a client.
    5. Of equals still, languages that can be deployed come first, then the higher folder, then the alphabet.
    Workspaces (npm, pnpm, Nx, go.work) are one project at their root.
    """
    projects = _without_members(layout)
    if not projects:
        return None
    if len(projects) == 1 and not is_aside(projects[0].folder):
        return Choice(Candidate(projects[0], Strength.PROGRAM, None, 0, Strength.PROGRAM), "only-project")
    candidates = _weighed(layout, projects)
    if is_aside(projects[0].folder):
        candidates = [item for item in candidates if item.own >= Strength.PROGRAM]
    at_root = [item for item in candidates if item.project.folder == ""]
    best = max(at_root, key=_within) if at_root else None
    below = [item for item in candidates if item.project.folder]
    if best and _is_clear(best, below):
        return Choice(best, "root", others=tuple(item for item in candidates if item is not best))
    ranked = sorted(candidates, key=_between)
    if not ranked:
        return None
    taken = ranked[0]
    rivals = [item for item in ranked[1:] if item.is_ours and not _is_part(item.project, taken.project)]
    is_open = taken.is_ours and any(item.weight == taken.weight for item in rivals)
    same = [item for item in rivals if is_open and item.strength == taken.strength]
    equals = tuple({item.project.folder: item for item in same if item.project.folder != taken.project.folder}.values())
    rule = "host-file" if taken.hint else "most-of-a-service"
    return Choice(taken, rule, equals, tuple(ranked[1:]))


def _without_members(layout: Layout) -> list[Project]:
    inside: set[tuple[str, str]] = set()
    folders = [project.folder for project in layout.projects]
    for root in layout.projects:
        if root.language in {"nodejs", "go"}:
            inside |= {(root.language, folder) for folder in members(layout.tree, root, folders)}
    return [project for project in layout.projects if (project.language, project.folder) not in inside]


def _weighed(layout: Layout, projects: Sequence[Project]) -> list[Candidate]:
    hints = read_hints(layout.tree, frozenset(project.folder for project in projects))
    found = []
    for project in projects:
        mine = [hint for hint in hints if _speaks_of(hint, project)]
        strength = own = judge(layout, project)
        if mine and mine[0].firm and (strength or mine[0].language):
            strength = Strength.SERVES
        sources = layout.count(project.folder, project.language)
        found.append(
            Candidate(project, strength, mine[0] if mine else None, sources, own, is_spread(layout, project, own))
        )
    return found


def _speaks_of(hint: Hint, project: Project) -> bool:
    if hint.folder is None:
        return project.folder == "" and hint.language == project.language
    return hint.folder == project.folder and hint.language in {"", project.language}


def _is_clear(root: Candidate, below: Sequence[Candidate]) -> bool:
    """Tell whether the root is the application whatever lies below it."""
    named = [item for item in below if item.hint and item.hint.firm and item.hint.file.count("/") < item.project.depth]
    if named and not (root.hint and root.hint.firm):
        return False
    if root.own >= Strength.RENDERS and not root.is_spread:
        return True
    firm = root.hint is not None and root.hint.firm
    return firm or (root.strength >= Strength.PROGRAM and all(item.strength < Strength.RENDERS for item in below))


def _is_part(project: Project, of: Project) -> bool:
    """Tell whether a project lies within another of its language: an application may be cut into packages."""
    return project.language == of.language and f"{project.folder}/".startswith(f"{of.folder}/")


def _within(item: Candidate) -> tuple[int, bool, int, int]:
    """Of languages in one folder: what serves, what a host's file names, what has more code if both are programs."""
    is_program = item.strength == Strength.PROGRAM
    return item.strength, item.hint is not None, item.sources if is_program else 0, -_ORDER[item.project.language]


def _between(item: Candidate) -> tuple[object, ...]:
    strength, hinted, called = item.weight
    # Of services in several languages, one that can be deployed; else what answers the others, whatever it is.
    is_served = strength == Strength.SERVES and item.is_ours
    return (
        not is_served,
        -strength,
        not hinted,
        -called,
        not item.is_ours,
        item.project.depth,
        item.project.folder,
        -item.sources,
        _ORDER[item.project.language],
    )
