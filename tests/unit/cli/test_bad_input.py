"""What goes wrong around a deployment: four lines, the right exit code, nothing lost, and the same command goes on."""

from __future__ import annotations

import errno
from typing import Any

import pytest
from botocore.exceptions import ClientError

from autodeploy.adapters.aws import failures
from autodeploy.errors import AgentError, SourceError
from tests.unit.cli.conftest import Desk, Shown

URL = "https://example.org/guestbook.git"


def refused(shown: Shown, code: int) -> list[str]:
    """Assert that a command ended as an error should; return the four lines."""
    lines = shown.err.splitlines()
    assert shown.code == code, shown.err
    assert "Traceback" not in shown.err
    first = next(number for number, line in enumerate(lines) if line.startswith("[") and "] Error: " in line)
    assert [line.split(":")[0] for line in lines[first + 1 : first + 4]] == ["Message", "Context", "Remediation"]
    return lines[first : first + 4]


class TestChoices:
    def test_a_mistyped_ref_does_not_stay(self, desk: Desk) -> None:
        desk.line.world.broken["checkout"].append(SourceError("no branch 'nosuch'", "Name one."))
        refused(desk.type("deploy", URL, "--yes", "--ref", "nosuch"), 20)
        (state,) = desk.states()
        assert state.request.ref == "nosuch"
        assert desk.deploy("--ref", "").request.ref is None

    @pytest.mark.parametrize("number", ["0", "11"])
    def test_a_number_of_machines_that_cannot_be(self, desk: Desk, number: str) -> None:
        four = refused(desk.type("deploy", URL, "--yes", "--instances", number), 10)
        assert "the setting 'instances' cannot be used" in four[1]
        assert list(desk.states()) == []

    @pytest.mark.parametrize("verb", [["deploy", URL, "--yes"], ["doctor"]])
    def test_a_role_that_is_none(self, desk: Desk, verb: list[str]) -> None:
        four = refused(desk.type(*verb, "--role-arn", "arn:aws:iam::123456789012:user/me"), 10)
        assert "'arn:aws:iam::123456789012:user/me' is no role's ARN" in four[1]
        assert list(desk.states()) == []

    @pytest.mark.parametrize("port", ["0", "-1", "80", "65535", "99999", "http"])
    def test_a_port_that_cannot_be(self, desk: Desk, port: str) -> None:
        four = refused(desk.type("deploy", URL, "--yes", "--port", port), 30)
        assert port in four[1]
        assert desk.line.world.stacks == {}

    @pytest.mark.parametrize("flag", ["--app", "--start-command", "--health-check-path", "--runtime-version"])
    def test_an_empty_fact_is_the_one_that_is_found(self, desk: Desk, flag: str) -> None:
        assert desk.deploy(flag, "").tech_stack == desk.deploy().tech_stack

    @pytest.mark.parametrize("pair", ["FOO", "=x", "1A=b", "A B=c", "PORT=1", "Ä=1"])
    def test_a_variable_that_is_none(self, desk: Desk, pair: str) -> None:
        refused(desk.type("deploy", URL, "--yes", "--env", pair), 10)
        assert desk.states() == []

    @pytest.mark.parametrize("content", [b"\xff\xfe\x00", b"FOO\n", None])
    def test_a_file_of_variables_that_cannot_be_read(self, desk: Desk, tmp_path: Any, content: bytes | None) -> None:
        file = tmp_path / "variables"
        if content is not None:
            file.write_bytes(content)
        refused(desk.type("deploy", URL, "--yes", "--env-file", str(file)), 10)
        refused(desk.type("deploy", URL, "--yes", "--env-file", str(tmp_path)), 10)
        assert desk.states() == []


class TestDeployments:
    def test_a_name_that_several_have(self, desk: Desk) -> None:
        made = [desk.deploy().deployment_id, desk.deploy("--new").deployment_id]
        for verb in ("status", "events", "logs", "open", "preview", "retry", "pulumi-env"):
            four = refused(desk.type(verb, "guestbook"), 12)
            assert all(identifier in four[1] for identifier in made)

    @pytest.mark.parametrize("name", ["nobody-20000101-abcdef", "../../etc", "-x", "a b", "Ä", "a" * 300])
    def test_an_id_that_is_none(self, desk: Desk, name: str) -> None:
        desk.deploy()
        for verb in ("status", "events", "logs", "open", "preview", "retry", "pulumi-env", "destroy"):
            refused(desk.type(verb, "--", name), 12)

    def test_a_deployment_that_somebody_works_on(self, desk: Desk) -> None:
        state = desk.deploy()
        commands = (
            ("deploy", URL, "--yes"),
            ("retry", "--stage", "deploy"),
            ("preview",),
            ("destroy", state.deployment_id, "--yes"),
            ("local", "reset"),
            ("local", "down"),
        )
        with desk.line.store.lock(state.deployment_id, "deploying release 7"):
            for command in commands:
                assert "deploying release 7" in refused(desk.type(*command), 75)[1]
        assert desk.local.running
        assert desk.local.machines
        assert desk.line.store.load(state.deployment_id) == state


class TestHalfWay:
    @pytest.mark.parametrize("number", [errno.ENOSPC, errno.EROFS, errno.EACCES])
    @pytest.mark.parametrize("where", ["checkout", "build", "up", "converge"])
    def test_a_disk_that_will_not(self, desk: Desk, number: int, where: str) -> None:
        desk.line.world.broken[where].append(OSError(number, "no", "/var/cache/x"))
        four = refused(desk.type("deploy", URL, "--yes"), 13)
        assert "/var/cache/x" in four[1]
        assert desk.deploy().status == "complete"

    @pytest.mark.parametrize("where", ["checkout", "build", "up", "converge"])
    def test_the_homes_disk_that_is_full(self, desk: Desk, where: str) -> None:
        place = f"{desk.line.store.home}/deployments/x"
        desk.line.world.broken[where].append(OSError(errno.ENOSPC, "no", place))
        four = refused(desk.type("deploy", URL, "--yes"), 12)
        assert f"{place}: the disk is full" in four[1]
        (state,) = desk.states()
        assert state.errors[-1].error_type == "StateError"
        assert desk.deploy().status == "complete"

    def test_credentials_that_expire(self, desk: Desk) -> None:
        desk.line.world.broken["up"].append(expired())
        four = refused(desk.type("deploy", URL, "--yes"), 60)
        assert "expired" in four[1]
        assert "aws sso login --profile work" in four[3]
        (state,) = desk.states()
        assert (state.status, state.failed_stage) == ("failed", "provision")
        assert desk.deploy().deployment_id == state.deployment_id

    def test_credentials_that_expire_while_destroying(self, desk: Desk) -> None:
        state = desk.deploy()
        desk.line.world.broken["destroy"].append(expired())
        refused(desk.type("destroy", state.deployment_id, "--yes"), 60)
        assert desk.states()[0].status == "failed"
        assert desk.type("destroy", state.deployment_id, "--yes").code == 0
        assert desk.line.world.stacks == {}

    def test_a_restarted_daemon(self, desk: Desk) -> None:
        state = desk.deploy()
        desk.line.world.epoch = "another"
        commands = (
            ("deploy", URL, "--yes"),
            ("preview",),
            ("retry", "--stage", "deploy"),
            ("destroy", state.deployment_id, "--yes"),
        )
        for command in commands:
            assert "autodeploy local reset" in refused(desk.type(*command), 12)[3]
        assert desk.line.store.load(state.deployment_id) == state
        assert desk.type("local", "reset").code == 0


def expired() -> AgentError:
    """Return what becomes of AWS's own refusal."""
    refusal = ClientError({"Error": {"Code": "ExpiredToken", "Message": "it has expired"}}, "CreateVpc")
    with pytest.raises(AgentError) as caught, failures.translated("Creating", "work", lambda: "sso"):
        raise refusal
    return caught.value
