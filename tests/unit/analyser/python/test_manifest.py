"""Dependencies, their install command and the Python version, from each kind of manifest."""

from __future__ import annotations

import pytest
from fixtures.sources import memory

from autodeploy.analyser import analyse
from autodeploy.analyser.python.manifest import specifier_of
from autodeploy.errors import AnalysisError
from autodeploy.model import TechStack

APP = {"app.py": "from flask import Flask\napp = Flask('x')\n"}
PIP = "/app/venv/bin/python -m pip install"


def stack_of(files: dict[str, str], **overrides: str) -> TechStack:
    return analyse(memory({**APP, **files}), overrides)


def test_requirement_files_are_followed_through_includes_and_cycles() -> None:
    stack = stack_of(
        {
            "requirements.txt": "-r requirements/base.txt\n--index-url https://example.org/simple\nflask==3.0.0 \\\n"
            "    --hash=sha256:00\n# a comment\nrequests[socks]>=2 ; python_version >= '3.8'  # why\n-e .\n"
            "git+https://example.org/x.git#egg=Odd_Name\npywin32; sys_platform == 'win32'\n",
            "requirements/base.txt": "-r ../requirements.txt\n--requirement=more.txt\nJinja2\n",
            "requirements/more.txt": "SQLAlchemy~=2.0\n???\n",
        }
    )
    assert stack.dependencies == ("flask", "jinja2", "odd-name", "requests", "sqlalchemy")
    assert stack.build_command == f"{PIP} -r requirements.txt"
    assert "git" in stack.build_packages


def test_project_dependencies_are_installed_by_name() -> None:
    stack = stack_of({"pyproject.toml": '[project]\nname="x"\ndependencies=["flask>=3,<4", "celery[redis]"]\n'})
    assert stack.build_command == f"{PIP} 'flask>=3,<4' 'celery[redis]'"
    assert stack.services == ("celery",)
    assert any("celery" in unknown for unknown in stack.warnings)


def test_poetry_is_read_with_its_own_versions_and_its_lock_is_said_to_be_ignored() -> None:
    text = """
[tool.poetry.dependencies]
python = "^3.10"
flask = "^3.0.1"
gunicorn = {version = "~23.0", extras = ["gevent"]}
local = {path = "../local"}
extra = {version = "1", optional = true}
"""
    stack = stack_of({"pyproject.toml": text, "poetry.lock": ""})
    assert stack.package_manager == "poetry"
    assert stack.build_command == f"{PIP} 'flask>=3.0.1,<4' 'gunicorn[gevent]>=23.0,<23.1'"
    assert stack.version_constraint == ">=3.10,<4"
    assert any("poetry.lock" in unknown for unknown in stack.warnings)


def test_a_pipfile_is_read() -> None:
    stack = stack_of({"Pipfile": '[packages]\nflask = "*"\npymysql = "==1.1.0"\n[requires]\npython_version = "3.13"\n'})
    assert stack.build_command == f"{PIP} flask pymysql==1.1.0"
    assert (stack.database_type, stack.runtime_version) == ("mysql", "3.13")


def test_requirements_win_over_pyproject_and_an_empty_file_does_not() -> None:
    project = '[project]\nname="x"\ndependencies=["flask"]\n'
    both = stack_of({"requirements.txt": "flask\nredis\n", "pyproject.toml": project})
    assert both.dependencies == ("flask", "redis")
    assert stack_of({"requirements.txt": "# none\n", "pyproject.toml": project}).dependencies == ("flask",)


@pytest.mark.parametrize(
    ("written", "specifier"),
    [("*", ""), ("^1.2", ">=1.2,<2"), ("^0.2.3", ">=0.2.3,<0.3"), ("^0.0.3", ">=0.0.3,<0.0.4"), ("~1.2", ">=1.2,<1.3"),
     ("~1", ">=1,<2"), ("1.2.*", "==1.2.*"), (">=1,<2", ">=1,<2"), ("^", ""), ("~=1.4", "~=1.4")],
)  # fmt: skip
def test_poetry_versions_become_pep_440(written: str, specifier: str) -> None:
    assert specifier_of(written) == specifier


@pytest.mark.parametrize(
    ("files", "version"),
    [
        ({}, "3.11"),
        ({".python-version": "3.11.4\n"}, "3.11"),
        ({".python-version": "# mine\n3.13\n"}, "3.13"),
        ({"runtime.txt": "python-3.13.1"}, "3.13"),
        ({".tool-versions": "nodejs 20\npython 3.13.0\n"}, "3.13"),
        ({"pyproject.toml": '[project]\nname="x"\nrequires-python=">=3.12"\n'}, "3.13"),
        ({"pyproject.toml": '[project]\nname="x"\nrequires-python="==3.11.*"\n'}, "3.11"),
        ({"pyproject.toml": '[project]\nname="x"\nrequires-python=">=3.9"\n'}, "3.11"),
        ({"pyproject.toml": '[project]\nname="x"\nrequires-python="nonsense"\n'}, "3.11"),
    ],
)
def test_the_version_is_one_that_is_offered_and_fits(files: dict[str, str], version: str) -> None:
    assert stack_of(files).runtime_version == version


@pytest.mark.parametrize("wish", ["2.7.18", "3.12", ">=3.14", "<3.10"])
def test_a_version_that_is_not_offered_names_constraint_and_flag(wish: str) -> None:
    project = f'[project]\nname="x"\nrequires-python="{wish}"\n'
    files = {".python-version": wish} if wish[0].isdigit() else {"pyproject.toml": project}
    with pytest.raises(AnalysisError) as caught:
        stack_of(files)
    assert wish in caught.value.message
    assert "--runtime-version" in caught.value.remediation
    assert stack_of(files, runtime_version="3.13").runtime_version == "3.13"


def test_a_runtime_version_flag_that_is_no_version_is_refused() -> None:
    with pytest.raises(AnalysisError):
        stack_of({}, runtime_version="latest")
