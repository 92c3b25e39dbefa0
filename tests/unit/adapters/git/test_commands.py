"""What git is told in its environment, and what its complaints become."""

from __future__ import annotations

import base64
import os
import subprocess
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from fixtures.pressing import press, until

from autodeploy.adapters.git import GitRepo, commands, submodules
from autodeploy.errors import SourceError
from autodeploy.model.repository import RepositoryUrl

URL = RepositoryUrl.parse("https://user:s3cret@host.example/owner/name")


@pytest.mark.parametrize(
    ("said", "message", "recoverable"),
    [
        ("fatal: Authentication failed for 'https://u:s3cret@host/x'", "do not open it", False),
        ("fatal: could not read Username for 'https://host': terminal prompts disabled", "does not exist, or", False),
        ("git@host: Permission denied (publickey).\nfatal: Could not read from remote", "do not open it", False),
        ("Host key verification failed.", "SSH key", False),
        ("fatal: detected dubious ownership in repository", "another user", False),
        ("fatal: unable to access: Could not resolve host: host", "cannot be reached", True),
        ("fatal: the remote end hung up unexpectedly\nfatal: early EOF", "cannot be reached", True),
        ("error: RPC failed; The requested URL returned error: 502", "cannot be reached", True),
        ("Timeout: the command \"git\" did not complete in 60 secs.", "cannot be reached", True),
        ("fatal: repository 'https://host/x/' not found", "no repository at", False),
        ("fatal: something else", "something else", False),
        ("", "git said nothing", False),
    ],
)  # fmt: skip
def test_complaints_are_translated(said: str, message: str, recoverable: bool) -> None:
    error = commands.failure(URL, said, "Cloning")
    assert message in error.message
    assert error.recoverable is recoverable
    assert "s3cret" not in f"{error}{error.output}"


def test_a_closed_repository_says_that_credentials_must_be_given_again() -> None:
    error = commands.failure(URL, "fatal: Authentication failed for 'https://host/x'", "Cloning")
    assert "run deploy again with https://<user>:<token>@" in error.remediation


def test_credentials_are_for_one_host_only() -> None:
    given = commands.credentials(URL)
    assert given["GIT_CONFIG_KEY_1"] == "credential.https://host.example.helper"
    assert given["GIT_CONFIG_KEY_0"] == "credential.helper"
    assert "s3cret" not in given["GIT_CONFIG_VALUE_1"]
    assert commands.credentials(RepositoryUrl.parse("https://host/x")) == {}
    alone = commands.credentials(RepositoryUrl.parse("https://token@host/x"))
    assert alone["AUTODEPLOY_GIT_PASSWORD"] == "token"


def test_nobody_is_asked() -> None:
    environment = commands.quiet({"GIT_SSH_COMMAND": "ssh -i key"})
    assert environment["GIT_TERMINAL_PROMPT"] == "0"
    assert environment["GIT_SSH_COMMAND"].startswith("ssh -i key -o BatchMode=yes")
    assert "ext" not in environment["GIT_ALLOW_PROTOCOL"]
    assert " -o BatchMode=yes" in commands.quiet({})["GIT_SSH_COMMAND"]


@pytest.mark.parametrize(
    ("parent", "address", "result"),
    [
        ("https://h/a/b.git", "../c.git", "https://h/a/c.git"),
        ("https://h/a/b", "../../c/d", "https://h/c/d"),
        ("https://h/a/b/", "./c", "https://h/a/b/c"),
        ("git@h:a/b.git", "../c", "git@h:a/c"),
        ("git@h:b.git", "../c", "git@h:c"),
        ("/srv/b", "../c", "/srv/c"),
        ("https://h/a", "https://other/x", "https://other/x"),
    ],
)
def test_relative_submodules_are_resolved(parent: str, address: str, result: str) -> None:
    assert submodules.resolve(parent, address) == result


@pytest.mark.parametrize(
    ("address", "problem"),
    [("file:///etc", "into this machine"), ("/etc", "into this machine"), ("ext::sh -c x", "address"), ("", "where")],
)
def test_a_strange_submodule_is_refused(tmp_path: Path, address: str, problem: str) -> None:
    (tmp_path / ".gitmodules").write_text(f'[submodule "x"]\n\tpath = lib\n\turl = {address}\n')
    with pytest.raises(SourceError, match=problem):
        submodules.submodules(URL, tmp_path, {"lib": "0" * 40}, depth=0)


def test_submodules_are_bounded(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="more than"):
        submodules.submodules(URL, tmp_path, {f"lib{number}": "0" * 40 for number in range(30)}, depth=0)
    with pytest.raises(SourceError, match="levels"):
        submodules.submodules(URL, tmp_path, {"lib": "0" * 40}, depth=submodules.MAX_DEPTH)


def test_credentials_go_to_submodules_of_the_same_host_only(tmp_path: Path) -> None:
    text = '[submodule "a"]\n\tpath = a\n\turl = ../a\n[submodule "b"]\n\tpath = b\n\turl = https://else.example/b\n'
    (tmp_path / ".gitmodules").write_text(text)
    a, b = submodules.submodules(URL, tmp_path, {"a": "0" * 40, "b": "1" * 40}, depth=0)
    assert (a.url.text, a.url.password) == ("https://host.example/owner/a", "s3cret")
    assert not b.url.has_credentials


class _Guarded(BaseHTTPRequestHandler):
    seen: list[str | None] = []

    def do_GET(self) -> None:
        self.seen.append(self.headers.get("Authorization"))
        self.send_response(401)
        self.send_header("WWW-Authenticate", 'Basic realm="x"')
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@pytest.fixture
def guarded() -> Iterator[int]:
    _Guarded.seen.clear()
    server = HTTPServer(("127.0.0.1", 0), _Guarded)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server.server_port
    server.shutdown()
    server.server_close()


def test_git_really_offers_the_credentials_and_keeps_none(guarded: int, tmp_path: Path) -> None:
    # The address is plain HTTP only here, where there is no certificate: such a URL cannot be typed.
    url = RepositoryUrl(text=f"http://127.0.0.1:{guarded}/x", kind="remote", username="user", password="s3cret")
    environment = commands.credentials(url)
    environment["GIT_CONFIG_KEY_1"] = f"credential.http://127.0.0.1:{guarded}.helper"
    status, _, err = commands.run(
        "ls-remote", "--", url.text, environment={**environment, "GIT_ALLOW_PROTOCOL": "http", "HOME": str(tmp_path)}
    )
    assert status != 0
    assert "Authentication failed" in err
    assert _Guarded.seen[0] is None
    assert _Guarded.seen[1] == "Basic " + base64.b64encode(b"user:s3cret").decode()
    assert not list(tmp_path.rglob("*credentials*"))


def test_the_cache_holds_no_credentials(tmp_path: Path) -> None:
    with pytest.raises(SourceError):
        GitRepo(tmp_path / "cache").checkout("https://user:s3cret@localhost:1/x", None, ".", tmp_path / "into")
    written = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert written
    assert not any(b"s3cret" in path.read_bytes() for path in written)


def slow_git(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Put a git first on PATH that starts another program and waits for it; return the file with that one's id."""
    told, program = folder / "pid", folder / "bin" / "git"
    program.parent.mkdir()
    program.write_text(f"#!/bin/sh\nsleep 60 & echo $! >{told}.new; mv {told}.new {told}; wait\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}:{os.environ['PATH']}")
    return told


def is_over(told: Path) -> bool:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        try:
            state = Path(f"/proc/{told.read_text().strip()}/stat").read_text().rpartition(")")[2].split()[0]
        except FileNotFoundError:
            return True
        if state == "Z":
            return True
        time.sleep(0.05)
    return False


def test_ctrl_c_ends_git_and_what_it_started(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    told = slow_git(tmp_path, monkeypatch)

    def interrupt() -> None:
        until(told.exists)
        press(commands.run.__code__, subprocess.Popen.communicate.__code__)

    commands._configured_ssh.cache_clear()
    monkeypatch.setenv("GIT_SSH_COMMAND", "ssh")
    threading.Thread(target=interrupt).start()
    with pytest.raises(KeyboardInterrupt):
        commands.run("fetch")
    assert is_over(told)


def test_a_git_that_takes_too_long_is_ended_and_said_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    told = slow_git(tmp_path, monkeypatch)
    monkeypatch.setenv("GIT_SSH_COMMAND", "ssh")
    status, _, err = commands.run("fetch", seconds=1)
    assert status != 0
    assert "did not complete in 1 secs" in err
    assert is_over(told)
