"""The Go version that go.mod states, and the toolchain that builds: ours, or the newer one that it demands."""

from __future__ import annotations

import re
from collections.abc import Mapping

from autodeploy.analyser.failures import refusal
from autodeploy.analyser.golang.module import Module, Stated, go_work
from autodeploy.analyser.tree import Tree
from autodeploy.model import Evidence
from autodeploy.model.build import GO_TOOLCHAIN

DEFAULT = "1.16"
"""What go.mod means when it states none: https://go.dev/ref/mod#go-mod-file-go."""


def detect_version(
    tree: Tree, modules: tuple[Module, ...], overrides: Mapping[str, str]
) -> tuple[str, str, list[Evidence]]:
    """Return the version as major.minor, what states it, and why; the toolchain is a fact of its own."""
    work_go, work_toolchain = go_work(tree)
    stated = [item for item in (work_go, *(module.go for module in modules)) if item.value]
    if "runtime_version" in overrides:
        asked = overrides["runtime_version"].removeprefix("go")
        if not re.fullmatch(r"1\.\d+(\.\d+)?", asked):
            raise refusal(f"{asked!r} is no Go version", "Give one such as --runtime-version 1.24")
        go, rule = Stated(asked), "--runtime-version"
    elif stated:
        go, rule = max(stated, key=lambda item: _ordered(item.value)), "go-directive"
    else:
        go, rule = Stated(), "default"
    constraint = go.value
    minor = ".".join((go.value or DEFAULT).split(".")[:2])
    minor = re.sub(r"(rc|beta)\d+$", "", minor)
    others = tuple(dict.fromkeys(item.value for item in stated if item.value != go.value))
    told = Evidence(
        fact="runtime_version", value=minor, file=go.file, line=go.line, rule=rule, alternatives=others,
        confidence="certain" if go.value else "default",
    )  # fmt: skip
    return minor, constraint, [told, _toolchain([go, work_toolchain, *(module.toolchain for module in modules)])]


def _toolchain(wishes: list[Stated]) -> Evidence:
    """Versions are minimums: the newest of ours and what is demanded builds (https://go.dev/doc/toolchain)."""
    newest = max((wish for wish in wishes if wish.value), key=lambda wish: _ordered(wish.value), default=Stated())
    if not newest.value or _ordered(newest.value) <= _ordered(GO_TOOLCHAIN):
        return Evidence(fact="toolchain", value=GO_TOOLCHAIN, rule="pinned", confidence="default")
    # From 1.21 on the first release of a minor has a patch number: https://go.dev/doc/toolchain#version.
    whole = f"{newest.value}.0" if re.fullmatch(r"\d+\.\d+", newest.value) else newest.value
    return Evidence(fact="toolchain", value=whole, file=newest.file, line=newest.line, rule="demanded")


def _ordered(version: str) -> tuple[int, ...]:
    numbers = [int(part) for part in re.findall(r"\d+", re.sub(r"(rc|beta)\d+", "", version))]
    is_early = -1 if re.search(r"rc|beta", version) else 0
    return (*[*numbers, 0, 0, 0][:3], is_early)
