"""Names the web framework by what the program imports; the standard library's net/http is none."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache

from autodeploy.analyser.golang.packages import Code
from autodeploy.analyser.golang.syntax import Call, GoFile
from autodeploy.model import Evidence

FRAMEWORKS = {
    "github.com/go-fuego/fuego": "fuego",
    "goa.design/goa": "goa",
    "github.com/zeromicro/go-zero": "go-zero",
    "github.com/go-kratos/kratos": "kratos",
    "go-micro.dev": "go-micro",
    "gofr.dev": "gofr",
    "github.com/gin-gonic/gin": "gin",
    "github.com/labstack/echo": "echo",
    "github.com/gofiber/fiber": "fiber",
    "github.com/go-chi/chi": "chi",
    "github.com/beego/beego": "beego",
    "github.com/astaxie/beego": "beego",
    "github.com/beego/beego/server/web": "beego",
    "github.com/kataras/iris": "iris",
    "github.com/gobuffalo/buffalo": "buffalo",
    "github.com/revel/revel": "revel",
    "github.com/cloudwego/hertz": "hertz",
    "github.com/gorilla/mux": "gorilla/mux",
    "github.com/julienschmidt/httprouter": "httprouter",
    "github.com/go-ozzo/ozzo-routing": "ozzo-routing",
    "github.com/dimfeld/httptreemux": "httptreemux",
    "github.com/uptrace/bunrouter": "bunrouter",
    "github.com/emicklei/go-restful": "go-restful",
    "github.com/go-martini/martini": "martini",
    "github.com/flamego/flamego": "flamego",
    "gopkg.in/macaron.v1": "macaron",
    "goji.io": "goji",
    "github.com/gocraft/web": "web",
    "github.com/bmizerany/pat": "pat",
    "github.com/urfave/negroni": "negroni",
    "connectrpc.com/connect": "connect",
    "github.com/bufbuild/connect-go": "connect",
    "github.com/grpc-ecosystem/grpc-gateway": "grpc-gateway",
    "github.com/danielgtaylor/huma": "huma",
    "github.com/valyala/fasthttp": "fasthttp",
}
"""Import path, without its major version, to name; what serves before what only routes, or describes."""

STARTS = {
    "gin": frozenset({"Run", "RunTLS", "RunListener"}),
    "echo": frozenset({"Start", "StartTLS", "StartAutoTLS", "StartServer"}),
    "fiber": frozenset({"Listen", "ListenTLS", "Listener"}),
    "iris": frozenset({"Run", "Listen"}),
    "beego": frozenset({"Run"}),
    "fuego": frozenset({"Run"}),
    "gofr": frozenset({"Run"}),
    "go-zero": frozenset({"Start"}),
    "martini": frozenset({"Run", "RunOnAddr"}),
    "flamego": frozenset({"Run"}),
    "macaron": frozenset({"Run"}),
    "negroni": frozenset({"Run"}),
    "fasthttp": frozenset({"Serve"}),
    "buffalo": frozenset({"Serve"}),
    "hertz": frozenset({"Spin", "Run"}),
}
"""The methods by which an engine of the framework begins to listen."""


@cache
def framework_of(path: str) -> str | None:
    """Return the framework that an import path belongs to."""
    bare = re.sub(r"/v\d+(?=/|$)", "", path)
    return next((name for known, name in FRAMEWORKS.items() if bare == known or bare.startswith(f"{known}/")), None)


def detect_framework(code: Code, files: Sequence[GoFile]) -> Evidence | None:
    """Return the framework of the program's own files, and where it is imported."""
    found = {}
    for file in files:
        for path, line in file.import_lines:
            name = framework_of(path)
            if name and name not in found:
                found[name] = Evidence(
                    fact="framework", value=name, file=code.tree.where(file.path), line=line, rule="import"
                )
    ranked = [name for name in dict.fromkeys(FRAMEWORKS.values()) if name in found]
    return found[ranked[0]].but(alternatives=tuple(ranked[1:])) if ranked else None


def starts(files: Sequence[GoFile]) -> frozenset[str]:
    """Return the methods by which the engines of the program's frameworks begin to listen."""
    names = {framework_of(path) for file in files for path in file.imported()} - {None}
    return frozenset(method for name in names for method in STARTS.get(name or "", ()))


def serving(files: Sequence[GoFile]) -> Call | None:
    """Return the call by which the program begins to answer HTTP; None when it never does."""
    place = serving_place(files)
    return place[1] if place else None


def serving_place(files: Sequence[GoFile]) -> tuple[GoFile, Call] | None:
    """Return that call and its file."""
    methods = starts(files)
    for file in files:
        for call in file.calls:
            if call.method.startswith("ListenAndServe") or call.name.startswith("net/http.Serve"):
                return file, call
            is_http = "net/http" in file.imported() and "grpc" not in call.operand.lower()
            if call.method in {"Serve", "ServeTLS"} and is_http:
                return file, call
            if call.operand and call.method in methods and "exec" not in call.operand:
                return file, call
    return None


def serves_grpc(files: Sequence[GoFile]) -> Call | None:
    """Return the call that makes a server of gRPC; None where there is none."""
    calls = (call for file in files for call in file.calls)
    return next((call for call in calls if call.name == "google.golang.org/grpc.NewServer"), None)
