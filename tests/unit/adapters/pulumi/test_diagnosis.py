"""What a person reads when the engine refuses."""

from __future__ import annotations

import errno

import pytest
from pulumi.automation._cmd import CommandResult
from pulumi.automation.errors import create_command_error

from autodeploy.adapters.pulumi.diagnosis import translated
from autodeploy.adapters.pulumi.progress import Progress
from autodeploy.errors import AgentError, InfrastructureError, LockedError, PlanError


def fail(stdout: str = "", stderr: str = "", errors: list[str] | None = None) -> AgentError:
    progress = Progress()
    progress.errors += errors or []
    with pytest.raises(AgentError) as caught, translated("guestbook-1", "bring the infrastructure up", progress):
        raise create_command_error(CommandResult(stdout=stdout, stderr=stderr, code=255))
    assert caught.value.agent == "HiveMind SysEng"
    assert "guestbook-1" in caught.value.context
    return caught.value


def test_a_resources_own_words_come_first() -> None:
    error = fail("noise\n\nmore noise", errors=["aws:ec2:Instance app: InvalidAMIID.NotFound\ndetails", "a: b", "a: b"])
    assert type(error) is InfrastructureError
    assert (
        error.message
        == "Pulumi could not bring the infrastructure up: aws:ec2:Instance app: InvalidAMIID.NotFound; a: b"
    )
    assert error.output.splitlines() == ["255", "noise", "more noise"] or "more noise" in error.output


def test_without_events_the_error_lines_are_taken() -> None:
    error = fail(stderr="warning: x\nerror: could not load the plugin\n")
    assert error.message.endswith("could not load the plugin")
    assert fail().message.endswith("the engine did not say why")


def test_a_lock_says_to_try_again() -> None:
    error = fail(stderr="error: the stack is currently locked by 1 lock(s)")
    assert isinstance(error, LockedError)
    assert error.exit_code == 75
    assert error.recoverable
    assert "autodeploy unlock guestbook-1" in error.remediation


@pytest.mark.parametrize(
    "said",
    [
        "error: saving the checkpoint: write /home/.x: no space left on device",
        "error: could not save the plan: open /home/.x: no space left on device",
    ],
)
def test_a_full_disk_is_the_systems_own_error_and_names_the_place(said: str) -> None:
    with pytest.raises(OSError, match="No space left") as caught, translated("guestbook-1", "preview the plan"):
        raise create_command_error(CommandResult(stdout="", stderr=said, code=255))
    assert (caught.value.errno, caught.value.filename) == (errno.ENOSPC, "/home/.x")


def test_a_wrong_passphrase_names_the_file() -> None:
    assert "passphrase" in fail(stderr="error: get stack secrets manager: incorrect passphrase").remediation


def test_a_plan_that_no_longer_fits_is_a_plan_error() -> None:
    error = fail(errors=["aws:ec2:Vpc vpc: resource violates plan: properties changed"])
    assert isinstance(error, PlanError)
    assert "no longer" in error.message
    assert not error.recoverable


@pytest.mark.parametrize(
    "said",
    ["api error ExpiredToken: no", "ExpiredTokenException: The security token included in the request is expired"],
)
def test_credentials_that_expired_half_way_say_what_to_do(said: str) -> None:
    error = fail(errors=[f"aws:ec2:Instance app: {said}"])
    assert "credentials expired before Pulumi could bring the infrastructure up" in error.message
    assert "aws sso login" in error.remediation and "what stands is kept" in error.remediation
    assert not error.recoverable


def test_a_program_that_fails_shows_its_exception_not_its_traceback() -> None:
    trace = "python inline source runtime error: boom\nTraceback (most recent call last):\n  File x\nValueError: boom"
    error = fail(stdout=trace, errors=[trace])
    assert isinstance(error, PlanError)
    assert error.message.endswith(": ValueError: boom")


def test_no_error_passes() -> None:
    with translated("guestbook-1", "do it"):
        pass


@pytest.mark.parametrize(
    ("said", "transience"),
    [
        ("api error Throttling: Rate exceeded", "throttling"),
        ("api error RequestLimitExceeded: slow down", "throttling"),
        ("dial tcp 10.0.0.1:443: i/o timeout", "network"),
        ("dial tcp: lookup ec2.us-east-1.amazonaws.com: no such host", "network"),
        ("read: connection reset by peer", "network"),
        ("api error InvalidAMIID.NotFound: no image", None),
        ("api error UnauthorizedOperation: you are not authorized", None),
        ("timeout while waiting for state to become 'available'", None),
    ],
)
def test_only_what_passes_by_itself_is_worth_another_attempt(said: str, transience: str | None) -> None:
    for error in (fail(errors=[f"aws:ec2:Instance app: {said}"]), fail(stderr=f"error: {said}")):
        assert (error.recoverable, error.transience) == (transience is not None, transience)
