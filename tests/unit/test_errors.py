"""The tree of errors: the document's four lines, and an exit code for each branch."""

from __future__ import annotations

import errno
import re
from itertools import chain
from pathlib import Path

import pytest

from autodeploy import errors
from autodeploy.errors import AgentError, Interrupted


def tree(cls: type[AgentError] = AgentError) -> list[type[AgentError]]:
    return [cls, *chain.from_iterable(tree(child) for child in cls.__subclasses__())]


def test_four_lines() -> None:
    err = errors.BuildError("pip failed", "Correct it.", agent="HiveMind DevOps", context="Building the application")
    assert str(err).splitlines() == [
        "[HiveMind DevOps] Error: BuildError",
        "Message: pip failed",
        "Context: Building the application",
        "Remediation: Correct it.",
    ]


def test_four_lines_whatever_was_said() -> None:
    err = AgentError("it said:\n<html>\r\n", "Do this:\n  that", context="Asking\nAWS")
    assert str(err).splitlines()[1:] == [
        "Message: it said: <html>",
        "Context: Asking AWS",
        "Remediation: Do this: that",
    ]


@pytest.mark.parametrize(
    ("err", "message", "remedy"),
    [
        (OSError(errno.ENOSPC, "", "/a", None, "/b"), "/b: the disk is full", "Free some space"),
        (OSError(errno.EROFS, "", "/a"), "/a: the file system is read-only", "Make it writable"),
        (OSError(errno.EACCES, ""), "permission is denied", "Make it writable"),
    ],
)
def test_what_the_disk_says(err: OSError, message: str, remedy: str) -> None:
    told = errors.disk_error(err, "Building")
    assert told is not None
    assert (told.message, told.context) == (message, "Building")
    assert told.remediation.startswith(remedy)


@pytest.mark.parametrize(
    ("place", "code"),
    [
        ("/home/ada/.autodeploy/deployments/x/a", 12),
        ("/home/ada/.autodeploy-too/a", 13),
        (b"/home/ada/.autodeploy", 12),
    ],
)
def test_a_full_disk_under_the_home_is_told_as_the_homes(place: str | bytes, code: int) -> None:
    told = errors.disk_error(OSError(errno.ENOSPC, "", place), "Building", Path("/home/ada/.autodeploy"))
    assert told is not None
    assert told.exit_code == code
    assert "the disk is full" in told.message and "AUTODEPLOY_HOME" in told.remediation


def test_what_the_disk_does_not_say() -> None:
    assert errors.disk_error(OSError(errno.ECONNRESET, "reset"), "") is None
    assert errors.disk_error(ValueError("no"), "") is None


def test_an_error_without_context_says_the_least() -> None:
    err = AgentError("no", "Try again.")
    assert (err.recoverable, err.agent, err.output, err.stack) == (False, "HiveMind Control Plane", "", "")
    assert "Context: Running AutoDeploy" in str(err)


@pytest.mark.parametrize("cls", tree())
def test_the_tree_is_drawn_with_its_exit_codes(cls: type[AgentError]) -> None:
    assert cls.__module__ == "autodeploy.errors"
    assert re.search(rf"\b{cls.__name__} +{cls.exit_code}\b", errors.__doc__ or "")


def test_exit_codes_are_told_apart() -> None:
    codes = [cls.exit_code for cls in tree()]
    assert len(set(codes)) == len(codes)
    assert not {0, 2} & set(codes)  # success, the parser's own
    assert Interrupted.exit_code == 130
