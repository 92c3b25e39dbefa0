"""The language host beside a built engine: what it answers, and that it never outlives the engine."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import grpc
import pytest
from google.protobuf import empty_pb2
from pulumi.runtime.proto import language_pb2, language_pb2_grpc

from autodeploy.adapters.pulumi import language_host


@pytest.fixture
def command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Return the installed wrapper's path."""
    monkeypatch.setenv("AUTODEPLOY_PYTHON", sys.executable)
    language_host.install(tmp_path)
    return str(tmp_path / "pulumi-language-python")


def test_prints_its_port_answers_and_leaves_silently_on_interrupt(command: str) -> None:
    with subprocess.Popen(
        [command, "127.0.0.1:1"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        port = int(process.stdout.readline())
        with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
            host = language_pb2_grpc.LanguageRuntimeStub(channel)
            assert host.GetPluginInfo(empty_pb2.Empty()) is not None
            assert host.GetRequiredPackages(language_pb2.GetRequiredPackagesRequest()).packages == []
            assert host.Handshake(language_pb2.LanguageHandshakeRequest()) is not None
            assert host.RuntimeOptionsPrompts(language_pb2.RuntimeOptionsRequest()).prompts == []
            assert host.GetProgramDependencies(language_pb2.GetProgramDependenciesRequest()).dependencies == []
        process.send_signal(signal.SIGINT)
        assert process.wait(60) == 0
        assert process.stderr.read() == ""


def test_ends_with_its_parent(command: str) -> None:
    parent = subprocess.Popen(["sh", "-c", f"{command} 127.0.0.1:1 & echo $!; wait"], stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    child = int(parent.stdout.readline())
    parent.stdout.readline()
    parent.kill()
    parent.wait()
    for _ in range(600):
        if not Path(f"/proc/{child}").exists():
            break
        time.sleep(0.1)
    else:
        os.kill(child, signal.SIGKILL)
        pytest.fail("the language host outlived its parent")
    parent.stdout.close()


@pytest.mark.parametrize("entry", [".", "__main__.py"])
def test_runs_the_program_of_a_folder(tmp_path: Path, entry: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "path", list(sys.path))
    (tmp_path / "part.py").write_text("VALUE = 'from the program'\n")
    (tmp_path / "__main__.py").write_text(
        f"from pathlib import Path\nimport part\nPath({str(tmp_path / 'ran')!r}).write_text(part.VALUE + __name__)\n"
    )
    language_host.run_program(str(tmp_path), entry)
    assert (tmp_path / "ran").read_text() == "from the program__main__"


def test_wrapper_runs_the_interpreter_that_the_environment_names(
    command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake = tmp_path / "python"
    fake.write_text('#!/bin/sh\necho "$@"\n')
    fake.chmod(0o755)
    monkeypatch.setenv("AUTODEPLOY_PYTHON", str(fake))
    answer = subprocess.run([command, "127.0.0.1:9"], capture_output=True, text=True, check=True)
    assert answer.stdout.startswith("-c from autodeploy.adapters.pulumi.language_host import serve")
    assert answer.stdout.endswith(" 127.0.0.1:9\n")
