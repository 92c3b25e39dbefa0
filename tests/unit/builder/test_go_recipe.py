"""TechStack and Source to Recipe for Go: the toolchain, the flags, what is kept."""

from __future__ import annotations

import base64
import functools
import hashlib
import http.server
import subprocess
import sys
import threading
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from fixtures.sources import memory

from autodeploy.builder import recipe
from autodeploy.model import Evidence, Recipe, TechStack
from autodeploy.model.build import GO_TOOLCHAIN, GO_TOOLCHAIN_SUM
from autodeploy.templating import render

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
    assert GO_TOOLCHAIN in steps[0].command and GO_TOOLCHAIN_SUM in steps[0].command
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


PREFIX = "golang.org/toolchain@v0.0.1-go1.99.1.linux-amd64/"
FILES = {
    "bin/go": b"#!/bin/sh\n",
    "pkg/tool/linux_amd64/compile": b"tool",
    "src/fmt/print.go": b"package fmt",
    "src/fmt/print_test.go": b"package fmt",
    "src/fmt/testdata/x.txt": b"x",
    "test/x.go": b"package x",
}


@pytest.fixture
def proxy(tmp_path: Path) -> Iterator[str]:
    """A Go module proxy that has one toolchain."""
    folder = tmp_path / "proxy/golang.org/toolchain/@v"
    folder.mkdir(parents=True)
    with zipfile.ZipFile(folder / "v0.0.1-go1.99.1.linux-amd64.zip", "w") as archive:
        for name, content in FILES.items():
            archive.writestr(PREFIX + name, content)
    handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=str(tmp_path / "proxy"))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()


def hash1() -> str:
    """Return the files' hash as https://pkg.go.dev/golang.org/x/mod/sumdb/dirhash#Hash1 defines it."""
    lines = [f"{hashlib.sha256(content).hexdigest()}  {PREFIX}{name}\n" for name, content in sorted(FILES.items())]
    return "h1:" + base64.b64encode(hashlib.sha256("".join(lines).encode()).digest()).decode()


def bring(into: Path, goproxy: str, wanted: str) -> subprocess.CompletedProcess[str]:
    script = render("build/go-toolchain.py.j2", version="1.99.1", sum=wanted, into=str(into), proxy=goproxy)
    return subprocess.run([sys.executable, "-I", "-c", script], env={}, capture_output=True, text=True, check=False)


def test_the_toolchain_comes_from_the_first_proxy_that_has_it(proxy: str, tmp_path: Path) -> None:
    done = bring(tmp_path / "runtime", f"off,{proxy}/nothing|{proxy}/,direct", hash1())
    assert done.returncode == 0, done.stderr
    found = {
        str(path.relative_to(tmp_path / "runtime")) for path in (tmp_path / "runtime").rglob("*") if path.is_file()
    }
    assert found == {"bin/go", "pkg/tool/linux_amd64/compile", "src/fmt/print.go"}
    assert (tmp_path / "runtime/bin/go").stat().st_mode & 0o777 == 0o755
    assert (tmp_path / "runtime/src/fmt/print.go").stat().st_mode & 0o777 == 0o644


def test_another_toolchain_than_the_pinned_one_is_refused(proxy: str, tmp_path: Path) -> None:
    done = bring(tmp_path / "runtime", proxy, GO_TOOLCHAIN_SUM)
    assert done.returncode != 0
    assert "checksum database" in done.stderr
    assert not (tmp_path / "runtime").exists()


def test_where_no_proxy_has_it_their_names_are_told(proxy: str, tmp_path: Path) -> None:
    done = bring(tmp_path / "runtime", f"{proxy}/nothing,direct", hash1())
    assert done.returncode != 0
    assert f"GOPROXY names: {proxy}/nothing" in done.stderr
