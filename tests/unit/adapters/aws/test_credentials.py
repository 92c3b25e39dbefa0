"""Whose credentials are used: a role on top of whatever the operator has, told by the key that a fake STS gives for it."""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import Iterator
from pathlib import Path

import boto3
import pytest
from botocore.exceptions import ClientError, NoCredentialsError
from fixtures.session_programs import SessionPrograms
from fixtures.sts import Sts

from autodeploy.adapters.aws import AwsCloud
from autodeploy.adapters.aws.__main__ import FAILED, main
from autodeploy.adapters.aws.credentials import environment, session
from autodeploy.adapters.aws.sessions import Tunnel, command
from autodeploy.errors import DeploymentError, InfrastructureError

REGION = "eu-west-1"
ROLE = "arn:aws:iam::555555555555:role/teams/deployer"
CONFIG = """
[profile keys]
[profile admin]
role_arn = arn:aws:iam::111111111111:role/admin
source_profile = keys
[profile by-machine]
role_arn = arn:aws:iam::111111111111:role/admin
credential_source = Ec2InstanceMetadata
[profile by-program]
credential_process = {program}
"""
PROGRAM = """#!/bin/sh
echo '{"Version": 1, "AccessKeyId": "PROGRAM", "SecretAccessKey": "s", "SessionToken": "t",'
echo '"Expiration": "2099-01-01T00:00:00Z"}'
"""


@pytest.fixture
def sts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Sts]:
    """STS and the metadata service of a machine, and an operator who has profiles and no keys in the environment."""
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    program = tmp_path / "program"
    program.write_text(PROGRAM)
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    (tmp_path / "config").write_text(CONFIG.format(program=program))
    (tmp_path / "credentials").write_text("[keys]\naws_access_key_id = KEYS\naws_secret_access_key = s\n")
    made = Sts()
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))
    monkeypatch.setenv("AWS_ENDPOINT_URL_STS", made.url)
    monkeypatch.setenv("AWS_EC2_METADATA_SERVICE_ENDPOINT", made.url)
    yield made
    made.stop()


def key_of(made: boto3.Session) -> str:
    found = environment(made)
    assert found["AWS_SESSION_TOKEN"] == f"token-of-{found['AWS_ACCESS_KEY_ID']}"
    return found["AWS_ACCESS_KEY_ID"]


class TestARole:
    @pytest.mark.parametrize(
        ("profile", "key"),
        [
            ("keys", "KEYS>deployer.1"),
            ("admin", "KEYS>admin.1>deployer.2"),
            ("by-machine", "MACHINE>admin.1>deployer.2"),
            ("by-program", "PROGRAM>deployer.1"),
            (None, "MACHINE>deployer.1"),
        ],
    )
    def test_is_assumed_on_top_of_a_profile_or_of_what_the_default_chain_finds(
        self, sts: Sts, profile: str | None, key: str
    ) -> None:
        assert key_of(session(REGION, profile, ROLE)) == key

    def test_is_assumed_by_keys_of_the_environment(self, sts: Sts, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "ENVIRONMENT")
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "s")
        assert key_of(session(REGION, None, ROLE)) == "ENVIRONMENT>deployer.1"
        assert key_of(session(REGION, "keys", ROLE)) == "KEYS>deployer.2"

    def test_is_kept_while_it_is_good_and_assumed_again_before_it_ends(self, sts: Sts) -> None:
        made = session(REGION, "keys", ROLE)
        assert [key_of(made), key_of(made)] == ["KEYS>deployer.1"] * 2
        sts.seconds = 60  # less than the ten minutes that botocore wants to be left
        soon_over = session(REGION, "keys", ROLE)
        assert [key_of(soon_over), key_of(soon_over)] == ["KEYS>deployer.2", "KEYS>deployer.3"]

    def test_needs_somebody_who_assumes_it(self, sts: Sts, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
        for role_arn in (ROLE, None):
            with pytest.raises(NoCredentialsError):
                environment(session(REGION, None, role_arn))

    def test_that_is_not_allowed_is_told_with_the_way_to_it(self, sts: Sts) -> None:
        sts.refuses = {"KEYS"}
        with pytest.raises(ClientError):
            key_of(session(REGION, "keys", ROLE))
        with pytest.raises(InfrastructureError) as caught:
            AwsCloud("aws", REGION, profile="keys", role_arn=ROLE).facts()
        assert "the role of --role-arn cannot be assumed: KEYS is not authorized" in caught.value.message
        assert "trust policy" in caught.value.remediation

    def test_of_the_emulated_account_is_whose_the_facts_are(self, endpoint: str) -> None:
        role_arn = ROLE.replace("555555555555", "123456789012")
        facts = AwsCloud("local", REGION, role_arn=role_arn, endpoint_url=endpoint, admin_cidr="127.0.0.1/32").facts()
        assert facts.identity == "arn:aws:sts::123456789012:assumed-role/deployer/AutoDeploy"
        assert facts.account_id == "123456789012"


class TestASession:
    @pytest.fixture
    def programs(self, sts: Sts, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> SessionPrograms:
        made = SessionPrograms(tmp_path / "bin")
        monkeypatch.setenv("PATH", f"{made.folder}:{os.environ['PATH']}")
        return made

    def ended(self, tunnel: Tunnel) -> None:
        with tunnel.open() as line:
            line.settimeout(30)
            assert line.recv(1) == b""

    def test_is_the_roles_and_its_credentials_are_in_its_environment_alone(
        self, programs: SessionPrograms, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "ENVIRONMENT")
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "s")
        programs.refuse("not yet", "not yet")
        for profile in ("keys", None):
            self.ended(Tunnel("i-0abc", REGION, profile, ROLE))
        first, second = programs.sessions
        assert first["arguments"] == second["arguments"] == list(command("i-0abc", REGION)[1:])
        told = [each["environment"] for each in (first, second)]
        assert [each["AWS_ACCESS_KEY_ID"] for each in told] == ["KEYS>deployer.1", "ENVIRONMENT>deployer.2"]  # type: ignore[index]
        assert not any("AWS_PROFILE" in each for each in told)  # type: ignore[operator]

    def test_that_the_role_does_not_allow_is_hopeless(self, programs: SessionPrograms, sts: Sts) -> None:
        sts.refuses = {"KEYS"}
        tunnel = Tunnel("i-0abc", REGION, "keys", ROLE)
        line = tunnel.open()
        line.settimeout(30)
        assert line.recv(1) == b""
        with pytest.raises(DeploymentError, match="AccessDenied"):
            tunnel.reason()
        line.close()
        assert programs.sessions == []

    def test_by_a_printed_command_is_the_same(self) -> None:
        printed = command("i-0abc", REGION, "keys", ROLE)
        assert printed[:3] == (sys.executable, "-m", "autodeploy.adapters.aws")
        assert printed[printed.index("--") + 1 :] == command("i-0abc", REGION)
        assert " ".join(printed[3:9]) == f"--role-arn {ROLE} --profile keys --region {REGION}"

    def test_of_a_program_that_is_not_there(self, sts: Sts, capsys: pytest.CaptureFixture[str]) -> None:
        code = main(["--role-arn", ROLE, "--profile", "keys", "--region", REGION, "--", "no-such-program"])
        assert code == FAILED
        assert "No such file" in capsys.readouterr().err
