"""A disk that is full or read-only, under the home or the cache: four lines, the ledger as it was, and then on."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from integration.test_refusals import nothing_stands, refused
from integration.world import World, world

pytestmark = pytest.mark.local


@contextmanager
def mounted(folder: Path, *options: str) -> Iterator[Path]:
    """Mount something on a folder."""
    folder.mkdir(exist_ok=True)
    subprocess.run(["mount", *options, str(folder)], check=True)
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Open a world whose home is a small disk of its own, with one deployment that waits for approval."""
    folder = tmp_path_factory.mktemp("disk")
    with mounted(folder / "home", "-t", "tmpfs", "-o", "size=64m", "tmpfs"), world(folder) as made:
        refused(made.run(*deploy(made)), 3)
        yield made


def deploy(place: World) -> tuple[str, ...]:
    folder = place.folder / "shop"
    if not folder.exists():
        place.repository("fastapi-plain", "shop")
    return ("deploy", str(folder), "--target", "local")


def ledger(place: World) -> tuple[bytes, dict[str, Any]]:
    (state,) = place.json("list")
    path = place.home / "deployments" / state["deployment_id"] / "state.json"
    return path.read_bytes(), place.json("status")


def test_a_full_home_leaves_the_ledger_as_it_was(place: World) -> None:
    before = ledger(place)
    filler = place.home / "filler"
    with filler.open("wb", buffering=0) as file, pytest.raises(OSError, match="No space left"):
        while True:
            file.write(bytes(4096))
    four = refused(place.run(*deploy(place), "--yes"), 12)
    assert "the disk is full" in four[1]
    assert ledger(place) == before
    refused(place.run("destroy", before[1]["deployment_id"], "--yes"), 12)
    assert ledger(place) == before
    nothing_stands(place)
    filler.unlink()
    refused(place.run(*deploy(place)), 3)


def test_a_home_too_small_for_the_artifact(place: World) -> None:
    filler = place.home / "filler"
    artifacts = [path.unlink() for path in place.home.glob("deployments/*/artifacts/*.zst")]
    assert artifacts
    free = subprocess.run(["df", "--output=avail", "-k", str(place.home)], capture_output=True, text=True, check=True)
    kept = 200
    filler.write_bytes(bytes((int(free.stdout.split()[1]) - kept) * 1024))
    (place.folder / "shop" / "app" / "more.py").write_text("# another version\n")
    done = place.run(*deploy(place), "--yes")
    filler.unlink()
    # Archive, build log and ledger meet the full disk side by side: whichever is first, it is the home that is full.
    four = refused(done, 12)
    assert f"the home cannot be used at {place.home}" in four[1] and "the disk is full" in four[1]
    assert place.json("status")["status"] in ("building", "failed")
    nothing_stands(place)
    refused(place.run(*deploy(place)), 3)


def test_a_home_that_is_read_only_can_still_be_looked_at(place: World) -> None:
    before = ledger(place)
    identifier = before[1]["deployment_id"]
    with mounted(place.home, "--bind", str(place.home)):
        subprocess.run(["mount", "-o", "remount,bind,ro", str(place.home)], check=True)
        for command in (deploy(place), ("destroy", identifier, "--yes"), ("preview",), ("local", "reset")):
            assert "read-only" in refused(place.run(*command), 12)[1]
        assert ledger(place) == before
        assert place.run("events").returncode == 0
        checks = place.run("doctor", "--target", "local")
        assert checks.returncode == 10
        assert f"home: {place.home} cannot be written" in checks.stdout
    assert ledger(place) == before


@pytest.mark.parametrize("options", [("size=100k",), ("size=1m", "ro")])
def test_a_cache_that_cannot_be_written(place: World, tmp_path: Path, options: tuple[str, ...]) -> None:
    before = ledger(place)[1]
    with mounted(tmp_path / "cache", "-t", "tmpfs", "-o", ",".join(options), "tmpfs") as cache:
        environment = {**place.environment, "AUTODEPLOY_CACHE": str(cache)}
        (place.folder / "shop" / "app" / "more.py").write_text(f"# a cache of {options}\n")
        place.commit(place.folder / "shop", "another version")
        for address in (str(place.folder / "shop"), f"file://{place.folder / 'shop'}"):
            done = place.run("deploy", address, "--name", "shop", "--target", "local", "--yes", env=environment)
            four = refused(done, done.returncode)
            assert done.returncode in (13, 20, 40)
            assert "disk is full" in done.stderr or "No space left" in done.stderr or "read-only" in four[1]
    assert place.json("status")["plan"] == before["plan"]
    nothing_stands(place)
