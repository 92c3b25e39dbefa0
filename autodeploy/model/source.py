"""Source: a frozen index of a checked-out repository. Analysis opens nothing else."""

from __future__ import annotations

import codecs
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path, PurePosixPath

MAX_READ_BYTES = 1_000_000


@dataclass(frozen=True)
class Source:
    """One commit on disk: `root` is the application's folder, `paths` are POSIX paths below it, sorted.

    Symbolic links that leave `root` are not indexed. `commit` is the full hash, or `dirty-<digest>`
    for a folder with uncommitted work. `around` is what this is a part of: a package of a workspace is installed there.
    """

    url: str
    commit: str
    root: Path
    paths: tuple[str, ...]
    subdirectory: str = "."
    ref: str | None = None
    around: Source | None = None

    def __contains__(self, path: str) -> bool:
        return path in self._index

    @cached_property
    def _index(self) -> frozenset[str]:
        return frozenset(self.paths)

    def read(self, path: str) -> str:
        """Return the text of one indexed file, at most 1 MB, undecodable bytes replaced; "" when it is not indexed.

        UTF-8, or UTF-16 with its mark: `pip freeze >requirements.txt` in PowerShell writes that, and pip reads it.
        """
        if path not in self._index:
            return ""
        with (self.root / path).open("rb") as file:
            data = file.read(MAX_READ_BYTES)
        return decoded(data)

    def below(self, folder: str) -> Source:
        """Return the part of the source in one folder of it; "." is all."""
        prefix = PurePosixPath(folder)
        if not prefix.parts:
            return self
        inner = tuple(path[len(f"{prefix}/") :] for path in self.paths if path.startswith(f"{prefix}/"))
        subdirectory = str(PurePosixPath(self.subdirectory) / prefix)
        return replace(
            self, root=self.root / prefix, paths=inner, subdirectory=subdirectory, around=self.around or self
        )

    def built_in(self, app_root: str, install_roots: tuple[str, ...]) -> Source:
        """Return what is built: the application's folder, or the one of the whole that it is installed from."""
        return (self.around or self).below(install_roots[0]) if install_roots else self.below(app_root)

    def matching(self, *suffixes: str) -> Iterable[str]:
        """Yield the indexed paths that end with one of the suffixes."""
        return (path for path in self.paths if path.endswith(suffixes))


def decoded(data: bytes) -> str:
    """Return a file's text, undecodable bytes replaced: UTF-16 with its mark, else UTF-8."""
    is_utf_16 = data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    return data.decode("utf-16" if is_utf_16 else "utf-8-sig", errors="replace")
