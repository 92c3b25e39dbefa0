"""TechStack and artifact in; the check that the runtime a release carries is the one it was planned for, out."""

from __future__ import annotations

import shlex

from autodeploy.model import BuildArtifact, Step, TechStack
from autodeploy.releaser.texts import RELEASES

# Go keeps its version in the program (https://pkg.go.dev/debug/buildinfo); the host has no Go to ask.
_GO_VERSION = r"""
import sys
data = open(sys.argv[1], "rb").read()
start = data.index(b"\xff Go buildinf:") + 32
print(data[start + 1 : start + 1 + data[start]].decode())
"""


def carried_steps(release_id: str, artifact: BuildArtifact, stack: TechStack) -> tuple[Step, ...]:
    """Return the check of the runtime that came with the release; () where the host has its own."""
    folder = f"{RELEASES}/{release_id}"
    if stack.language == "go":
        program = f"{folder}/app"
        observe = f"test -x {program} && python3 -I -c {shlex.quote(_GO_VERSION)} {program}"
        return (_step("the Go version", observe, "go" + next(iter(stack.facts("toolchain")), "")),)
    if stack.language == "nodejs":
        observe = f"{folder}/runtime/bin/node --version | cut -d. -f1"
        version = artifact.runtime_version or stack.runtime_version
        return (_step("the Node.js", observe, "v" + version.partition(".")[0]),)
    return ()


def _step(what: str, observe: str, want: str) -> Step:
    return Step(
        name="runtime",
        why=f"check that {what} of the release is the one it was planned for",
        observe=observe,
        want=want,
        # Before its first release the program is not there yet: there is nothing to do but to look again.
        fix="true",
    )
