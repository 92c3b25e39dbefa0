"""Secrets that a repository carries: a Tree comes in, for each the file, the line and its kind go out, never a value.

A quick look finds the lines worth asking about; only they reach the detectors, which are loaded when there is one.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import islice

from autodeploy.analyser.tree import Tree
from autodeploy.model import Evidence

FACT = "committed_secret"
MAX_FILES = 400
MAX_CHARACTERS = 1_500_000
MAX_OF_A_FILE = 200_000
MAX_FOUND = 20
"""Beyond these, files add time: shallow ones come first, and no person writes larger ones."""

_ENDINGS = frozenset(
    re.findall(
        r"\w+",
        "py js mjs cjs ts mts cts jsx tsx go json yml yaml toml ini cfg conf config properties env pem key p8 sh bash"
        " tf tfvars vue svelte xml plist npmrc pypirc netrc yarnrc htpasswd envrc",
    )
)
_NAMES = frozenset(
    re.findall(
        r"[\w.-]+",
        "Dockerfile Containerfile Procfile Makefile id_rsa id_dsa id_ecdsa id_ed25519 credentials .git-credentials",
    )
)
_ASIDE = frozenset(
    re.findall(
        r"[\w.]+",
        "test tests testing __tests__ spec specs testdata fixture fixtures __fixtures__ example examples sample samples"
        " doc docs mock mocks __mocks__ e2e cypress vendor third_party dist build stories .github locale locales i18n",
    )
)
_NOT_MEANT = re.compile(
    r"(^|[._-])(test|tests|spec|mock|mocks|fixture|example|sample|template|tpl|dist|min|lock|schema|stories|conftest)"
    r"([._-]|$)|^package-lock\.json$|^npm-shrinkwrap\.json$|^openapi\.|^swagger",
    re.IGNORECASE,
)
_ENVIRONMENT = re.compile(
    r"^\.env(rc)?$|^\.env\.|\.env$|^env\.(prod|production|local)$|^\.?credentials$", re.IGNORECASE
)
_PEM = re.compile(r"-----BEGIN[ A-Z]*PRIVATE KEY(?: BLOCK)?-----(?:\\n|[\s\"'+,`\\])*[A-Za-z0-9+/=:\- ]{24,}")
_LOGIN = re.compile(r"://[^/\s:@\"'{}$<>]*:[^/\s@\"'{}$<>]+@[\w-]+(?:\.[\w-]+)+")
_MARKERS: dict[str, re.Pattern[str]] = {
    "AKIA": re.compile(r"AKIA[0-9A-Z]{16}"),
    "ASIA": re.compile(r"ASIA[0-9A-Z]{16}"),
    "aws": re.compile(r"[^\n]{0,60}[\"'][0-9a-zA-Z/+]{40}[\"']"),
    "AWS": re.compile(r"[^\n]{0,60}[\"'][0-9a-zA-Z/+]{40}[\"']"),
    "-----BEGIN": _PEM,
    "gh": re.compile(r"gh[pousr]_\w{36}"),
    "glpat-": re.compile(r"glpat-[\w-]{20}"),
    "xox": re.compile(r"xox[abposr]-\d+-"),
    "hooks.slack.com": re.compile(r"hooks\.slack\.com/services/T\w+/B\w+/\w+"),
    "k_live_": re.compile(r"k_live_\w{24}"),
    "SG.": re.compile(r"SG\.[\w-]{22}\.[\w-]{43}"),
    "_authToken": re.compile(r"_authToken=\s*[\w-]{30}"),
    "pypi-": re.compile(r"pypi-Ag[\w-]{70}"),
    "T3BlbkFJ": re.compile(r"T3BlbkFJ\w{20}"),
    "AccountKey=": re.compile(r"AccountKey=[\w+/=]{80}"),
    "sq0csp-": re.compile(r"sq0csp-[\w-]{43}"),
    "://": _LOGIN,
}
"""How a line looks that is worth a detector's look, from the marker on."""

_WORDS = ("secret", "passw", "api_key", "apikey", "private_key", "access_key", "auth_key")
_ASSIGNED = re.compile(r"\w*[\"']?\]?\s*(?::|:?=)\s*[\"'`]([^\"'`\s]{20,200})[\"'`]")
_SETTING = re.compile(r"^(?:export\s+)?([A-Za-z_][A-Za-z0-9_]*)\s*=\s*(.+)$")


def find_leaks(tree: Tree) -> list[Evidence]:
    """Return one piece of evidence a committed secret, in the order of files and lines, at most MAX_FOUND."""
    found: dict[tuple[str, int], Evidence] = {}
    for path in _files(tree):
        for line, kind in _leaks(tree, path):
            where = tree.where(path)
            found.setdefault(
                (where, line), Evidence(fact=FACT, value=kind, file=where, line=line, rule="detect-secrets")
            )
        if len(found) >= MAX_FOUND:
            break
    return [found[place] for place in sorted(found)][:MAX_FOUND]


def warning_of(leak: Evidence) -> str:
    """Return what a reader is told of one."""
    return f"a secret is committed: {leak.file}:{leak.line} ({leak.value}); have it replaced, and give it with --env"


def _files(tree: Tree) -> Iterator[str]:
    left = MAX_CHARACTERS
    readable = (path for path in tree.paths if _is_text(path.rpartition("/")[2]))
    shallow = sorted(readable, key=lambda path: path.count("/"))
    for path in islice(filter(_is_meant, shallow), MAX_FILES):
        size = len(tree.read(path))
        if size <= MAX_OF_A_FILE:
            left -= size
            if left < 0:
                return
            yield path


def _is_text(name: str) -> bool:
    return name.rpartition(".")[2] in _ENDINGS or name in _NAMES or name.startswith(".env.")


def _is_meant(path: str) -> bool:
    *folders, name = path.lower().split("/")
    return _ASIDE.isdisjoint(folders) and not _NOT_MEANT.search(name)


def _leaks(tree: Tree, path: str) -> Iterator[tuple[int, str]]:
    text = tree.read(path)
    suspects = [*_marked(text), *_assigned(text)]
    is_environment = bool(_ENVIRONMENT.search(path.rpartition("/")[2]))
    if not (suspects or is_environment):
        return
    from autodeploy.analyser import detectors

    for position, value in suspects:
        begin = text.rfind("\n", 0, position) + 1
        line = text[max(begin, position - 200) : position + 300].partition("\n")[0]
        kind = detectors.kind_of_literal(line, value) if value else detectors.kind_of_line(line)
        if kind:
            yield text.count("\n", 0, position) + 1, kind
    for number, line in tree.lines(path) if is_environment else []:
        setting = _SETTING.match(line)
        if setting and (kind := detectors.kind_of_setting(setting[1], setting[2].strip().strip("\"'"))):
            yield number, kind


def _marked(text: str) -> Iterator[tuple[int, str]]:
    for marker, shape in _MARKERS.items():
        position = text.find(marker)
        while position >= 0:
            if shape.match(text, position):
                yield position, ""
            position = text.find(marker, position + len(marker))


def _assigned(text: str) -> Iterator[tuple[int, str]]:
    lowered = text.lower()
    if len(lowered) != len(text):  # a letter that becomes two: places would not be those of the text
        return
    for word in _WORDS:
        position = lowered.find(word)
        while position >= 0:
            if match := _ASSIGNED.match(text, position + len(word)):
                yield position, match[1]
            position = lowered.find(word, position + len(word))
