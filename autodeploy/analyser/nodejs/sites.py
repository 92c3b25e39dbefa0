"""Tells what a tool that makes pages leaves behind, and how that is served: by `serve`, which the builder brings."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Mapping
from dataclasses import dataclass

from autodeploy.analyser.nodejs import jsonc
from autodeploy.analyser.nodejs.manifest import Manifest
from autodeploy.analyser.tree import Tree

SERVER = "serve"
"""The server of files that Create React App's and Vite's own guides name; https://github.com/vercel/serve."""

_ENDS = ("js", "mjs", "cjs", "ts", "mts", "cts")


@dataclass(frozen=True)
class Site:
    """Pages of one tool. `folder` is what its build leaves; `is_single`: every address is answered with one page."""

    tool: str
    folder: str
    is_single: bool
    build: str
    file: str

    @property
    def command(self) -> str:
        """The command that serves the pages on $PORT."""
        return f"{SERVER} {'-s ' if self.is_single else ''}{self.folder} -l $PORT"


_TOOLS: tuple[tuple[str, str, str, bool], ...] = (
    ("@angular/cli", "dist", "ng build", True),
    ("react-scripts", "build", "react-scripts build", True),
    ("@vue/cli-service", "dist", "vue-cli-service build", True),
    ("gatsby", "public", "gatsby build", False),
    ("@docusaurus/core", "build", "docusaurus build", False),
    ("vitepress", ".vitepress/dist", "vitepress build", False),
    ("@11ty/eleventy", "_site", "eleventy", False),
    ("vite", "dist", "vite build", True),
    ("parcel", "dist", "parcel build index.html", True),
    ("webpack-dev-server", "dist", "webpack --mode production", True),
)
"""Package, the folder it writes by default, its build, and whether what it makes is one page."""


def detect_site(tree: Tree, manifest: Manifest, framework: str | None) -> Site | None:
    """Return the pages that the application is, where it serves nothing by itself; None for anything else."""
    if framework is not None:
        return _of_framework(tree, manifest, framework)
    for package, folder, build, is_single in _TOOLS:
        if package in manifest.development or manifest.has(package):
            return Site(package, _folder(tree, manifest, package, folder), is_single, build, manifest.file)
    return None


def config(tree: Tree, *stems: str) -> tuple[str, str]:
    """Return path and text of a tool's configuration; two empty strings where there is none."""
    names = (f"{stem}.{end}" for stem in stems for end in _ENDS)
    path = next((name for name in names if name in tree.index), "")
    return path, tree.read(path) if path else ""


def _of_framework(tree: Tree, manifest: Manifest, framework: str) -> Site | None:
    if framework == "next":
        file, said = config(tree, "next.config")
        if re.search(r"output['\"]?\s*:\s*['\"]export['\"]", said):
            return Site("next", _set(said, "distDir") or "out", False, "next build", _told(tree, manifest, file))
    if framework == "astro":
        file, said = config(tree, "astro.config")
        if not re.search(r"\badapter\s*[:(,}]", said):
            return Site("astro", _set(said, "outDir") or "dist", False, "astro build", _told(tree, manifest, file))
    if framework == "sveltekit" and "@sveltejs/adapter-static" in {*manifest.development, *manifest.dependencies}:
        file, said = config(tree, "svelte.config")
        is_single = bool(re.search(r"fallback\s*:\s*['\"](index|200)\.html", said))
        return Site("sveltekit", _set(said, "pages") or "build", is_single, "vite build", _told(tree, manifest, file))
    if framework == "nuxt":
        file, said = config(tree, "nuxt.config")
        generates = re.search(r"\bnux[ti] generate\b", manifest.scripts.get("build", ""))
        if generates or re.search(r"preset\s*:\s*['\"]static['\"]|target\s*:\s*['\"]static['\"]", said):
            is_second = re.match(r"[~^=v]*2", {**manifest.development, **manifest.dependencies}.get("nuxt", ""))
            folder = "dist" if is_second else ".output/public"
            return Site("nuxt", folder, False, "nuxt generate", _told(tree, manifest, file))
    if framework in {"remix", "react-router"}:
        file, said = config(tree, "react-router.config", "vite.config")
        if re.search(r"\bssr\s*:\s*false", said):
            return Site(framework, "build/client", True, "react-router build", _told(tree, manifest, file))
    return None


def _told(tree: Tree, manifest: Manifest, file: str) -> str:
    return tree.where(file) if file else manifest.file


def _folder(tree: Tree, manifest: Manifest, package: str, default: str) -> str:
    if package == "@angular/cli":
        return _angular(tree) or default
    if package == "vite":
        given = re.search(r"--outDir[= ](\S+)", manifest.scripts.get("build", ""))
        found = given[1] if given else _set(config(tree, "vite.config")[1], "outDir")
        return _inside(found) or default
    if package == "@vue/cli-service":
        return _inside(_set(config(tree, "vue.config")[1], "outputDir")) or default
    if package == "vitepress":
        root = next((path.partition(".vitepress/")[0] for path in tree.paths if ".vitepress/config" in path), "")
        return f"{root}{default}"
    if package == "@11ty/eleventy":
        given = re.search(r"--output[= ](\S+)", manifest.scripts.get("build", ""))
        said = config(tree, ".eleventy", "eleventy.config")[1]
        return _inside(given[1] if given else _set(said, "output")) or default
    return default


def _angular(tree: Tree) -> str:
    """Return the folder that Angular's first project is built to (https://angular.dev/tools/cli/build)."""
    projects = jsonc.table(tree.read("angular.json")).get("projects")
    for name, project in projects.items() if isinstance(projects, dict) else ():
        told = _under(project, "architect", "build") or _under(project, "targets", "build")
        path = _under(told, "options").get("outputPath")
        base = path.get("base") if isinstance(path, dict) else path
        folder = _inside(base if isinstance(base, str) else f"dist/{name}")
        has_inner = str(told.get("builder", "")).endswith((":application", ":browser-esbuild-application"))
        is_flat = isinstance(path, dict) and path.get("browser") == ""
        return f"{folder}/browser" if has_inner and not is_flat else folder
    return ""


def _under(value: object, *keys: str) -> Mapping[str, object]:
    for key in keys:
        value = value.get(key) if isinstance(value, dict) else None
    return value if isinstance(value, dict) else {}


def _set(said: str, key: str) -> str:
    """Return the literal that a configuration gives a key."""
    match = re.search(rf"\b{key}['\"]?\s*:\s*['\"]([\w./@-]+)['\"]", said)
    return match[1] if match else ""


def _inside(folder: str) -> str:
    """Return a folder's plain path; "" where it lies outside of the application."""
    path = posixpath.normpath(folder) if folder else ""
    return "" if path.startswith(("..", "/")) or path == "." else path
