"""From a Source to a TechStack, each fact with its evidence: tells the language, asks its analyser, heeds the flags."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from fnmatch import fnmatchcase
from types import MappingProxyType

from autodeploy.analyser import description as described
from autodeploy.analyser import language, leaks, overriding
from autodeploy.analyser.failures import refusal
from autodeploy.analyser.language import Home
from autodeploy.analyser.layout.kinds import no_application
from autodeploy.analyser.tree import Tree
from autodeploy.errors import AnalysisError
from autodeploy.model import Evidence, Language, Source, TechStack

OVERRIDES = overriding.SHARED | {
    "app",
    "language",
    "port",
    "health_check_path",
    "runtime_version",
    "database_type",
}
"""The facts that a flag may settle."""

_NONE: Mapping[str, str] = MappingProxyType({})
Analyser = Callable[[Tree, Home, Mapping[str, str]], TechStack]


def _analyser(tongue: Language) -> Analyser:
    """Return the language's analyser; the parsers of the other languages are not loaded."""
    if tongue == "python":
        from autodeploy.analyser.python import analyse_python as analyser
    elif tongue == "go":
        from autodeploy.analyser.golang import analyse_go as analyser
    else:
        from autodeploy.analyser.nodejs.analysis import analyse_nodejs as analyser
    return analyser


def analyse(source: Source, overrides: Mapping[str, str] = _NONE, description: str = "") -> TechStack:
    """Return the application's technology with evidence; raise AnalysisError naming what to type next.

    An empty override says nothing. `description` is what a person says of the application; code is believed first.
    """
    said = {fact: value for fact, value in overrides.items() if value}
    unknown = sorted(set(said) - OVERRIDES)
    if unknown:
        raise refusal(f"no fact is named {unknown[0]!r}", f"Facts that can be set: {', '.join(sorted(OVERRIDES))}.")
    whole = Tree(source)
    home = _home(whole, said)
    tongue, tree = language.supported(home), whole.below(home.root)
    if refused := _refused(tree, tongue, said):
        raise refused
    try:
        stack = _described(_analyser(tongue), tree, home, said, description)
    except AnalysisError as err:
        if refused := _refused(tree, tongue, said, nothing_found=True):
            raise refused from err
        raise
    settled = overriding.settle(language.completed(home, stack), said)
    return _with_leaks(settled, whole)


def _described(analyser: Analyser, tree: Tree, home: Home, said: Mapping[str, str], description: str) -> TechStack:
    """Return the stack of the code, with the database that the description asks for where the code leaves it open."""
    stack = analyser(tree, home, said)
    asked = described.asked_database(description) if "database_type" not in said else None
    if asked is None or asked == stack.database_type:
        return stack
    if described.settles_database(stack, asked):
        return described.as_described(analyser(tree, home, {**said, "database_type": asked}))
    warned: TechStack = stack.but(warnings=(*stack.warnings, described.contradiction(stack, asked)))
    return warned


def _refused(
    tree: Tree, tongue: Language, said: Mapping[str, str], nothing_found: bool = False
) -> AnalysisError | None:
    """Return the refusal of what is no application, unless a flag says that it is one."""
    return None if {"app", "start_command", "language"} & said.keys() else no_application(tree, tongue, nothing_found)


def _with_leaks(stack: TechStack, tree: Tree) -> TechStack:
    found = leaks.find_leaks(tree)
    told = tuple(map(leaks.warning_of, found))
    return stack.but(evidence=(*stack.evidence, *found), warnings=(*stack.warnings, *told)) if found else stack


def _home(tree: Tree, said: Mapping[str, str]) -> Home:
    if "language" not in said:
        return language.find_home(tree)
    chosen = overriding.check_language(said["language"])
    others = [name for tongue, names in language.MANIFESTS.items() if tongue != chosen for name in names]
    bare = [pattern.rpartition("/")[2] for pattern in others]
    kept = [path for path in tree.source.paths if not any(fnmatchcase(path.rpartition("/")[2], name) for name in bare)]
    home = language.find_home(Tree(replace(tree.source, paths=tuple(kept))))
    if home.language != chosen:
        raise refusal(
            f"the repository holds nothing of {chosen}", "Leave --language out, or name another folder with --path."
        )
    evidence = Evidence(fact="language", value=chosen, rule="--language", alternatives=(home.evidence.file,))
    return replace(home, evidence=evidence)
