"""A folder of this machine as it is now: committed, changed and new files, without what .gitignore excludes."""

from __future__ import annotations

import os
from pathlib import Path, PurePosixPath

from autodeploy.adapters.git import commands, tree
from autodeploy.errors import SourceError
from autodeploy.model.repository import RepositoryUrl


class WorkingFolder:
    """A folder that a person works in. `prefix` is its place in the repository it belongs to."""

    def __init__(self, url: RepositoryUrl) -> None:
        self.url = url
        self.folder = Path(url.text).resolve()
        if not self.folder.is_dir():
            raise self._error(f"there is no folder {url.text}", "Check the path, or give the repository's URL.")
        status, out, err = commands.run("rev-parse", "--is-inside-work-tree", "--show-prefix", folder=self.folder)
        if status and "not a git repository" not in err:
            raise commands.failure(url, err, f"Reading {url.text}")
        lines = out.splitlines()
        self.is_bare = status == 0 and lines[:1] == ["false"]
        self.is_tracked = status == 0 and lines[:1] == ["true"] and bool(self._listed(self.folder))
        self.prefix = lines[1] if self.is_tracked and len(lines) > 1 else ""

    def copy(self, into: Path) -> str:
        """Copy what belongs to the folder into `into`; return its commit, `dirty-<digest>` or `tree-<digest>`."""
        paths = self._paths(into)
        if not paths:
            raise self._error(f"{self.url.text} holds no file to deploy", "Name the folder that holds the application.")
        newest = tree.copy(self.folder, paths, into)
        commit, seconds = self._head() if self.is_tracked else ("", newest)
        tree.date(into, seconds if commit else newest)
        return commit or f"{'dirty' if self.is_tracked else 'tree'}-{tree.digest(into, paths)}"

    @property
    def top(self) -> str:
        """Return the top folder of the repository that the folder belongs to."""
        levels = len(PurePosixPath(self.prefix).parts)
        return str(self.folder.parents[levels - 1] if levels else self.folder)

    def inner(self, subdirectory: str) -> str:
        """Return the place of the application's folder in the repository."""
        return str(PurePosixPath(self.prefix) / (subdirectory or "."))

    def _paths(self, into: Path) -> list[str]:
        home = os.path.realpath(self.folder)
        if self.is_tracked:
            listed = self._listed(self.folder)
            return [path for path in listed if tree.is_inside(self.folder / path, home)]
        # $AUTODEPLOY_HOME may lie in the folder; a copy must not hold itself.
        own = into.resolve()
        return [path for path in tree.walk(self.folder, plain=True) if not (self.folder / path).is_relative_to(own)]

    def _listed(self, folder: Path) -> list[str]:
        status, out, err = commands.run("ls-files", "-co", "--exclude-standard", "-z", folder=folder)
        if status:
            raise commands.failure(self.url, err, f"Reading {self.url.text}")
        paths: dict[str, None] = {}
        for path in filter(None, out.split("\0")):
            if (folder / path).is_dir() and not (folder / path).is_symlink():
                paths |= dict.fromkeys(f"{path.rstrip('/')}/{inner}" for inner in self._nested(folder / path))
            else:
                paths[path] = None
        return list(paths)

    def _nested(self, folder: Path) -> list[str]:
        """List a submodule, or a repository that lies untracked in this one."""
        if not (folder / ".git").exists():
            raise self._error(
                f"the submodule {folder.relative_to(self.folder)} is not checked out here",
                f"Run: git -C {self.folder} submodule update --init --recursive",
            )
        return self._listed(folder)

    def _head(self) -> tuple[str, int]:
        """Return hash and time of HEAD where the folder is just what HEAD holds, else "" and 0."""
        status, changes, _ = commands.run("status", "--porcelain", "-z", "-uall", "--", ".", folder=self.folder)
        code, head, _ = commands.run("show", "-s", "--format=%H %ct", "HEAD", folder=self.folder)
        if status or code or changes:
            return "", 0
        commit, _, seconds = head.strip().rpartition("\n")[2].partition(" ")
        return commit, int(seconds)

    def _error(self, message: str, remediation: str) -> SourceError:
        return SourceError(message, remediation, agent=commands.AGENT, context=f"Reading {self.url.text}")
