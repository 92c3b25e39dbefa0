"""ContainerBuilder on a fake engine: what the container is given, what its words become, caches, limits, Ctrl-C."""

from __future__ import annotations

import io
import json
import subprocess
import tarfile
from pathlib import Path

import pytest
from unit.adapters.building import RECIPE, STACK, World

from autodeploy.adapters.build import archive, artifacts
from autodeploy.adapters.build.container import Container, Limits
from autodeploy.model import BuildArtifact, EnvironmentVariable, Source, manifest


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def test_a_build_leaves_an_archive(world: World) -> None:
    world.engine.play(lines=["", "MARK step 1", "", "MARK step 2", "Collecting flask", "MARK packing"], archive="bytes")
    artifact = world.build()
    content = Path(artifact.path).read_bytes()
    assert content.endswith(b"bytes")
    assert (artifact.size_bytes, artifact.type) == (len(content), "archive")
    assert artifact.checksum == artifacts.checksum(Path(artifact.path))
    assert artifact.build_command.startswith("python3 -m venv /app/venv && ")
    assert (artifact.commit, artifact.start_command) == (world.source.commit, STACK.start_command)
    assert (artifact.run_packages, artifact.runtime_version) == (("libpq5",), "3.11")
    assert world.said == [
        "Creating the virtual environment", "Installing dependencies", "Collecting flask", "Packing the archive",
    ]  # fmt: skip
    assert "Collecting flask" in (world.folder / "out" / "build.log").read_text()


def test_the_container_is_walled_in(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "cloud-secret")
    world.engine.play(archive="bytes")
    world.build()
    words = world.engine.words
    text = " ".join(words)
    assert "--cap-drop ALL" in text
    assert "--security-opt no-new-privileges" in text
    assert "--memory 2g" in text
    assert "--pids-limit 1024" in text
    assert "--privileged" not in text
    assert "cloud-secret" not in text
    assert str(Path.home()) not in [word.partition(":")[0] for word in words]
    volumes = [words[at + 1] for at, word in enumerate(words) if word in {"--volume", "-v", "--mount"}]
    assert len(volumes) == 1
    assert volumes[0].startswith("autodeploy-cache-")
    assert "builder-debian-12" in words


def test_the_container_gets_the_source_and_the_registries(world: World) -> None:
    world.engine.play(archive="bytes")
    world.build()
    with tarfile.open(fileobj=io.BytesIO(world.engine.stdin)) as archive:
        entries = {entry.name: entry for entry in archive}
        environment = archive.extractfile("home/build/environment")
        assert environment is not None
        text = environment.read().decode()
    assert set(entries) == {
        "home/build/authorities.pem", "home/build/environment", "app/src", "app/src/link", "app/src/r.txt",
        "app/src/run.sh",
    }  # fmt: skip
    assert entries["app/src/link"].linkname == "r.txt"
    assert entries["app/src/run.sh"].mode == 0o755
    assert entries["app/src/r.txt"].mode == 0o644
    assert "export PIP_INDEX_URL=https://index.example/simple\n" in text
    assert "export PIP_CERT=/home/build/authorities.pem\n" in text
    assert """export FLAG='it'"'"'s'\n""" in text


def test_the_same_build_is_done_once(world: World) -> None:
    world.engine.play(archive="bytes")
    first = world.build()
    world.engine.play(code=99)
    assert world.build() == first
    assert world.engine.words == []
    assert "was built before" in world.said[-1]


@pytest.mark.parametrize("damage", ["content", "missing", "record"])
def test_a_damaged_archive_is_built_again(world: World, damage: str) -> None:
    world.engine.play(archive="bytes")
    world.build()
    [kept] = (world.folder / "cache" / "artifacts").glob("*/archive.tar.zst")
    if damage == "content":
        kept.write_bytes(b"other")
    elif damage == "missing":
        kept.unlink()
    else:
        (kept.parent / "artifact.json").write_text("{}")
    world.engine.play(archive="bytes")
    assert Path(world.build().path).read_bytes().endswith(b"bytes")
    assert world.engine.words


def test_a_full_disk_ends_the_container(tmp_path: Path) -> None:
    engine = tmp_path / "engine"
    engine.write_text(f"#!/bin/sh\nkill -KILL $(cat {tmp_path}/pid)\n")
    engine.chmod(0o755)
    endless = ["sh", "-c", f"echo $$ >{tmp_path}/pid; exec cat /dev/zero"]
    with Path("/dev/full").open("wb", buffering=0) as output, pytest.raises(OSError, match="No space left"):
        Container([str(engine), "run"], "build", Limits()).run(endless, lambda _: None, lambda _: None, output, 60)


def test_whatever_goes_in_changes_the_key(world: World) -> None:
    other = Source(world.source.url, "0" * 40, world.root, world.source.paths)
    inner = Source(world.source.url, world.source.commit, world.root, world.source.paths, "sub")
    keys = {
        artifacts.key(world.source, RECIPE, "image"),
        artifacts.key(other, RECIPE, "image"),
        artifacts.key(inner, RECIPE, "image"),
        artifacts.key(world.source, RECIPE, "image2"),
        artifacts.key(world.source, RECIPE.but(keep=("src",)), "image"),
    }
    assert len(keys) == 5


def test_the_layer_depends_on_its_inputs_alone(world: World) -> None:
    first = artifacts.layer_key(world.source, RECIPE, "image")
    assert first[1] == 2
    (world.root / "run.sh").write_text("changed")
    assert artifacts.layer_key(world.source, RECIPE, "image") == first
    (world.root / "r.txt").write_text("django\n")
    assert artifacts.layer_key(world.source, RECIPE, "image") != first
    assert artifacts.layer_key(world.source, RECIPE.but(steps=RECIPE.steps[2:]), "image") == ("", 0)


def test_old_archives_are_dropped(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(artifacts, "KEPT", 2)
    world.engine.play(archive="bytes")
    for number in range(4):
        world.build(recipe=RECIPE.but(environment={"N": str(number)}))
    assert len(list((world.folder / "cache" / "artifacts").glob("*/archive.tar.zst"))) == 2


def test_the_manifest_says_what_is_in_the_archive(world: World) -> None:
    whole = world.folder / "whole.tar.zst"
    with tarfile.open(world.folder / "tree.tar", "w") as tree:
        tree.add(world.root / "r.txt", "src/r.txt")
    subprocess.run(["zstd", "-q", str(world.folder / "tree.tar"), "-o", str(whole)], check=True)
    name = EnvironmentVariable(name="API_KEY", secret=True, required=True)
    stack = STACK.but(environment=(name,), migration_command="flask db upgrade")
    kept = BuildArtifact(
        path=str(whole), type="archive", size_bytes=whole.stat().st_size, checksum=artifacts.checksum(whole),
        build_command="", build_duration_seconds=1, commit=world.source.commit, unpacked_bytes=10240,
    )  # fmt: skip
    cache = artifacts.ArtifactCache(world.folder / "kept")
    (world.folder / "kept").mkdir()
    cache.keep("key", whole, kept)
    placed = cache.bring("key", kept, stack, world.folder / "out")
    assert placed is not None
    assert artifacts.checksum(Path(placed.path)) == placed.checksum
    subprocess.run(["tar", "--zstd", "-xf", placed.path, "-C", str(world.folder)], check=True)
    assert (world.folder / "src" / "r.txt").read_text() == "flask\n"
    told = json.loads((world.folder / "manifest.json").read_text())
    assert (told["commit"], told["tree"], told["unpacked_bytes"]) == (kept.commit, kept.checksum, 10240)
    assert (told["start_command"], told["port"], told["environment"]) == ("gunicorn app:app", 8000, ["API_KEY"])
    assert len(told["release_id"]) == 12
    other = cache.bring("key", kept, stack.but(port=9000), world.folder / "out")
    assert other is not None and other.checksum != placed.checksum
    assert cache.bring("key", kept, stack, world.folder / "again") == placed.but(
        path=placed.path.replace("/out/", "/again/")
    )


def test_a_manifest_of_any_size_is_one_frame(tmp_path: Path) -> None:
    names = tuple(EnvironmentVariable(name=f"NAME_{number}_{'X' * 60}") for number in range(4000))
    kept = BuildArtifact(
        path="", type="archive", size_bytes=0, checksum="", build_command="", build_duration_seconds=0
    )  # fmt: skip
    (tmp_path / "body").write_bytes(b"")
    archive.assemble(tmp_path / "body", manifest(kept, STACK.but(environment=names)), tmp_path / "whole.tar.zst")
    done = subprocess.run(["zstd", "-dc", str(tmp_path / "whole.tar.zst")], capture_output=True, check=True)
    member = tarfile.TarInfo.frombuf(done.stdout[:512], "utf-8", "strict")
    assert len(json.loads(done.stdout[512 : 512 + member.size])["environment"]) == 4000
