"""How a run ends: exit codes, help, and errors as four lines."""

from __future__ import annotations

import subprocess
import sys

import pytest
import typer
from fakes.person import BEGINNING

from autodeploy import __version__
from autodeploy.cli import main
from autodeploy.cli.outcome import failure
from autodeploy.errors import AgentError, BuildError
from autodeploy.model import ErrorEntry
from tests.unit.cli.conftest import Desk, Terminal

URL = "https://example.org/guestbook.git"
VERBS = (
    *(
        "deploy",
        "preview",
        "retry",
        "pulumi-env",
        "status",
        "list",
        "events",
        "logs",
        "open",
        "destroy",
        "doctor",
        "iam-policy",
    ),
    *("local", "local status", "local down", "local reset"),
)


@pytest.mark.parametrize("verb", ["", *VERBS])
def test_every_verb_has_help(desk: Desk, verb: str) -> None:
    shown = desk.type(*verb.split(), "--help")
    assert shown.code == 0
    assert shown.out.split()[:2] == ["Usage:", "autodeploy"]
    assert len(shown.out.splitlines()) > 4


def test_the_whole_help_names_every_verb(desk: Desk) -> None:
    text = desk.type("--help").out
    assert all(f"  {verb}" in text for verb in VERBS if " " not in verb)


def test_the_version(desk: Desk) -> None:
    assert desk.type("--version") == (0, f"autodeploy {__version__}\n", "")


@pytest.mark.parametrize(
    "arguments", [["sing"], ["deploy", "--colour"], ["deploy", URL, "text", "more"], ["local", "sing"], ["logs", "-n"]]
)
def test_what_cannot_be_parsed_is_a_usage_error(desk: Desk, arguments: list[str]) -> None:
    shown = desk.type(*arguments)
    assert (shown.code, shown.out) == (2, "")
    assert "Error: " in shown.err


def test_no_verb_shows_the_help(desk: Desk) -> None:
    shown = desk.type()
    assert shown.code in (0, 2)
    assert "Usage: autodeploy" in shown.out + shown.err


def test_a_refusal_is_four_lines(desk: Desk) -> None:
    shown = desk.type("deploy", "word", "--yes")
    assert (shown.code, shown.out) == (20, "")
    assert [line.split(":")[0] for line in shown.err.splitlines()] == [
        *("[HiveMind DevOps] Error", "Message", "Context", "Remediation"),
    ]


def test_with_debug_a_refusal_shows_its_traceback(desk: Desk) -> None:
    assert "Traceback (most recent call last)" in desk.type("--debug", "deploy", "word", "--yes").err


def test_ctrl_c(desk: Desk) -> None:
    desk.line.world.broken["build"].append(KeyboardInterrupt())
    shown = desk.type("deploy", URL, "--yes")
    assert shown.code == 130
    (state,) = desk.states()
    lines = shown.err.splitlines()
    assert lines[-5:] == [
        "[HiveMind Control Plane] Error: Interrupted",
        "Message: interrupted while building and trying the application",
        "Context: Building and trying the application",
        f"Remediation: Nothing was created in the account. Go on: autodeploy deploy {URL} --name guestbook",
        f"  autodeploy retry {state.deployment_id} --stage build",
    ]
    assert "Interrupted. Go on" not in shown.err
    assert desk.type("deploy", URL, "--yes").code == 0


def test_ctrl_c_gives_the_cursor_back(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    shown = Terminal()
    monkeypatch.setattr(sys, "stderr", shown)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.delenv("CI", raising=False)
    desk.line.world.broken["build"].append(KeyboardInterrupt())
    assert desk.type("deploy", URL, "--yes").code == 130
    hidden, back = "\x1b[?25l", "\x1b[?25h"
    assert hidden in shown.getvalue()
    assert shown.getvalue().rindex(back) > shown.getvalue().rindex(hidden)


def test_a_question_that_is_given_up(desk: Desk) -> None:
    desk.line.world.broken["facts"].append(typer.Abort())
    assert desk.type("deploy", URL, "--yes").code == 130


def test_a_fault_of_ours_asks_for_a_report(desk: Desk) -> None:
    desk.line.world.broken["facts"] += [ZeroDivisionError("division by zero")] * 2
    shown = desk.type("deploy", URL, "--yes")
    assert shown.code == 1
    assert shown.err.splitlines()[1] == "Message: ZeroDivisionError: division by zero"
    assert "--debug" in shown.err
    assert "Traceback" not in shown.err
    assert "Traceback" in desk.type("--debug", "deploy", URL, "--yes").err


@pytest.mark.parametrize(("recorded", "kind"), [("BuildError", BuildError), ("OfAnotherVersion", AgentError)])
def test_a_recorded_error_comes_back_as_its_own_class(recorded: str, kind: type[AgentError]) -> None:
    entry = ErrorEntry(
        timestamp=BEGINNING,
        agent="HiveMind DevOps",
        error_type=recorded,
        message="pip failed",
        stack_trace="Traceback",
        remediation="Correct it.",
        context="Building",
        output="last line",
    )
    err = failure(entry)
    assert type(err) is kind
    assert (err.message, err.context, err.output, err.stack) == ("pip failed", "Building", "last line", "Traceback")


def test_as_a_program_it_reads_its_arguments(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["autodeploy", "status", "nobody-20000101-abcdef"])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 12


def test_as_a_module_it_ends_with_its_exit_code() -> None:
    done = subprocess.run([sys.executable, "-m", "autodeploy", "sing"], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "No such command" in done.stderr


def test_an_interrupted_command_ends_at_once_whatever_its_threads_wait_for() -> None:
    code = (
        "import threading, time\n"
        "from autodeploy import cli\n"
        "from autodeploy.cli import outcome\n"
        "outcome.run = lambda app, arguments, wire: print('said') or outcome.INTERRUPTED\n"
        "threading.Thread(target=time.sleep, args=(300,)).start()\n"
        "cli.main()\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=120)
    assert (done.returncode, done.stdout) == (130, "said\n")
