"""Hypothesis' view of Go: modules that require, import and serve."""

from __future__ import annotations

from hypothesis import strategies as st

GO_DRIVERS = {
    "github.com/lib/pq": "postgresql",
    "github.com/jackc/pgx/v5": "postgresql",
    "github.com/go-sql-driver/mysql": "mysql",
    "go.mongodb.org/mongo-driver": "mongodb",
}
GO_OTHERS = (
    "github.com/google/uuid",
    "github.com/mattn/go-sqlite3",
    "github.com/lib/pqx",
    "github.com/redis/go-redis/v9",
)
GO_WEB = {
    "gin": ("github.com/gin-gonic/gin", "gin.Default().Run()"),
    "echo": ("github.com/labstack/echo/v4", 'echo.New().Start(":8081")'),
    "fiber": ("github.com/gofiber/fiber/v2", 'fiber.New().Listen(":8082")'),
    "chi": ("github.com/go-chi/chi/v5", 'http.ListenAndServe(":8083", chi.NewRouter())'),
    "gorilla/mux": ("github.com/gorilla/mux", 'http.ListenAndServe(":8084", mux.NewRouter())'),
    None: ("errors", 'http.ListenAndServe(":8085", nil)'),
}


@st.composite
def go_repositories(draw: st.DrawFn) -> tuple[dict[str, str], str | None, list[str], str]:
    """Draw a Go web application: its files, framework, direct requirements and the program that must be built."""
    framework = draw(st.sampled_from(sorted(GO_WEB, key=str)))
    package, body = GO_WEB[framework]
    needs = draw(st.lists(st.sampled_from((*GO_DRIVERS, *GO_OTHERS)), unique=True, max_size=5))
    direct = [*([package] if framework else []), *needs]
    hidden = [path for path in draw(st.lists(st.sampled_from(sorted(GO_DRIVERS)), unique=True)) if path not in needs]
    requires = "".join(f"\t{path} v1.2.3\n" for path in direct)
    requires += "".join(f"\t{path} v1.2.3 // indirect\n" for path in hidden)
    imports = "".join(f'\t_ "{path}"\n' for path in needs)
    folder = draw(st.sampled_from(("", "cmd/server/", "cmd/shop/", "app/")))
    code = f'package main\n\nimport (\n\t"net/http"\n\t"{package}"\n{imports})\n\nfunc main() {{\n\t{body}\n}}\n'
    version = draw(st.sampled_from(("1.18", "1.21.4", "1.24")))
    files = {"go.mod": f"module example.org/shop\n\ngo {version}\n\nrequire (\n{requires})\n", f"{folder}main.go": code}
    return files, framework, direct, f"./{folder}".rstrip("/")
