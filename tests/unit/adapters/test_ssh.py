"""The SSH adapter, against a real SSH server in this process."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import paramiko
import pytest
from fixtures.pressing import until
from fixtures.sshd import Sshd

from autodeploy.adapters import ssh
from autodeploy.adapters.ssh import SshHost, connect
from autodeploy.errors import DeploymentError


def silent(_: str) -> None: ...


def enter(sshd: Sshd, deadline: float = 10.0, key: Path | None = None) -> SshHost:
    pinned = sshd.folder.parent / "state" / "known_hosts"
    return connect(
        "127.0.0.1",
        key_path=key or sshd.folder / "key",
        known_hosts=pinned,
        say=silent,
        deadline=deadline,
        port=sshd.port,
    )


@pytest.fixture
def host(sshd: Sshd) -> Iterator[SshHost]:
    opened = enter(sshd)
    yield opened
    opened.close()


def test_a_command_gives_back_status_and_both_streams(host: SshHost) -> None:
    result = host.run("cat; echo no >&2; exit 3", stdin="a secret\n")
    assert (result.code, result.stdout, result.stderr) == (3, "a secret\n", "no\n")


def test_neither_script_nor_input_is_in_an_argument_list(host: SshHost) -> None:
    result = host.run("marker=inscript; cat /proc/[0-9]*/cmdline 2>/dev/null | tr '\\0' ' '", stdin="marker-instdin")
    assert "marker=inscript" not in result.stdout
    assert "marker-instdin" not in result.stdout


def test_a_script_that_was_cut_short_is_not_run(host: SshHost, sshd: Sshd, tmp_path: Path) -> None:
    sshd.truncate = 20
    result = host.run(f"touch {tmp_path}/a; touch {tmp_path}/b")
    assert result.code == 75
    assert not (tmp_path / "a").exists()


def test_a_command_that_takes_too_long_is_ended(host: SshHost) -> None:
    began = time.monotonic()
    assert host.run("sleep 60", timeout_seconds=1).code == 124
    assert time.monotonic() - began < 30


def test_the_end_of_a_long_output_is_kept(host: SshHost, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ssh, "OUTPUT_LIMIT", 1000)
    result = host.run("head -c 300000 /dev/zero | tr '\\0' a; echo end")
    assert len(result.stdout) == 1000
    assert result.stdout.endswith("aend\n")


def test_input_that_nobody_reads_does_no_harm(host: SshHost) -> None:
    assert host.run("exec <&-; echo done", stdin="x" * 5_000_000).stdout == "done\n"


def test_a_file_is_put_whole_with_its_mode(host: SshHost, tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.write_bytes(os.urandom(3_000_000))
    host.put(f"{tmp_path}/a folder/big", source, "0600")
    target = tmp_path / "a folder" / "big"
    assert target.read_bytes() == source.read_bytes()
    assert target.stat().st_mode & 0o777 == 0o600
    assert list(target.parent.iterdir()) == [target]
    host.put(str(target), b"less")
    assert target.read_bytes() == b"less"


def test_a_file_that_was_cut_short_does_not_replace_the_old_one(host: SshHost, sshd: Sshd, tmp_path: Path) -> None:
    (tmp_path / "conf").write_text("old")
    sshd.truncate = 5
    with pytest.raises(DeploymentError, match="conf could not be written"):
        host.put(f"{tmp_path}/conf", b"new and longer")
    assert (tmp_path / "conf").read_text() == "old"


def test_a_lost_line_is_worth_another_try(host: SshHost, sshd: Sshd, tmp_path: Path) -> None:
    def drop() -> None:
        until(begun.exists)
        sshd.drop()

    begun = tmp_path / "begun"
    threading.Thread(target=drop).start()
    with pytest.raises(DeploymentError, match="was lost") as caught:
        host.run(f"touch {begun}; sleep 5")
    assert caught.value.recoverable
    with pytest.raises(DeploymentError, match="closed"):
        host.run("true")
    host.reconnect()
    assert host.run("echo again").stdout == "again\n"


def test_a_command_without_a_status_is_a_lost_line(host: SshHost, sshd: Sshd) -> None:
    sshd.hangs_up = True
    with pytest.raises(DeploymentError, match="was lost"):
        host.run("true")


def test_a_silent_line_is_given_up(host: SshHost, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    told = tmp_path / "pid"
    clock = SimpleNamespace(monotonic=lambda: 100.0 if told.exists() else 0.0)  # it leaps once the command has begun
    monkeypatch.setattr(ssh, "time", clock)
    with pytest.raises(DeploymentError, match="no end of the command within 80 s"):
        host.run(f"echo $$ >{told}.new; mv {told}.new {told}; exec sleep 60", timeout_seconds=60)
    os.kill(int(told.read_text()), signal.SIGKILL)


def test_a_closed_host_may_be_closed_again(sshd: Sshd) -> None:
    host = enter(sshd)
    host.close()
    host.close()
    with pytest.raises(DeploymentError, match="closed"):
        host.run("true")


class TestConnect:
    def test_the_first_key_is_pinned_and_another_is_refused(self, sshd: Sshd) -> None:
        enter(sshd).close()
        pinned = sshd.folder.parent / "state" / "known_hosts"
        assert sshd.host_key.get_base64() in pinned.read_text()
        assert pinned.stat().st_mode & 0o777 == 0o600
        enter(sshd).close()
        sshd.host_key = paramiko.ECDSAKey.generate()
        with pytest.raises(DeploymentError, match="another host key") as caught:
            enter(sshd)
        assert not caught.value.recoverable
        assert str(pinned) in caught.value.remediation

    def test_a_key_that_is_not_admitted_is_named(self, sshd: Sshd, tmp_path: Path) -> None:
        paramiko.ECDSAKey.generate().write_private_key_file(str(tmp_path / "other"))
        with pytest.raises(DeploymentError, match="refuses the deployment's key for ubuntu"):
            enter(sshd, deadline=0.1, key=tmp_path / "other")

    @pytest.mark.parametrize("text", [None, "no key at all"])
    def test_a_key_that_cannot_be_read_is_no_reason_to_wait(self, sshd: Sshd, tmp_path: Path, text: str | None) -> None:
        began = time.monotonic()
        if text is not None:
            (tmp_path / "broken").write_text(text)
        with pytest.raises(DeploymentError, match="private key"):
            enter(sshd, deadline=60, key=tmp_path / "broken")
        assert time.monotonic() - began < 5

    def test_it_waits_until_sshd_answers(self, tmp_path: Path) -> None:
        late = Sshd(tmp_path / "late")
        said: list[str] = []

        def say(line: str) -> None:
            said.append(line)
            late.start()

        host = connect(
            "127.0.0.1",
            key_path=late.folder / "key",
            known_hosts=tmp_path / "known",
            say=say,
            deadline=60,
            port=late.port,
        )
        assert host.run("echo up").stdout == "up\n"
        assert said == ["waiting for SSH on 127.0.0.1"]
        late.stop()

    def test_a_host_that_never_answers_is_an_error(self, tmp_path: Path) -> None:
        silent_host = Sshd(tmp_path / "never")
        with pytest.raises(DeploymentError, match="no SSH connection to") as caught:
            enter(silent_host, deadline=0.3)
        assert caught.value.recoverable
        silent_host.stop()
