"""doctor and iam-policy: what this machine and these credentials can do, and what they should be able to."""

from __future__ import annotations

import pytest

from autodeploy.cli.checks import run as run_checks
from autodeploy.errors import InfrastructureError
from autodeploy.local.containers import container_engine
from autodeploy.model import Check
from tests.unit.cli.conftest import Desk, FakeWiring


class TestDoctor:
    def test_looks_at_both_targets_when_none_is_chosen(self, desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.delenv("AUTODEPLOY_TARGET")
        found = desk.type("doctor", "--json").json
        assert [check["what"] for check in found] == [
            *("Python", "git", "home", "cache", "disk", "Pulumi engine", "container engine"),
            *("support of debian-12", "support of debian-13", "daemon", "credentials"),
        ]

    def test_of_aws_alone(self, desk: Desk) -> None:
        shown = desk.type("doctor", "--target", "aws")
        assert shown.code == 0
        assert "ok    aws    credentials: 123456789012 in us-east-1, SSH from 203.0.113.7/32" in shown.out

    def test_what_would_stop_an_apply_is_told_before_it(self, desk: Desk) -> None:
        full = Check("aws", "quota of VPCs", "", "5 of 5 are in use, and 1 more are needed", "Delete what nobody uses.")
        unsure = Check("aws", "permissions", "", warning="could not be checked: AccessDenied", remedy="Ask.")
        desk.line.world.checks = [full, unsure]
        shown = desk.type("doctor", "--target", "aws")
        assert shown.code == 10
        assert shown.out.splitlines()[-4:] == [
            "FAIL  aws    quota of VPCs: 5 of 5 are in use, and 1 more are needed",
            f"{'':13}Delete what nobody uses.",
            "warn  aws    permissions: could not be checked: AccessDenied",
            f"{'':13}Ask.",
        ]
        desk.line.world.checks = [unsure]
        assert desk.type("doctor", "--target", "aws").code == 0

    def test_an_account_that_cannot_be_asked_is_told(self, desk: Desk) -> None:
        desk.line.world.broken["preflight"].append(InfrastructureError("AWS cannot be reached", "Look."))
        shown = desk.type("doctor", "--target", "aws")
        assert shown.code == 10
        assert "FAIL  aws    preflight: AWS cannot be reached" in shown.out

    def test_what_is_wrong_is_told_with_its_remedy(self, desk: Desk) -> None:
        desk.line.world.broken["facts"].append(InfrastructureError("no credentials", "Run: aws configure"))
        shown = desk.type("doctor", "--target", "aws")
        assert shown.code == 10
        assert shown.out.splitlines()[-2:] == ["FAIL  aws    credentials: no credentials", f"{'':13}Run: aws configure"]

    def test_on_an_empty_machine(self, desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("PATH", "/nowhere")
        settings = desk.line.settings(target="local")
        container_engine.cache_clear()
        found = {check.what: check for check in run_checks(settings, lambda chosen: FakeWiring(chosen, desk))}
        assert found["git"].problem == "not on PATH"
        assert found["container engine"].problem.startswith("there is no container engine")
        assert found["daemon"].found.startswith("running")
        assert found["Pulumi engine"].found.startswith("not here yet")

    def test_does_not_start_the_daemon(self, desk: Desk) -> None:
        desk.local.running = False
        desk.type("doctor")
        assert not desk.local.running


class TestIamPolicy:
    def test_prints_the_policy_alone_on_standard_output(self, desk: Desk) -> None:
        shown = desk.type("iam-policy", "--region", "eu-west-1")
        assert shown.code == 0
        assert shown.json["Version"] == "2012-10-17"
        assert "eu-west-1" in shown.out
        assert "of the 6144 characters" in shown.err

    def test_sessions_are_in_it_where_they_are_asked_for(self, desk: Desk) -> None:
        assert "ssm:StartSession" not in desk.type("iam-policy").out
        shown = desk.type("iam-policy", "--region", "eu-west-1", "--access", "ssm")
        assert "arn:aws:ssm:eu-west-1::document/AWS-StartSSHSession" in shown.out
        assert desk.type("iam-policy", "--access", "telnet").code == 10

    def test_the_local_target_has_none(self, desk: Desk) -> None:
        shown = desk.type("iam-policy", "--target", "local")
        assert (shown.code, shown.out) == (10, "")
        assert "the local target asks for no permissions" in shown.err
