"""uv's workspaces: the root above a project, with the lock file that its packages share. Installs nothing.

See https://docs.astral.sh/uv/concepts/projects/workspaces/.
"""

from __future__ import annotations

from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import PurePosixPath

from packaging.utils import canonicalize_name

from autodeploy.analyser.toml import table
from autodeploy.analyser.tree import Tree
from autodeploy.model import Evidence

LOCK = "uv.lock"


@dataclass(frozen=True)
class Workspace:
    """A package of a workspace: `root` is installed, `tree` is the package's own folder, `folder` its path below."""

    root: Tree
    tree: Tree
    folder: str
    name: str

    @property
    def install_command(self) -> str:
        """The command that installs what the package needs, packages of the workspace included."""
        return f"uv sync --frozen --no-dev --package {self.name}"

    @property
    def evidence(self) -> Evidence:
        """The evidence for where the installation begins."""
        return Evidence(
            fact="install_root", value=self.root.root, file=self.root.where("pyproject.toml"), rule="workspace-root"
        )

    def started(self, command: str) -> str:
        """Return a command of the application's as it runs where the whole is installed."""
        return f"cd {self.folder} && {command.replace('/app/src/', f'/app/src/{self.folder}/')}" if command else command

    def built(self, command: str) -> str:
        """Return a build command whose parts, but for the installation, run in the package's folder."""
        parts = command.split(" && ")
        return " && ".join(part if part.startswith("uv sync") else f"cd {self.folder}; {part}" for part in parts)


def uv_workspace(tree: Tree) -> Workspace | None:
    """Return the workspace that a project is a package of; None where it is none, or has a lock of its own."""
    name = table(tree.read("pyproject.toml"), "project").get("name")
    if not isinstance(name, str) or LOCK in tree.index:
        return None
    whole = tree.source.around or tree.source
    inner = tree.source.subdirectory if tree.source.around else "."
    folder = PurePosixPath(inner) / tree.root
    for parent in folder.parents if folder.parts else ():
        root, below = Tree(whole, str(parent)), str(folder.relative_to(parent))
        told = table(root.read("pyproject.toml"), "tool", "uv", "workspace") if LOCK in root.index else {}
        if _lists(told.get("members"), below) and not _lists(told.get("exclude"), below):
            return Workspace(root, root.below(root.where(below)), below, canonicalize_name(name))
    return None


def _lists(patterns: object, folder: str) -> bool:
    named = (
        [item.removeprefix("./").rstrip("/") for item in patterns if isinstance(item, str)]
        if isinstance(patterns, list)
        else []
    )
    return any(fnmatchcase(folder, item) and (item.count("/") == folder.count("/") or "**" in item) for item in named)
