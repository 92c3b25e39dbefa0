"""Where the engine comes from: PATH, cache, download, build; and what is said when it comes from nowhere."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from autodeploy.adapters.pulumi import build, engine
from autodeploy.errors import EngineError

Script = Callable[[str, str], Path]
FAKE_GO = """
while [ "$1" != -o ]; do case "$1" in *version.Version=*) wanted=${1##*=};; esac; shift; done
echo github.com/a/package >&2
printf '#!/bin/sh\\necho %s\\n' "${ANSWER:-$wanted}" > "$2"
chmod +x "$2"
"""


def no_network(root: Path) -> str:
    return "download: no route"


@pytest.fixture
def module(tmp_path: Path) -> Path:
    folder = tmp_path / "module"
    folder.mkdir()
    (folder / "go.mod").write_text("module x\n")
    return folder


@pytest.fixture(autouse=True)
def own_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", os.pathsep.join([str(tmp_path / "bin"), "/usr/bin", "/bin"]))
    monkeypatch.setattr(build, "INSTALLED", str(tmp_path / "nowhere"))


def test_takes_the_engine_on_path_when_its_version_fits(script: Script, tmp_path: Path) -> None:
    path = script("pulumi", "echo v3.250.4")
    assert engine.find(tmp_path / "cache") == path
    assert engine.provide(tmp_path / "cache", print) == path


@pytest.mark.parametrize("text", ["echo v3.249.0", "echo v3.2500.0", "exit 1"])
def test_passes_over_another_version(script: Script, tmp_path: Path, text: str) -> None:
    script("pulumi", text)
    assert engine.find(tmp_path / "cache") is None


def test_builds_with_go_when_nothing_can_be_downloaded(script: Script, tmp_path: Path, module: Path) -> None:
    script("go", FAKE_GO)
    said: list[str] = []
    built = engine.provide(tmp_path / "cache", said.append, module, no_network)
    assert built == tmp_path / "cache" / "engine" / "v3.250.0" / "bin" / "pulumi"
    assert engine.version_of(built) == "3.250.0"
    assert os.access(built.parent / "pulumi-language-python", os.X_OK)
    assert any("building it with Go" in line for line in said)
    assert engine.find(tmp_path / "cache") == built
    assert [path.name for path in built.parents[2].iterdir() if path.name.startswith(".")] == []


def test_a_downloaded_engine_is_kept_as_it_came(tmp_path: Path, script: Script, module: Path) -> None:
    def download(root: Path) -> str:
        (root / "bin").mkdir()
        (root / "bin" / "pulumi").write_text("official")
        (root / "bin" / "pulumi").chmod(0o755)
        return ""

    found = engine.provide(tmp_path / "cache", print, module, download)
    assert found.read_text() == "official"
    assert [path.name for path in found.parent.iterdir()] == ["pulumi"]


@pytest.mark.parametrize("damage", ["cut", "locked", "unrecorded"])
def test_a_damaged_engine_is_replaced(tmp_path: Path, script: Script, module: Path, damage: str) -> None:
    script("go", FAKE_GO)
    built = engine.provide(tmp_path / "cache", print, module, no_network)
    if damage == "locked":
        built.chmod(0o644)
    else:
        built.write_text("half an executable")
    if damage == "unrecorded":
        (built.parents[1] / "size").unlink()
    assert engine.find(tmp_path / "cache") is None
    said: list[str] = []
    assert engine.provide(tmp_path / "cache", said.append, module, no_network) == built
    assert "is damaged; replacing it" in said[0]
    assert engine.version_of(built) == "3.250.0"


def test_an_engine_of_an_earlier_day_is_recorded_once_it_has_answered(
    tmp_path: Path, script: Script, module: Path
) -> None:
    script("go", FAKE_GO)
    built = engine.provide(tmp_path / "cache", print, module, no_network)
    (built.parents[1] / "size").unlink()
    assert engine.find(tmp_path / "cache") == built
    assert (built.parents[1] / "size").exists()


def test_says_what_is_missing(tmp_path: Path, script: Script, module: Path) -> None:
    with pytest.raises(EngineError, match="`go` is not installed") as caught:
        engine.provide(tmp_path / "cache", print, module, no_network)
    assert caught.value.output == "download: no route"
    assert "Install Pulumi 3.250.0" in caught.value.remediation
    script("go", FAKE_GO)
    with pytest.raises(EngineError, match=r"go\.mod is not there"):
        engine.provide(tmp_path / "cache", print, tmp_path, no_network)


def test_a_failed_build_leaves_nothing_and_shows_gos_words(tmp_path: Path, script: Script, module: Path) -> None:
    script("go", "echo go: downloading x; echo ./main.go:1: no space left on device >&2; exit 1")
    with pytest.raises(EngineError, match="no space left on device") as caught:
        engine.provide(tmp_path / "cache", print, module, no_network)
    assert "downloading x" in caught.value.output
    assert [path.name for path in (tmp_path / "cache" / "engine").iterdir()] == ["lock"]


def test_a_silent_failure_still_has_words(tmp_path: Path, script: Script, module: Path) -> None:
    script("go", "exit 7")
    assert build.build(module, tmp_path / "x" / "pulumi", "3.250.0", print) == "go build ended with status 7"


def test_refuses_a_build_of_another_version(
    tmp_path: Path, script: Script, module: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ANSWER", "v9")
    script("go", FAKE_GO)
    with pytest.raises(EngineError, match="reports version 9"):
        engine.provide(tmp_path / "cache", print, module, no_network)


def test_two_at_once_build_once(tmp_path: Path, script: Script, module: Path) -> None:
    waited_for = f"n=0; until [ -e {tmp_path}/waits ] || [ $n -gt 1200 ]; do sleep 0.05; n=$((n+1)); done"
    script("go", f"echo x >> {tmp_path}/built; {waited_for}\n{FAKE_GO}")

    def say(line: str) -> None:
        if "waiting for it" in line:
            (tmp_path / "waits").touch()

    def provide() -> None:
        engine.provide(tmp_path / "cache", say, module, no_network)

    threads = [threading.Thread(target=provide) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (tmp_path / "built").read_text() == "x\n"
    assert (tmp_path / "waits").exists()


def test_build_says_how_far_it_is(
    tmp_path: Path, script: Script, module: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(build, "SAY_EVERY_SECONDS", 0.0)
    script("go", FAKE_GO)
    said: list[str] = []
    assert build.build(module, tmp_path / "out" / "pulumi", "3.250.0", said.append) == ""
    assert said[0].startswith("building the Pulumi engine: 1 packages")
