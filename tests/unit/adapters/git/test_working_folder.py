"""GitRepo on folders of this machine: uncommitted work, ignored files, folders without git."""

from __future__ import annotations

from pathlib import Path

import pytest
from unit.adapters.git.repositories import commit, git

from autodeploy.adapters.git import GitRepo, tree
from autodeploy.errors import SourceError
from autodeploy.model import Source


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tmp_path / "work"
    commit(path, {"app.py": "one", "web/main.py": "print()", ".gitignore": "*.log\n.env\n"})
    return path


def checkout(path: object, subdirectory: str = ".", ref: str | None = None, into: Path | None = None) -> Source:
    base = Path(str(path)).parent
    return GitRepo(base / "cache").checkout(str(path), ref, subdirectory, into or base / "into")


def test_a_clean_folder_is_its_commit(folder: Path) -> None:
    source = checkout(folder)
    assert source.commit == git(folder, "rev-parse", "HEAD")
    assert source.paths == (".gitignore", "app.py", "web/main.py")
    assert source.url == str(folder)


def test_uncommitted_work_is_taken_and_ignored_files_are_not(folder: Path) -> None:
    (folder / "app.py").write_text("changed")
    (folder / "new.py").write_text("new")
    (folder / "x.log").write_text("log")
    (folder / ".env").write_text("SECRET=1")
    (folder / "web" / "main.py").unlink()
    source = checkout(folder)
    assert source.paths == (".gitignore", "app.py", "new.py")
    assert source.read("app.py") == "changed"
    assert source.commit.startswith("dirty-")


def test_a_dirty_digest_names_the_content(folder: Path) -> None:
    (folder / "app.py").write_text("changed")
    first = checkout(folder).commit
    assert checkout(folder).commit == first
    (folder / "app.py").chmod(0o755)
    second = checkout(folder).commit
    (folder / "link").symlink_to("app.py")
    third = checkout(folder).commit
    (folder / "link").unlink()
    (folder / "link").symlink_to("web/main.py")
    assert len({first, second, third, checkout(folder).commit}) == 4


def test_committed_content_is_taken_with_a_ref(folder: Path) -> None:
    (folder / "app.py").write_text("changed")
    assert checkout(folder, ref="main").read("app.py") == "one"
    assert checkout(folder / "web", ref="main").paths == ("main.py",)


def test_a_folder_in_a_repository_knows_its_place(folder: Path) -> None:
    source = checkout(folder / "web")
    assert (source.paths, source.subdirectory) == (("main.py",), "web")
    assert source.commit == git(folder, "rev-parse", "HEAD")
    assert checkout(folder, "web").subdirectory == "web"


def test_a_path_may_be_relative(folder: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(folder)
    repo = GitRepo(tmp_path / "cache")
    assert repo.checkout(".", None, ".", tmp_path / "into").url == str(folder)
    assert repo.checkout("./web", None, ".", tmp_path / "into").paths == ("main.py",)


def test_a_folder_without_git_works(tmp_path: Path) -> None:
    plain = tmp_path / "plain"
    for name in ("app.py", "env/pyvenv.cfg", "env/lib.py", "node_modules/x.js", "__pycache__/a.pyc", "env2/x.py"):
        (plain / name).parent.mkdir(parents=True, exist_ok=True)
        (plain / name).write_text(name)
    source = checkout(plain)
    assert source.paths == ("app.py", "env2/x.py")
    assert source.commit.startswith("tree-")
    assert checkout(plain).commit == source.commit


def test_a_folder_does_not_hold_its_own_copy(tmp_path: Path) -> None:
    plain = tmp_path / "plain"
    plain.mkdir()
    (plain / "app.py").write_text("x")
    assert checkout(plain, into=plain / "home" / "into").paths == ("app.py",)


def test_a_repository_without_commit_works(tmp_path: Path) -> None:
    (tmp_path / "young").mkdir()
    git(tmp_path / "young", "init", "--quiet")
    (tmp_path / "young" / "app.py").write_text("x")
    assert checkout(tmp_path / "young").commit.startswith("dirty-")


def test_an_ignored_folder_is_a_plain_one(folder: Path) -> None:
    (folder / "x.log").mkdir()
    (folder / "x.log" / "app.py").write_text("x")
    assert checkout(folder / "x.log").commit.startswith("tree-")


def test_a_bare_repository_is_cloned(folder: Path, tmp_path: Path) -> None:
    git(tmp_path, "clone", "--quiet", "--bare", str(folder), "bare.git")
    assert checkout(tmp_path / "bare.git").read("app.py") == "one"


def test_submodules_are_taken_from_the_folder(folder: Path, tmp_path: Path) -> None:
    commit(tmp_path / "library", {"library.py": "library"})
    git(folder, "submodule", "add", "--quiet", str(tmp_path / "library"), "lib")
    commit(folder, {})
    assert checkout(folder).read("lib/library.py") == "library"
    git(folder, "submodule", "deinit", "--quiet", "--force", "lib")
    with pytest.raises(SourceError, match="lib is not checked out") as caught:
        checkout(folder)
    assert "submodule update" in caught.value.remediation


def test_links_that_leave_stay_behind(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("secret")
    (folder / "link").symlink_to("../secret")
    (folder / "loop").symlink_to("loop")
    source = checkout(folder)
    assert "link" not in source.paths
    assert not (source.root / "link").exists()


@pytest.mark.parametrize("name", ["missing", "file"])
def test_what_is_no_folder_is_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(SourceError, match="there is no folder"):
        checkout(tmp_path / name)


def test_an_empty_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(SourceError, match="holds no file"):
        checkout(tmp_path / "empty")


def test_too_much_is_refused(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tree, "MAX_FILES", 2)
    with pytest.raises(SourceError, match="more than 2 files"):
        checkout(folder)
    with pytest.raises(SourceError, match="more than 2 files"):
        checkout(f"{folder}", ref="main")
