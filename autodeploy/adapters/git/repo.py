"""GitRepo fulfils ports.Repo: an address, a ref and a folder in it come in, a Source goes out, no credentials."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import NamedTuple

from autodeploy.adapters.git import tree
from autodeploy.adapters.git.commands import AGENT
from autodeploy.adapters.git.mirror import Mirror
from autodeploy.adapters.git.submodules import submodules
from autodeploy.adapters.git.working import WorkingFolder
from autodeploy.errors import SourceError
from autodeploy.model import Source
from autodeploy.model.repository import RepositoryUrl
from autodeploy.ports import Say


class _Record(NamedTuple):
    """What a folder was checked out as. `inner` is the application's place in the whole repository."""

    url: str
    commit: str
    subdirectory: str
    inner: str
    ref: str | None


def _silent(_: str) -> None:
    """Say nothing."""


class GitRepo:
    """Git repositories, each kept as a bare copy under <cache>/clones. `say` takes lines of progress."""

    def __init__(self, cache: Path, say: Say = _silent) -> None:
        self._clones = cache / "clones"
        self._say = say

    def checkout(self, url: str, ref: str | None, subdirectory: str, into: Path) -> Source:
        """Bring the commit that `ref` names (default: HEAD) into `into`, which is replaced; raise SourceError.

        A path without a ref is taken as the folder is now, uncommitted work included.
        """
        address = RepositoryUrl.parse(url)
        text, inner = address.text, subdirectory or "."
        if address.kind == "path" and Path(text).resolve() == into.resolve():
            return self._again(into)
        _replace(into)
        if address.kind == "path":
            working = WorkingFolder(address)
            text = str(working.folder)
            inner = working.inner(subdirectory)
            if ref is None and not working.is_bare:
                commit = working.copy(into)
                return self._source(_Record(text, commit, subdirectory, inner, ref), into)
            subdirectory, address = inner, address.but(text=working.top)
        commit = self._clone(address, ref, into, depth=0)
        return self._source(_Record(text, commit, subdirectory, inner, ref), into)

    def _again(self, into: Path) -> Source:
        """Return the Source that `into` was checked out as: a run that goes on needs no second checkout."""
        try:
            record = _Record(*json.loads(_record_file(into).read_text("utf-8")))
        except (OSError, ValueError, TypeError) as err:
            raise SourceError(
                f"{into} cannot be checked out into itself",
                "Name the repository's own address.",
                agent=AGENT,
                context="Checking out the repository",
            ) from err
        return self._source(record, into)

    def _clone(self, url: RepositoryUrl, ref: str | None, into: Path, depth: int) -> str:
        mirror = Mirror(self._clones, url, self._say)
        with mirror.held():
            commit = mirror.commit(ref)
            try:
                mirror.check_out(commit, into)
            except SourceError:
                # A copy that a crash has damaged is worth one fresh start.
                mirror.forget()
                _replace(into)
                commit = mirror.commit(ref)
                mirror.check_out(commit, into)
            tree.date(into, mirror.time(commit))
            links = mirror.links(commit)
        for submodule in submodules(url, into, links, depth):
            self._say(f"Fetching the submodule {submodule.path}")
            folder = into / submodule.path
            folder.mkdir(parents=True, exist_ok=True)
            self._clone(submodule.url, submodule.commit, folder, depth + 1)
        return commit

    def _source(self, record: _Record, into: Path) -> Source:
        root = tree.application(into, record.subdirectory)
        paths = tree.index(root)
        pointers = tree.pointers(root, paths)
        if pointers:
            named = ", ".join(pointers[:5])
            self._say(f"Git LFS content is not fetched; {len(pointers)} files are pointers only: {named}")
        _record_file(into).write_text(json.dumps(record), "utf-8")
        around = None
        if root != into:
            around = Source(record.url, record.commit, into, tree.index(into), ref=record.ref)
        return Source(record.url, record.commit, root, paths, record.inner, record.ref, around)


def _record_file(into: Path) -> Path:
    return into.parent / f".{into.name}.json"


def _replace(folder: Path) -> None:
    if folder.exists():
        shutil.rmtree(folder)
    folder.mkdir(parents=True)
