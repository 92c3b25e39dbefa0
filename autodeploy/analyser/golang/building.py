"""How the program is built: modules downloaded unless vendored, cgo only where needed, with the tags it asks for."""

from __future__ import annotations

import posixpath
import re
import shlex
from collections.abc import Sequence
from dataclasses import dataclass

from autodeploy.analyser.golang.packages import Code, Main
from autodeploy.analyser.golang.syntax import GoFile, string_of
from autodeploy.analyser.golang.tags import constraint
from autodeploy.model import APP_PATH, Evidence

BINARY = f"{APP_PATH}/app"
_CGO = (
    "github.com/mattn/go-sqlite3",
    "gorm.io/driver/sqlite",
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
    "github.com/pebbe/zmq4",
    "github.com/otiai10/gosseract",
    "github.com/google/gopacket/pcap",
    "github.com/jinzhu/gorm/dialects/sqlite",
    "github.com/mutecomm/go-sqlcipher",
    "github.com/logoove/sqlite",
    "github.com/msteinert/pam",
)
"""Modules that do nothing, or do not compile, without a C compiler."""

_LIBRARIES: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "github.com/h2non/bimg": (("libvips-dev",), ("libvips42",)),
    "github.com/davidbyttow/govips": (("libvips-dev",), ("libvips42",)),
    "gopkg.in/gographics/imagick.v3": (("libmagickwand-dev",), ("libmagickwand-7.q16-10",)),
    "github.com/libgit2/git2go": (("libgit2-dev",), ("libgit2-1.9",)),
    "github.com/linxGnu/grocksdb": (("librocksdb-dev",), ("librocksdb9.10",)),
    "github.com/pebbe/zmq4": (("libzmq3-dev",), ("libzmq5",)),
    "github.com/otiai10/gosseract": (("libtesseract-dev", "libleptonica-dev"), ("libtesseract5", "tesseract-ocr")),
    "github.com/u2takey/ffmpeg-go": ((), ("ffmpeg",)),
    "github.com/SebastiaanKlippert/go-wkhtmltopdf": ((), ("wkhtmltopdf",)),
    "github.com/chromedp/chromedp": ((), ("chromium",)),
    "github.com/google/gopacket/pcap": (("libpcap-dev",), ("libpcap0.8t64",)),
    "github.com/msteinert/pam": (("libpam0g-dev",), ("libpam0g",)),
}
"""Debian packages that a module needs to build, and to run."""


@dataclass(frozen=True)
class Build:
    """What `go build` is told: the environment, the tags with their flag and a space, and why."""

    environment: str
    tags: str
    because: tuple[Evidence, ...]


def plan_build(code: Code, files: Sequence[GoFile]) -> Build:
    """Return how the programs are built."""
    cgo, tags = _cgo(code, files), _tags(code, files)
    flag = f"-tags {shlex.quote(tags[0].value)} " if tags else ""
    return Build(f"CGO_ENABLED={int(bool(cgo))}", flag, (*cgo, *tags))


def build_command(code: Code, main: Main, files: Sequence[GoFile], build: Build, further: Sequence[str] = ()) -> str:
    """Return the commands that make the binary and, with `further`, what runs beside it."""
    parts = [] if "vendor/modules.txt" in code.tree.index else ["go mod download"]
    parts.append(f"{build.environment} go build {build.tags}-o {BINARY} {shlex.quote(main.target)}")
    parts += further
    missing = [path for path in _dotenv_files(files) if path not in code.tree.index]
    # Programs that read a .env file often end where there is none; the host gives the variables themselves.
    parts += [f"touch {shlex.quote(path)}" for path in missing]
    return " && ".join(parts)


def system_packages(code: Code, files: Sequence[GoFile]) -> tuple[tuple[str, ...], tuple[str, ...], list[Evidence]]:
    """Return the Debian packages that the build and the running program need, and why."""
    build, run, told = set[str](), set[str](), list[Evidence]()
    for file in files:
        for imported in sorted(file.imported()):
            bare = re.sub(r"/v\d+(?=/|$)", "", imported)
            for known, (building, running) in _LIBRARIES.items():
                if bare == known or bare.startswith(f"{known}/"):
                    build, run = build | set(building), run | set(running)
                    value = " ".join((*building, *running))
                    where = code.tree.where(file.path)
                    told.append(Evidence(fact="system_packages", value=value, file=where, rule=known))
    return tuple(sorted(build)), tuple(sorted(run)), told[:1]


def _tags(code: Code, files: Sequence[GoFile]) -> list[Evidence]:
    """Return the tags that the repository builds with, where a file of the program's packages asks for one."""
    folders = {posixpath.dirname(file.path) for file in files}
    paths = [path for path in code.tree.paths if path.endswith(".go") and posixpath.dirname(path) in folders]
    said = " ".join(constraint(code.tree.read(path)) for path in paths) if code.tags.names else ""
    names = [name for name in code.tags.names if re.search(rf"\b{name}\b", said)]
    value, file, line = ",".join(names), code.tags.file, code.tags.line
    return [Evidence(fact="build_tags", value=value, file=file, line=line, rule="go-build")] if names else []


def _cgo(code: Code, files: Sequence[GoFile]) -> list[Evidence]:
    for file in files:
        for path in sorted(file.imported()):
            if path == "C" or _needs_cgo(path):
                return [Evidence(fact="cgo", value=path, file=code.tree.where(file.path), rule="import")]
    # What wraps SQLite's own driver compiles without cgo, and fails when it runs.
    wraps = any("sqlite" in path for file in files for path in file.imported())
    for module in code.modules if wraps else ():
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
