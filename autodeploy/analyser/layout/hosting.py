"""What the files for hosts (Procfile, render.yaml, compose, …) say of the folder and of the language that serve."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator
from dataclasses import dataclass

from autodeploy.analyser.nodejs import jsonc
from autodeploy.analyser.tree import Tree

_OF_A_HOST = (
    "Procfile", "fly.toml", "railway.json", "railway.toml", "app.yaml", "apprunner.yaml", "nixpacks.toml",
    ".platform.app.yaml", "runtime.txt",
)  # fmt: skip
_COMPOSE = ("docker-compose.yml", "docker-compose.yaml", "compose.yml", "compose.yaml", "docker-compose.prod.yml")
_COMMANDS = {
    "python": r"python3?|gunicorn|uvicorn|hypercorn|daphne|waitress-serve|flask|streamlit|fastapi|uv|poetry|pipenv",
    "nodejs": r"node|npm|yarn|pnpm|npx|bun|pm2|next|ts-node|tsx",
    "ruby": r"bundle|rails|puma|rackup|bin/rails",
    "java": r"java|mvn|\./mvnw|gradle|\./gradlew",
    "php": r"php|vendor/bin/heroku-php-\w+|heroku-php-\w+",
    "elixir": r"mix|elixir",
    "go": r"go",
}
_IMAGES = {
    "python": r"python|tiangolo/uvicorn\S*|ghcr\.io/astral-sh/uv", "nodejs": r"node|oven/bun", "go": r"golang",
    "ruby": r"ruby", "php": r"php", "rust": r"rust", "elixir": r"elixir|hexpm/elixir", "deno": r"denoland/deno",
    "java": r"openjdk|eclipse-temurin|maven|gradle|amazoncorretto", "dotnet": r"mcr\.microsoft\.com/dotnet/\S+",
}  # fmt: skip
_RUNTIME = re.compile(r"(?m)^\s*(?:runtime|env|type)\s*:\s*['\"]?(python|node|nodejs|go|ruby|java|php|elixir)(?![a-z])")
_NAMED = {"node": "nodejs"}


@dataclass(frozen=True)
class Hint:
    """A file that names a folder (None: it does not say), a language ("": it does not say), or both.

    `firm`: it is there for nothing else.
    """

    file: str
    folder: str | None = None
    language: str = ""
    firm: bool = False


def read_hints(tree: Tree, folders: frozenset[str]) -> list[Hint]:
    """Return what the files say of the folders, firm hints first."""
    found = [
        hint for read in (_procfile, _scripts, _specifications, _root, _own, _built) for hint in read(tree, folders)
    ]
    kept = [hint for hint in found if hint.folder is None or hint.folder in folders]
    return sorted(kept, key=lambda hint: not hint.firm)


def _procfile(tree: Tree, _: frozenset[str]) -> Iterator[Hint]:
    match = re.search(r"(?m)^web:\s*(\S.*)$", tree.read("Procfile"))
    if match:
        yield Hint("Procfile", _entered(match[1]), _language(match[1]), firm=True)


def _scripts(tree: Tree, _: frozenset[str]) -> Iterator[Hint]:
    """Read a start script that only goes elsewhere: `cd server && npm start`."""
    scripts = jsonc.table(tree.read("package.json")).get("scripts")
    start = scripts.get("start") if isinstance(scripts, dict) else None
    entered = _entered(start) if isinstance(start, str) and "concurrently" not in start else None
    if entered:
        yield Hint("package.json", entered, firm=True)


def _specifications(tree: Tree, _: frozenset[str]) -> Iterator[Hint]:
    """Read Render's and DigitalOcean's descriptions of web services."""
    for part in re.split(r"(?m)^\s*-\s+(?=type:)", tree.read("render.yaml"))[1:]:
        if re.match(r"type:\s*web\b", part) and not re.search(r"(env|runtime):\s*static", part):
            named = re.search(r"(?m)^\s*rootDir:\s*['\"]?([^\s'\"#]+)", part)
            runtime = _RUNTIME.search(part)
            yield Hint("render.yaml", _normal(named[1]) if named else None, _spelled(runtime), firm=True)
    services = re.search(r"(?ms)^services:\n(.*?)(?=^\w|\Z)", tree.read(".do/app.yaml"))
    for name in re.findall(r"source_dir:\s*['\"]?/?([^\s'\"#]+)", services[1]) if services else ():
        yield Hint(".do/app.yaml", _normal(name), firm=True)


def _root(tree: Tree, _: frozenset[str]) -> Iterator[Hint]:
    """Read what the root's files say of the language."""
    for file in ("app.yaml", "apprunner.yaml", ".platform.app.yaml"):
        if runtime := _RUNTIME.search(tree.read(file)):
            yield Hint(file, language=_spelled(runtime), firm=True)
    providers = re.search(r"(?m)^\s*providers\s*=\s*\[\s*['\"](\w+)", tree.read("nixpacks.toml"))
    if providers:
        yield Hint("nixpacks.toml", language=_NAMED.get(providers[1], providers[1]), firm=True)
    packs = jsonc.table(tree.read("app.json")).get("buildpacks")
    for pack in packs if isinstance(packs, list) else ():
        told = re.search(r"heroku[/-](?:buildpack-)?(\w+)", str(pack.get("url")) if isinstance(pack, dict) else "")
        if told:
            yield Hint("app.json", language=told[1])
    if tree.read("runtime.txt").startswith("python-"):
        yield Hint("runtime.txt", language="python")
    bases = re.findall(r"(?im)^FROM\s+(?:--\S+\s+)?(\S+)", tree.read("Dockerfile"))
    for base in reversed(bases):
        for language, images in _IMAGES.items():
            if re.match(rf"(?:\S+/)?(?:{images})(?:[:@]|$)", base):
                yield Hint("Dockerfile", language=language)


def _own(tree: Tree, folders: frozenset[str]) -> Iterator[Hint]:
    """Read what lies in the folders themselves."""
    for folder in sorted(folders - {""}):
        for name in _OF_A_HOST:
            if f"{folder}/{name}" in tree.index:
                yield Hint(f"{folder}/{name}", folder, firm=True)
        if f"{folder}/Dockerfile" in tree.index:
            yield Hint(f"{folder}/Dockerfile", folder)


def _built(tree: Tree, _: frozenset[str]) -> Iterator[Hint]:
    """Read which folders containers are built from, and which ones a Makefile starts."""
    for file in _COMPOSE:
        for name in re.findall(r"(?m)^\s+(?:build|context):\s*['\"]?(\.?/?[\w./-]+)", tree.read(file)):
            yield Hint(file, _normal(name))
    for name in re.findall(
        r"(?im)^(?:COPY|ADD)\s+(?:--chown=\S+\s+)?\.?/?([\w./-]+)/(?:requirements|package|go\.mod|pyproject|Pipfile)",
        tree.read("Dockerfile"),
    ):
        yield Hint("Dockerfile", _normal(name))
    runs = re.compile(r"(?m)^\t.*\bcd\s+([\w./-]+)\s*&&.*\b(?:go run|python|uvicorn|gunicorn|flask|npm start|node)\b")
    for name in runs.findall(tree.read("Makefile")):
        yield Hint("Makefile", _normal(name))


def _entered(command: str) -> str | None:
    """Return the folder that a command goes to before it starts."""
    match = re.search(r"(?:\bcd\s+|--prefix[= ]|--chdir[= ]|--cwd[= ]|--app-dir[= ]|\s-C\s+)\.?/?([\w./-]+)", command)
    return _normal(match[1]) if match else None


def _language(command: str) -> str:
    for part in re.split(r"&&|;", command):
        bare = re.sub(r"^\s*(?:exec\s+|env\s+|\w+=\S+\s+)*", "", part)
        for language, programs in _COMMANDS.items():
            if re.match(rf"(?:\S*/)?(?:{programs})(?:\s|$)", bare):
                return language
    return ""


def _spelled(match: re.Match[str] | None) -> str:
    return _NAMED.get(match[1], match[1]) if match else ""


def _normal(folder: str) -> str:
    path = posixpath.normpath(folder.strip("/") or ".")
    return "" if path == "." else path
