"""A disk that is full under a build: the system's own error, which names the place, since that decides who is told of it."""

from __future__ import annotations

import errno
from pathlib import Path

import pytest
from unit.adapters.building import STACK, World

from autodeploy.adapters.build import artifacts
from autodeploy.adapters.git import commands


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def test_where_the_log_goes(world: World) -> None:
    world.engine.play(lines=["MARK step 1"], archive="bytes")
    log = world.folder / "out" / "build.log"
    log.parent.mkdir()
    log.symlink_to("/dev/full")
    with pytest.raises(OSError, match="No space left") as caught:
        world.build()
    assert caught.value.filename == str(log.parent)


def test_where_the_archive_goes(world: World) -> None:
    world.engine.play(archive="bytes")
    placed = Path(world.build().path).parent
    cache = artifacts.ArtifactCache(world.folder / "cache" / "artifacts")
    (name,) = [path.name for path in (world.folder / "cache" / "artifacts").iterdir() if path.is_dir()]
    partial = placed / f".{name[:16]}.assembled.partial"
    partial.symlink_to("/dev/full")
    kept = cache.find(name)
    assert kept
    with pytest.raises(OSError, match="No space left") as caught:
        cache.bring(name, kept, STACK, placed)
    assert caught.value.filename == str(partial)
    assert not partial.is_symlink()


def test_an_error_that_names_its_file_keeps_the_name(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError) as caught, artifacts.named(tmp_path):
        (tmp_path / "nothing").read_text()
    assert caught.value.filename == str(tmp_path / "nothing")


@pytest.mark.parametrize(
    ("said", "number"),
    [
        ("error: unable to write file x\nfatal: write error: No space left on device", errno.ENOSPC),
        ("fatal: cannot create directory at 'x': Disk quota exceeded", errno.EDQUOT),
    ],
)
def test_under_git(tmp_path: Path, said: str, number: int) -> None:
    with pytest.raises(OSError, match=r"space|quota") as caught:
        commands.check_disk(said, tmp_path)
    assert (caught.value.errno, caught.value.filename) == (number, str(tmp_path))
    commands.check_disk("fatal: repository not found", tmp_path)
