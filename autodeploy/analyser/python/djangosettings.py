"""Chooses the settings module that production loads, among those that a Django project has, and says why."""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass

from autodeploy.analyser.python.code import Code, code
from autodeploy.analyser.python.names import text_of
from autodeploy.analyser.tree import Tree

_NAMED = re.compile(r"""DJANGO_SETTINGS_MODULE["']?\s*(?:,|=|:|\]\s*=)\s*["']?(?P<module>[A-Za-z_][\w.]*)["']?""")
_ASSIGNED = re.compile(r"""environ\[["']DJANGO_SETTINGS_MODULE["']\]\s*=""")
_PRODUCTION = re.compile(r"(^|_)(prod|production|live|deploy|deployment|heroku|pro|prd)(_|$)")
_DEVELOPMENT = re.compile(r"(^|_)(dev|devel|develop|development|local|debug|test|tests|testing|ci|pytest)(_|$)")
_SAYING = re.compile(
    r"^(?:Procfile|(?:docker/|deploy/)?[\w.-]*Dockerfile[\w.-]*|(?:docker-)?compose[\w.-]*\.ya?ml|[\w-]*\.ini|\.env[\w.]*"
    r"|render\.yaml|app\.ya?ml|fly\.toml|[\w/-]*\.sh)$"
)


@dataclass(frozen=True)
class Settings:
    """`module` is what production loads, `file` its path; `named` tells that a server has to be told so."""

    module: str
    file: str
    named: bool
    reason: str
    alternatives: tuple[str, ...] = ()


def choose_settings(tree: Tree, base: str, manage: str | None, entries: list[str]) -> Settings | None:
    """Return the production settings: named so in the repository, beside those loaded, else those loaded."""
    # Servers load wsgi.py: its default counts before manage.py's, which is often the developer's.
    sources = [*entries, *([manage] if manage else [])]
    texts = [tree.read(path) for path in sources]
    told = [name for text in texts for name in (match["module"] for match in _NAMED.finditer(text))]
    told += [name for path in sources if (made := code(tree, path)) for name in _strings(made)]
    loaded = [(name, file) for name in dict.fromkeys(told) if (file := module_file(tree, base, name))]
    if entries and not _of(tree, base, entries):
        return None  # what servers load lies elsewhere
    if not loaded:
        return _lone(tree, base)
    first, file = loaded[0]
    is_fixed = bool(texts) and bool(_ASSIGNED.search(texts[0]))
    beside = [*loaded[1:], *_said(tree, base), *_siblings(tree, base, first, file)]
    production = [item for item in beside if _PRODUCTION.search(_last(item[0])) and item[0] != first]
    others = tuple(dict.fromkeys(name for name, _ in (*loaded, *production)))
    if is_fixed or not production or _PRODUCTION.search(_last(first)):
        return Settings(first, file, False, "settings-module", tuple(name for name in others if name != first))
    name, path = production[0]
    return Settings(name, path, True, "production-settings", tuple(other for other in others if other != name))


def module_file(tree: Tree, base: str, module: str) -> str | None:
    """Return the file of a dotted module name as seen from `base`; None where there is none."""
    stem = "/".join([*([base] if base else []), *module.split(".")])
    return next((file for file in (f"{stem}.py", f"{stem}/__init__.py") if file in tree.index), None)


def _of(tree: Tree, base: str, entries: list[str]) -> bool:
    """Tell whether some server's file names settings that can be imported from `base`, or names none at all."""
    names = [match["module"] for path in entries for match in _NAMED.finditer(tree.read(path))]
    variables = [name for name in names if "." not in name and module_file(tree, base, name) is None]
    return not names or len(variables) == len(names) or any(module_file(tree, base, name) for name in names)


def _strings(made: Code) -> list[str]:
    texts = (text_of(node) or "" for node in ast.walk(made.syntax) if isinstance(node, ast.Constant))
    return [text for text in texts if re.fullmatch(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)+", text)]


def _last(module: str) -> str:
    return module.rpartition(".")[2].lower()


def _said(tree: Tree, base: str) -> list[tuple[str, str]]:
    files = [path for path in tree.paths if path.count("/") <= 2 and _SAYING.match(path)]
    names = (match["module"] for path in files for match in _NAMED.finditer(tree.read(path)))
    return [(name, file) for name in dict.fromkeys(names) if (file := module_file(tree, base, name))]


def _siblings(tree: Tree, base: str, module: str, file: str) -> list[tuple[str, str]]:
    """Return the production modules in the loaded one's own package, or beside it."""
    folder = file.rpartition("/")[0]
    package = module if file.endswith("/__init__.py") else module.rpartition(".")[0]
    found = []
    for path in tree.paths:
        if path.rpartition("/")[0] == folder and path.endswith(".py"):
            stem = path.rpartition("/")[2].removesuffix(".py")
            if _PRODUCTION.search(stem.lower()) and _is_settings(tree.read(path)):
                found.append((f"{package}.{stem}".strip("."), path))
    return found


def _is_settings(text: str) -> bool:
    return bool(
        re.search(
            r"^\s*from\s+(?:\.\S*|\S*settings\S*)\s+import\s+\*|^(?:DEBUG|DATABASES|ALLOWED_HOSTS|INSTALLED_APPS)\b",
            text,
            re.MULTILINE,
        )
    )


def _lone(tree: Tree, base: str) -> Settings | None:
    """Return the only file that looks like settings, where nothing names them."""
    prefix = f"{base}/" if base else ""
    found = [path for path in tree.paths if path.startswith(prefix) and path.endswith("settings.py")]
    if len(found) != 1:
        return None
    module = found[0].removeprefix(prefix).removesuffix(".py").replace("/", ".")
    return Settings(module, found[0], True, "settings-file")
