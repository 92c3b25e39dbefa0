"""Tells in which language and in which folder the application is, with what else could be meant. Runs nothing."""

from __future__ import annotations

from dataclasses import dataclass

from autodeploy.analyser.failures import refusal
from autodeploy.analyser.layout.choosing import Candidate, Choice, choose
from autodeploy.analyser.layout.names import MANIFESTS
from autodeploy.analyser.layout.nothing import nothing_to_run
from autodeploy.analyser.layout.projects import Layout
from autodeploy.analyser.layout.spelling import spelled
from autodeploy.analyser.layout.strength import PYTHON_CODE, Strength, judge
from autodeploy.analyser.tree import Tree
from autodeploy.model import Evidence, Language, Source, TechStack, Unknown

__all__ = ["MANIFESTS", "SUPPORTED", "Home", "detect_language", "find_home", "supported"]

SUPPORTED: tuple[Language, ...] = ("python", "go", "nodejs")
MAX_NAMED = 8


@dataclass(frozen=True)
class Home:
    """The application's language and folder ("." is the repository's root)."""

    language: str
    root: str
    evidence: Evidence
    told: tuple[Evidence, ...] = ()
    unknowns: tuple[Unknown, ...] = ()
    warnings: tuple[str, ...] = ()
    others: tuple[str, ...] = ()


def detect_language(source: Source) -> Home:
    """Return the language by package file and the application's folder; raise AnalysisError when nothing tells."""
    return find_home(Tree(source))


def find_home(tree: Tree) -> Home:
    """Do as detect_language, with a tree that may go on to be read."""
    if not tree.paths:
        raise refusal("the repository holds no files", "Push the application first, or name its branch with --ref.")
    layout = Layout(tree)
    choice = choose(layout)
    loose = [path for path in tree.modules if "/" not in path]
    if choice and _makes_pages_or_projects(layout, choice):
        raise nothing_to_run(tree)
    if choice and not (loose and _is_beside(layout, choice, loose)):
        return _home(tree, choice)
    if loose:
        return Home("python", ".", Evidence(fact="language", value="python", file=loose[0], rule="python-files"))
    raise nothing_to_run(tree)


def supported(home: Home) -> Language:
    """Return the home's language; raise AnalysisError when it is not one that can be deployed."""
    for language in SUPPORTED:
        if home.language == language:
            return language
    files = ", ".join((home.evidence.file, *home.evidence.alternatives)[:MAX_NAMED])
    instead = f" Another project can be deployed: --path {home.others[0]}" if home.others else ""
    raise refusal(
        f"unsupported language: {home.language} (told by {files})",
        f"AutoDeploy deploys {', '.join(SUPPORTED)} today; where such an application lies in a folder of this "
        f"repository, name it with --path.{instead}",
    )


def _makes_pages_or_projects(layout: Layout, choice: Choice) -> bool:
    """Tell whether what was found only lies in a template, or only serves to make a site of Jekyll."""
    taken = choice.taken.project
    if "{{" in taken.folder:
        return True
    is_site = taken.language == "ruby" and "_config.yml" in layout.tree.index
    return is_site and judge(layout, taken) != Strength.SERVES


def _is_beside(layout: Layout, choice: Choice, loose: list[str]) -> bool:
    """Tell whether the package file is that of tools, beside a Python application that declares nothing."""
    if choice.taken.project.language == "python" or judge(layout, choice.taken.project) > Strength.PAGES:
        return False
    return any(PYTHON_CODE.search(layout.tree.read(path)) for path in loose)


def completed(home: Home, stack: TechStack) -> TechStack:
    """Return the stack with what was told of the language's home, unless its analyser knows the folder better."""
    told = () if stack.facts("app_root") else home.told
    return stack.but(
        evidence=(*stack.evidence, *told),
        unknowns=(*home.unknowns, *stack.unknowns),
        warnings=(*stack.warnings, *home.warnings),
    )


def _home(tree: Tree, choice: Choice) -> Home:
    taken = choice.taken.project
    root = taken.folder or "."
    beside = [item for item in choice.others if item.project.folder == taken.folder]
    elsewhere = dict.fromkeys(
        item.project.folder or "." for item in choice.others if item.project.folder != taken.folder
    )
    files = (*taken.files[1:], *(path for item in beside for path in item.project.files), *elsewhere)
    language = spelled(tree, taken)
    guessed = bool(choice.equals)
    evidence = Evidence(
        fact="language", value=language, file=taken.files[0], rule="package-file", alternatives=files,
        confidence="likely" if guessed else "certain",
    )  # fmt: skip
    hint = choice.taken.hint
    place = Evidence(
        fact="app_root", value=root, file=hint.file if hint else taken.files[0], rule=choice.rule,
        alternatives=tuple(elsewhere), confidence=evidence.confidence,
    )  # fmt: skip
    others = tuple(
        item.project.folder or "."
        for item in choice.others
        if item.is_ours and item.strength >= Strength.PAGES and item.project.folder != taken.folder
    )
    return Home(language, root, evidence, (place,), _unknowns(root, choice), _warnings(root, choice), others)


def _unknowns(root: str, choice: Choice) -> tuple[Unknown, ...]:
    if not choice.equals:
        return ()
    choices = (root, *(item.project.folder or "." for item in choice.equals))
    named = ", ".join(_named(item) for item in (choice.taken, *choice.equals))
    message = f"several folders hold an application: {named}"
    return (Unknown(fact="app_root", message=message, choices=choices, flag="--path"),)


def _warnings(root: str, choice: Choice) -> tuple[str, ...]:
    """Name what runs by itself and is left out."""
    if root == ".":
        return ()
    left = [item for item in choice.others if item.strength >= Strength.PAGES and item.project.folder not in {"", root}]
    named = ", ".join(dict.fromkeys(_named(item) for item in left[:MAX_NAMED]))
    return (f"only {root} is deployed; the repository also holds {named}",) if named else ()


def _named(item: Candidate) -> str:
    return f"{item.project.folder or '.'} ({item.project.language})"
