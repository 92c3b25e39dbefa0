"""TechStack in; the check that a compiled program on the host is of the version it was planned for, out."""

from __future__ import annotations

import shlex

from autodeploy.model import Step, TechStack
from autodeploy.releaser.texts import RELEASES

# Go keeps its version in the program (https://pkg.go.dev/debug/buildinfo); the host has no Go to ask.
_GO_VERSION = r"""
import sys
data = open(sys.argv[1], "rb").read()
start = data.index(b"\xff Go buildinf:") + 32
print(data[start + 1 : start + 1 + data[start]].decode())
"""


def compiled_steps(release_id: str, stack: TechStack) -> tuple[Step, ...]:
    """Return the check that the program was made by the toolchain that the stack records; () for other languages."""
    if stack.language != "go":
        return ()
    program = f"{RELEASES}/{release_id}/app"
    return (
        Step(
            name="runtime",
            why="check that the program was compiled by the Go version it was planned for",
            observe=f"test -x {program} && python3 -I -c {shlex.quote(_GO_VERSION)} {program}",
            want="go" + next(iter(stack.facts("toolchain")), ""),
            # Before its first release the program is not there yet: there is nothing to do but to look again.
            fix="true",
        ),
    )
