"""Lock files to steps: what brings the tool, what decides an installation, what is left to the source."""

from __future__ import annotations

from pathlib import Path

import pytest

from autodeploy.builder import recipe
from autodeploy.errors import AnalysisError
from autodeploy.model import Recipe, Source, TechStack

PIP = "/app/venv/bin/python -m pip install"
STACK = TechStack(language="python", runtime_version="3.11", build_tool="pip", server_package="gunicorn")
PLAIN = STACK.but(server_package=None)
PROJECT = '[project]\nname = "x"\n'


def made(tmp_path: Path, command: str, stack: TechStack = PLAIN, **files: str) -> Recipe:
    for name, content in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(content)
    return recipe(stack.but(build_command=command), Source("u", "c", tmp_path, tuple(sorted(files))))


LOCKED = "/app/tools/locked.txt"
LOCKS: dict[str, tuple[str, str, str, str]] = {
    "uv": ("uv sync --frozen --no-dev --group prod", "uv.lock", 'source = { git = "https://h/x" }\n',
           f"/app/tools/bin/uv export -q --frozen --no-dev --no-emit-workspace --no-header --group prod -o {LOCKED}"),
    "poetry": ("poetry install --only main,prod --no-root", "poetry.lock", 'type = "git"\n',
               f"/app/tools/bin/poetry export -f requirements.txt --only main,prod -o {LOCKED}"),
    "pdm": ("pdm sync --prod -G gunicorn", "pdm.lock", 'git = "https://h/x"\n',
            f"/app/tools/bin/pdm export --prod -G gunicorn -o {LOCKED}"),
    "pipenv": ("pipenv sync", "Pipfile.lock", '"git": "https://h/x"\n', f"/app/tools/bin/pipenv requirements --hash >{LOCKED}.all"),
}  # fmt: skip


@pytest.mark.parametrize("tool", LOCKS)
def test_a_lock_is_translated_by_its_tool_and_installed_by_pip_as_it_stands(tmp_path: Path, tool: str) -> None:
    command, lock, unhashed, export = LOCKS[tool]
    told = made(tmp_path, command, **{lock: "", "pyproject.toml": PROJECT, "Pipfile": "", "app.py": ""})
    bring, venv, install = told.steps
    assert (bring.what, bring.inputs, venv.inputs) == (f"Bringing {tool}", (), ())
    assert "--require-hashes" in bring.command
    assert f"\n{tool}==" in bring.command
    assert export in install.command
    assert install.command.endswith(f"{PIP} --no-deps -r {LOCKED}")
    assert install.inputs == ("Pipfile" if tool == "pipenv" else "pyproject.toml", lock)
    assert told.keep == ("src", "venv")
    # What comes from elsewhere than an index has no hash, and pip takes all of them or none.
    loose = made(tmp_path, command, **{lock: unhashed, "pyproject.toml": PROJECT}).steps[2].command
    assert "--no-hashes" in loose or "--without-hashes" in loose or "requirements >" in loose


@pytest.mark.parametrize(
    ("lock", "text", "command"),
    [
        ("poetry.lock", 'type = "directory"\n', "poetry install"),
        ("uv.lock", 'source = { directory = "lib" }\n', "uv sync"),
        ("pdm.lock", 'path = "./lib"\n', "pdm sync"),
        ("Pipfile.lock", '"path": "./lib"\n', "pipenv sync"),
    ],
)
def test_what_lies_in_the_repository_is_installed_anew(tmp_path: Path, lock: str, text: str, command: str) -> None:
    assert made(tmp_path, command, **{lock: text}).steps[2].inputs is None


def test_the_packages_of_a_workspace_are_installed_from_their_folders(tmp_path: Path) -> None:
    lock = 'source = { editable = "." }\nsource = { editable = "libs/a" }\n'
    last = made(tmp_path, "uv sync --frozen", **{"uv.lock": lock}).steps[-1]
    assert (last.command, last.inputs) == (f"{PIP} --no-deps -e ./libs/a", None)


def test_a_server_is_added_beside_a_lock(tmp_path: Path) -> None:
    told = made(tmp_path, "uv sync --frozen", STACK, **{"uv.lock": ""})
    assert (told.steps[-1].command, told.steps[-1].inputs) == (f"{PIP} gunicorn", ())


BUILDABLE = '[build-system]\nrequires = ["setuptools"]\n[project]\nname = "x"\n'
OWN: dict[str, tuple[dict[str, str], str, bool]] = {
    "nothing asks": ({"pyproject.toml": BUILDABLE, "app.py": ""}, "gunicorn app:app", False),
    "no package": ({"pyproject.toml": PROJECT, "src/x/__init__.py": ""}, "gunicorn app:app", False),
    "poetry says no": ({"pyproject.toml": f"{BUILDABLE}package-mode = false\n", "src/x/__init__.py": ""}, "x", False),
    "src layout": ({"pyproject.toml": BUILDABLE, "src/x/__init__.py": ""}, "gunicorn x:app", True),
    "metadata": ({"setup.py": "", "x.py": "from importlib.metadata import version\n"}, "gunicorn x:app", True),
    "paste": ({"setup.py": "", "x.py": ""}, "gunicorn --paste production.ini", True),
    "own script": ({"pyproject.toml": f'{BUILDABLE}[project.scripts]\nserve = "x:main"\n'}, "/app/venv/bin/serve --all", True),
    "another script": ({"pyproject.toml": f'{BUILDABLE}[project.scripts]\nserve = "x:main"\n'}, "/app/venv/bin/gunicorn x", False),
}  # fmt: skip


@pytest.mark.parametrize("name", OWN)
def test_a_project_that_is_a_package_is_installed_where_it_has_to_be(tmp_path: Path, name: str) -> None:
    files, start, is_installed = OWN[name]
    told = made(tmp_path, f"{PIP} flask", PLAIN.but(start_command=start), **files)
    own = [step for step in told.steps if f"{PIP} --no-deps -e ." in step.command]
    assert bool(own) == is_installed
    assert all(step.inputs is None for step in own)


def test_a_python_that_no_image_has_is_brought_and_shipped_or_refused_quickly(tmp_path: Path) -> None:
    stack = PLAIN.but(runtime_version="3.12")
    told = made(tmp_path, f"{PIP} flask", stack, **{"app.py": ""})
    assert (told.base_image, told.keep) == ("debian-13", ("src", "venv", "python"))
    bring, python, _ = told.steps
    assert bring.what == "Bringing uv"
    assert "uv python install --no-bin 3.12 || { echo" in python.command
    assert "--runtime-version 3.11" in python.command
    assert python.command.endswith("-I -m venv /app/venv")


@pytest.mark.parametrize(("version", "image"), [("3.14", "debian-13"), ("3.12", "debian-13"), ("3.10", "debian-12")])
def test_a_range_is_satisfied_by_an_image(tmp_path: Path, version: str, image: str) -> None:
    constraint = ">=3.12" if image == "debian-13" else ">=3.10,<3.12"
    told = made(tmp_path, "", PLAIN.but(runtime_version=version, version_constraint=constraint), **{"app.py": ""})
    assert (told.base_image, [step.command for step in told.steps]) == (image, ["python3 -I -m venv /app/venv"])


def test_what_cannot_be_had_is_said_before_anything_is_built(tmp_path: Path) -> None:
    with pytest.raises(AnalysisError, match=r"Python 2\.7 is not available") as caught:
        made(tmp_path, "", PLAIN.but(runtime_version="2.7"))
    assert "--runtime-version" in caught.value.remediation
