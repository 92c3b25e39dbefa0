"""Chooses the major version of Node.js that the repository asks for; whether it can be had is the builder's matter."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import nodesemver

from autodeploy.analyser.failures import refusal
from autodeploy.analyser.nodejs.manifest import Manifest
from autodeploy.analyser.toml import line_of, table
from autodeploy.analyser.tree import Tree
from autodeploy.model import NODE_DEFAULT, NODE_RELEASES, Evidence

_MAJORS = tuple(str(major) for major in range(31))
_PIN = re.compile(r"[v=~^\s]*(?P<major>\d{1,3})(\.(\d+|x|\*)){0,2}")
_CODENAMES = {
    "argon": "4", "boron": "6", "carbon": "8", "dubnium": "10", "erbium": "12", "fermium": "14", "gallium": "16",
    "hydrogen": "18", "iron": "20", "jod": "22", "krypton": "24",
}  # fmt: skip
"""The lines with long-term support, as nvm calls them; https://github.com/nodejs/Release."""
_NEWEST = frozenset({"lts", "lts/*", "lts/-0", "node", "latest", "current", "stable", "system", "--lts", "*", "x"})
_LITERAL = re.compile(r"(\d{1,3})(?:\.(\d{1,4}))?(?:\.(\d{1,4}))?")
_FROM = re.compile(r"^FROM\s+(?:--platform=\S+\s+)?(?:[\w.-]+/)*node:(?P<tag>[\w.-]+)", re.IGNORECASE)
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
            return _MAJORS
        if (code := name.removeprefix("lts/").removeprefix("lts-")) in _CODENAMES:
            return (_CODENAMES[code],)
        if pin := _PIN.fullmatch(name):
            return tuple(major for major in _MAJORS if major == str(int(pin["major"]))) or None
        wanted = _range(name)
        return tuple(major for major in _MAJORS if _overlaps(major, name, wanted)) or None if wanted else None


def detect_version(
    places: Sequence[tuple[Tree, Manifest]], overrides: Mapping[str, str]
) -> tuple[str, str, Evidence, list[str]]:
    """Return the version, the constraint it answers ("" for none), why, and which files say something else.

    `places` are the application and, where it is a part of a workspace, its root. Raises AnalysisError where
    a flag names no version.
    """
    if "runtime_version" in overrides:
        wishes = [Wish(overrides["runtime_version"], "", 0, "--runtime-version")]
        if wishes[0].majors() is None:
            raise refusal(
                f"{overrides['runtime_version']!r} is no version of Node.js",
                f"Name one, or a range of npm's: --runtime-version {NODE_DEFAULT}.x",
            )
    else:
        wishes = [wish for place in places for wish in _wishes(*place) if wish.majors() is not None]
        wishes = wishes or [wish for tree, _ in places for wish in _images(tree) if wish.majors() is not None]
    if not wishes:
        version = f"{NODE_DEFAULT}.x"
        return version, "", Evidence(fact="runtime_version", value=version, rule="default", confidence="default"), []
    return _settled(wishes)


def _settled(wishes: Sequence[Wish]) -> tuple[str, str, Evidence, list[str]]:
    """Take what most of the wishes leave; one that contradicts those before it is only told of."""
    first = deciding = wishes[0]
    fitting, told = first.majors() or (), []
    for wish in wishes[1:]:
        both = tuple(major for major in fitting if major in (wish.majors() or ()))
        if not both:
            asked = f"{wish.file} asks for Node.js {wish.constraint}, {first.file} for {first.constraint}"
            custom = ", as npm and hosts of applications do" if first.rule == "engines.node" else ""
            told.append(f"{asked}: the latter is obeyed{custom}")
        elif len(both) < len(fitting):
            fitting, deciding = both, wish
    version = f"{min(fitting, key=_rank)}.x"
    because = Evidence(
        fact="runtime_version", value=version, file=deciding.file, line=deciding.line, rule=deciding.rule,
        alternatives=tuple(f"{wish.constraint} ({wish.file})" for wish in wishes if wish is not deciding),
        confidence="likely" if deciding.rule == "dockerfile" else "certain",
    )  # fmt: skip
    return version, first.constraint, because, told


def _rank(major: str) -> tuple[bool, bool, bool, int]:
    """Order the majors: the default, those that can be had, those with long-term support; of equals the newest."""
    return major != NODE_DEFAULT, major not in NODE_RELEASES, int(major) % 2 == 1, -int(major)


def _wishes(tree: Tree, manifest: Manifest) -> Iterator[Wish]:
    """Yield what the files ask for: what package.json promises to all, then what version managers read."""
    fields, file = manifest.fields, manifest.file
    if asked := _text(fields, "engines", "node"):
        yield Wish(asked, file, manifest.line_of("node", "engines"), "engines.node")
    for name in (".nvmrc", ".node-version"):
        for number, content in tree.lines(name):
            if content and not content.startswith("#"):
                yield Wish(content[:_LONGEST].partition("#")[0].strip(), tree.where(name), number, name)
                break
    if asked := _text(fields, "volta", "node"):
        yield Wish(asked, file, manifest.line_of("node", "volta"), "volta.node")
    for number, content in tree.lines(".tool-versions"):
        words = content.split()
        if len(words) > 1 and words[0] in {"nodejs", "node"}:
            yield Wish(words[1][:_LONGEST], tree.where(".tool-versions"), number, ".tool-versions")
    for name in ("mise.toml", ".mise.toml", ".config/mise.toml", ".mise/config.toml"):
        if asked := _mise(tree.read(name)):
            yield Wish(asked[:_LONGEST], tree.where(name), line_of(tree.read(name), "node"), name)
    for runtime in _listed(fields.get("devEngines"), "runtime"):
        if runtime.get("name") == "node" and (asked := _text({"r": runtime}, "r", "version")):
            yield Wish(asked, file, manifest.line_of("version", "devEngines"), "devEngines.runtime")


def _images(tree: Tree) -> Iterator[Wish]:
    """Yield what Dockerfiles run on, which tells where nothing else does."""
    for name in ("Dockerfile", "dockerfile", "Containerfile"):
        for number, content in tree.lines(name):
            if match := _FROM.match(content):
                yield Wish(match["tag"].partition("-")[0], tree.where(name), number, "dockerfile")


def _mise(text: str) -> str:
    tools = table(text, "tools")
    asked = tools.get("node", tools.get("nodejs"))
    asked = asked.get("version") if isinstance(asked, dict) else asked
    asked = asked[0] if isinstance(asked, list) and asked else asked
    return asked if isinstance(asked, str) else ""


def _text(fields: Mapping[str, object], key: str, inner: str) -> str:
    value = fields.get(key)
    asked = value.get(inner) if isinstance(value, dict) else None
    return asked[:_LONGEST] if isinstance(asked, str) else ""


def _listed(value: object, key: str) -> list[dict[str, object]]:
    """Return the objects under a key that holds one or a list of them."""
    inner = value.get(key) if isinstance(value, dict) else None
    return [item for item in (inner if isinstance(inner, list) else [inner]) if isinstance(item, dict)]


def _range(constraint: str) -> nodesemver.Range | None:
    try:
        return nodesemver.make_range(constraint, loose=True)
    except (ValueError, KeyError, TypeError, AttributeError, IndexError, RecursionError):
        return None


def _overlaps(major: str, constraint: str, wanted: nodesemver.Range) -> bool:
    """Tell whether a release of a line fits: an interval that meets the line holds one of its ends, or begins in it."""
    named = [match.groups("0") for match in _LITERAL.finditer(constraint) if match[1] == major]
    begun = [f"{major}.{minor}.{patch}" for _, minor, patch in named]
    begun += [f"{major}.{minor}.{int(patch) + 1}" for _, minor, patch in named]
    ends = [f"{major}.999.999", f"{major}.0.0"]
    return any(wanted.test(nodesemver.make_semver(release, loose=True)) for release in (*ends, *begun))
