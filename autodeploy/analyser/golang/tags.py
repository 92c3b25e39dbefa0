"""Build constraints: which files Linux builds with the tags that the repository's own build commands name."""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass
from string import Template

from autodeploy.analyser.tree import Tree

_OTHER_SYSTEMS = (
    "aix android darwin dragonfly freebsd hurd illumos ios js nacl netbsd openbsd plan9 solaris wasip1 windows zos"
)
_OTHER_MACHINES = "386 arm arm64 loong64 mips mipsle mips64 mips64le ppc64 ppc64le riscv64 s390x sparc64 wasm"
_ELSEWHERE = re.compile(rf"_({'|'.join((_OTHER_SYSTEMS + ' ' + _OTHER_MACHINES).split())})\.go$")
_HERE = frozenset({"linux", "amd64", "unix", "gc", "cgo"})
_FILES = ("Dockerfile", "build/Dockerfile", "docker/Dockerfile", "build/package/Dockerfile", "Makefile", "Taskfile.yml")
_BUILD = re.compile(r"\bgo build\b.*?\s--?tags[= ]\s*[\"']?([\w, ]+?)[\"']?(?:\s+[-./$]|\s*\\?$)")
_GIVEN = re.compile(r"^(?:ARG\s+|ENV\s+)?(\w+)\s*[:?]?=\s*[\"']?([\w, ]+?)[\"']?(?:\$\(.*)?$")
"""What a variable is given; what make would only add to it is left out."""

_PACKAGE = re.compile(r"^package\s", re.MULTILINE)


@dataclass(frozen=True)
class Tags:
    """The tags of a `go build`, and the line that says so."""

    names: tuple[str, ...] = ()
    file: str = ""
    line: int = 0


def stated_tags(tree: Tree) -> Tags:
    """Return the tags of the first `go build` in a Dockerfile or Makefile that has some."""
    for file in _FILES:
        given: dict[str, str] = {}
        for number, line in tree.lines(file):
            if match := _GIVEN.match(line):
                given[match[1]] = match[2]
            if "go build" in line and (match := _BUILD.search(Template(_plain(line)).safe_substitute(given))):
                return Tags(tuple(re.findall(r"\w+", match[1])), tree.where(file), number)
    return Tags()


def _plain(line: str) -> str:
    """Return a line with make's and the shell's variables in one spelling."""
    return re.sub(r"\$\((\w+)\)", r"${\1}", line)


def constraint(text: str) -> str:
    """Return a file's build constraint as `//go:build` writes it; "" for none."""
    if "build" not in text:
        return ""
    head = text[: match.start()] if (match := _PACKAGE.search(text)) else text
    if match := re.search(r"^//go:build\s+(.+)$", head, re.MULTILINE):
        return match[1].strip()
    lines = re.findall(r"^// ?\+build\s+(.+)$", head, re.MULTILINE)
    options = ["||".join(f"({option.replace(',', '&&')})" for option in line.split()) for line in lines]
    return "&&".join(f"({option})" for option in options)


def is_built(path: str, text: str, tags: Tags) -> bool:
    """Tell whether Linux builds a file; https://pkg.go.dev/cmd/go#hdr-Build_constraints."""
    if _ELSEWHERE.search(path):
        return False
    said = constraint(text)
    return not said or _holds(said, tags)


def _holds(said: str, tags: Tags) -> bool:
    words = re.findall(r"\|\||&&|[!()]|[\w.]+", said)
    python = {"||": "or", "&&": "and", "!": "not", "(": "(", ")": ")"}
    there = _HERE.union(tags.names)
    text = " ".join(python.get(word, str(word in there or word.startswith("go1."))) for word in words)
    try:
        return _truth(ast.parse(text, mode="eval").body)
    except (SyntaxError, RecursionError):
        return True


def _truth(node: ast.expr) -> bool:
    if isinstance(node, ast.BoolOp):
        parts = [_truth(value) for value in node.values]
        return any(parts) if isinstance(node.op, ast.Or) else all(parts)
    if isinstance(node, ast.UnaryOp):
        return not _truth(node.operand)
    return isinstance(node, ast.Constant) and node.value is True
