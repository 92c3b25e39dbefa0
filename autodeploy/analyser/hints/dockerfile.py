"""The application's Dockerfile: the port it exposes or sets, and the path its health check asks."""

from __future__ import annotations

import re
from collections.abc import Iterator

from autodeploy.analyser.tree import Tree
from autodeploy.model import Evidence

FILES = (
    "Dockerfile",
    "dockerfile",
    "Containerfile",
    "Dockerfile.prod",
    "Dockerfile.production",
    "docker/Dockerfile",
    "build/Dockerfile",
    "deploy/Dockerfile",
    "build/package/Dockerfile",
)
_GIVEN = re.compile(r"(?:^|\s)(\w+)(?:=|\s+)[\"']?(\d{2,5})\b")
_ASKED = re.compile(
    r"https?://(?:localhost|127\.0\.0\.1|0\.0\.0\.0|\[::1?\])(?::[^/\s\"'|;]*)?(/[\w./~-]*)", re.IGNORECASE
)


def read(tree: Tree) -> Iterator[Evidence]:
    """Yield the facts of the first Dockerfile that is there."""
    file = next((name for name in FILES if name in tree.index), None)
    where = tree.where(file) if file else ""
    given: dict[str, str] = {}
    for number, keyword, words in instructions(tree, file) if file else ():
        if keyword in {"ENV", "ARG"}:
            given |= dict(_GIVEN.findall(words))
        if keyword == "ENV" and (match := re.search(r"(?:^|\s)PORT(?:=|\s+)[\"']?(\d{2,5})\b", words)):
            yield _hint("port", match[1], where, number, "dockerfile-env")
        elif keyword == "EXPOSE" and (match := re.match(r"(?:\$\{\w+:-)?(\d{2,5})\b", _filled(words, given))):
            yield _hint("port", match[1], where, number, "expose")
        elif keyword == "HEALTHCHECK" and (path := asked_path(words)):
            yield _hint("health_check_path", path, where, number, "dockerfile-healthcheck")


def _filled(words: str, given: dict[str, str]) -> str:
    """Return words with the variables of the stage in their place, as the builder puts them."""
    return re.sub(r"\$\{?(\w+)\}?", lambda match: given.get(match[1], match[0]), words)


def instructions(tree: Tree, file: str) -> Iterator[tuple[int, str, str]]:
    """Yield line, keyword in capitals and words of each instruction of the last stage, continued lines joined."""
    found: list[tuple[int, str, str]] = []
    for number, text in joined_lines(tree, file):
        keyword, _, words = text.partition(" ")
        if keyword.upper() == "FROM":
            found = []
        found.append((number, keyword.upper(), words.strip()))
    yield from found


def joined_lines(tree: Tree, file: str) -> Iterator[tuple[int, str]]:
    """Yield the lines of all stages, continued ones joined, with the number of the first."""
    begun, text = 0, ""
    for number, line in tree.lines(file):
        if line.startswith("#") or (not line and not text):
            continue
        begun, text = begun or number, text + line.removesuffix("\\") + " "
        if not line.endswith("\\"):
            yield begun, text.strip()
            begun, text = 0, ""


def asked_path(words: str) -> str:
    """Return the path of the application that a health check's command asks; "" for none."""
    match = _ASKED.search(words)
    return match[1] if match else ""


def _hint(fact: str, value: str, file: str, line: int, rule: str) -> Evidence:
    return Evidence(fact=fact, value=value, file=file, line=line, rule=rule, confidence="likely")
