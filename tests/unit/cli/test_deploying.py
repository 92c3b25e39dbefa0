"""deploy, retry, preview, destroy, pulumi-env: what is typed, what is shown, and the exit code."""

from __future__ import annotations

from pathlib import Path

import pytest

from autodeploy.errors import AgentError, BuildError, HardeningError, InfrastructureError, SourceError
from autodeploy.model import HostedZone
from tests.unit.cli.conftest import Desk

URL = "https://example.org/guestbook.git"


class TestDeploy:
    def test_ends_with_the_url_and_what_can_be_typed_next(self, desk: Desk) -> None:
        shown = desk.type("deploy", URL, "a guestbook", "--yes")
        (state,) = desk.states()
        ca = desk.line.store.folder(state.deployment_id) / "ca.pem"
        assert (shown.code, shown.out) == (0, "")
        assert shown.err.splitlines()[-7:] == [
            f"{state.deployment_id}: complete",
            "URL: https://localhost:8443",
            f"Next:    curl --cacert {ca} https://localhost:8443",
            f"         autodeploy status {state.deployment_id}",
            f"         autodeploy logs {state.deployment_id}",
            f"         autodeploy open {state.deployment_id}",
            f"         autodeploy destroy {state.deployment_id}",
        ]
        assert ca.read_text().startswith("-----BEGIN CERTIFICATE-----")

    def test_a_certificate_whose_authority_was_lost_is_made_anew(self, desk: Desk) -> None:
        ca = desk.line.store.folder(desk.deploy().deployment_id) / "ca.pem"
        ca.unlink()
        shown = desk.type("deploy", URL, "--yes")
        assert shown.code == 0
        assert f"curl --cacert {ca}" in shown.err
        assert ca.read_text().startswith("-----BEGIN CERTIFICATE-----")

    def test_data_goes_only_with_the_resources_name(self, desk: Desk) -> None:
        desk.deploy()
        own = ("--env", "DATABASE_URL=postgresql://db.example.org/shop")
        refused = desk.type("deploy", URL, "--yes", *own)
        assert refused.code == 50
        assert "Remediation: Take back what asks for it, or, where the data may go, add --allow-data-loss database" in (
            refused.err
        )
        (state,) = desk.states()
        assert desk.type("retry", state.deployment_id, "--yes").code == 50
        assert desk.type("retry", state.deployment_id, "--yes", "--allow-data-loss", "database").code == 0
        assert desk.line.world.stacks[state.deployment_id].database is None

    def test_a_domain_without_a_zone_ends_with_the_record_to_make(self, desk: Desk) -> None:
        shown = desk.type("deploy", URL, "--yes", "--domain", "Shop.Example.com")
        assert shown.code == 0
        assert "Next:    at your name server: shop.example.com. CNAME localhost:8443." in shown.err
        assert "URL: https://localhost:8443" in shown.err

    def test_a_domain_in_an_emulated_zone_ends_with_how_to_ask_it(self, desk: Desk) -> None:
        desk.line.world.zones["shop.example.com"] = HostedZone(zone_id="ZSHOP", name="example.com")
        desk.line.world.public_authority = Path("/home/acm-ca.pem")
        shown = desk.type("deploy", URL, "--yes", "--domain", "shop.example.com")
        assert shown.code == 0
        url = "https://shop.example.com:8443"
        assert f"curl --cacert /home/acm-ca.pem --resolve shop.example.com:8443:127.0.0.1 {url}" in shown.err

    def test_a_domain_that_is_none_is_refused_before_anything_is_done(self, desk: Desk) -> None:
        shown = desk.type("deploy", URL, "--yes", "--domain", "*.example.com")
        assert shown.code == 10
        assert "stands for many names" in shown.err
        assert list(desk.states()) == []

    def test_as_json_prints_the_result_alone_on_standard_output(self, desk: Desk) -> None:
        shown = desk.type("deploy", URL, "--yes", "--json")
        assert (shown.code, shown.json["status"], shown.json["url"]) == (0, "complete", "https://localhost:8443")
        assert "Next:" not in shown.err

    def test_flags_reach_the_deployment(self, desk: Desk, tmp_path: Path) -> None:
        file = tmp_path / "env"
        file.write_text("# ours\nA=file\nB=file\n")
        state = desk.deploy(
            *("--name", "Shop", "--env", "B=flag", "--env-file", str(file), "--ref", "main"),
            *("--instance-type", "t3.medium", "--port", "9000", "--start-command", "python app.py"),
            *("--health-check-path", "/health", "--runtime-version", "3.11", "--app", "app:app"),
            *("--admin-cidr", "203.0.113.0/24"),
        )
        assert (state.name, state.request.ref) == ("shop", "main")
        assert state.plan.infra.instance_type == "t3.medium"
        assert state.plan.infra.admin_cidr == "203.0.113.0/24"
        assert (state.tech_stack.port, state.tech_stack.start_command) == (9000, "python app.py")
        secrets = desk.line.store.secrets(state.deployment_id)
        assert (secrets["env:A"], secrets["env:B"]) == ("file", "flag")

    def test_a_path_becomes_absolute(self, desk: Desk) -> None:
        shown = desk.type("deploy", "--yes", "--json", "--name", "here")
        assert shown.code == 0
        assert desk.states()[0].repo_url == str(Path.cwd())

    def test_without_yes_and_terminal_nothing_is_created(self, desk: Desk) -> None:
        shown = desk.type("deploy", URL)
        assert shown.code == 3
        assert "run the same command with --yes" in shown.err
        assert desk.line.world.stacks == {}

    def test_without_yes_and_terminal_what_serves_stays_complete(self, desk: Desk) -> None:
        identifier = desk.deploy().deployment_id
        shown = desk.type("deploy", URL, "--instance-type", "t3.large")
        assert shown.code == 3
        assert "run the same command with --yes" in shown.err and "autodeploy destroy" not in shown.err
        assert desk.type("status", "--json").json["status"] == "complete"
        assert "all stays as it was: this needs a yes" in desk.type("events", identifier).out
        assert desk.type("deploy", URL).code == 0

    def test_without_a_target_and_terminal(self, desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.delenv("AUTODEPLOY_TARGET")
        shown = desk.type("deploy", URL, "--yes")
        assert shown.code == 10
        assert "--target local" in shown.err

    @pytest.mark.parametrize(
        ("operation", "error"),
        [
            ("checkout", SourceError("gone", "Give another.")),
            ("build", BuildError("pip failed", "Correct it.", output="no such package")),
            ("up", InfrastructureError("no capacity", "Try later.")),
        ],
    )
    def test_a_failure_is_four_lines_its_options_and_its_code(
        self, desk: Desk, operation: str, error: AgentError
    ) -> None:
        desk.line.world.broken[operation].append(error)
        shown = desk.type("deploy", URL, "--yes")
        (state,) = desk.states()
        assert shown.code == error.exit_code
        lines = shown.err.splitlines()
        first = next(number for number, line in enumerate(lines) if " Error: " in line)
        assert lines[first].endswith(f"Error: {type(error).__name__}")
        assert lines[first + 1] == f"Message: {error.message}"
        assert f"  autodeploy retry {state.deployment_id} --stage {state.failed_stage}" in lines
        assert "Traceback" not in shown.err

    def test_a_failed_hardening_of_a_first_deployment_is_taken_back(self, desk: Desk) -> None:
        desk.line.world.broken["open ports"].append(HardeningError("port 3000 is open", "Close it."))
        shown = desk.type("deploy", URL, "--yes")
        (state,) = desk.states()
        assert (shown.code, state.status) == (90, "rolled_back")
        lines = shown.err.splitlines()
        folder = desk.line.store.folder(state.deployment_id) / "dossier"
        assert f"Remediation: Close it. What was seen of it is in {folder}." in lines
        assert lines[-1] == "Everything that was made is taken back."
        assert (folder / "app.log").read_text()
        assert desk.line.world.stacks == {}

    def test_it_is_kept_where_that_was_asked_for(self, desk: Desk) -> None:
        for verb in (["deploy", URL], ["retry"]):
            desk.line.world.broken["open ports"].append(HardeningError("port 3000 is open", "Close it."))
            shown = desk.type(*verb, "--yes", "--keep")
            (state,) = desk.states()
            assert (shown.code, state.status) == (90, "failed")
            assert state.deployment_id in desk.line.world.stacks

    def test_a_failure_as_json(self, desk: Desk) -> None:
        desk.line.world.broken["build"].append(BuildError("pip failed", "Correct it."))
        shown = desk.type("deploy", URL, "--yes", "--json")
        assert (shown.code, shown.json["status"]) == (40, "failed")
        assert shown.json["options"]

    def test_with_debug_a_failure_shows_its_traceback(self, desk: Desk) -> None:
        desk.line.world.broken["build"].append(ZeroDivisionError("our fault"))
        shown = desk.type("--debug", "deploy", URL, "--yes")
        assert shown.code == 1
        assert "Traceback (most recent call last)" in shown.err


class TestRetry:
    def test_begins_at_the_failed_stage(self, desk: Desk) -> None:
        desk.line.world.broken["up"].append(InfrastructureError("no capacity", "Try later."))
        desk.type("deploy", URL, "--yes")
        shown = desk.type("retry", "--yes")
        assert shown.code == 0
        assert desk.states()[0].build_artifact.build_duration_seconds == 1.0

    def test_begins_where_a_run_was_killed(self, desk: Desk) -> None:
        state = desk.deploy()
        left = {name: record for name, record in state.stages.items() if name not in ("deploy", "harden")}
        desk.line.store.save(state.but(status="deploying", stages=left, completed_at=None))
        shown = desk.type("retry")
        assert shown.code == 0
        assert "the run before was killed while the deployment was deploying" in shown.err
        assert "Planning the infrastructure" not in shown.err

    def test_from_a_chosen_stage(self, desk: Desk) -> None:
        desk.line.world.broken["up"].append(InfrastructureError("no capacity", "Try later."))
        desk.type("deploy", URL, "--yes")
        (state,) = desk.states()
        shown = desk.type("retry", state.deployment_id, "--stage", "build", "--json")
        assert (shown.code, shown.json["status"]) == (0, "complete")
        assert desk.states()[0].build_artifact.build_duration_seconds == 2.0

    def test_keeps_what_was_asked_for_when_it_was_deployed(self, desk: Desk) -> None:
        before = desk.deploy("--start-command", "python app.py", "--instance-type", "t3.medium", "--ref", "main")
        desk.type("retry", before.deployment_id, "--stage", "analyze")
        after = desk.line.store.load(before.deployment_id)
        assert after.tech_stack == before.tech_stack
        assert after.plan == before.plan
        assert after.request == before.request

    def test_an_unknown_stage(self, desk: Desk) -> None:
        desk.deploy()
        shown = desk.type("retry", "--stage", "nothing")
        assert shown.code == 12
        assert "The stages are: analyze" in shown.err


def test_pulumi_env_is_for_the_shell(desk: Desk) -> None:
    identifier = desk.deploy().deployment_id
    assert desk.type("pulumi-env").out.splitlines() == [
        "unset PULUMI_CONFIG_PASSPHRASE",
        f"export PULUMI_STACK={identifier}",
        "export PULUMI_CONFIG_PASSPHRASE_FILE='/a home/passphrase'",
    ]


def test_pulumi_env_lets_nothing_shadow_the_profile(desk: Desk) -> None:
    desk.deploy()
    desk.line.world.environment["AWS_PROFILE"] = "work"
    assert desk.type("pulumi-env").out.splitlines()[:4] == [
        "unset PULUMI_CONFIG_PASSPHRASE",
        "unset AWS_ACCESS_KEY_ID",
        "unset AWS_SECRET_ACCESS_KEY",
        "unset AWS_SESSION_TOKEN",
    ]


def test_another_repository_of_the_same_name_needs_a_yes(desk: Desk) -> None:
    before = desk.deploy()
    other = "https://example.com/another/guestbook.git"
    shown = desk.type("deploy", other)
    assert shown.code == 3
    assert "--new or --name" in shown.err
    assert desk.line.store.load(before.deployment_id) == before
    shown = desk.type("deploy", other, "--yes")
    assert shown.code == 0
    assert f"{before.deployment_id} is of {URL}; it becomes {other}" in shown.err
