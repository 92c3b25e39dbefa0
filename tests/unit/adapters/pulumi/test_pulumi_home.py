"""Pulumi's files under $AUTODEPLOY_HOME: what is made, what is kept, what is restored."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from autodeploy.adapters.pulumi.home import PulumiHome
from autodeploy.errors import StateError


def test_passphrase_is_made_once_for_the_owner_only(tmp_path: Path) -> None:
    file = PulumiHome(tmp_path / "home").passphrase_file
    first = file.read_text()
    assert len(first) >= 32
    assert file.stat().st_mode & 0o777 == 0o600
    assert PulumiHome(tmp_path / "home").passphrase_file.read_text() == first
    assert [path.name for path in file.parent.iterdir()] == ["passphrase"]


def test_backend_folder_is_there_when_its_url_is_known(tmp_path: Path) -> None:
    url = PulumiHome(tmp_path / "a home").backend_url
    assert url == f"file://{tmp_path}/a%20home/pulumi"
    assert (tmp_path / "a home" / "pulumi").stat().st_mode & 0o777 == 0o700


def test_project_file_is_made_and_never_replaced(tmp_path: Path) -> None:
    home = PulumiHome(tmp_path)
    file = home.project("x-1") / "Pulumi.yaml"
    assert json.loads(file.read_text()) == {"name": "autodeploy", "runtime": "python"}
    file.write_text("name: mine\n")
    home.project("x-1")
    assert file.read_text() == "name: mine\n"
    assert home.candidate("x-1").parent == home.project("x-1")
    assert home.config("x-1") == home.project("x-1") / "Pulumi.x-1.yaml"
    assert not home.has_stack("x-1")


def state_file(home: Path, text: str, name: str = "x-1.json") -> Path:
    path = home / "pulumi" / ".pulumi" / "stacks" / "autodeploy" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def test_the_state_is_what_the_engine_wrote_last(tmp_path: Path) -> None:
    home, said = PulumiHome(tmp_path), list[str]()
    assert home.state("x-1", said.append) == {}
    state_file(tmp_path, json.dumps({"version": 3, "checkpoint": {"stack": "x-1"}}))
    assert home.state("x-1", said.append) == {}
    state_file(tmp_path, json.dumps({"version": 3, "checkpoint": {"latest": {"resources": []}}}))
    leftover = state_file(tmp_path, "half", "x-1.json.18c2.tmp")
    assert home.state("x-1", said.append) == {"resources": []}
    assert not leftover.exists() and said == []


def test_half_written_notes_of_a_files_type_go(tmp_path: Path) -> None:
    home = PulumiHome(tmp_path)
    home.mend("x-1")
    whole = state_file(tmp_path, '{"user.content_type": "text/plain"}', "x-1.json.attrs")
    other = state_file(tmp_path, "", "x-2.json.attrs")
    halves = [state_file(tmp_path, "", "x-1.json.bak.attrs"), tmp_path / "pulumi" / ".pulumi" / "meta.yaml.attrs"]
    halves.append(home.locks("x-1") / "7f.json.attrs")
    halves[2].parent.mkdir(parents=True)
    for half in halves[1:]:
        half.write_text('{"user.')
    home.mend("x-1")
    assert [path.exists() for path in (whole, other, *halves)] == [True, True, False, False, False]


@pytest.mark.parametrize("damaged", ["", '{"version": 3, "check', "[]", "{}"])
def test_a_damaged_state_gives_way_to_the_one_before(tmp_path: Path, damaged: str) -> None:
    home, said = PulumiHome(tmp_path), list[str]()
    path = state_file(tmp_path, damaged)
    with pytest.raises(StateError, match="is damaged"):
        home.state("x-1", said.append)
    before = json.dumps({"version": 3, "checkpoint": {"latest": {"resources": [1]}}})
    state_file(tmp_path, before, "x-1.json.bak")
    assert home.state("x-1", said.append) == {"resources": [1]}
    assert path.read_text() == before and "one step before" in said[0]
    assert sorted(item.name for item in path.parent.iterdir()) == ["x-1.json", "x-1.json.bak"]
