"""A release's id, and what a host says of itself."""

from __future__ import annotations

import pytest
from fixtures.hosts import LocalHost
from fixtures.released import ARTIFACT, DATABASE, STACK

from autodeploy.errors import DeploymentError
from autodeploy.releaser import HOST_FACTS_SCRIPT, host_facts, release

BASE = release(ARTIFACT, STACK, {"A": "1"}, "seal").release_id


def test_the_same_input_is_the_same_release() -> None:
    assert (
        release(ARTIFACT.but(path="/elsewhere", build_duration_seconds=9.0), STACK, {"A": "1"}, "seal").release_id
        == BASE
    )
    assert release(ARTIFACT, STACK, {"A": "1"}, "seal", DATABASE).release_id == BASE
    assert len(BASE) == 12


@pytest.mark.parametrize(
    ("artifact", "stack", "environment", "seal"),
    [
        (ARTIFACT.but(checksum="d" * 64), STACK, {"A": "1"}, "seal"),
        (ARTIFACT.but(start_command="other"), STACK, {"A": "1"}, "seal"),
        (ARTIFACT, STACK.but(port=9000), {"A": "1"}, "seal"),
        (ARTIFACT, STACK.but(migration_command="migrate"), {"A": "1"}, "seal"),
        (ARTIFACT, STACK, {"A": "2"}, "seal"),
        (ARTIFACT, STACK, {"A": "1"}, "another deployment's"),
    ],
)
def test_another_input_is_another_release(
    artifact: object, stack: object, environment: dict[str, str], seal: str
) -> None:
    assert release(artifact, stack, environment, seal).release_id != BASE  # type: ignore[arg-type]


def test_secrets_are_no_part_of_a_repr() -> None:
    shown = repr(release(ARTIFACT, STACK, {"A": "hush-hush"}, "seal-secret", DATABASE))
    assert not any(secret in shown for secret in ("hush-hush", "seal-secret", "ma'ster", "ord-secret"))


def test_a_host_says_what_it_is(tmp_path: object) -> None:
    said = "hostname=h\nboot_id=1-2\nos=debian-12\ncontainer=podman\nrelease=abc\nport=8001\nstartup=1234\nclient=10.0.0.1\n"
    facts = host_facts(said)
    assert (facts.is_container, facts.current_release, facts.current_port) == (True, "abc", 8001)
    assert facts.startup_seconds == 1.234
    new = host_facts("hostname=h\nboot_id=1-2\nos=debian-12\ncontainer=none\nrelease=\nport=\nclient=\n")
    assert (new.is_container, new.current_release, new.current_port, new.client_address) == (False, None, None, "")
    assert new.startup_seconds is None


def test_the_script_answers_on_a_real_shell(tmp_path: object) -> None:
    host = LocalHost(tmp_path / "host")  # type: ignore[operator]
    facts = host_facts(host.run(HOST_FACTS_SCRIPT).stdout)
    assert facts.boot_id
    assert facts.current_release is None


def test_no_answer_is_an_error_worth_another_try() -> None:
    with pytest.raises(DeploymentError) as caught:
        host_facts("sudo: a password is required")
    assert caught.value.recoverable
