"""A project that is a package of uv's workspace is installed from the root, by the lock that lies there."""

from __future__ import annotations

from dataclasses import replace

import pytest
from fixtures.sources import MemorySource, memory

from autodeploy.analyser import analyse
from autodeploy.builder import recipe
from autodeploy.model import TechStack

ROOT = '[project]\nname = "whole"\nversion = "0"\n[tool.uv.workspace]\nmembers = ["apps/*", "packages/*"]\n'
API = '[project]\nname = "Shop_API"\nversion = "0"\ndependencies = ["flask", "gunicorn", "core"]\n'
LOCK = """version = 1
[[package]]
name = "core"
source = { editable = "packages/core" }
dependencies = [{ name = "six" }]
[[package]]
name = "other"
source = { editable = "packages/other" }
[[package]]
name = "shop-api"
source = { editable = "apps/api" }
dependencies = [{ name = "core", editable = "packages/core" }]
[[package]]
name = "six"
source = { registry = "https://packages.example/simple" }
"""
FLASK = "from flask import Flask\napp = Flask('x')\n"


def whole(root: str = ROOT, lock: str = LOCK) -> MemorySource:
    """Return the repository's files."""
    files = {"pyproject.toml": root, "apps/api/pyproject.toml": API, "apps/api/main.py": FLASK}
    return memory(
        {**files, "packages/core/pyproject.toml": '[project]\nname = "core"\n', **({"uv.lock": lock} if lock else {})}
    )


def inner(source: MemorySource) -> TechStack:
    """Return the technology of the folder that --path names."""
    texts = {
        path.removeprefix("apps/api/"): text for path, text in source.texts.items() if path.startswith("apps/api/")
    }
    return analyse(replace(memory(texts), subdirectory="apps/api", around=source))


@pytest.mark.parametrize("is_named", [True, False])
def test_it_is_installed_from_the_root_and_started_in_its_folder(is_named: bool) -> None:
    source = whole()
    stack = inner(source) if is_named else analyse(source)
    assert (stack.app_root, stack.facts("install_root"), stack.package_manager) == ("apps/api", (".",), "uv")
    assert stack.build_command == "uv sync --frozen --no-dev --package shop-api"
    assert stack.start_command == "cd apps/api && /app/venv/bin/gunicorn --bind 127.0.0.1:$PORT main:app"
    assert next(item.file for item in stack.evidence if item.fact == "package_manager") == "uv.lock"


def test_what_another_package_of_the_workspace_needs_is_not_installed() -> None:
    source = whole()
    steps = recipe(inner(source), source).steps
    export = next(step for step in steps if "uv export" in step.command)
    assert "--package shop-api" in export.command
    assert {"uv.lock", "apps/api/pyproject.toml", "packages/core/pyproject.toml"} <= set(export.inputs or ())
    own = next(step.command for step in steps if "-e ./" in step.command)
    assert "./apps/api" in own
    assert "./packages/core" in own
    assert "./packages/other" not in own


@pytest.mark.parametrize(
    ("root", "lock"),
    [(ROOT, ""), (ROOT.replace("apps/*", "services/*"), LOCK), (f'{ROOT}exclude = ["apps/api"]\n', LOCK), ("", LOCK)],
)
def test_a_folder_that_no_workspace_lists_stands_for_itself(root: str, lock: str) -> None:
    stack = inner(whole(root, lock))
    assert (stack.facts("install_root"), stack.app_root) == ((), ".")
    assert stack.start_command.startswith("/app/venv/bin/gunicorn")
