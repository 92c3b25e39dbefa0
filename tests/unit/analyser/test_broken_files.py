"""Files as they may come: wrong encodings, binary, vanished, deep, huge. None stops the analysis, none takes long."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from fixtures.sources import memory

from autodeploy.analyser import analyse
from autodeploy.errors import AnalysisError
from autodeploy.model import Source

FLASK = "from flask import Flask\napp = Flask('x')\n"
GOOD = {"requirements.txt": "flask\n", "app.py": FLASK}


@pytest.mark.parametrize(
    "content",
    [b"\xff\xfeimport os", "é = 'ü'".encode("latin-1"), b"\x00\x01\x02", bytes(range(256)), b"\xef\xbb\xbfx = 1\n", b"\r\r\n"],
)  # fmt: skip
@pytest.mark.parametrize("name", ["broken.py", "Procfile", "pyproject.toml", "Pipfile", ".env.example", "runtime.txt"])
def test_bytes_that_are_no_text(tmp_path: Path, name: str, content: bytes) -> None:
    for path, text in GOOD.items():
        (tmp_path / path).write_text(text)
    (tmp_path / name).write_bytes(content)
    stack = analyse(Source("file:///x", "0", tmp_path, tuple(sorted({*GOOD, name}))), {"runtime_version": "3.11"})
    assert stack.framework == "flask"


def test_a_file_that_vanished_or_is_a_folder_reads_as_empty(tmp_path: Path) -> None:
    for path, text in GOOD.items():
        (tmp_path / path).write_text(text)
    (tmp_path / "Procfile").mkdir()
    source = Source("file:///x", "0", tmp_path, ("Procfile", "app.py", "gone.py", "requirements.txt"))
    assert analyse(source).start_command.endswith(" app:app")


DEEP = {
    "a chain of elif": "if a: pass\n" + "elif b: pass\n" * 2500,
    "a long sum": "x = 1" + "+1" * 50_000,
    "brackets": "(" * 10_000,
    "attributes": "@app.get('/')\n@a" + ".b" * 2500 + "\ndef view(): pass\n",
    "a deep default": "@app.get('/x')\ndef view(a=" + "f(" * 90 + ")" * 90 + "): pass\n",
    "unary": "x = " + "-" * 5000 + "1",
}


@pytest.mark.parametrize("name", DEEP)
def test_deep_syntax_ends(name: str) -> None:
    assert analyse(memory({**GOOD, "a.py": DEEP[name]})).start_command.endswith(" app:app")


HUGE = {
    "app2.py": "x = 1\n" * 160_000,
    "Procfile": "web: uvicorn" + " " * 900_000 + "x",
    "requirements.txt": "flask\n" + "\\\n" * 400_000,
    "requirements-prod.txt": " # " * 300_000,
    "pyproject.toml": "[project]\ndependencies = [" + '"flask>=1",' * 60_000 + "]\n",
    ".env.example": "A" * 900_000 + "=1",
    "Dockerfile": "EXPOSE " * 140_000,
}


@pytest.mark.parametrize("name", HUGE)
def test_huge_files_end_in_seconds(name: str) -> None:
    before = time.process_time()
    stack = analyse(memory({**GOOD, name: HUGE[name]}))
    assert stack.framework == "flask"
    assert time.process_time() - before < 10


def test_more_code_than_anybody_reads_is_left_out() -> None:
    many = {f"package{number}/module.py": f"x = '{'y' * 300_000}'\n" for number in range(100)}
    before = time.process_time()
    assert analyse(memory({**GOOD, **many})).start_command.endswith(" app:app")
    assert time.process_time() - before < 10


@pytest.mark.parametrize("encoding", ["utf-16", "utf-8-sig"])
def test_requirements_as_windows_writes_them(tmp_path: Path, encoding: str) -> None:
    (tmp_path / "requirements.txt").write_text("flask\r\npsycopg2-binary\r\n", encoding)
    (tmp_path / "app.py").write_text(FLASK)
    stack = analyse(Source("file:///x", "0", tmp_path, ("app.py", "requirements.txt")))
    assert (stack.framework, stack.database_type) == ("flask", "postgresql")


def test_a_package_file_that_is_broken_is_named() -> None:
    with pytest.raises(AnalysisError, match=r"web/pyproject\.toml is no TOML: .*line 1") as caught:
        analyse(memory({"web/pyproject.toml": "[project\n", "web/app/main.py": FLASK}))
    assert "Correct web/pyproject.toml" in caught.value.remediation


def test_a_broken_file_beside_a_whole_one_stops_nothing() -> None:
    assert analyse(memory({**GOOD, "pyproject.toml": "[project\n"})).framework == "flask"
