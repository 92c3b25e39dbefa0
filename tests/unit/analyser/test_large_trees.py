"""Trees of a hundred thousand files, and names that nobody would give: neither slows nor breaks the analysis."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from fixtures.sources import memory
from unit.analyser.layout.repositories import EXPRESS, FLASK, GO, VITE, within

from autodeploy.adapters.git import tree
from autodeploy.analyser import analyse
from autodeploy.model import Source

MANY = 100_000
APPLICATIONS = {
    "nodejs": (EXPRESS, ("js", "ts", "json", "png")),
    "python": (FLASK, ("py", "html", "json", "png")),
    "go": (GO, ("go", "yaml", "json", "tmpl")),
    "two": (within("backend", FLASK) | within("frontend", VITE), ("py", "ts", "vue", "css")),
}


@pytest.mark.parametrize("name", APPLICATIONS)
def test_a_hundred_thousand_files_take_a_second(name: str) -> None:
    files, ends = APPLICATIONS[name]
    paths = (f"p{n % 100}/s{n % 37}/d{n % 11}/f{n}.{ends[n % len(ends)]}" for n in range(MANY))
    source = memory({**dict.fromkeys(paths, "package x\n" if name == "go" else "x = 1\n"), **files})
    before = time.process_time()
    stack = analyse(source)
    assert time.process_time() - before < 1.5
    assert stack.app_root == ("backend" if name == "two" else ".")


def test_a_thousand_package_files_take_a_second() -> None:
    many = {path: text for n in range(1000) for path, text in within(f"a/p{n}", VITE).items()}
    before = time.process_time()
    assert analyse(memory(many | within("backend", FLASK))).app_root == "backend"
    assert time.process_time() - before < 1.5


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
