"""Go: the toolchain at /app/runtime while it builds, one binary at /app/app, beside it what the program may read."""

from __future__ import annotations

import shlex

from autodeploy.model import APP_PATH, BuildStep, Recipe, Source, TechStack
from autodeploy.model.build import GO_BASE_IMAGE, GO_TOOLCHAIN, GO_TOOLCHAIN_SUM
from autodeploy.templating import render

PROXY = "https://proxy.golang.org"
"""Go's own default (https://go.dev/ref/mod#environment-variables)."""


def recipe(stack: TechStack, source: Source) -> Recipe:
    """Return how to build a Go application: the stack's build command, under the toolchain that go.mod asks for."""
    script = render(
        "build/go-toolchain.py.j2",
        version=GO_TOOLCHAIN,
        sum=GO_TOOLCHAIN_SUM,
        into=f"{APP_PATH}/runtime",
        proxy=PROXY,
    )
    commands = [part.strip() for part in stack.build_command.split(" && ") if part.strip()]
    vendored = "vendor/modules.txt" in source
    return Recipe(
        base_image=GO_BASE_IMAGE,
        steps=(
            # Its own layer: a change in go.mod must not bring the toolchain anew.
            BuildStep(what="Bringing the Go toolchain", command=f"python3 -I -c {shlex.quote(script)}", inputs=()),
            *(BuildStep(what=_what(command), command=command) for command in commands),
            # The program reads templates and files from here; its sources are in the binary.
            *([BuildStep(what="Removing the vendored sources", command="rm -rf vendor")] if vendored else []),
        ),
        keep=("src", "app"),
        exclude=(".git", "*.go"),
        packages=stack.build_packages,
        environment={"GOTOOLCHAIN": _toolchain(stack), "GOFLAGS": _flags(source)},
    )


def _what(command: str) -> str:
    return "Downloading modules" if "go mod download" in command else "Compiling the application"


def _toolchain(stack: TechStack) -> str:
    """Return what GOTOOLCHAIN says: the toolchain that is there, or the newer one that go.mod demands."""
    wanted = next(iter(stack.facts("toolchain")), GO_TOOLCHAIN)
    return "local" if wanted == GO_TOOLCHAIN else f"go{wanted}"


def _flags(source: Source) -> str:
    """Return GOFLAGS: no path of the builder in the binary; a go.sum that was never committed is made."""
    unlocked = "go.sum" not in source and "go.work" not in source and "vendor/modules.txt" not in source
    return "-trimpath -buildvcs=false" + (" -mod=mod" if unlocked else "")
