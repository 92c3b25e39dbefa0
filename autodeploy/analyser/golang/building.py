"""How the program is built: modules downloaded unless vendored, cgo only where something needs it."""

from __future__ import annotations

import re
import shlex
from collections.abc import Sequence

from autodeploy.analyser.golang.packages import Code, Main
from autodeploy.analyser.golang.syntax import GoFile, string_of
from autodeploy.model import APP_PATH, Evidence

BINARY = f"{APP_PATH}/app"
_CGO = (
    "github.com/mattn/go-sqlite3",
    "gorm.io/driver/sqlite",
    "github.com/jinzhu/gorm/dialects/sqlite",
    "github.com/confluentinc/confluent-kafka-go",
    "github.com/h2non/bimg",
    "github.com/davidbyttow/govips",
    "gopkg.in/gographics/imagick.v3",
    "github.com/libgit2/git2go",
    "github.com/marcboeker/go-duckdb",
    "github.com/duckdb/duckdb-go",
    "github.com/chai2010/webp",
    "github.com/smacker/go-tree-sitter",
    "github.com/tree-sitter/go-tree-sitter",
    "github.com/linxGnu/grocksdb",
)
"""Modules that do nothing, or do not compile, without a C compiler."""

_VIPS = ("github.com/h2non/bimg", "github.com/davidbyttow/govips")


def build_command(code: Code, main: Main, files: Sequence[GoFile]) -> tuple[str, list[Evidence]]:
    """Return the commands that make the binary, and why cgo is on where it is."""
    because = _cgo(code, files)
    parts = [] if "vendor/modules.txt" in code.tree.index else ["go mod download"]
    parts.append(f"CGO_ENABLED={int(bool(because))} go build -o {BINARY} {shlex.quote(main.target)}")
    missing = [path for path in _dotenv_files(files) if path not in code.tree.index]
    # Programs that read a .env file often end where there is none; the host gives the variables themselves.
    parts += [f"touch {shlex.quote(path)}" for path in missing]
    return " && ".join(parts), because


def system_packages(code: Code) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the Debian packages that the build and the running program need."""
    required = {item.path for module in code.modules for item in module.requires}
    if any(path.startswith(known) for path in required for known in _VIPS):
        return ("libvips-dev",), ("libvips42",)
    return (), ()


def _cgo(code: Code, files: Sequence[GoFile]) -> list[Evidence]:
    for file in files:
        for path in sorted(file.imported()):
            if path == "C" or _needs_cgo(path):
                return [Evidence(fact="cgo", value=path, file=code.tree.where(file.path), rule="import")]
    for module in code.modules:
        for item in module.requires:
            if _needs_cgo(item.path):
                return [Evidence(fact="cgo", value=item.path, file=module.file, line=item.line, rule="require")]
    return []


def _needs_cgo(path: str) -> bool:
    return any(path == known or path.startswith(f"{known}/") for known in _CGO)


def _dotenv_files(files: Sequence[GoFile]) -> list[str]:
    found: dict[str, None] = {}
    for file in files:
        for call in file.calls:
            if re.fullmatch(r"github\.com/joho/godotenv\.(Load|Overload|Read)", call.name):
                named = [string_of(argument) for argument in call.arguments] or [".env"]
                found |= {path.removeprefix("./"): None for path in named if path and _is_inside(path)}
            elif "github.com/joho/godotenv/autoload" in file.imported():
                found[".env"] = None
    return list(found)


def _is_inside(path: str) -> bool:
    return "/" not in path.removeprefix("./") and bool(re.fullmatch(r"[\w./-]+", path))
