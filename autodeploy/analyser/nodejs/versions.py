"""Chooses the Node.js version: what the repository asks for, among the pinned releases."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import nodesemver

from autodeploy.analyser.failures import refusal
from autodeploy.analyser.nodejs.manifest import Manifest
from autodeploy.analyser.toml import line_of, table
from autodeploy.analyser.tree import Tree
from autodeploy.model import NODE_DEFAULT, NODE_RELEASES, Evidence

_PIN = re.compile(r"[v=~^\s]*(?P<major>\d+)(\.(\d+|x|\*)){0,2}")
_CODENAMES = {"fermium": "14", "gallium": "16", "hydrogen": "18", "iron": "20", "jod": "22", "krypton": "24"}
"""The lines with long-term support, as nvm calls them; https://github.com/nodejs/Release."""
_NEWEST = frozenset({"lts", "lts/*", "lts/-0", "node", "latest", "current", "stable", "system", "--lts"})
_LONGEST = 200


@dataclass(frozen=True)
class Wish:
    """What one file asks for: an npm range, a pin of which major version counts, or a name of nvm's."""

    constraint: str
    file: str
    line: int
    rule: str

    def majors(self) -> tuple[str, ...] | None:
        """Return the major versions that fit, oldest first; None when the wish says nothing that can be read."""
        name = self.constraint.strip().lower()
        if name in _NEWEST or not name:
            return tuple(NODE_RELEASES)
        if (code := name.removeprefix("lts/")) in _CODENAMES:
            return (_CODENAMES[code],)
        if pin := _PIN.fullmatch(name):
            return tuple(major for major in NODE_RELEASES if major == pin["major"])
        if not _is_range(name):
            return None
        fitting = [major for major, release in NODE_RELEASES.items() if _satisfies(release, name)]
        # A range that only older releases of a line satisfy means that line.
        return tuple(fitting or [major for major in NODE_RELEASES if _overlaps(major, name)])


def detect_version(tree: Tree, manifest: Manifest, overrides: Mapping[str, str]) -> tuple[str, str, Evidence]:
    """Return the version, the constraint it answers ("" for none), and why; raise AnalysisError when none fits."""
    if "runtime_version" in overrides:
        wishes = [Wish(overrides["runtime_version"], "", 0, "--runtime-version")]
    else:
        wishes = [wish for wish in _wishes(tree, manifest) if wish.majors() is not None]
    if not wishes:
        version = f"{NODE_DEFAULT}.x"
        return version, "", Evidence(fact="runtime_version", value=version, rule="default", confidence="default")
    first = wishes[0]
    fitting = first.majors()
    if not fitting:
        raise _no_fit(first)
    deciding = first
    for wish in wishes[1:]:
        both = [major for major in fitting if major in (wish.majors() or ())]
        if both and len(both) < len(fitting):
            fitting, deciding = tuple(both), wish
    version = f"{NODE_DEFAULT if NODE_DEFAULT in fitting else fitting[-1]}.x"
    others = tuple(f"{wish.constraint} ({wish.file})" for wish in wishes if wish is not deciding)
    because = Evidence(
        fact="runtime_version", value=version, file=deciding.file, line=deciding.line, rule=deciding.rule,
        alternatives=others,
    )  # fmt: skip
    return version, first.constraint, because


def _wishes(tree: Tree, manifest: Manifest) -> Iterator[Wish]:
    """Yield what the files ask for: what package.json promises to all, then what version managers read."""
    engines = manifest.fields.get("engines")
    if isinstance(engines, dict) and isinstance(engines.get("node"), str):
        yield Wish(engines["node"][:_LONGEST], manifest.file, manifest.line_of("node", "engines"), "engines.node")
    for file in (".nvmrc", ".node-version"):
        for number, content in tree.lines(file):
            if content and not content.startswith("#"):
                yield Wish(content[:_LONGEST].partition("#")[0].strip(), tree.where(file), number, file)
                break
    volta = manifest.fields.get("volta")
    if isinstance(volta, dict) and isinstance(volta.get("node"), str):
        yield Wish(volta["node"][:_LONGEST], manifest.file, manifest.line_of("node", "volta"), "volta.node")
    for number, content in tree.lines(".tool-versions"):
        words = content.split()
        if len(words) > 1 and words[0] in {"nodejs", "node"}:
            yield Wish(words[1][:_LONGEST], tree.where(".tool-versions"), number, ".tool-versions")
    for file in ("mise.toml", ".mise.toml"):
        asked = table(tree.read(file), "tools").get("node")
        if isinstance(asked, str):
            yield Wish(asked[:_LONGEST], tree.where(file), line_of(tree.read(file), "node"), file)


def _is_range(constraint: str) -> bool:
    try:
        return nodesemver.valid_range(constraint, loose=True) is not None
    except (ValueError, KeyError, TypeError, AttributeError, IndexError, RecursionError):
        return False


def _satisfies(release: str, constraint: str) -> bool:
    return bool(nodesemver.satisfies(release, constraint, loose=True))


def _overlaps(major: str, constraint: str) -> bool:
    return any(_satisfies(f"{major}.{minor}.{patch}", constraint) for minor in range(24) for patch in (0, 5))


def _no_fit(wish: Wish) -> Exception:
    where = f"{wish.file}:{wish.line} asks" if wish.file else f"{wish.rule} asks"
    return refusal(
        f"no Node.js that can be had fits: {where} for {wish.constraint!r}; there are {', '.join(NODE_RELEASES)}",
        f"Widen the constraint, or choose one yourself: --runtime-version {NODE_DEFAULT}.x",
    )
