"""What a workspace of Nx makes of its projects: of a main file, or of pages. Reads project.json, runs nothing."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from autodeploy.analyser.nodejs import jsonc
from autodeploy.analyser.tree import Tree

_ASIDE = re.compile(r"(^|[/-])(e2e|docs?|storybook|tests?|tools)([/-]|$)")
_SERVERS = re.compile(r"(^|[/-])(api|server|backend|gateway|service)$")


@dataclass(frozen=True)
class Made:
    """What one project's build leaves. `file` is its main program, or `folder` its pages."""

    project: str
    file: str
    folder: str
    where: str

    @property
    def build(self) -> str:
        """The command that builds the project with what it depends on."""
        return f"nx build {self.project}" if self.project else ""


def list_made(tree: Tree) -> list[Made]:
    """Return what the projects make, servers before pages, the likeliest first."""
    if "nx.json" not in tree.index and "project.json" not in tree.index:
        return []
    files = [path for path in tree.paths if re.fullmatch(r"(apps/[\w./-]+/|packages/[\w.-]+/)?project\.json", path)]
    made = [item for path in files if not _ASIDE.search(posixpath.dirname(path)) and (item := _made(tree, path))]
    return sorted(made, key=lambda item: (not item.file, not _SERVERS.search(item.project), item.where))


def _made(tree: Tree, path: str) -> Made | None:
    project = jsonc.table(tree.read(path))
    if project.get("projectType") == "library":
        return None
    options = _under(project, "targets", "build", "options")
    out = options.get("outputPath")
    pages = _folder(out.get("browser", "browser")) if isinstance(out, dict) else ""
    base = _folder(out.get("base") if isinstance(out, dict) else out)
    main, folder = options.get("main"), posixpath.dirname(path)
    name = str(project.get("name") or posixpath.basename(folder)) if folder else ""
    if not base:
        return None
    if isinstance(main, str) and not options.get("index"):
        file = f"{base}/{re.sub(r'[.]tsx?$', '.js', posixpath.basename(main))}"
        return Made(name, file, "", tree.where(path))
    return Made(name, "", f"{base}/{pages}" if pages else base, tree.where(path))


def _under(project: Mapping[str, Any], *keys: str) -> dict[str, Any]:
    value: Any = project
    for key in keys:
        value = value.get(key) if isinstance(value, dict) else None
    return value if isinstance(value, dict) else {}


def _folder(value: object) -> str:
    folder = posixpath.normpath(value) if isinstance(value, str) and value else "."
    return "" if folder == "." or folder.startswith("..") else folder.strip("/")
