"""GitRepo on committed content: refs, caches, subdirectories, links, submodules, and all that is refused."""

from __future__ import annotations

from pathlib import Path

import pytest
from unit.adapters.git.repositories import commit, git

from autodeploy.adapters.git import GitRepo
from autodeploy.errors import SourceError


@pytest.fixture
def origin(tmp_path: Path) -> Path:
    folder = tmp_path / "origin"
    commit(folder, {"app.py": "one", "web/main.py": "print()"}, "first")
    git(folder, "tag", "-a", "v1", "-m", "v1")
    commit(folder, {"app.py": "two"}, "second")
    git(folder, "branch", "feature/x", "v1")
    return folder


class World:
    """A GitRepo with a cache of its own, and what it said."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.said: list[str] = []
        self.repo = GitRepo(folder / "cache", self.said.append)

    def checkout(self, url: str, ref: str | None = None, subdirectory: str = "."):
        return self.repo.checkout(url, ref, subdirectory, self.folder / "into")


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def test_the_default_branch_is_checked_out(world: World, origin: Path) -> None:
    source = world.checkout(f"file://{origin}")
    assert source.commit == git(origin, "rev-parse", "HEAD")
    assert source.paths == ("app.py", "web/main.py")
    assert source.read("app.py") == "two"
    assert not (source.root / ".git").exists()
    assert source.root == world.folder / "into"


@pytest.mark.parametrize("ref", ["v1", "feature/x", "refs/heads/feature/x", "refs/tags/v1"])
def test_a_branch_or_tag_is_checked_out(world: World, origin: Path, ref: str) -> None:
    source = world.checkout(f"file://{origin}", ref)
    assert (source.commit, source.ref) == (git(origin, "rev-parse", "v1^{commit}"), ref)
    assert source.read("app.py") == "one"


@pytest.mark.parametrize("length", [40, 10])
def test_a_commit_is_checked_out(world: World, origin: Path, length: int) -> None:
    first = git(origin, "rev-parse", "HEAD~1")
    assert world.checkout(f"file://{origin}", first[:length]).commit == first


def test_only_what_lacks_is_fetched(world: World, origin: Path) -> None:
    world.checkout(f"file://{origin}")
    assert world.said == [f"Fetching file://{origin}"]
    world.checkout(f"file://{origin}")
    assert "as before" in world.said[-1]
    newest = commit(origin, {"app.py": "three"})
    assert world.checkout(f"file://{origin}").commit == newest
    assert world.said[-1] == f"Fetching file://{origin}"


def test_a_damaged_copy_is_made_anew(world: World, origin: Path) -> None:
    world.checkout(f"file://{origin}")
    [copy] = (world.folder / "cache" / "clones").glob("*.git")
    for pack in copy.rglob("*.pack"):
        pack.chmod(0o600)
        pack.write_bytes(b"")
    for loose in (copy / "objects").glob("??/*"):
        loose.unlink()
    assert world.checkout(f"file://{origin}").read("app.py") == "two"


def test_a_lock_left_by_a_crash_is_taken_away(world: World, origin: Path) -> None:
    world.checkout(f"file://{origin}")
    [copy] = (world.folder / "cache" / "clones").glob("*.git")
    (copy / "shallow.lock").touch()
    newest = commit(origin, {"app.py": "three"})
    assert world.checkout(f"file://{origin}").commit == newest


def test_a_subdirectory_is_the_root(world: World, origin: Path) -> None:
    source = world.checkout(f"file://{origin}", subdirectory="web")
    assert (source.paths, source.subdirectory) == (("main.py",), "web")


@pytest.mark.parametrize("subdirectory", ["missing", "app.py", "../origin", "/etc"])
def test_a_missing_subdirectory_is_named(world: World, origin: Path, subdirectory: str) -> None:
    with pytest.raises(SourceError, match="has no folder") as caught:
        world.checkout(f"file://{origin}", subdirectory=subdirectory)
    assert "web" in caught.value.remediation


def test_links_that_leave_are_not_indexed(world: World, origin: Path) -> None:
    (origin / "inner").symlink_to("web/main.py")
    (origin / "folder").symlink_to("web")
    (origin / "outer").symlink_to("../../secret")
    (origin / "absolute").symlink_to("/etc/passwd")
    commit(origin, {})
    assert world.checkout(f"file://{origin}").paths == ("app.py", "folder", "inner", "web/main.py")
    assert world.checkout(f"file://{origin}", subdirectory="web").paths == ("main.py",)


def test_one_commit_has_one_time(world: World, origin: Path) -> None:
    source = world.checkout(f"file://{origin}")
    times = {int((source.root / path).stat().st_mtime) for path in source.paths}
    assert times == {int(git(origin, "show", "-s", "--format=%ct"))}


@pytest.mark.parametrize("ref", ["missing", "0" * 40, "abcdef0", "--upload-pack=x", "a..b", "-x", "a b"])
def test_an_unknown_ref_is_named(world: World, origin: Path, ref: str) -> None:
    with pytest.raises(SourceError, match="no branch, tag or commit") as caught:
        world.checkout(f"file://{origin}", ref)
    assert not caught.value.recoverable


def test_an_empty_repository_is_refused(world: World, tmp_path: Path) -> None:
    git(tmp_path, "init", "--quiet", "--bare", "empty")
    with pytest.raises(SourceError, match="is empty"):
        world.checkout(f"file://{tmp_path}/empty")


def test_a_repository_without_default_branch_names_its_branches(world: World, origin: Path) -> None:
    git(origin, "symbolic-ref", "HEAD", "refs/heads/gone")
    with pytest.raises(SourceError, match="no default branch") as caught:
        world.checkout(f"file://{origin}")
    assert "feature/x, main" in caught.value.remediation


def test_a_missing_repository_is_no_network_failure(world: World, tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="no repository at") as caught:
        world.checkout(f"file://{tmp_path}/nothing")
    assert not caught.value.recoverable


@pytest.mark.parametrize("host", ["localhost:1", "name.invalid"])
def test_an_unreachable_host_may_be_tried_again(world: World, host: str) -> None:
    with pytest.raises(SourceError, match="cannot be reached") as caught:
        world.checkout(f"https://user:s3cret@{host}/owner/name")
    assert caught.value.recoverable
    assert "s3cret" not in f"{caught.value}{caught.value.output}{world.said}"
    assert caught.value.output


def test_submodules_come_along(world: World, origin: Path, tmp_path: Path) -> None:
    commit(tmp_path / "leaf", {"leaf.py": "leaf"})
    commit(tmp_path / "library", {"library.py": "library"})
    git(tmp_path / "library", "submodule", "add", "--quiet", "../leaf", "deep")
    commit(tmp_path / "library", {})
    pinned = git(tmp_path / "library", "rev-parse", "HEAD")
    git(origin, "submodule", "add", "--quiet", str(tmp_path / "library"), "lib")
    commit(origin, {})
    commit(tmp_path / "library", {"library.py": "newer"})
    source = world.checkout(f"file://{origin}")
    assert source.read("lib/library.py") == "library"
    assert source.read("lib/deep/leaf.py") == "leaf"
    assert pinned != git(tmp_path / "library", "rev-parse", "HEAD")
    assert "Fetching the submodule lib" in world.said


def test_a_submodule_without_address_is_named(world: World, origin: Path) -> None:
    git(origin, "update-index", "--add", "--cacheinfo", f"160000,{git(origin, 'rev-parse', 'HEAD')},lost")
    git(origin, "commit", "--quiet", "-m", "lost")
    with pytest.raises(SourceError, match="'lost'"):
        world.checkout(f"file://{origin}")


def test_lfs_pointers_are_named(world: World, origin: Path) -> None:
    pointer = f"version https://git-lfs.github.com/spec/v1\noid sha256:{'0' * 64}\nsize 9\n"
    commit(origin, {"model.bin": pointer})
    world.checkout(f"file://{origin}")
    assert "model.bin" in world.said[-1]
    assert "LFS" in world.said[-1]


def test_a_finished_checkout_is_taken_up_again(world: World, origin: Path) -> None:
    first = world.checkout(f"file://{origin}", "v1", "web")
    into = str(world.folder / "into")
    assert world.repo.checkout(into, None, ".", Path(into)) == first


def test_a_folder_is_never_checked_out_into_itself(world: World, origin: Path) -> None:
    with pytest.raises(SourceError, match="into itself"):
        world.repo.checkout(str(origin), None, ".", origin)
    assert (origin / "app.py").exists()


def test_git_must_be_there(world: World, origin: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "env").symlink_to("/usr/bin/env")
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    with pytest.raises(SourceError, match="git is not installed"):
        world.checkout(f"file://{origin}")


def test_a_surrounding_hook_does_not_mislead(world: World, origin: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_DIR", "/nowhere")
    monkeypatch.setenv("GIT_INDEX_FILE", "/nowhere/index")
    assert world.checkout(f"file://{origin}").read("app.py") == "two"
    assert world.checkout(str(origin)).read("app.py") == "two"
