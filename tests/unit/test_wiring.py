"""The real adapters, wired for either target: what each is told of the settings, and what is refused."""

from __future__ import annotations

import http.server
import json
import os
import threading
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest
from cryptography import x509
from fixtures.planned import FACTS, LOCAL
from fixtures.released import INFRASTRUCTURE
from fixtures.session_programs import SessionPrograms
from fixtures.sources import SAMPLES
from fixtures.sshd import Sshd

import autodeploy
from autodeploy.adapters.keys import generate
from autodeploy.adapters.tls import expiry, is_pair
from autodeploy.agents.keyring import Certificate
from autodeploy.certifying import certify
from autodeploy.errors import DeploymentError, LocalTargetError, SettingsError, SourceError
from autodeploy.local.containers import container_engine
from autodeploy.local.records import DaemonInfo, Records
from autodeploy.settings import Settings
from autodeploy.wiring import Wiring, connect, terminal

ID = "guestbook-20261122-7f3a9c"
EPOCH = "epoch-7"
NOW = datetime(2026, 11, 22, tzinfo=timezone.utc)
NOTHING = Certificate("", "", "")
PODMAN = """cat <<'.'
{"host": {"security": {"rootless": false}, "cgroupVersion": "v2", "ociRuntime": {"name": "runc"}}}
."""


@pytest.fixture(autouse=True)
def operator(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Let nothing of this machine's own AWS configuration or container engine be met."""
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    config = tmp_path / "config"
    config.write_text("[default]\n[profile work]\nregion = eu-north-1\n")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(config))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    tools = tmp_path / "bin"
    tools.mkdir()
    for name, script in (("podman", PODMAN), ("pulumi", "echo v3.250.0")):
        (tools / name).write_text(f"#!/bin/sh\n{script}\n")
        (tools / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{tools}:{os.environ['PATH']}")
    container_engine.cache_clear()
    terminal.cache_clear()
    yield
    container_engine.cache_clear()
    terminal.cache_clear()


@pytest.fixture
def daemon(tmp_path: Path) -> Iterator[DaemonInfo]:
    """The part of a running daemon that is asked for its health."""

    class Health(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = json.dumps({"account_epoch": EPOCH}).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Health)
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    info = DaemonInfo(
        pid=os.getpid(),
        version=autodeploy.__version__,
        account_epoch=EPOCH,
        aws_endpoint="http://127.0.0.1:4566",
        provider_port=4567,
        control_port=server.server_address[1],
        token="t",
    )
    records = Records(tmp_path / "home")
    records.folder.mkdir(parents=True)
    records.info.write_text(info.to_json())
    yield info
    server.shutdown()
    server.server_close()


def wired(tmp_path: Path, **fields: object) -> Wiring:
    return Wiring(Settings.model_validate({"home": tmp_path / "home", "cache": tmp_path / "cache", **fields}))


class TestAws:
    def test_profile_and_region_reach_account_and_engine(self, tmp_path: Path) -> None:
        made = wired(tmp_path, target="aws", profile="work")
        assert (made.cloud.target, made.cloud.region, made.cloud.profile) == ("aws", "eu-north-1", "work")
        assert made.cloud.account_epoch() == ""
        environment = made.engine.shell_environment(ID)
        assert environment["AWS_PROFILE"] == "work"
        assert "PULUMI_DEBUG_PROVIDERS" not in environment

    def test_a_role_reaches_the_account_on_either_target(self, tmp_path: Path, daemon: DaemonInfo) -> None:
        role_arn = "arn:aws:iam::123456789012:role/deployer"
        for target in ("aws", "local"):
            assert wired(tmp_path, target=target, role_arn=role_arn).cloud.role_arn == role_arn
            assert wired(tmp_path, target=target, role_arn="").cloud.role_arn is None

    def test_a_region_that_was_chosen_wins_over_the_profile(self, tmp_path: Path) -> None:
        assert wired(tmp_path, target="aws", profile="work", region="eu-west-3").cloud.region == "eu-west-3"

    def test_without_any_the_region_is_the_first(self, tmp_path: Path) -> None:
        made = wired(tmp_path, target="aws")
        assert made.cloud.region == "us-east-1"
        assert "AWS_PROFILE" not in made.engine.shell_environment(ID)

    def test_an_unknown_profile_is_refused(self, tmp_path: Path) -> None:
        with pytest.raises(SettingsError, match="no AWS profile 'nobody'"):
            _ = wired(tmp_path, target="aws", profile="nobody").cloud

    def test_no_target_is_refused(self, tmp_path: Path) -> None:
        with pytest.raises(SettingsError, match="no target"):
            _ = wired(tmp_path).cloud


class TestLocal:
    def test_the_daemon_answers_as_account_and_provider(self, tmp_path: Path, daemon: DaemonInfo) -> None:
        made = wired(tmp_path, target="local", profile="work", region="eu-west-3")
        assert (made.cloud.target, made.cloud.region, made.cloud.profile) == ("local", "eu-west-3", None)
        assert made.cloud.account_epoch() == EPOCH
        assert made.cloud.ca_bundle() == tmp_path / "home" / "local" / "rds-ca.pem"
        environment = made.engine.shell_environment(ID)
        assert environment["PULUMI_DEBUG_PROVIDERS"] == f"aws:{daemon.provider_port}"
        assert "AWS_PROFILE" not in environment

    def test_a_daemon_of_another_version_is_refused(self, tmp_path: Path, daemon: DaemonInfo) -> None:
        (tmp_path / "home" / "local" / "daemon.json").write_text(daemon.but(version="0.0.1").to_json())
        with pytest.raises(LocalTargetError, match="is of version 0"):
            _ = wired(tmp_path, target="local").cloud

    def test_the_whole_line_hangs_together(self, tmp_path: Path, daemon: DaemonInfo) -> None:
        made = wired(tmp_path, target="local", name="shop")
        with pytest.raises(SourceError):
            made.conductor.deploy("word", "")
        agents = (made.compiler, made.provisioner, made.deployer, made.sheriff)
        assert [agent.name for agent in agents] == [
            *("HiveMind DevOps", "HiveMind SysEng", "HiveMind Release-Engineer", "HiveMind SecOps"),
        ]

    def test_the_compiler_reads_real_repositories(self, tmp_path: Path, daemon: DaemonInfo) -> None:
        compiler = wired(tmp_path, target="local").compiler
        stack = compiler.analyze_repository(str(SAMPLES / "fastapi-plain"), str(tmp_path / "source"))
        assert stack.framework == "fastapi"


class TestHostAndCertificate:
    def test_a_machine_that_lets_nobody_in(self, tmp_path: Path) -> None:
        private, _ = generate()
        key = tmp_path / "id_ed25519"
        key.touch(mode=0o600)
        key.write_text(private)
        spec = INFRASTRUCTURE.but(ec2_public_ip="127.77.77.77", ssh_private_key_path=str(key))
        with pytest.raises(DeploymentError) as caught:
            connect(spec, lambda _: None, deadline=0.1)
        assert caught.value.remediation

    def test_a_machine_without_an_open_port_is_entered_by_a_session_of_its_region_and_profile(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        server = Sshd(tmp_path / "sshd")
        server.start()
        programs = SessionPrograms(tmp_path / "programs", server.port)
        monkeypatch.setenv("PATH", f"{programs.folder}:{os.environ['PATH']}")
        key = str(server.folder / "key")
        spec = INFRASTRUCTURE.but(ec2_public_ip="127.77.77.77", ssh_private_key_path=key, access="ssm")
        made = wired(tmp_path, target="aws", profile="work")
        for agent in (made.deployer, made.sheriff):
            host = agent._connect(spec, lambda _: None)
            assert host.run("echo here").stdout == "here\n"
            host.close()
        server.stop()
        assert all(session["environment"]["AWS_PROFILE"] == "work" for session in programs.sessions)  # type: ignore[index]
        assert all("eu-north-1" in session["arguments"] for session in programs.sessions)  # type: ignore[operator]
        assert spec.ec2_instance_id in (server.folder / "known_hosts").read_text()

    @pytest.mark.parametrize(
        ("facts", "names"),
        [(LOCAL, ["localhost", "127.0.0.1"]), (FACTS, ["*.us-east-1.elb.amazonaws.com"])],
    )
    def test_a_certificate_is_for_the_names_of_its_balancer(self, facts: object, names: list[str]) -> None:
        made = certify(ID, LOCAL if facts is LOCAL else FACTS, None, NOTHING, NOW)
        leaf = x509.load_pem_x509_certificate(made.leaf.encode())
        authority = x509.load_pem_x509_certificate(made.authority.encode())
        leaf.verify_directly_issued_by(authority)
        san = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        assert [str(name.value) for name in san] == names
        assert ID in authority.subject.rfc4514_string()
        assert "PRIVATE KEY" in made.key

    def test_a_certificate_that_lacks_the_domain_is_made_anew_by_its_authority(self) -> None:
        first = certify(ID, FACTS, None, NOTHING, NOW)
        named = certify(ID, FACTS, "shop.example.com", first, NOW)
        leaf = x509.load_pem_x509_certificate(named.leaf.encode())
        san = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        assert [str(name.value) for name in san] == ["shop.example.com", "*.us-east-1.elb.amazonaws.com"]
        assert named.authority == first.authority
        assert certify(ID, FACTS, "shop.example.com", named, NOW) is named
        assert certify(ID, FACTS, "www.example.com", named, NOW).leaf != named.leaf

    def test_a_certificate_is_kept_until_it_ends_soon_and_its_authority_longer(self) -> None:
        first = certify(ID, LOCAL, None, NOTHING, NOW)
        assert certify(ID, LOCAL, None, first, NOW + timedelta(days=397 - 31)) is first
        renewed = certify(ID, LOCAL, None, first, NOW + timedelta(days=397 - 29))
        assert (renewed.authority, renewed.authority_key) == (first.authority, first.authority_key)
        assert renewed.leaf != first.leaf and renewed.key != first.key
        assert expiry(renewed.leaf) > expiry(first.leaf)
        leaf, authority = (x509.load_pem_x509_certificate(pem.encode()) for pem in (renewed.leaf, first.authority))
        leaf.verify_directly_issued_by(authority)

    @pytest.mark.parametrize("lost", ["leaf", "key", "authority"])
    def test_a_certificate_of_which_a_part_is_lost_is_made_anew(self, lost: str) -> None:
        first = certify(ID, LOCAL, None, NOTHING, NOW)
        made = certify(ID, LOCAL, None, first._replace(**{lost: ""}), NOW)
        assert made.leaf != first.leaf and all(made)
        assert (made.authority == first.authority) == (lost != "authority")

    @pytest.mark.parametrize("mixed", ["leaf", "key", "authority", "authority_key"])
    def test_parts_of_two_renewals_are_never_taken_for_one_certificate(self, mixed: str) -> None:
        first, other = (certify(ID, LOCAL, None, NOTHING, NOW) for _ in range(2))
        late = NOW + timedelta(days=397 - 29 if mixed == "authority_key" else 1)
        made = certify(ID, LOCAL, None, first._replace(**{mixed: getattr(other, mixed)}), late)
        leaf, authority = (x509.load_pem_x509_certificate(pem.encode()) for pem in (made.leaf, made.authority))
        leaf.verify_directly_issued_by(authority)
        assert is_pair(made.leaf, made.key) and is_pair(made.authority, made.authority_key)
        assert made.leaf not in (first.leaf, other.leaf)


def test_there_is_one_terminal(tmp_path: Path) -> None:
    assert wired(tmp_path).ui is wired(tmp_path).ui is terminal()
