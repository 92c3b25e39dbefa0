"""Submodules: which ones a checked-out commit names, and where they are; a bounded number, and no strange address."""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

from autodeploy.adapters.git import commands
from autodeploy.errors import SourceError
from autodeploy.model.repository import RepositoryUrl, without_credentials

MAX_SUBMODULES = 20
MAX_DEPTH = 3


class Submodule(NamedTuple):
    """One submodule: its path in the parent, its address, the commit it stands at."""

    path: str
    url: RepositoryUrl
    commit: str


def submodules(parent: RepositoryUrl, root: Path, links: dict[str, str], depth: int) -> list[Submodule]:
    """Return the submodules of the checked-out `root`; raise SourceError for one that cannot be fetched safely."""
    if not links:
        return []
    if len(links) > MAX_SUBMODULES or depth >= MAX_DEPTH:
        raise _refused(parent, f"it has more than {MAX_SUBMODULES} submodules, or {MAX_DEPTH} levels of them")
    addresses = _addresses(root / ".gitmodules")
    return [_submodule(parent, path, addresses.get(path, ""), commit) for path, commit in sorted(links.items())]


def resolve(parent: str, address: str) -> str:
    """Return a submodule's address that may be relative to its parent's, as gitmodules(5) says."""
    if not address.startswith(("./", "../")):
        return address
    base = parent.rstrip("/")
    while address.startswith(("./", "../")):
        if address.startswith("../"):
            base = re.sub(r"[/:][^/:]*$", lambda cut: ":" if cut[0].startswith(":") else "", base)
        address = address.partition("/")[2]
    return f"{base}{'' if base.endswith(':') else '/'}{address}"


def _submodule(parent: RepositoryUrl, path: str, address: str, commit: str) -> Submodule:
    if not address:
        raise _refused(parent, f".gitmodules does not say where the submodule {path!r} is")
    base = str(Path(parent.text).resolve()) if parent.kind == "path" else parent.text
    try:
        url = RepositoryUrl.parse(resolve(base, address))
    except SourceError as err:
        raise _refused(parent, f"the submodule {path!r} has the address {without_credentials(address)!r}") from err
    if url.kind != "remote" and parent.kind == "remote":
        raise _refused(parent, f"the submodule {path!r} points into this machine: {url.text!r}")
    if url.kind == "path":
        url = RepositoryUrl(text=f"file://{url.text}", kind="file")
    if _host(url) == _host(parent) and not url.has_credentials:
        url = RepositoryUrl(text=url.text, kind=url.kind, username=parent.username, password=parent.password)
    return Submodule(path, url, commit)


def _host(url: RepositoryUrl) -> str:
    match = re.match(r"https://[^/]+", url.text)
    return match[0] if match else url.text


def _addresses(file: Path) -> dict[str, str]:
    if file.is_symlink() or not file.is_file():
        return {}
    _, out, _ = commands.run("config", "-z", "-f", str(file), "--get-regexp", r"^submodule\..*\.(path|url)$")
    values = dict(entry.partition("\n")[::2] for entry in out.split("\0") if entry)
    named = ((key.removesuffix(".path"), path) for key, path in values.items() if key.endswith(".path"))
    return {path: values.get(f"{name}.url", "") for name, path in named}


def _refused(parent: RepositoryUrl, problem: str) -> SourceError:
    return SourceError(
        f"the submodules of {parent.text} cannot be fetched: {problem}",
        "Give the submodule an https:// or ssh:// address in .gitmodules, or copy its files into the repository.",
        agent=commands.AGENT,
        context="Fetching submodules",
    )
