"""Runs git without prompts, hooks or strange protocols; hands credentials over in the environment, never in argv."""

from __future__ import annotations

import errno
import os
import re
import signal
import subprocess
from collections.abc import Mapping
from contextlib import suppress
from functools import cache
from pathlib import Path

import git

from autodeploy.errors import SourceError
from autodeploy.model.repository import RepositoryUrl, without_credentials

AGENT = "HiveMind DevOps"
FETCH_SECONDS = 900
ASK_SECONDS = 60

# Inside a git hook these name the hook's own repository.
_FORGET = ("env", "-u", "GIT_PREFIX", "-u", "GIT_OBJECT_DIRECTORY", "-u", "GIT_COMMON_DIR", "-u", "GIT_NAMESPACE")
_PLACE = ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE")
_HELPER = (
    '!f() { test "$1" = get || exit 0; '
    'printf "username=%s\\npassword=%s\\n" "$AUTODEPLOY_GIT_USERNAME" "$AUTODEPLOY_GIT_PASSWORD"; }; f'
)
_NETWORK = (
    "could not resolve",
    "couldn't resolve",
    "failed to connect",
    "could not connect",
    "couldn't connect",
    "connection refused",
    "connection reset",
    "connection timed out",
    "operation timed out",
    "connection closed",
    "network is unreachable",
    "no route to host",
    "temporary failure",
    "early eof",
    "unexpected disconnect",
    "the requested url returned error: 5",
    "timeout: the command",
    "unable to look up",
)
_AUTHENTICATION = (
    "authentication failed",
    "could not read username",
    "could not read password",
    "permission denied",
    "terminal prompts disabled",
    "access denied",
    "returned error: 403",
    "returned error: 401",
)
_MISSING = ("not found", "does not appear to be a git repository", "does not exist", "no such file")


def run(
    *arguments: str,
    folder: Path | None = None,
    environment: Mapping[str, str] | None = None,
    seconds: int = ASK_SECONDS,
) -> tuple[int, str, str]:
    """Run git; return status, standard output and error; paths in the output are as git prints them.

    Whatever ends us, Ctrl-C included, ends git and what it has started.
    """
    client = git.Git(str(folder) if folder else None)
    forgotten = [part for name in _PLACE if name not in (environment or {}) for part in ("-u", name)]
    try:
        process = client.execute(
            [*_FORGET, *forgotten, "git", *arguments],
            env={**quiet(os.environ), **(environment or {})},
            as_process=True,
            start_new_session=True,
        )
    except git.GitCommandNotFound as lost:
        raise _no_git() from lost
    try:
        out, err = process.communicate(timeout=seconds)
    except subprocess.TimeoutExpired:
        _end(process.pid)
        out, err = process.communicate()
        err += f'\nTimeout: the command "git" did not complete in {seconds} secs.'.encode()
    except BaseException:
        _end(process.pid)
        raise
    if process.returncode == 127:
        raise _no_git()
    return int(process.returncode), _text(out), _text(err)


def _end(group: int) -> None:
    with suppress(ProcessLookupError):
        os.killpg(group, signal.SIGKILL)


def _no_git() -> SourceError:
    return SourceError(
        "git is not installed on this machine",
        "Install git and repeat the command.",
        agent=AGENT,
        context="Running git",
    )


def quiet(environ: Mapping[str, str]) -> dict[str, str]:
    """Return what keeps git from asking, from translating, and from any protocol but the accepted ones."""
    ssh = environ.get("GIT_SSH_COMMAND") or environ.get("GIT_SSH") or _configured_ssh() or "ssh"
    return {
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_ASKPASS": "",
        "SSH_ASKPASS": "",
        "GCM_INTERACTIVE": "never",
        "GIT_SSH_COMMAND": f"{ssh} -o BatchMode=yes -o ConnectTimeout=20",
        "GIT_ALLOW_PROTOCOL": "https:ssh:git:file",
        "GIT_HTTP_LOW_SPEED_LIMIT": "500",
        "GIT_HTTP_LOW_SPEED_TIME": "60",
        "GIT_LFS_SKIP_SMUDGE": "1",
        "GIT_OPTIONAL_LOCKS": "0",
        "LC_ALL": "C",
    }


@cache
def _configured_ssh() -> str:
    """Return the operator's core.sshCommand, which GIT_SSH_COMMAND would otherwise hide."""
    return str(git.Git().execute(["git", "config", "--get", "core.sshCommand"], with_exceptions=False)).strip()


def credentials(url: RepositoryUrl) -> dict[str, str]:
    """Return the environment that lets git open `url`'s host, and only that host, with the address's credentials.

    The operator's own credential helpers are switched off with it, since git would have them store these.
    """
    if not url.has_credentials:
        return {}
    # A token may be typed alone: hosts take it as the password, and few look at the user.
    user = url.username or url.password
    place = re.match(r"https://[^/]+", url.text)
    pairs = {"credential.helper": "", f"credential.{place[0] if place else ''}.helper": _HELPER}
    numbered: dict[str, str] = {}
    for number, (key, value) in enumerate(pairs.items()):
        numbered |= {f"GIT_CONFIG_KEY_{number}": key, f"GIT_CONFIG_VALUE_{number}": value}
    return {
        **numbered,
        "GIT_CONFIG_COUNT": str(len(pairs)),
        "AUTODEPLOY_GIT_USERNAME": user,
        "AUTODEPLOY_GIT_PASSWORD": url.password or url.username,
    }


def check_disk(output: str, place: Path) -> None:
    """Raise OSError where git said that the disk under `place` is full."""
    for number in (errno.ENOSPC, errno.EDQUOT):
        if os.strerror(number).lower() in output.lower():
            raise OSError(number, os.strerror(number), str(place))


def failure(url: RepositoryUrl, output: str, context: str) -> SourceError:
    """Translate what git said on its standard error."""
    said = output.lower()
    last = _last_line(output)
    if "host key verification failed" in said:
        message, remediation = f"the SSH key of {url.text}'s host is not known here", _KNOWN_HOST
    elif "dubious ownership" in said:
        message = f"{url.text} belongs to another user, so git refuses to read it"
        remediation = "Run autodeploy as the folder's owner, or add it to git's safe.directory."
    elif any(sign in said for sign in _AUTHENTICATION):
        message, remediation = f"{url.text} does not exist, or these credentials do not open it: {last}", _CREDENTIALS
    elif any(sign in said for sign in _NETWORK):
        remediation = "Check the address and this machine's network and proxy, then repeat the command."
        return _error(f"{url.text} cannot be reached: {last}", remediation, context, output, recoverable=True)
    elif any(sign in said for sign in _MISSING):
        message, remediation = f"there is no repository at {url.text}", "Check the address: git ls-remote <url>."
    else:
        message, remediation = f"git cannot read {url.text}: {last}", "Try it by hand: git ls-remote <url>."
    return _error(message, remediation, context, output)


_KNOWN_HOST = "Connect once by hand to accept it (ssh -T git@<host>), then repeat the command."
_CREDENTIALS = (
    "Check the address. Credentials are not kept: for a private repository run deploy again with "
    "https://<user>:<token>@<host>/<path>, or with an ssh address whose key ssh-agent holds."
)


def _error(message: str, remediation: str, context: str, output: str, recoverable: bool = False) -> SourceError:
    shown = without_credentials(output).strip()
    return SourceError(message, remediation, recoverable, agent=AGENT, context=context, output=shown)


def _last_line(output: str) -> str:
    """Return the line that says most: git's own `fatal:` or `remote:` line, credentials taken out."""
    lines = [line.strip() for line in without_credentials(output).splitlines() if line.strip()]
    telling = [line for line in lines if line.startswith(("fatal:", "ERROR:", "error:", "Timeout:"))] or lines
    return re.sub(r"^(fatal|error|ERROR): ", "", telling[0])[:300] if telling else "git said nothing"


def _text(value: str | bytes) -> str:
    return value if isinstance(value, str) else value.decode("utf-8", "surrogateescape")
