"""Names that nobody would give, and links to anywhere: they break no analysis."""

from __future__ import annotations

from pathlib import Path

import pytest
from unit.analyser.layout.repositories import FLASK, VITE, within

from autodeploy.adapters.git import tree
from autodeploy.analyser import analyse
from autodeploy.model import Source

NAMES = (
    "a\nb",
    "\udcff\udcfe",
    "\U0001f600",
    "w" * 250,
    " ",
    "-rf",
    "$(x)",
    "{{x}}",
    "a\\b",
    "..."[:2] + "x",
    "\u202e",
)


@pytest.mark.parametrize("name", NAMES)
def test_strange_names_break_nothing(tmp_path: Path, name: str) -> None:
    for path, text in (FLASK | within(name, FLASK | VITE)).items():
        (tmp_path / path).parent.mkdir(exist_ok=True)
        (tmp_path / path).write_text(text)
    stack = analyse(Source("file:///x", "0", tmp_path, tree.index(tmp_path)))
    assert (stack.framework, stack.app_root) == ("flask", ".")
    assert stack.to_json()


def test_links_in_circles_and_out_of_the_tree_are_no_files(tmp_path: Path) -> None:
    root = tmp_path / "repository"
    root.mkdir()
    for path, text in FLASK.items():
        (root / path).write_text(text)
    (tmp_path / "secret.py").write_text("from fastapi import FastAPI\napp = FastAPI()\n")
    (root / "loop").symlink_to("loop")
    (root / "folder").symlink_to(".")
    (root / "main.py").symlink_to("../secret.py")
    (root / "package.json").symlink_to("/etc/passwd")
    source = Source("file:///x", "0", root, tree.index(root))
    assert {"loop", "main.py", "package.json"}.isdisjoint(source.paths)
    stack = analyse(source)
    assert (stack.framework, stack.start_command.rpartition(" ")[2]) == ("flask", "app:app")
