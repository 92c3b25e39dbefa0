"""RepositoryUrl: where a repository is, taken apart from the credentials that open it. Touches nothing."""

from __future__ import annotations

import re
from typing import Literal
from urllib.parse import SplitResult, unquote, urlsplit

from pydantic import Field

from autodeploy.errors import SourceError
from autodeploy.model.noun import Noun

_REMOTE_SCHEMES = ("https", "ssh", "git")
_HOST = re.compile(r"(?=.{1,253}$)[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?|\[[0-9A-Fa-f:.]+\]")
_SCP = re.compile(r"(?P<user>[A-Za-z0-9_][A-Za-z0-9._-]*)@(?P<host>[^:/@\s]+):(?P<path>[^\s-]\S*)")
_SECRET = re.compile(r"(?<=://)[^@\s]*@")
_MAX_LENGTH = 2048


class RepositoryUrl(Noun):
    """A repository's address without its credentials.

    `text` may be shown, logged and stored. `kind` is "path" for a folder of this machine as it is now,
    "file" for the committed content of one, "remote" for all others.
    """

    text: str
    kind: Literal["remote", "file", "path"]
    username: str = Field(default="", repr=False, exclude=True)
    password: str = Field(default="", repr=False, exclude=True)

    @classmethod
    def parse(cls, text: str) -> RepositoryUrl:
        """Take an address apart; raise SourceError when it is none that AutoDeploy accepts."""
        problem = _unprintable(text)
        if problem:
            raise _refusal(text, problem)
        if text in {".", ".."} or text.startswith(("/", "./", "../")):
            return cls(text=text, kind="path")
        if "://" in text:
            return _with_scheme(text)
        return _scp_like(text)

    @property
    def name(self) -> str:
        """Return the last part of the address, without `.git`; "" for a folder that is named by dots alone."""
        last = re.split(r"[/:]", self.text.rstrip("/"))[-1].removesuffix(".git")
        return "" if last in {".", ".."} else last

    @property
    def has_credentials(self) -> bool:
        """Whether the address, as it was typed, brought a user or a token for HTTPS."""
        return bool(self.username or self.password)


def without_credentials(text: str) -> str:
    """Return `text` with the user part of every URL in it replaced by dots."""
    return _SECRET.sub("…@", text)


def _unprintable(text: str) -> str:
    if not text:
        return "it is empty"
    if len(text) > _MAX_LENGTH:
        return f"it is longer than {_MAX_LENGTH} characters"
    if not text.isprintable():
        return "it holds a control character"
    return ""


def _with_scheme(text: str) -> RepositoryUrl:
    scheme, _, rest = text.partition("://")
    if scheme == "file":
        if not rest.startswith("/") or rest.startswith("//"):
            raise _refusal(text, "a file:// address goes on with an absolute path")
        return RepositoryUrl(text=text, kind="file")
    if scheme not in _REMOTE_SCHEMES:
        raise _refusal(text, "only https://, ssh://, git:// and file:// are accepted")
    if any(character.isspace() for character in text):
        raise _refusal(text, "it holds a space")
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError as err:
        raise _refusal(text, "its host or port cannot be read") from err
    host, path = _host(parts), parts.path
    if not _HOST.fullmatch(host) or port == 0:
        raise _refusal(text, "its host is missing or not a host name")
    if not path.strip("/") or path.startswith("/-") or parts.query or parts.fragment:
        raise _refusal(text, "it names no repository after the host")
    return _remote(scheme, parts, host if port is None else f"{host}:{port}")


def _host(parts: SplitResult) -> str:
    return re.sub(r":\d*$", "", parts.netloc.rpartition("@")[2])


def _remote(scheme: str, parts: SplitResult, place: str) -> RepositoryUrl:
    username, password = unquote(parts.username or ""), unquote(parts.password or "")
    if not (username + password).isprintable():
        raise _refusal(parts.geturl(), "its user or password holds a control character")
    if scheme == "ssh":
        # The user of ssh:// is an account name such as `git`, no secret; a password there is of no use to ssh.
        if username and not re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9._-]*", username):
            raise _refusal(parts.geturl(), "its user is not an account name")
        return RepositoryUrl(text=f"ssh://{username + '@' if username else ''}{place}{parts.path}", kind="remote")
    text = f"{scheme}://{place}{parts.path}"
    if scheme != "https":
        return RepositoryUrl(text=text, kind="remote")
    return RepositoryUrl(text=text, kind="remote", username=username, password=password)


def _scp_like(text: str) -> RepositoryUrl:
    match = _SCP.fullmatch(text)
    if not match or not _HOST.fullmatch(match["host"]):
        raise _refusal(text, "it is neither a URL, nor user@host:path, nor a path that begins with /, ./ or ../")
    return RepositoryUrl(text=text, kind="remote")


def _refusal(text: str, problem: str) -> SourceError:
    shown = re.sub(r"(?<=://).*@", "…@", "".join(c if c.isprintable() else "?" for c in text))[:200]
    return SourceError(
        f"{shown!r} is not a repository that AutoDeploy can clone: {problem}",
        "Give an https://, ssh://, git:// or file:// URL, git@host:owner/name, or a path that begins with /, ./ or ../ "
        "(for example: autodeploy deploy https://host/owner/name.git, or autodeploy deploy ./name).",
        agent="HiveMind DevOps",
        context="Reading the repository's address",
    )
