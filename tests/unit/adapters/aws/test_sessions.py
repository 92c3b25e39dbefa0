"""Sessions of Systems Manager: SSH for real through a fake `aws` on PATH, whose other end is a real SSH server."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest
from fixtures.session_programs import SessionPrograms
from fixtures.sshd import Sshd

from autodeploy.adapters.aws import sessions
from autodeploy.adapters.aws.sessions import Tunnel, check, command
from autodeploy.adapters.ssh import SshHost, connect
from autodeploy.errors import DeploymentError

INSTANCE = "i-0abc"
NOT_THERE_YET = (
    "An error occurred (TargetNotConnected) when calling the StartSession operation: i-0abc is not connected."
)
DENIED = "An error occurred (AccessDeniedException) when calling the StartSession operation: User is not authorized"
WORDS = "aws ssm start-session --region eu-west-1 --target i-0abc --document-name AWS-StartSSHSession --parameters portNumber=22"


@pytest.fixture
def programs(tmp_path: Path, sshd: Sshd, monkeypatch: pytest.MonkeyPatch) -> SessionPrograms:
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    made = SessionPrograms(tmp_path / "bin", sshd.port)
    monkeypatch.setenv("PATH", f"{made.folder}:{os.environ['PATH']}")
    return made


def enter(sshd: Sshd, deadline: float = 20.0, profile: str | None = None, said: list[str] | None = None) -> SshHost:
    return connect(
        INSTANCE,
        key_path=sshd.folder / "key",
        known_hosts=sshd.folder.parent / "known_hosts",
        say=(said if said is not None else []).append,
        deadline=deadline,
        way=Tunnel(INSTANCE, "eu-west-1", profile),
    )


def lives(pid: object) -> bool:
    try:
        return " Z " not in Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):  # the latter where it ends between opening and reading
        return False


class TestEntering:
    def test_scripts_and_files_pass_through_a_session(
        self, programs: SessionPrograms, sshd: Sshd, tmp_path: Path
    ) -> None:
        host = enter(sshd)
        result = host.run("cat; echo no >&2; exit 3", stdin="a secret\n")
        assert (result.code, result.stdout, result.stderr) == (3, "a secret\n", "no\n")
        source = tmp_path / "source"
        source.write_bytes(os.urandom(3_000_000))
        host.put(f"{tmp_path}/big", source)
        assert (tmp_path / "big").read_bytes() == source.read_bytes()
        host.close()
        (session,) = programs.sessions
        assert " ".join(["aws", *session["arguments"]]) == WORDS  # type: ignore[misc]

    def test_the_host_key_is_pinned_by_the_instance(self, programs: SessionPrograms, sshd: Sshd) -> None:
        enter(sshd).close()
        pinned = sshd.folder.parent / "known_hosts"
        assert pinned.read_text().split()[::2] == [INSTANCE, sshd.host_key.get_base64()]
        pinned.write_text(f"{INSTANCE} {sshd.client_key.get_name()} {sshd.client_key.get_base64()}\n")
        with pytest.raises(DeploymentError, match="i-0abc shows another host key"):
            enter(sshd)

    def test_a_session_ends_with_its_connection(self, programs: SessionPrograms, sshd: Sshd) -> None:
        host = enter(sshd)
        host.reconnect()
        host.close()
        assert len(programs.sessions) == 2
        deadline = time.monotonic() + 30
        while any(lives(session["pid"]) for session in programs.sessions):
            assert time.monotonic() < deadline, "a session outlives its connection"
            time.sleep(0.05)

    def test_a_session_that_breaks_is_a_lost_line(self, programs: SessionPrograms, sshd: Sshd) -> None:
        host = enter(sshd)
        os.kill(int(str(programs.sessions[0]["pid"])), 9)
        with pytest.raises(DeploymentError, match="was lost") as caught:
            host.run("sleep 5")
        assert caught.value.recoverable
        host.reconnect()
        assert host.run("echo again").stdout == "again\n"
        host.close()

    def test_ctrl_c_does_not_reach_it(self, programs: SessionPrograms, sshd: Sshd) -> None:
        host = enter(sshd)
        assert os.getpgid(int(str(programs.sessions[0]["pid"]))) != os.getpgid(0)
        host.close()


class TestWaiting:
    def test_an_agent_that_comes_up_late_is_waited_for(self, programs: SessionPrograms, sshd: Sshd) -> None:
        said: list[str] = []
        programs.refuse(*[NOT_THERE_YET] * 5)
        host = enter(sshd, said=said)
        assert host.run("echo up").stdout == "up\n"
        host.close()
        assert len(programs.sessions) == 6
        assert said == ["waiting for SSH on i-0abc"]

    def test_one_that_never_comes_is_told_in_aws_s_words(self, programs: SessionPrograms, sshd: Sshd) -> None:
        programs.refuse(*[NOT_THERE_YET] * 50)
        with pytest.raises(DeploymentError, match="TargetNotConnected") as caught:
            enter(sshd, deadline=0.5)
        assert caught.value.recoverable
        assert "agent" in caught.value.remediation

    @pytest.mark.parametrize(
        "complaint",
        [
            DENIED,
            "Unable to locate credentials. You can configure credentials by running \"aws configure\".",
            "The config profile (work) could not be found",
            "SessionManagerPlugin is not found. Please refer to SessionManager Documentation here:",
            "An error occurred (ExpiredTokenException) when calling the StartSession operation: The security token",
        ],
    )  # fmt: skip
    def test_what_waiting_does_not_mend_is_told_at_once(
        self, programs: SessionPrograms, sshd: Sshd, complaint: str
    ) -> None:
        programs.refuse(*[complaint] * 50)
        with pytest.raises(DeploymentError) as caught:
            enter(sshd, deadline=60)
        assert complaint in caught.value.message
        assert not caught.value.recoverable
        assert len(programs.sessions) == 1

    def test_programs_that_are_not_there_are_named_with_where_they_are(
        self, programs: SessionPrograms, sshd: Sshd, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("PATH", str(sshd.folder))
        with pytest.raises(DeploymentError, match="not on PATH: aws, session-manager-plugin") as caught:
            enter(sshd, deadline=60)
        assert "getting-started-install" in caught.value.remediation
        assert "session-manager-working-with-install-plugin" in caught.value.remediation


class TestCredentials:
    def test_a_profile_takes_the_place_of_what_would_win_over_it(
        self, programs: SessionPrograms, sshd: Sshd, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAOTHER")
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "not to be seen")
        monkeypatch.setenv("AWS_CONFIG_FILE", "/etc/aws")
        enter(sshd, profile="work").close()
        (session,) = programs.sessions
        assert session["environment"] == {"AWS_PROFILE": "work", "AWS_CONFIG_FILE": "/etc/aws"}
        assert "work" not in str(session["arguments"])
        assert os.environ["AWS_ACCESS_KEY_ID"] == "AKIAOTHER"

    def test_without_one_the_environment_speaks_and_never_the_command_line(
        self, programs: SessionPrograms, sshd: Sshd, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "not to be seen")
        enter(sshd).close()
        (session,) = programs.sessions
        assert session["environment"]["AWS_SECRET_ACCESS_KEY"] == "not to be seen"  # type: ignore[index]
        assert "not to be seen" not in str(session["arguments"])

    def test_a_command_to_be_typed_names_the_profile(self) -> None:
        assert " ".join(command(INSTANCE, "eu-west-1")) == WORDS
        assert "--profile work" in " ".join(command(INSTANCE, "eu-west-1", "work"))


class TestPrograms:
    @pytest.mark.parametrize("is_needed", [True, False])
    def test_that_are_there_are_well(self, programs: SessionPrograms, is_needed: bool) -> None:
        assert check(is_needed) == ("aws", "session programs", "aws and session-manager-plugin", "", "", "")

    def test_that_are_missing_matter_only_where_they_are_needed(
        self, programs: SessionPrograms, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        (programs.folder / "session-manager-plugin").unlink()
        monkeypatch.setenv("PATH", str(programs.folder))
        assert check(is_needed=False).found == "not on PATH: session-manager-plugin; only --access ssm needs them"
        assert not check(is_needed=False).problem
        needed = check(is_needed=True)
        assert needed.problem == "not on PATH: session-manager-plugin"
        assert needed.remedy.startswith("Install session-manager-plugin: https://docs.aws.amazon.com/")


class TestStubbornPrograms:
    def test_one_that_does_not_end_by_itself_is_ended(
        self, programs: SessionPrograms, sshd: Sshd, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(sessions, "END_SECONDS", 0.2)
        aws = programs.folder / "aws"
        aws.rename(programs.folder / "carrier")
        aws.write_text(f"#!/bin/sh\ntrap '' TERM\n{programs.folder}/carrier \"$@\"\nwhile :; do sleep 1; done\n")
        aws.chmod(0o755)
        tunnel = Tunnel(INSTANCE, "eu-west-1")
        line = tunnel.open()
        assert line.recv(4) == b"SSH-"
        began = time.monotonic()
        line.close()
        line.close()
        assert time.monotonic() - began < 30
        deadline = time.monotonic() + 30
        while lives(programs.sessions[0]["pid"]):
            assert time.monotonic() < deadline, "what it started outlives it"
            time.sleep(0.05)

    def test_one_that_cannot_be_run_is_told(
        self, programs: SessionPrograms, sshd: Sshd, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("PATH", str(programs.folder))
        (programs.folder / "aws").write_bytes(b"\x7fELF, but no more")
        with pytest.raises(DeploymentError, match="no SSH connection to i-0abc"):
            enter(sshd, deadline=0.3)
