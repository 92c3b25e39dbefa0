"""Chooses the Python version: what the repository asks for, among those that the base images bring."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from packaging.specifiers import InvalidSpecifier, SpecifierSet

from autodeploy.analyser.failures import refusal
from autodeploy.analyser.python.manifest import specifier_of
from autodeploy.analyser.toml import line_of, table
from autodeploy.analyser.tree import Tree
from autodeploy.model import PYTHON_OF_IMAGE, Evidence

DEFAULT = "3.11"
_PIN = re.compile(r"^(?:python-?|cpython-?)?v?(?P<minor>\d+\.\d+)(?:\.\d+)?(?:\.\*)?$", re.IGNORECASE)


@dataclass(frozen=True)
class Wish:
    """What one file asks for: a PEP 440 specifier, or a pin like 3.11 or 3.11.4, of which the patch is not honoured."""

    constraint: str
    file: str
    line: int
    rule: str

    def fits(self, offered: str) -> bool:
        """Tell whether an offered version, like 3.11, satisfies the wish."""
        pin = _PIN.match(self.constraint)
        if pin:
            return pin["minor"] == offered
        exact = re.fullmatch(r"={2,3}\s*(\d+\.\d+)(\.\d+|\.\*)?", self.constraint)
        if exact:
            return exact[1] == offered
        return any(SpecifierSet(self.constraint).contains(f"{offered}.{patch}") for patch in (2, 99))

    def is_readable(self) -> bool:
        """Tell whether the constraint is one that can be compared at all."""
        try:
            return bool(_PIN.match(self.constraint) or SpecifierSet(self.constraint) is not None)
        except InvalidSpecifier:
            return False


def detect_version(tree: Tree, overrides: Mapping[str, str]) -> tuple[str, str, Evidence]:
    """Return the version, the constraint it answers ("" for none), and why; raise AnalysisError when none fits."""
    offered = tuple(PYTHON_OF_IMAGE.values())
    if "runtime_version" in overrides:
        asked = Wish(overrides["runtime_version"], "", 0, "--runtime-version")
        wishes = [asked]
        if not asked.is_readable():
            raise _no_fit(asked, offered)
    else:
        wishes = [wish for wish in _wishes(tree) if wish.is_readable()]
    if not wishes:
        return DEFAULT, "", Evidence(fact="runtime_version", value=DEFAULT, rule="default", confidence="default")
    first = wishes[0]
    fitting = [version for version in offered if first.fits(version)]
    if not fitting:
        raise _no_fit(first, offered)
    chosen = DEFAULT if DEFAULT in fitting else fitting[0]
    others = tuple(f"{wish.constraint} ({wish.file})" for wish in wishes[1:])
    return (
        chosen,
        first.constraint,
        Evidence(
            fact="runtime_version", value=chosen, file=first.file, line=first.line, rule=first.rule, alternatives=others
        ),
    )


def _no_fit(wish: Wish, offered: tuple[str, ...]) -> Exception:
    where = f"{wish.file}:{wish.line} asks" if wish.file else f"{wish.rule} asks"
    return refusal(
        f"no offered Python fits: {where} for {wish.constraint!r}; the base images bring {' and '.join(offered)}",
        f"Widen the constraint, or choose one yourself: --runtime-version {offered[-1]}",
    )


def _wishes(tree: Tree) -> list[Wish]:
    """Return what the files ask for, the most specific to a running application first."""
    found: list[Wish] = []
    for file in (".python-version", "runtime.txt"):
        for number, line in tree.lines(file):
            if line and not line.startswith("#"):
                found.append(Wish(re.sub(r"^python-", "", line), tree.where(file), number, file))
                break
    for number, line in tree.lines(".tool-versions"):
        if line.startswith("python "):
            found.append(Wish(line.split()[1], tree.where(".tool-versions"), number, ".tool-versions"))
    pipfile = table(tree.read("Pipfile"), "requires")
    for key in ("python_full_version", "python_version"):
        if isinstance(pipfile.get(key), str):
            found.append(Wish(pipfile[key], tree.where("Pipfile"), line_of(tree.read("Pipfile"), key), "Pipfile"))
    return found + _pyproject(tree)


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
