"""Building on the operator's machine: which machines are refused, and what the command line holds."""

from __future__ import annotations

from pathlib import Path

import pytest

from autodeploy.adapters.build import ContainerBuilder, Limits, hosted
from autodeploy.errors import BuildError
from autodeploy.model import BuildArtifact, BuildStep, Recipe, TechStack

RECIPE = Recipe(base_image="debian-12", steps=(BuildStep(what="x", command="true"),), keep=("src",))
STACK = TechStack(language="python", runtime_version="3.11", build_tool="pip")


@pytest.fixture
def release(tmp_path: Path) -> Path:
    file = tmp_path / "os-release"
    file.write_text('PRETTY_NAME="Debian"\nID=debian\nVERSION_ID="12"\n\n# a comment\n')
    return file


@pytest.mark.parametrize(
    ("text", "machine", "said"),
    [
        ('ID=ubuntu\nVERSION_ID="24.04"\n', "x86_64", "this machine is ubuntu 24.04 on x86_64"),
        ('ID=debian\nVERSION_ID="13"\n', "x86_64", "what runs on Debian 12 cannot be built here"),
        ('ID=debian\nVERSION_ID="12"\n', "aarch64", "on aarch64"),
    ],
)
def test_another_system_is_refused(release: Path, text: str, machine: str, said: str) -> None:
    release.write_text(text)
    with pytest.raises(BuildError, match=said) as caught:
        hosted.check(RECIPE, release, machine)
    assert "leave out --builder host" in caught.value.remediation


def test_a_machine_that_says_nothing_of_itself_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BuildError, match="cannot be built here"):
        hosted.check(RECIPE, tmp_path / "nowhere", "x86_64")


def test_missing_programs_and_packages_are_named(
    release: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    with pytest.raises(BuildError, match="no unshare, mount, chroot"):
        hosted.check(RECIPE, release, "x86_64")
    for name in hosted._PROGRAMS:
        (folder / name).symlink_to("/bin/true")
    hosted.check(RECIPE, release, "x86_64")
    with pytest.raises(BuildError, match="lacks: libvips-dev") as caught:
        hosted.check(RECIPE.but(packages=("libvips-dev",)), release, "x86_64")
    assert "apt-get install libvips-dev" in caught.value.remediation
    (folder / "dpkg-query").write_text("#!/bin/sh\nprintf installed\n")
    (folder / "dpkg-query").chmod(0o755)
    hosted.check(RECIPE.but(packages=("libvips-dev",)), release, "x86_64")


def test_the_command_line_holds_no_variable_of_ours(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "cloud-secret")
    process = hosted.HostProcess(Limits(), tmp_path / "builds", tmp_path / "cache")
    flags = process.flags({"MARK": "m"}, "owner")
    words = process.command("image", flags, ["sh", "-c", "true"])
    assert flags == [] and words[:2] == ["env", "-i"]
    assert {"--mount", "--pid", "--kill-child", "MARK=m", "PLACE=host", str(tmp_path / "cache" / "owner")} <= set(words)
    assert "cloud-secret" not in " ".join(words)
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    process.flags({}, "owner")
    assert {"--user", "--map-root-user", "DROP="} <= set(process.command("image", [], []))


def test_without_an_engine_nothing_is_booted(tmp_path: Path) -> None:
    builder = ContainerBuilder((), lambda *_: "image", tmp_path / "cache", host=True)
    artifact = BuildArtifact(
        path="", type="archive", size_bytes=0, checksum="", build_command="", build_duration_seconds=0
    )
    assert str(builder.trial(artifact, STACK, {}, str)).startswith("not booted: there is no container engine")
