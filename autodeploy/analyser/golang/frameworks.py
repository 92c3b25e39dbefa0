"""Names the web framework by what the program imports; the standard library's net/http is none."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache

from autodeploy.analyser.golang.packages import Code
from autodeploy.analyser.golang.syntax import Call, GoFile, line_of, string_of
from autodeploy.model import Evidence

FRAMEWORKS = {
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
    "github.com/valyala/fasthttp": "fasthttp",
}
"""Import path, without its major version, to name; what serves before what only routes."""

STARTS = {
    "gin": frozenset({"Run", "RunTLS", "RunListener"}),
    "echo": frozenset({"Start", "StartTLS", "StartAutoTLS", "StartServer"}),
    "fiber": frozenset({"Listen", "ListenTLS", "Listener"}),
    "iris": frozenset({"Run", "Listen"}),
    "beego": frozenset({"Run"}),
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
        for node in file.nodes("import"):
            name = framework_of(string_of(node.child_by_field_name("path")) or "")
            if name and name not in found:
                found[name] = Evidence(
                    fact="framework", value=name, file=code.tree.where(file.path), line=line_of(node), rule="import"
                )
    ranked = [name for name in dict.fromkeys(FRAMEWORKS.values()) if name in found]
    return found[ranked[0]].but(alternatives=tuple(ranked[1:])) if ranked else None


def starts(files: Sequence[GoFile]) -> frozenset[str]:
    """Return the methods by which the engines of the program's frameworks begin to listen."""
    names = {framework_of(path) for file in files for path in file.imported()} - {None}
    return frozenset(method for name in names for method in STARTS.get(name or "", ()))


def serving(files: Sequence[GoFile]) -> Call | None:
    """Return the call by which the program begins to answer HTTP; None when it never does."""
    methods = starts(files)
    for file in files:
        for call in file.calls:
            if call.method.startswith("ListenAndServe") or call.name.startswith("net/http.Serve"):
                return call
            if call.method in {"Serve", "ServeTLS"} and "net/http" in file.imported() and call.operand != "grpc":
                return call
            if call.operand and call.method in methods and "exec" not in call.operand:
                return call
    return None
