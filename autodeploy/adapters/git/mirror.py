"""A bare, shallow copy of one repository in the cache: a ref comes in, its commit goes out, fetched if it lacks."""

from __future__ import annotations

import fcntl
import hashlib
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from autodeploy.adapters.git import commands
from autodeploy.errors import SourceError
from autodeploy.model.repository import RepositoryUrl
from autodeploy.ports import Say

_COMMIT = re.compile(r"[0-9a-f]{7,40}")
_NO_REF = re.compile(r"^-|[\s~^:?*\[\\\x00-\x1f\x7f]|\.\.|@\{|^$|^/|/$")
# Bare, and read without hooks or line-ending changes whatever the operator's own configuration says.
_STRICT = ("-c", "core.hooksPath=/dev/null", "-c", "core.autocrlf=false", "-c", "core.bare=false", "-c", "gc.auto=0")


class Mirror:
    """One repository's copy under <cache>/clones, named by the digest of its address."""

    def __init__(self, clones: Path, url: RepositoryUrl, say: Say) -> None:
        self.url = url
        self._say = say
        self._address = str(Path(url.text).resolve()) if url.kind == "path" else url.text
        self._folder = clones / f"{hashlib.sha256(self._address.encode()).hexdigest()[:32]}.git"
        self._secrets = commands.credentials(url)

    @contextmanager
    def held(self) -> Iterator[None]:
        """Hold the copy for this process."""
        self._folder.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with self._folder.with_suffix(".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            for stale in self._folder.rglob("*.lock"):
                stale.unlink(missing_ok=True)
            yield

    def commit(self, ref: str | None) -> str:
        """Return the full hash of the commit that `ref` names at the origin, fetched; raise SourceError."""
        if ref is not None and _NO_REF.search(ref):
            raise self._unknown(ref)
        self._git("init", "--bare", "--quiet", "--template=", str(self._folder))
        remote, names = self._named(ref)
        if remote and self._has(names[remote]):
            self._say(f"{self.url.text} is at {names[remote][:12]}, as before")
            return names[remote]
        if remote:
            return self._fetch(remote)
        if ref and _COMMIT.fullmatch(ref):
            return self._by_hash(ref)
        raise self._unknown(ref)

    def check_out(self, commit: str, into: Path) -> None:
        """Write the commit's files into `into`, without hooks; raise SourceError."""
        index = into.parent / f".{into.name}.index"
        place = {"GIT_DIR": str(self._folder), "GIT_WORK_TREE": str(into), "GIT_INDEX_FILE": str(index)}
        try:
            for command in (("read-tree", commit), ("checkout-index", "--all", "--force", "--quiet")):
                status, _, err = commands.run(
                    *_STRICT, *command, folder=into, environment=place, seconds=commands.FETCH_SECONDS
                )
                if status:
                    commands.check_disk(err, into)
                    raise commands.failure(self.url, err, f"Checking out {commit[:12]}")
        finally:
            index.unlink(missing_ok=True)

    def forget(self) -> None:
        """Remove the copy."""
        shutil.rmtree(self._folder, ignore_errors=True)

    def time(self, commit: str) -> int:
        """Return when the commit was made, in seconds since 1970."""
        return int(self._git("show", "-s", "--format=%ct", commit).split()[-1])

    def links(self, commit: str) -> dict[str, str]:
        """Return the submodules' paths in the commit, with the commits they stand at."""
        listing = self._git("ls-tree", "-r", "-z", commit)
        rows = (row.partition("\t") for row in listing.split("\0") if row.startswith("160000 "))
        return {path: meta.split()[2] for meta, _, path in rows}

    def _named(self, ref: str | None) -> tuple[str, dict[str, str]]:
        """Return the full name of `ref` at the origin, "" when there is none, and all names asked for."""
        wanted = ["HEAD"] if ref is None else [f"refs/heads/{ref}", f"refs/tags/{ref}^{{}}", f"refs/tags/{ref}"]
        if ref and ref.startswith("refs/"):
            wanted.append(ref)
        names = self._remote_names("HEAD", *wanted)
        found = next((name for name in wanted if name in names), "")
        if not found and not names and not self._remote_names():
            raise self._error(
                f"{self.url.text} is empty: it has no commit yet", "Push a first commit, then repeat the command."
            )
        return found, names

    def _remote_names(self, *patterns: str) -> dict[str, str]:
        status, out, err = commands.run("ls-remote", "--", self._address, *patterns, environment=self._secrets)
        if status:
            raise commands.failure(self.url, err, f"Looking up {self.url.text}")
        return {name: oid for oid, _, name in (line.partition("\t") for line in out.splitlines()) if name}

    def _fetch(self, name: str) -> str:
        self._say(f"Fetching {self.url.text}")
        local = f"refs/autodeploy/{hashlib.sha256(name.encode()).hexdigest()[:16]}"
        self._git_fetch("--depth=1", f"+{name.removesuffix('^{}')}:{local}")
        return self._git("rev-parse", "--verify", f"{local}^{{commit}}").strip()

    def _by_hash(self, ref: str) -> str:
        if not self._has(ref):
            self._say(f"Fetching commit {ref[:12]} of {self.url.text}")
            try:
                if len(ref) != 40:
                    raise self._unknown(ref)
                self._git_fetch("--depth=1", ref)
            except SourceError as err:
                if err.recoverable:
                    raise
                # Not every server hands out a commit by its hash; then its history has to be brought here.
                self._git_fetch(
                    "--depth=2147483647", "+refs/heads/*:refs/autodeploy/heads/*", "+refs/tags/*:refs/tags/*"
                )
        if not self._has(ref):
            raise self._unknown(ref)
        return self._git("rev-parse", "--verify", f"{ref}^{{commit}}").strip()

    def _git_fetch(self, *arguments: str) -> None:
        command = ("fetch", "--quiet", "--no-tags", "--no-recurse-submodules", arguments[0], "--", self._address)
        status, _, err = commands.run(
            "-c", "gc.auto=0", *command, *arguments[1:],
            environment={**self._secrets, "GIT_DIR": str(self._folder)}, seconds=commands.FETCH_SECONDS,
        )  # fmt: skip
        if status:
            commands.check_disk(err, self._folder)
            raise commands.failure(self.url, err, f"Cloning {self.url.text}")

    def _has(self, commit: str) -> bool:
        place = {"GIT_DIR": str(self._folder)}
        return commands.run("cat-file", "-e", f"{commit}^{{tree}}", environment=place)[0] == 0

    def _git(self, *arguments: str) -> str:
        status, out, err = commands.run(*arguments, environment={"GIT_DIR": str(self._folder)})
        if status:
            raise commands.failure(self.url, err, f"Reading the copy of {self.url.text}")
        return out

    def _unknown(self, ref: str | None) -> SourceError:
        if ref is None:
            names = [name.removeprefix("refs/heads/") for name in self._remote_names("refs/heads/*")]
            hint = f"Name one with --ref: {', '.join(sorted(names)[:10])}." if names else "Name one with --ref."
            return self._error(f"{self.url.text} has no default branch", hint)
        return self._error(
            f"{self.url.text} has no branch, tag or commit {ref!r}",
            "Name one that `git ls-remote` lists for this address; --ref '' goes back to the default branch.",
        )

    def _error(self, message: str, remediation: str) -> SourceError:
        return SourceError(message, remediation, agent=commands.AGENT, context=f"Cloning {self.url.text}")
