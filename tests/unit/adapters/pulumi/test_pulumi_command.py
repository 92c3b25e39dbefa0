"""How the engine's executable is run: its session, environment, pipes, and one interrupt."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from fixtures.pressing import press, until
from pulumi.automation.errors import CommandError, ConcurrentUpdateError

from autodeploy.adapters.pulumi import command as module
from autodeploy.adapters.pulumi.command import EngineCommand, KilledError, environment
from autodeploy.errors import EngineError

Script = Callable[[str, str], Path]


def command(script: Script, text: str) -> EngineCommand:
    return EngineCommand(script("pulumi", text), "3.250.0")


def test_returns_what_was_printed_and_calls_back_line_by_line(script: Script, tmp_path: Path) -> None:
    seen: list[str] = []
    result = command(script, 'echo one; echo two >&2; echo "$@"; cat').run(
        ["stack", "ls"], str(tmp_path), {}, on_output=seen.append, stdin="three\n"
    )
    assert result.stdout == "one\n--non-interactive stack ls\nthree"
    assert result.stderr == "two"
    assert seen == ["one", "--non-interactive stack ls", "three"]


def test_without_stdin_the_engine_reads_nothing(script: Script, tmp_path: Path) -> None:
    assert command(script, "cat; echo end").run([], str(tmp_path), {}).stdout == "end"


def test_runs_in_a_session_of_its_own(script: Script, tmp_path: Path) -> None:
    result = command(script, "ps -o sid= -p $$").run([], str(tmp_path), {})
    assert int(result.stdout) != os.getsid(0)


def test_failure_is_the_automation_apis_error(script: Script, tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="no luck"):
        command(script, "echo no luck >&2; exit 3").run([], str(tmp_path), {})
    with pytest.raises(ConcurrentUpdateError):
        command(script, "echo the stack is currently locked by 1 lock >&2; exit 1").run([], str(tmp_path), {})


def test_the_shells_pulumi_settings_do_not_come_through(
    script: Script, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PULUMI_STACK", "another")
    monkeypatch.setenv("PULUMI_OPTION_CONFIG_FILE", "/another.yaml")
    monkeypatch.setenv("PULUMI_CONFIG_PASSPHRASE", "another")
    monkeypatch.setenv("PULUMI_HOME", "/kept")
    result = command(script, "env | sort").run([], str(tmp_path), {"PULUMI_BACKEND_URL": "file:///ours"})
    found = dict(line.split("=", 1) for line in result.stdout.splitlines() if "=" in line)
    ours = {name: value for name, value in found.items() if name.startswith("PULUMI_")}
    assert ours == {
        "PULUMI_HOME": "/kept",
        "PULUMI_BACKEND_URL": "file:///ours",
        "PULUMI_AUTOMATION_API": "true",
    }


def test_engines_folder_comes_first_on_path() -> None:
    built = environment(Path("/somewhere/bin/pulumi"), {})
    assert built["PATH"].startswith("/somewhere/bin:")
    assert built["AUTODEPLOY_PYTHON"] == sys.executable


INTERRUPTIBLE = """
trap 'echo interrupted; stopped=1' INT
echo ready
n=0; while [ -z "$stopped" ] && [ $n -lt 1200 ]; do sleep 0.05; n=$((n+1)); done
while ! [ -e go ] && [ $n -lt 1200 ]; do sleep 0.05; n=$((n+1)); done
echo finished
"""


def test_interrupt_from_a_thread_is_forwarded_once_and_the_engine_ends_in_order(script: Script, tmp_path: Path) -> None:
    lines: list[str] = []
    running = command(script, INTERRUPTIBLE)

    def twice() -> None:
        running.interrupt()
        running.interrupt()
        (tmp_path / "go").touch()

    def listen(line: str) -> None:
        lines.append(line)
        if line == "ready":
            threading.Thread(target=twice).start()

    with pytest.raises(KeyboardInterrupt):
        running.run([], str(tmp_path), {}, on_output=listen)
    assert lines == ["ready", "interrupted", "finished"]


def press_twice(said: list[str], after: Callable[[], None] = lambda: None) -> None:
    """Press while the engine is waited for, and again once the first was answered and it is waited for again."""
    for count in range(2):
        until(lambda count=count: len(said) >= count)
        press(EngineCommand.run.__code__, threading.Event.wait.__code__)
    after()


def test_ctrl_c_waits_for_the_engine_to_finish_what_it_began(
    script: Script, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "SAME_PRESS_SECONDS", 3600.0)  # however busy the machine
    lines: list[str] = []
    said: list[str] = []
    running = command(script, INTERRUPTIBLE)
    running.say = said.append

    def listen(line: str) -> None:
        lines.append(line)
        if line == "ready":
            threading.Thread(target=press_twice, args=(said, (tmp_path / "go").touch)).start()

    with pytest.raises(KeyboardInterrupt):
        running.run([], str(tmp_path), {}, on_output=listen)
    assert lines == ["ready", "interrupted", "finished"]


def test_a_second_ctrl_c_leaves_the_engine_to_finish_alone(
    script: Script, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "SAME_PRESS_SECONDS", 0.0)
    said: list[str] = []
    finish = f"until [ -e {tmp_path}/go ]; do sleep 0.05; done; echo finished > {tmp_path}/end; exit"
    slow = f"trap '{finish}' INT; echo ready; while :; do sleep 0.05; done"
    running = command(script, slow)
    running.say = said.append

    def listen(line: str) -> None:
        if line == "ready":
            threading.Thread(target=press_twice, args=(said,)).start()

    with pytest.raises(KeyboardInterrupt):
        running.run([], str(tmp_path), {}, on_output=listen)
    assert "Ctrl-C again" in said[0] and "finishes alone" in said[1]
    (tmp_path / "go").touch()
    until((tmp_path / "end").exists)


def test_an_engine_outlives_the_process_that_started_it(script: Script, tmp_path: Path) -> None:
    text = f"echo ready > {tmp_path}/begun; sleep 1; echo to nobody; echo to nobody >&2; echo > {tmp_path}/end"
    engine = script("pulumi", text)
    code = (
        "from autodeploy.adapters.pulumi.command import EngineCommand\n"
        f"EngineCommand({str(engine)!r}, '3.250.0').run([], {str(tmp_path)!r}, {{}})"
    )
    with subprocess.Popen([sys.executable, "-c", code]) as starter:
        until((tmp_path / "begun").exists)
        starter.kill()
    until((tmp_path / "end").exists)


def test_a_killed_engine_is_told_from_one_that_failed(script: Script, tmp_path: Path) -> None:
    with pytest.raises(KilledError, match="last words") as caught:
        command(script, "echo last words; kill -9 $$").run([], str(tmp_path), {})
    assert caught.value.signal == 9


def test_what_cannot_be_run_is_an_engine_error(script: Script, tmp_path: Path) -> None:
    broken = script("pulumi", "")
    broken.write_bytes(b"\x7fELF, cut")
    with pytest.raises(EngineError, match="cannot be run") as caught:
        EngineCommand(broken, "3.250.0").run([], str(tmp_path), {})
    assert f"rm {broken}" in caught.value.remediation


def test_output_is_taken_as_it_comes_even_without_an_end_of_line(script: Script, tmp_path: Path) -> None:
    result = command(script, r"printf 'one\ntw'; sleep 0.2; printf 'o\nthree \377'").run([], str(tmp_path), {})
    assert result.stdout == "one\ntwo\nthree \ufffd"


def test_interrupt_without_a_running_engine_does_nothing(script: Script) -> None:
    command(script, "exit 0").interrupt()


def test_a_chosen_profile_is_not_shadowed_by_the_shells_own_credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    keys = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")
    for name in keys:
        monkeypatch.setenv(name, "of another account")
    assert not set(keys) & set(environment(Path("/bin/pulumi"), {"AWS_PROFILE": "work"}))
    assert set(keys) <= set(environment(Path("/bin/pulumi"), {}))
