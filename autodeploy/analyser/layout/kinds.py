"""Names what has a package file and still is no application: libraries, commands, templates, mobile, infrastructure."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from autodeploy.analyser.failures import refusal
from autodeploy.analyser.layout import pypackages
from autodeploy.analyser.layout.names import is_aside
from autodeploy.analyser.layout.strength import GO_WEB
from autodeploy.analyser.nodejs import jsonc
from autodeploy.analyser.nodejs.frameworks import FRAMEWORKS
from autodeploy.analyser.tree import Tree
from autodeploy.errors import AnalysisError

_PATH = "Where an application lies in a folder of this repository, name it with --path"
_LIBRARY = f"Deploy the application that uses it. {_PATH}"
_RUNS = ("Procfile", "fly.toml", "render.yaml", "app.yaml", "railway.json", "railway.toml", "apprunner.yaml")
_MOBILE = ("react-native", "expo", "@capacitor/core", "@ionic/react", "nativescript", "cordova")
_SHOWN = re.compile(
    r"^(?:node|nodemon|tsx|ts-node)\s+(?:--?\S+\s+)*(?:\./)?(?:sandbox|examples?|demos?|playground|tests?|docs?)/"
)
"""A script that starts what only shows how the package is used."""

_SERVED = re.compile(r"\.ListenAndServe|http\.Serve\(|\.Serve\(l|grpc\.NewServer")
_PUBLISHED = ("files", "exports", "module", "types", "typings", "peerDependencies", "publishConfig", "bin")


@dataclass(frozen=True)
class Kind:
    """What it is, the file that told, what in it told, and what to do next."""

    what: str
    file: str
    told: str
    next: str


def no_application(tree: Tree, language: str, nothing_found: bool = False) -> AnalysisError | None:
    """Return the refusal for a project of a supported language that has nothing to run; None for applications.

    `nothing_found`: the language's own analyser has met nothing that starts, so that less is proof.
    """
    kind = _template(tree) or _BY_LANGUAGE[language](tree, nothing_found)
    if kind is None:
        return None
    apps = _applications(tree)
    there = f": there are {', '.join(apps)}" if apps else ""
    return refusal(f"this is {kind.what} (told by {tree.where(kind.file)}: {kind.told})", f"{kind.next}{there}.")


def _template(tree: Tree) -> Kind | None:
    for name in ("cookiecutter.json", "copier.yml", "copier.yaml"):
        # Projects that were made from a template keep its answers; a template holds names to be filled in.
        if name in tree.index and any("{{" in path or path.endswith(".jinja") for path in tree.paths):
            tool = name.partition(".")[0]
            step = f"Make a project from it with {tool}, push that, and deploy it"
            return Kind("a template, not an application", name, "names to be filled in", step)
    return None


def _node(tree: Tree, nothing_found: bool) -> Kind | None:
    package = jsonc.table(tree.read("package.json"))
    if not package or any(name in tree.index for name in _RUNS):
        return None
    needed = _names(package, "dependencies")
    all_names = needed | _names(package, "devDependencies")
    if not nothing_found and (not needed.isdisjoint(FRAMEWORKS) or _is_started(package)):
        return _device(package, all_names) if needed.isdisjoint(FRAMEWORKS) else None
    return _device(package, all_names) or _tooling(tree, package)


def _device(package: dict[str, Any], names: set[str]) -> Kind | None:
    """Name what runs on somebody's device."""
    engines = package.get("engines")
    if isinstance(engines, dict) and "vscode" in engines:
        return Kind("an extension of an editor", "package.json", "engines.vscode", f"It is not served. {_PATH}")
    for name in _MOBILE:
        if name in names:
            return Kind("a mobile application", "package.json", name, f"It runs on a telephone. {_PATH}")
    if "electron" in names:
        return Kind("a desktop application", "package.json", "electron", f"It runs on a desktop. {_PATH}")
    return None


def _tooling(tree: Tree, package: dict[str, Any]) -> Kind | None:
    name = package.get("name") if isinstance(package.get("name"), str) else ""
    bare = str(name).rpartition("/")[2]
    if "cdk.json" in tree.index or "Pulumi.yaml" in tree.index:
        file = "cdk.json" if "cdk.json" in tree.index else "Pulumi.yaml"
        return Kind("infrastructure code", file, "its project file", f"Apply it with its own tool. {_PATH}")
    if re.match(r"generator-" if "bin" not in package else r"(create|generator)-", bare):
        return Kind(
            "a generator of projects", "package.json", f"name {bare}", "Make a project with it, and deploy that"
        )
    if _listens(tree, package) or "Dockerfile" in tree.index:
        return None
    if "bin" in package:
        return Kind(
            "a command line tool", "package.json", "bin, and no start script", f"It is installed with npm. {_PATH}"
        )
    published = [key for key in _PUBLISHED if key in package]
    if published and package.get("private") is not True:
        told = f"{', '.join(published[:3])}, and no start script"
        return Kind(f"a library{f', the npm package {name}' if name else ''}", "package.json", told, _LIBRARY)
    return None


def _is_started(package: dict[str, Any]) -> bool:
    scripts = package.get("scripts")
    told = scripts if isinstance(scripts, dict) else {}
    lines = [str(told[name]) for name in ("start", "start:prod", "serve", "heroku-postbuild") if name in told]
    return any(not _SHOWN.match(line) for line in lines)


def _listens(tree: Tree, package: dict[str, Any]) -> bool:
    main = package.get("main")
    named = [main] if isinstance(main, str) else []
    files = [*named, "index.js", "server.js", "app.js", "src/index.js", "src/server.js", "src/index.ts", "src/main.ts"]
    texts = (tree.read(path.removeprefix("./")) for path in files)
    return any(re.search(r"\.listen\(|createServer\(|\.login\(|Bun\.serve\(", text) for text in texts)


def _python(tree: Tree, nothing_found: bool) -> Kind | None:
    if any(name in tree.index for name in (*_RUNS, "manage.py", "Dockerfile")):
        return None
    if not (found := pypackages.told(tree, nothing_found)):
        return None
    what, file, told = found
    return Kind(what, file, told, _LIBRARY if what.startswith("a library") else f"Nothing here is served. {_PATH}")


def _go(tree: Tree, _: bool) -> Kind | None:
    files = [path for path in tree.paths if path.endswith(".go") and not path.endswith("_test.go")]
    if _shown_only(tree, files):
        return Kind("a library, a Go module", "go.mod", "its only programs are examples", _LIBRARY)
    goreleaser = next((name for name in (".goreleaser.yml", ".goreleaser.yaml") if name in tree.index), None)
    if goreleaser is None or any(name in tree.index for name in (*_RUNS, "Dockerfile")):
        return None
    if not GO_WEB.search(tree.read("go.mod")) and not any(_SERVED.search(tree.read(path)) for path in files):
        return Kind(
            "a command line tool", goreleaser, "releases, and nothing that serves", f"It is downloaded. {_PATH}"
        )
    return None


def _shown_only(tree: Tree, files: list[str]) -> bool:
    """Tell whether packages are there to be imported, and every program only shows how."""
    mains = [path for path in files if re.search(r"(?m)^package main\b", tree.read(path))]
    inner = [path for path in files if path not in mains and "/" not in path]
    return bool(mains and inner) and all(re.match(r"_?(?:examples?|samples?|demos?|testdata)/", path) for path in mains)


_BY_LANGUAGE: dict[str, Callable[[Tree, bool], Kind | None]] = {"nodejs": _node, "python": _python, "go": _go}


def _applications(tree: Tree) -> list[str]:
    """Return the folders of examples, which could be deployed after all."""
    manifests = ("package.json", "requirements.txt", "pyproject.toml", "go.mod")
    found = (path.rpartition("/")[0] for path in tree.paths if path.endswith(manifests) and "/" in path)
    return sorted({folder for folder in found if "example" in folder and is_aside(folder)})[:5]


def _names(package: dict[str, Any], key: str) -> set[str]:
    value = package.get(key)
    return set(value) if isinstance(value, dict) else set()
