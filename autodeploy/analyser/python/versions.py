"""Chooses the Python version: what the repository asks for. Whether it can be had is for the builder to say."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from packaging.specifiers import InvalidSpecifier, SpecifierSet

from autodeploy.analyser.failures import refusal
from autodeploy.analyser.python.setupfiles import conda_python, setup_python
from autodeploy.analyser.python.specifiers import specifier_of
from autodeploy.analyser.toml import line_of, table
from autodeploy.analyser.tree import Tree
from autodeploy.model import PYTHON_OF_IMAGE, PYTHON_RELEASES, Evidence

DEFAULT = "3.11"
_PIN = re.compile(r"^(?:python-?|cpython-?)?v?(?P<minor>\d+\.\d+)(?:\.\d+\w*)?(?:\.\*)?$", re.IGNORECASE)
_EXACT = re.compile(r"^={2,3}\s*(?P<minor>\d+\.\d+)(?:\.\d+|\.\*)?$")
_FROM = re.compile(r"^FROM\s+(?:--\S+\s+)*(?:\S*/)?python:(?P<version>\d+\.\d+)", re.IGNORECASE)


@dataclass(frozen=True)
class Wish:
    """What one file asks for: a PEP 440 specifier, or a pin like 3.11 or 3.11.4, of which the patch is not honoured."""

    constraint: str
    file: str
    line: int
    rule: str

    def pinned(self) -> str | None:
        """Return the one minor version that is asked for; None for a range."""
        match = _PIN.match(self.constraint) or _EXACT.match(self.constraint)
        return match["minor"] if match else None

    def fits(self, version: str) -> bool:
        """Tell whether a minor version, like 3.11, satisfies the wish."""
        pin = self.pinned()
        if pin:
            return pin == version
        return any(SpecifierSet(self.constraint).contains(f"{version}.{patch}") for patch in (2, 99))

    def chosen(self) -> str:
        """Return the version to run: the pin; in a range one that a base image brings, 3.11 first, else the newest.

        The lower bound of a range that is beyond all of them.
        """
        fitting = [version for version in PYTHON_RELEASES if self.fits(version)]
        bound = re.search(r"\d+\.\d+", self.constraint)
        newest = fitting[-1] if fitting else bound[0] if bound else DEFAULT
        brought = [version for version in PYTHON_OF_IMAGE.values() if version in fitting]
        return self.pinned() or (DEFAULT if DEFAULT in brought else next(iter(brought), newest))

    def is_readable(self) -> bool:
        """Tell whether the constraint is one that can be compared at all."""
        try:
            return bool(self.pinned() or SpecifierSet(self.constraint))
        except InvalidSpecifier:
            return False


def detect_version(tree: Tree, overrides: Mapping[str, str]) -> tuple[str, str, Evidence, list[str]]:
    """Return the version, the constraint it answers ("" for none), why, and what disagrees with it."""
    if "runtime_version" in overrides:
        asked = Wish(overrides["runtime_version"], "", 0, "--runtime-version")
        if not asked.is_readable():
            raise refusal(
                f"--runtime-version {asked.constraint!r} is no version of Python",
                f"Give a minor version: --runtime-version {DEFAULT}",
            )
        told = Evidence(fact="runtime_version", value=asked.chosen(), rule=asked.rule)
        return asked.chosen(), asked.constraint, told, []
    wishes = [wish for wish in _wishes(tree) if wish.is_readable()]
    hints = _images(tree)
    if not wishes:
        others = tuple(f"{hint.constraint} ({hint.file})" for hint in hints)
        told = Evidence(
            fact="runtime_version", value=DEFAULT, rule="default", confidence="default", alternatives=others
        )
        return DEFAULT, "", told, []
    first = wishes[0]
    version = first.chosen()
    others = tuple(f"{wish.constraint} ({wish.file})" for wish in (*wishes[1:], *hints))
    told = Evidence(
        fact="runtime_version", value=version, file=first.file, line=first.line, rule=first.rule, alternatives=others
    )
    return version, first.constraint, told, _conflicts(version, first, wishes[1:])


def _conflicts(version: str, first: Wish, others: list[Wish]) -> list[str]:
    return [
        f"{first.file} asks for Python {first.constraint}, {wish.file} for {wish.constraint}: {version} is taken"
        for wish in others
        if not wish.fits(version)
    ]


def _wishes(tree: Tree) -> list[Wish]:
    """Return what the files ask for, the most specific to a running application first."""
    found = [*_version_files(tree), *_tool_versions(tree), *_pipfile(tree), *_pyproject(tree)]
    for read in (setup_python(tree), conda_python(tree)):
        if read:
            file, told = read
            found.append(Wish(told, tree.where(file), line_of(tree.read(file), "python"), file))
    return found


def _version_files(tree: Tree) -> list[Wish]:
    found = []
    for file in (".python-version", "runtime.txt"):
        # One above the application's folder holds for it too, as pyenv and uv see it.
        above = [] if file in tree.index or tree.root == "." else tree.source.read(file).splitlines()
        lines = [(number, line.strip()) for number, line in enumerate(above, 1)] or tree.lines(file)
        for number, line in lines:
            if line and not line.startswith("#"):
                where = file if above else tree.where(file)
                found.append(Wish(re.sub(r"^(?:python|cpython)[-@]?", "", line), where, number, file))
                break
    return found


def _tool_versions(tree: Tree) -> list[Wish]:
    found = []
    for number, line in tree.lines(".tool-versions"):
        if line.startswith("python ") and len(line.split()) > 1:
            found.append(Wish(line.split()[1], tree.where(".tool-versions"), number, ".tool-versions"))
    for file in ("mise.toml", ".mise.toml"):
        told = table(tree.read(file), "tools").get("python")
        told = told[0] if isinstance(told, list) and told else told
        told = told.get("version") if isinstance(told, dict) else told
        if isinstance(told, str):
            found.append(Wish(told, tree.where(file), line_of(tree.read(file), "python"), "mise.toml"))
    return found


def _pipfile(tree: Tree) -> list[Wish]:
    text = tree.read("Pipfile")
    told = table(text, "requires")
    keys = ("python_full_version", "python_version")
    return [
        Wish(told[key], tree.where("Pipfile"), line_of(text, key), "Pipfile")
        for key in keys
        if isinstance(told.get(key), str)
    ]


def _pyproject(tree: Tree) -> list[Wish]:
    file, text = "pyproject.toml", tree.read("pyproject.toml")
    found: list[Wish] = []
    declared = table(text, "project").get("requires-python")
    if isinstance(declared, str):
        found.append(Wish(declared, tree.where(file), line_of(text, "requires-python"), "requires-python"))
    poetry = table(text, "tool", "poetry", "dependencies").get("python")
    if isinstance(poetry, str):
        found.append(Wish(specifier_of(poetry), tree.where(file), line_of(text, "python ="), "poetry-python"))
    return found


def _images(tree: Tree) -> list[Wish]:
    """Return the versions of the repository's own images: a hint, as an image is not what is deployed."""
    files = [path for path in tree.paths if path.count("/") <= 1 and "ockerfile" in path]
    lines = ((path, number, _FROM.match(line)) for path in files for number, line in tree.lines(path))
    return [Wish(match["version"], tree.where(path), number, "dockerfile") for path, number, match in lines if match]
