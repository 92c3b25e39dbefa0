"""Images with Debian packages: one per set of names, found again, the oldest dropped; what Debian lacks is named."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from autodeploy.errors import BuildError, LocalTargetError
from autodeploy.local import packages
from autodeploy.local.images import image_tag
from autodeploy.local.packages import ensure_packages

from .conftest import Install


def state(file: Path) -> dict[str, list[str]]:
    return dict(json.loads(file.read_text()))


def test_without_packages_the_image_itself_does(podman: Path) -> None:
    assert ensure_packages("builder", "debian-12", (), str) == image_tag("builder", "debian-12")


def test_the_packages_are_installed_once_whatever_their_order(podman: Path) -> None:
    said: list[str] = []
    tag = ensure_packages("machine", "debian-13", ("libvips42", "ffmpeg"), said.append)
    text = state(podman)["containerfiles"][-1]
    assert text.startswith(f"FROM {image_tag('machine', 'debian-13')}\n")
    assert "install -y --no-install-recommends ffmpeg libvips42" in text
    assert "Installing Debian packages: ffmpeg libvips42" in said
    before = len(state(podman)["containerfiles"])
    assert ensure_packages("machine", "debian-13", ("ffmpeg", "libvips42"), str) == tag
    assert len(state(podman)["containerfiles"]) == before
    assert ensure_packages("builder", "debian-13", ("ffmpeg", "libvips42"), str) != tag


@pytest.mark.parametrize("name", ["", "-y", "x; reboot", "Foo", "a", "$(id)", "libpq5\nrun"])
def test_what_is_no_name_reaches_no_shell(podman: Path, name: str) -> None:
    with pytest.raises(BuildError, match="no name of a Debian package"):
        ensure_packages("builder", "debian-12", (name,), str)
    assert "containerfiles" not in state(podman)


def test_a_package_that_debian_does_not_have_is_named(engine_path: Install) -> None:
    engine_path("podman", no_package="libfoo9")
    with pytest.raises(BuildError, match="debian-12 has no package libfoo9") as caught:
        ensure_packages("builder", "debian-12", ("ffmpeg", "libfoo9"), str)
    assert "--run-packages" in caught.value.remediation and "libfoo9" in caught.value.output


def test_another_failure_is_the_engine_s(engine_path: Install) -> None:
    engine_path("podman", broken=["build"])
    with pytest.raises(LocalTargetError, match="build is broken"):
        ensure_packages("builder", "debian-12", ("ffmpeg",), str)


def test_the_oldest_are_dropped_unless_they_are_in_use(podman: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packages, "KEPT", 2)
    first = ensure_packages("builder", "debian-12", ("one",), str)
    podman.write_text(json.dumps({**state(podman), "in_use": [first]}))
    tags = [ensure_packages("builder", "debian-12", (name,), str) for name in ("two", "three", "four")]
    assert [tag for tag in state(podman)["images"] if "packages" in tag] == [first, *tags[1:]]
    assert image_tag("builder", "debian-12") in state(podman)["images"]
