"""Machine images: built once, found by a tag that hashes the recipe, upon mmdebstrap or a registry's image."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from autodeploy.errors import LocalTargetError
from autodeploy.local import recipes
from autodeploy.local.containers import container_engine
from autodeploy.local.images import ensure_image, image_tag, main

from . import fake_engine


def containerfiles(state: Path) -> list[str]:
    return list(json.loads(state.read_text()).get("containerfiles", []))


def put_mmdebstrap(folder: Path, script: str) -> None:
    (folder / "mmdebstrap").write_text(f"#!/bin/sh\n{script}\n")
    (folder / "mmdebstrap").chmod(0o755)


def test_tags_tell_kind_base_and_recipe(podman: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tag = image_tag("machine", "debian-12")
    assert tag.startswith("localhost/autodeploy-machine:debian-12-")
    assert len({tag, image_tag("builder", "debian-12"), image_tag("machine", "debian-13")}) == 3
    monkeypatch.setattr(recipes, "INIT", recipes.INIT + "# changed\n")
    assert image_tag("machine", "debian-12") != tag


def test_without_mmdebstrap_the_registrys_debian_gets_the_packages(podman: Path) -> None:
    said: list[str] = []
    tag = ensure_image("machine", "debian-12", said.append)
    [text] = containerfiles(podman)
    assert text.startswith("FROM docker.io/library/debian:12\n")
    assert "openssh-server" in text and "cloud-init" in text
    assert tag == image_tag("machine", "debian-12")
    assert said[0].startswith("Building the machine image of debian-12")


def test_with_mmdebstrap_the_root_is_imported_without_naming_a_mirror(podman: Path, tmp_path: Path) -> None:
    put_mmdebstrap(tmp_path / "bin", 'echo "$@" > "$(dirname "$0")"/arguments; echo "I: working"')
    (tmp_path / "bin" / "dirname").symlink_to("/usr/bin/dirname")
    said: list[str] = []
    ensure_image("machine", "debian-13", said.append)
    arguments = (tmp_path / "bin" / "arguments").read_text()
    assert " trixie /" in arguments and "http" not in arguments
    assert "I: working" in said
    [text] = containerfiles(podman)
    assert text.startswith("FROM localhost/autodeploy-root:debian-13-") and "apt-get" not in text


def test_a_second_call_builds_nothing(podman: Path) -> None:
    ensure_image("builder", "debian-12", str)
    before = len(containerfiles(podman))
    ensure_image("builder", "debian-12", str)
    ensure_image("machine", "debian-12", str)
    assert before == len(containerfiles(podman)) == 2


@pytest.mark.parametrize(
    ("kind", "package", "other"), [("postgres", "postgresql", "mariadb"), ("mariadb", "mariadb-server", "postgresql")]
)
def test_each_database_has_an_image_of_its_own_upon_the_machine(
    podman: Path, kind: recipes.ImageKind, package: str, other: str
) -> None:
    ensure_image(kind, "debian-12", str)
    text = containerfiles(podman)[-1]
    assert text.startswith(f"FROM {image_tag('machine', 'debian-12')}\n")
    assert f"install -y --no-install-recommends {package}" in text
    assert other not in text


def test_a_failing_build_carries_its_last_lines(podman: Path, tmp_path: Path) -> None:
    put_mmdebstrap(tmp_path / "bin", "echo E: no mirror; exit 25")
    with pytest.raises(LocalTargetError, match="E: no mirror") as caught:
        ensure_image("machine", "debian-12", str)
    assert caught.value.recoverable
    assert containerfiles(podman) == []


def test_the_command_builds_all_kinds_and_prints_their_tags(podman: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 0
    assert capsys.readouterr().out.split() == [image_tag(kind, "debian-12") for kind in recipes.PACKAGES]
    assert main(["debian-7"]) == 62
    assert "debian-12, debian-13" in capsys.readouterr().err


def test_build_gets_the_operators_certificates_and_limits(podman: Path) -> None:
    ensure_image("machine", "debian-12", str)
    [build] = [call for call in fake_engine.calls(podman) if "build" in call]
    assert "--ulimit" in build
    assert container_engine().limits[1] in build
