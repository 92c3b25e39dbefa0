"""Dependencies, their install command and the Python version, from each kind of manifest."""

from __future__ import annotations

import pytest
from fixtures.sources import memory

from autodeploy.analyser import analyse
from autodeploy.analyser.python.specifiers import specifier_of
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
    assert stack.services == ("redis",)
    assert any("redis" in told for told in stack.warnings)
    assert any("Celery's worker is not run" in told for told in stack.warnings)


POETRY = """
[tool.poetry.dependencies]
python = "^3.10"
flask = "^3.0.1"
gunicorn = {version = "~23.0", extras = ["gevent"]}
local = {path = "../local"}
extra = {version = "1", optional = true}
shape = {git = "https://host/shape.git", tag = "v2"}
wheel = {url = "https://host/wheel.whl"}
inner = {path = "./libs/inner", develop = true}
many = [{version = "1.0", python = "<3.9"}, {version = ">=2 <3"}]

[tool.poetry.group.production.dependencies]
sentry-sdk = "*"

[tool.poetry.group.dev.dependencies]
psycopg2 = "*"
"""


def test_poetry_without_a_lock_is_installed_by_name_with_its_own_versions() -> None:
    stack = stack_of({"pyproject.toml": POETRY})
    assert stack.package_manager == "poetry"
    assert stack.build_command == (
        f"{PIP} 'flask>=3.0.1,<4' 'gunicorn[gevent]>=23.0,<23.1' 'shape @ git+https://host/shape.git@v2'"
        " 'wheel @ https://host/wheel.whl' 'inner @ file:///app/src/libs/inner' many==1.0 sentry-sdk"
    )
    assert stack.version_constraint == ">=3.10,<4"
    assert not stack.requires_database


PEP_621 = """
[project]
name = "x"
dependencies = ["flask"]
optional-dependencies = {prod = ["gunicorn"], docs = ["sphinx"]}
[dependency-groups]
deploy = ["sentry-sdk"]
dev = ["pytest"]
"""


@pytest.mark.parametrize(
    ("lock", "files", "command"),
    [
        ("poetry.lock", {"pyproject.toml": POETRY}, "poetry install --only main,production --no-root"),
        ("uv.lock", {"pyproject.toml": PEP_621}, "uv sync --frozen --no-dev --group deploy --extra prod"),
        ("pdm.lock", {"pyproject.toml": PEP_621}, "pdm sync --prod -G deploy -G prod"),
        ("poetry.lock", {"pyproject.toml": PEP_621}, "poetry install --only main,deploy --no-root --extras prod"),
        ("Pipfile.lock", {"Pipfile": '[packages]\nflask = "*"\n'}, "pipenv sync"),
    ],
)
def test_a_lock_is_installed_by_the_command_of_its_manager(lock: str, files: dict[str, str], command: str) -> None:
    stack = stack_of({**files, lock: "", "requirements.txt": "flask"})
    assert (stack.build_command, stack.package_manager) == (command, command.split(maxsplit=1)[0])
    told = next(item for item in stack.evidence if item.fact == "package_manager")
    assert (told.file, told.rule) == (lock, "lock-file")
    assert "requirements.txt" in told.alternatives


def test_pip_is_taken_where_the_repository_s_image_uses_it_and_not_the_lock() -> None:
    files = {"pyproject.toml": PEP_621, "uv.lock": "", "requirements.txt": "flask"}
    assert stack_of({**files, "Dockerfile": "RUN pip install -r requirements.txt"}).package_manager == "pip"
    assert stack_of({**files, "Dockerfile": "RUN pip install -r x.txt && uv sync"}).package_manager == "uv"


@pytest.mark.parametrize(
    ("files", "manager"),
    [
        ({"pyproject.toml": '[project]\nname="x"\ndependencies=["flask"]\n[tool.uv]\ndev-dependencies=[]\n'}, "uv"),
        ({"pyproject.toml": '[project]\nname="x"\ndependencies=["flask"]\n[tool.pdm]\n'}, "pip"),
        ({"pyproject.toml": '[project]\nname="x"\ndependencies=["flask"]\n[tool.pdm]\nx=1\n'}, "pdm"),
        ({"setup.py": "from setuptools import setup\nneeds = ['flask']\nsetup(install_requires=needs)\n"}, "pip"),
        ({"setup.cfg": "[options]\ninstall_requires =\n  flask\n", "setup.py": "import setuptools\nsetuptools.setup()\n"}, "pip"),
        ({"pyproject.toml": '[project]\nname="x"\n', "setup.py": "setup(install_requires=['flask'])\n"}, "pip"),
    ],
)  # fmt: skip
def test_a_manager_is_told_by_its_table_and_the_rest_is_pip_s(files: dict[str, str], manager: str) -> None:
    stack = stack_of(files)
    assert (stack.package_manager, stack.dependencies, stack.build_command) == (manager, ("flask",), f"{PIP} flask")


def test_of_conda_s_file_the_pip_part_is_installed_and_the_rest_is_named() -> None:
    text = "dependencies:\n- python=3.11\n- conda-forge::lxml>=5\n- pip\n- pip:\n  - flask==3.0\n"
    stack = stack_of({"environment.yml": text, "setup.py": "setup()"})
    assert (stack.build_command, stack.dependencies) == (f"{PIP} flask==3.0", ("flask", "lxml"))
    [warning] = stack.warnings
    assert "environment.yml" in warning and "lxml" in warning


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
        ({"pyproject.toml": '[project]\nname="x"\nrequires-python=">=3.8,<3.11"\n'}, "3.10"),
        ({"pyproject.toml": '[project]\nname="x"\nrequires-python=">=3.15"\n'}, "3.15"),
        ({".python-version": "cpython-3.12.1\n"}, "3.12"),
        ({"mise.toml": '[tools]\npython = "3.12"\n'}, "3.12"),
        ({"mise.toml": '[tools]\npython = ["3.10.4", "3.9"]\n'}, "3.10"),
        ({"mise.toml": '[tools]\npython = {version = "3.9"}\n'}, "3.9"),
        ({"setup.py": "from setuptools import setup\nsetup(python_requires='~=3.12')\n"}, "3.13"),
        ({"setup.cfg": "[options]\npython_requires = <3.11\n"}, "3.10"),
        ({"setup.cfg": "no sections"}, "3.11"),
        ({"setup.py": "def broken(:"}, "3.11"),
        ({"environment.yml": "dependencies:\n- python=3.10\n- pip:\n  - flask\n"}, "3.10"),
        ({"environment.yml": "dependencies:\n- conda-forge::python>=3.9\n"}, "3.11"),
        ({"environment.yml": "dependencies: [python: {"}, "3.11"),
        ({"Dockerfile": "FROM python:3.9-slim\n"}, "3.11"),
        ({"pyproject.toml": '[project]\nname="x"\nrequires-python="==3.11.*"\n'}, "3.11"),
        ({"pyproject.toml": '[project]\nname="x"\nrequires-python=">=3.9"\n'}, "3.11"),
        ({"pyproject.toml": '[project]\nname="x"\nrequires-python="nonsense"\n'}, "3.11"),
    ],
)
def test_the_version_is_the_one_that_the_repository_asks_for(files: dict[str, str], version: str) -> None:
    assert stack_of(files).runtime_version == version


@pytest.mark.parametrize(("wish", "version"), [("2.7.18", "2.7"), ("3.12", "3.12"), ("3.7.1", "3.7")])
def test_a_version_that_nothing_brings_is_a_fact_all_the_same(wish: str, version: str) -> None:
    files = {".python-version": wish}
    assert (stack_of(files).runtime_version, stack_of(files).version_constraint) == (version, wish)
    assert stack_of(files, runtime_version="3.13").runtime_version == "3.13"


def test_versions_that_disagree_are_a_warning_and_the_image_is_a_hint() -> None:
    project = '[project]\nname="x"\nrequires-python=">=3.12"\n'
    stack = stack_of({".python-version": "3.11", "pyproject.toml": project, "Dockerfile": "FROM python:3.10\n"})
    assert stack.runtime_version == "3.11"
    assert stack.warnings == (".python-version asks for Python 3.11, pyproject.toml for >=3.12: 3.11 is taken",)
    told = next(item for item in stack.evidence if item.fact == "runtime_version")
    assert told.alternatives == (">=3.12 (pyproject.toml)", "3.10 (Dockerfile)")


def test_a_runtime_version_flag_that_is_no_version_is_refused() -> None:
    with pytest.raises(AnalysisError):
        stack_of({}, runtime_version="latest")


@pytest.mark.parametrize("path", ["default.txt", "requirements/default.txt"])
def test_a_file_that_setup_py_reads_is_installed(path: str) -> None:
    script = (
        "def read(name):\n    return open(name).read()\nneeds = read('default.txt')\nsetup(install_requires=needs)\n"
    )
    others = {"requirements/test.txt": "pytest\n", "requirements/dev.txt": "ruff\n"}
    stack = stack_of({"setup.py": script, path: "flask\n", **others})
    assert (stack.dependencies, stack.build_command) == (("flask",), f"{PIP} -r {path}")
    assert stack_of({"setup.py": script}).dependencies == ()
