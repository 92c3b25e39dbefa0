"""Which program of a Go module is built and run, and which of its files belong to it."""

from __future__ import annotations

import pytest
from fixtures.sources import memory
from unit.analyser.golang.programs import MOD, evidence, program, stack_of

from autodeploy.analyser import analyse
from autodeploy.errors import AnalysisError

TOOL = program("println(1)", "fmt")
SERVER = program()


def built(files: dict[str, str], **overrides: str) -> str:
    return evidence(stack_of(files, overrides), "app").value


@pytest.mark.parametrize(
    ("files", "target"),
    [
        ({"main.go": SERVER}, "."),
        ({"cmd/server/main.go": SERVER}, "./cmd/server"),
        ({"cmd/admin/main.go": TOOL, "cmd/zebra/main.go": SERVER}, "./cmd/zebra"),
        ({"main.go": SERVER, "cmd/server/main.go": SERVER}, "."),
        ({"cmd/api/main.go": SERVER, "cmd/shop/main.go": SERVER}, "./cmd/shop"),
        ({"cmd/api/main.go": SERVER, "cmd/web/main.go": SERVER}, "./cmd/web"),
        ({"cmd/server.go": SERVER, "cmd/seed.go": TOOL}, "./cmd/server.go"),
        ({"cmd/migrate/main.go": SERVER, "cmd/other/main.go": SERVER}, "./cmd/other"),
        ({"examples/one/main.go": SERVER}, "./examples/one"),
        ({"_old/main.go": SERVER, "cmd/x/main.go": SERVER, "vendor/y/main.go": SERVER}, "./cmd/x"),
        ({"main_windows.go": SERVER, "cmd/x/main.go": SERVER}, "./cmd/x"),
        ({"gen.go": f"//go:build ignore\n\n{SERVER}", "cmd/x/main.go": SERVER}, "./cmd/x"),
        ({"gen.go": f"// +build ignore\n\n{SERVER}", "cmd/x/main.go": SERVER}, "./cmd/x"),
        ({"w.go": f"//go:build windows || (darwin && !cgo)\n\n{SERVER}", "cmd/x/main.go": SERVER}, "./cmd/x"),
        ({"l.go": f"//go:build !windows && (linux || darwin) && go1.21\n\n{SERVER}", "cmd/x/main.go": TOOL}, "."),
        ({"l.go": f"//go:build (linux\n\n{SERVER}", "cmd/x/main.go": TOOL}, "."),
        ({"other/go.mod": "module x", "other/main.go": SERVER, "cmd/x/main.go": SERVER}, "./cmd/x"),
    ],
)
def test_the_server_is_the_program_that_is_run(files: dict[str, str], target: str) -> None:
    assert built(files) == target


@pytest.mark.parametrize(
    ("extra", "target", "command"),
    [
        ({"Procfile": "web: bin/api"}, "./cmd/api", "/app/app"),
        ({"Procfile": "web: exec ./api serve --quiet"}, "./cmd/api", "/app/app serve --quiet"),
        ({"Procfile": "web: api -addr :$PORT"}, "./cmd/api", '/app/app -addr ":$PORT"'),
        ({"Procfile": "web: go run ./cmd/api --fast"}, "./cmd/api", "/app/app --fast"),
        ({"Procfile": "web: go run cmd/api/main.go"}, "./cmd/api", "/app/app"),
        ({"Procfile": "web: ./run.sh && bin/api"}, "./cmd/web", "/app/app"),
        ({"Procfile": "web: 'api"}, "./cmd/web", "/app/app"),
        ({"Procfile": "web: unheard-of"}, "./cmd/web", "/app/app"),
        (
            {"Dockerfile": "FROM golang\nRUN CGO_ENABLED=0 go build -o /srv ./cmd/api\nCMD /srv"},
            "./cmd/api",
            "/app/app",
        ),
        (
            {"Dockerfile": 'RUN go build -o srv ./cmd/api/\nENTRYPOINT ["/x/srv"]\nCMD ["serve", "a b"]'},
            "./cmd/api",
            "/app/app serve 'a b'",
        ),
        ({"Dockerfile": "RUN go build -o srv ./cmd/api\nCMD ./other x"}, "./cmd/api", "/app/app"),
        ({"Dockerfile": "RUN go build ./cmd/api\nRUN go build ./cmd/web"}, "./cmd/web", "/app/app"),
    ],
)
def test_procfile_and_dockerfile_say_which(extra: dict[str, str], target: str, command: str) -> None:
    stack = stack_of({"cmd/api/main.go": SERVER, "cmd/web/main.go": SERVER, **extra})
    assert (evidence(stack, "app").value, stack.start_command) == (target, command)
    assert f"go build -o /app/app {target}" in stack.build_command


@pytest.mark.parametrize("asked", ["./cmd/api", "cmd/api/", "api"])
def test_the_operator_may_name_the_program(asked: str) -> None:
    assert built({"cmd/api/main.go": SERVER, "cmd/web/main.go": SERVER}, app=asked) == "./cmd/api"


def test_the_root_is_named_by_a_dot() -> None:
    assert built({"main.go": SERVER, "cmd/web/main.go": SERVER, "Procfile": "web: web"}, app=".") == "."


def test_a_program_that_is_not_there_is_refused_with_those_that_are() -> None:
    with pytest.raises(AnalysisError, match=r"no program '\./cmd/x'") as caught:
        built({"cmd/api/main.go": SERVER}, app="./cmd/x")
    assert "--app ./cmd/api" in caught.value.remediation


def test_of_several_as_good_the_first_is_taken_and_the_choice_left_open() -> None:
    stack = stack_of({"cmd/red/main.go": SERVER, "cmd/blue/main.go": SERVER})
    (unknown,) = stack.unknowns
    assert (unknown.fact, unknown.choices, unknown.flag) == ("app", ("./cmd/blue", "./cmd/red"), "--app")
    assert (evidence(stack, "app").value, evidence(stack, "app").confidence) == ("./cmd/blue", "likely")


def test_a_library_is_named_as_such() -> None:
    with pytest.raises(AnalysisError, match=r"go\.mod holds a library"):
        stack_of({"shop.go": "package shop\n", "shop_test.go": SERVER})


def test_what_the_program_does_not_reach_is_not_its_own() -> None:
    stack = stack_of(
        {
            "cmd/server/main.go": program('http.ListenAndServe(":8080", shop.Mux())', "net/http example.org/shop/shop"),
            "shop/mux.go": 'package shop\n\nimport (\n\t_ "example.org/shop/deep"\n\t"github.com/gin-gonic/gin"\n)\n',
            "deep/deep.go": 'package deep\n\nimport "github.com/go-sql-driver/mysql"\n',
            "aside/aside.go": 'package aside\n\nimport "github.com/lib/pq"\n',
            "shop/mux_test.go": 'package shop\n\nimport "go.mongodb.org/mongo-driver/mongo"\n',
        }
    )
    assert (stack.framework, stack.database_type) == ("gin", "mysql")


def test_modules_of_a_workspace_are_one_application() -> None:
    files = {
        "go.work": "go 1.24\n\nuse (\n\t./web\n\t./store // beside\n\t../outside\n)\n",
        "web/go.mod": "module example.org/web\n\ngo 1.23\n",
        "web/main.go": program("", "net/http example.org/store/db") + "var _ = http.ListenAndServe",
        "store/go.mod": "module example.org/store\n\ngo 1.22\n\nrequire github.com/lib/pq v1.10.9\n",
        "store/db/db.go": 'package db\n\nimport _ "github.com/lib/pq"\n',
    }
    stack = analyse(memory(files))
    assert (stack.app_root, stack.database_type, stack.runtime_version) == (".", "postgresql", "1.24")
    assert "./web" in stack.build_command
    assert stack.dependencies == ("github.com/lib/pq",)


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("github.com/gin-gonic/gin", "gin"),
        ("github.com/labstack/echo/v4", "echo"),
        ("github.com/gofiber/fiber/v2", "fiber"),
        ("github.com/go-chi/chi/v5", "chi"),
        ("github.com/gorilla/mux", "gorilla/mux"),
        ("github.com/julienschmidt/httprouter", "httprouter"),
        ("github.com/beego/beego/v2/server/web", "beego"),
        ("github.com/gin-gonic/gin-contrib", None),
        ("net/http", None),
    ],
)
def test_the_framework_is_what_is_imported(path: str, name: str | None) -> None:
    assert stack_of({"main.go": program(imports=f"net/http {path}")}).framework == name


def test_what_serves_comes_before_what_only_routes() -> None:
    stack = stack_of({"main.go": program(imports="net/http github.com/gorilla/mux github.com/labstack/echo/v4")})
    assert stack.framework == "echo"
    assert evidence(stack, "framework").alternatives == ("gorilla/mux",)


def test_go_files_without_a_module_are_told_what_they_lack() -> None:
    with pytest.raises(AnalysisError, match=r"no go\.mod") as caught:
        analyse(memory({"main.go": SERVER, "vendor/x/go.mod": MOD}))
    assert "go mod init" in caught.value.remediation


def test_other_manifests_beside_a_module_are_those_of_its_assets() -> None:
    beside = {"package.json": "{}", "requirements.txt": "mkdocs"}
    assert stack_of({"main.go": SERVER, **beside}).language == "go"
    flask = {"app.py": "from flask import Flask\napp = Flask('x')\n", "requirements.txt": "flask"}
    assert stack_of(flask).language == "python"


def test_what_of_a_procfile_is_not_run_is_told() -> None:
    files = {"main.go": SERVER, "Procfile": "web: shop\nworker: shop work\nrelease: shop migrate"}
    assert stack_of(files).warnings == ("not run, as one process is deployed: the Procfile's worker",)
