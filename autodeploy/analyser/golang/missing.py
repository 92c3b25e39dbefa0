"""What the build will not find: embedded files, generated packages, modules of folders that are not committed."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator, Sequence
from fnmatch import fnmatchcase

from autodeploy.analyser.golang.packages import Code
from autodeploy.analyser.golang.syntax import GoFile

_EMBED = re.compile(r"^//go:embed\s+(.+)$", re.MULTILINE)
_PRIVATE = re.compile(r"\b(?:GOPRIVATE|GONOSUMDB|GONOPROXY)\s*[=:]\s*[\"']?([\w./*,-]+)")


def missing_parts(code: Code, files: Sequence[GoFile]) -> list[str]:
    """Return a sentence for each thing that the program is made from and that is not committed."""
    return list(dict.fromkeys((*_embedded(code, files), *_generated(code, files), *_modules(code), *_private(code))))


def _embedded(code: Code, files: Sequence[GoFile]) -> Iterator[str]:
    for file in files:
        text = code.tree.read(file.path)
        if "//go:embed" not in text:
            continue
        folder = posixpath.dirname(file.path)
        for match in _EMBED.finditer(text):
            line = text.count("\n", 0, match.start()) + 1
            for pattern in match[1].split():
                path = posixpath.normpath(posixpath.join(folder, pattern.strip('"`').removeprefix("all:")))
                if not _is_there(code, path):
                    yield (
                        f"{code.tree.where(file.path)}:{line} embeds {path}, which is not committed: "
                        f"{_maker(code, path)} before the program"
                    )


def _is_there(code: Code, path: str) -> bool:
    if path in code.tree.index or path == ".":
        return True
    if not re.search(r"[*?\[]", path):
        return any(name.startswith(f"{path}/") and name != f"{path}/.gitkeep" for name in code.tree.paths)
    depth = path.count("/")
    # What begins with a dot only keeps the folder: https://pkg.go.dev/embed leaves it out of what it finds.
    seen = (name for name in code.tree.paths if not posixpath.basename(name).startswith("."))
    return any(fnmatchcase("/".join(name.split("/")[: depth + 1]), path) for name in seen)


def _maker(code: Code, path: str) -> str:
    """Say what makes a folder: the front end whose package.json is above it, or nobody knows."""
    folder = path
    while folder:
        folder = posixpath.dirname(folder)
        if posixpath.join(folder, "package.json") in code.tree.index:
            return f"the front end in {folder or 'this folder'} is to be built"
    return "it is to be made"


def _generated(code: Code, files: Sequence[GoFile]) -> Iterator[str]:
    folders, told = set(code.folders), set[str]()
    for file in files:
        for imported in sorted(file.imported()):
            for module in code.modules:
                if module.path and imported.startswith(f"{module.path}/"):
                    folder = posixpath.join(module.folder, imported[len(module.path) + 1 :])
                    inner = any(other.folder and folder.startswith(f"{other.folder}/") for other in code.modules)
                    if folder not in folders | told and not inner and not _is_other_module(code, imported):
                        told.add(folder)
                        where = code.tree.where(file.path)
                        yield f"{where} imports {folder}, which is not committed: it is to be generated"


def _is_other_module(code: Code, imported: str) -> bool:
    """Tell whether another module, required or replaced, holds a package below this module's path."""
    return any(
        imported == item.path or imported.startswith(f"{item.path}/")
        for module in code.modules
        for item in module.requires
    )


def _modules(code: Code) -> Iterator[str]:
    for module in code.modules:
        for number, line in code.tree.lines(posixpath.join(module.folder, "go.mod")):
            match = re.match(r"^(?:replace\s+)?\S+(?:\s+v\S+)?\s+=>\s+(\.\.?/\S*)", line)
            if match:
                folder = posixpath.normpath(posixpath.join(code.tree.root, module.folder, match[1]))
                wanted = posixpath.join(folder, "go.mod").removeprefix("./")
                if folder.startswith("..") or not any(path == wanted for path in code.tree.source.paths):
                    yield f"{module.file}:{number} takes a module from {match[1]}, which is not committed"


def _private(code: Code) -> Iterator[str]:
    """Name the modules that the repository itself calls private: the builder has no key to them."""
    patterns = set[str]()
    for file in ("Dockerfile", "Makefile", ".env.example", ".github/workflows/ci.yml", ".gitlab-ci.yml"):
        for match in _PRIVATE.finditer(code.tree.read(file)):
            patterns |= {part.rstrip("/*") for part in match[1].split(",") if part}
    for module in code.modules:
        for item in module.requires:
            if any(item.path == pattern or item.path.startswith(f"{pattern}/") for pattern in patterns):
                yield f"{module.file}:{item.line} requires {item.path}, which the repository calls private"
