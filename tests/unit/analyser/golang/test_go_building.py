"""How Go programs are built: tags, what is missing, and the packages of Debian that libraries need."""

from __future__ import annotations

import pytest
from unit.analyser.golang.programs import MOD, evidence, program, serving, stack_of

LISTEN = '\nhttp.ListenAndServe(":8080", nil)'
TAGGED = '//go:build extra\n\npackage main\n\nimport _ "github.com/lib/pq"\n'


@pytest.mark.parametrize(
    ("file", "text", "command"),
    [
        ("Dockerfile", "FROM golang\nRUN go build -tags extra -o /app .", "go build -tags extra -o /app/app ."),
        ("Makefile", 'TAGS ?= extra\nbuild:\n\tgo build -tags "$(TAGS)" .', "go build -tags extra -o /app/app ."),
        (
            "Makefile",
            "TAGS=extra$(if $(MORE),$(comma)$(MORE))\nbuild:\n\tgo build -tags=$(TAGS) .",
            "go build -tags extra -o /app/app .",
        ),
        ("Makefile", "build:\n\tgo build -tags=other .", "go build -o /app/app ."),
        ("Makefile", "test:\n\tgo test -tags extra ./...", "go build -o /app/app ."),
    ],
)
def test_tags_that_files_ask_for_are_those_of_the_repository_s_own_build(file: str, text: str, command: str) -> None:
    stack = stack_of({"main.go": program(), "store.go": TAGGED, file: text})
    assert stack.build_command.endswith(command)
    assert stack.database_type == ("postgresql" if "-tags" in command else None)


@pytest.mark.parametrize(
    ("constraint", "kind"),
    [
        ("//go:build linux && !extra", "postgresql"),
        ("// +build linux,amd64", "postgresql"),
        ("// +build windows", None),
        ("//+build ignore", None),
        ("//go:build (", "postgresql"),
    ],
)
def test_constraints_say_which_files_are_built(constraint: str, kind: str | None) -> None:
    text = f'{constraint}\n\npackage main\n\nimport _ "github.com/lib/pq"\n'
    assert stack_of({"main.go": program(), "store.go": text}).database_type == kind


def test_embedded_files_that_are_not_committed_are_told() -> None:
    rest = "//go:embed ui/dist\nvar page embed.FS\n//go:embed *.txt all:static\nvar more embed.FS"
    there = {"a.txt": "", "static/x.css": ""}
    told = serving(LISTEN, "net/http embed", rest, **there, **{"ui/package.json": "{}"}).warnings
    assert told == (
        "main.go:8 embeds ui/dist, which is not committed: the front end in ui is to be built before the program",
    )
    assert serving(LISTEN, "net/http embed", rest, **there, **{"ui/dist/index.html": ""}).warnings == ()
    kept = "//go:embed web/*\nvar page embed.FS"
    assert "main.go:8 embeds web/*" in serving(LISTEN, "net/http embed", kept, **{"web/.gitkeep": ""}).warnings[0]
    assert (
        "more.bin, which is not committed: it is to be made"
        in serving(LISTEN, "net/http embed", "//go:embed more.bin\nvar x []byte").warnings[0]
    )


def test_generated_packages_and_neighbours_that_are_not_committed_are_told() -> None:
    mod = f"{MOD}replace example.org/other => ../other\nreplace example.org/near => ./near\n"
    files = {"main.go": program(imports="net/http example.org/shop/gen"), "near/go.mod": "module example.org/near\n"}
    assert stack_of(files, mod=mod).warnings == (
        "main.go imports gen, which is not committed: it is to be generated",
        "go.mod:4 takes a module from ../other, which is not committed",
    )


def test_modules_that_the_repository_calls_private_are_told() -> None:
    mod = f"{MOD}require git.example.org/team/lib v1.0.0\n"
    files = {"main.go": program(), "Dockerfile": "FROM golang\nENV GOPRIVATE=git.example.org/team/*\n"}
    assert stack_of(files, mod=mod).warnings == (
        "go.mod:4 requires git.example.org/team/lib, which the repository calls private",
    )


@pytest.mark.parametrize(
    ("path", "packages"),
    [
        ("github.com/u2takey/ffmpeg-go", ((), ("ffmpeg",))),
        ("github.com/davidbyttow/govips/v2/vips", (("libvips-dev",), ("libvips42",))),
    ],
)
def test_libraries_bring_their_packages_of_debian(path: str, packages: tuple[tuple[str, ...], ...]) -> None:
    stack = serving(LISTEN, f"net/http {path}")
    assert (stack.build_packages, stack.run_packages) == packages
    assert evidence(stack, "system_packages").file == "main.go"


def test_a_server_of_grpc_alone_is_a_worker_and_told() -> None:
    stack = serving('s := grpc.NewServer()\nl, _ := net.Listen("tcp", ":9")\ns.Serve(l)', "net google.golang.org/grpc")
    assert not stack.is_web_service
    assert "gRPC" in stack.warnings[0]


@pytest.mark.parametrize(
    ("names", "chosen"),
    [
        ("shop shopd", "./cmd/shopd"),
        ("shop-server tool", "./cmd/shop-server"),
        ("shop-api shop-worker", "./cmd/shop-api"),
        ("orders-consumer orders-gateway", "./cmd/orders-gateway"),
        ("main zz", "./cmd/main"),
    ],
)
def test_a_server_s_name_decides_among_programs(names: str, chosen: str) -> None:
    stack = stack_of({f"cmd/{name}/main.go": program() for name in names.split()})
    assert evidence(stack, "app").value == chosen
    assert not stack.unknowns


def test_large_files_that_speak_of_nothing_are_read_for_their_imports_alone() -> None:
    filler = "".join(f"func f{number}() int {{ return {number} }}\n" for number in range(100))
    text = f'package main\n\nimport (\n\t"fmt"\n\t_ "github.com/lib/pq"\n)\n\n{filler}'
    told = evidence(stack_of({"main.go": program(), "store.go": text}), "database_type")
    assert (told.value, told.file, told.line) == ("postgresql", "store.go", 5)
