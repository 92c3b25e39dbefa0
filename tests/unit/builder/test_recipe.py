"""TechStack and Source to Recipe: Python's steps, what decides them, and what is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from autodeploy.builder import recipe
from autodeploy.errors import AnalysisError
from autodeploy.model import EnvironmentVariable, Recipe, Source, TechStack

STACK = TechStack(language="python", runtime_version="3.11", build_tool="pip", server_package="gunicorn")
PIP = "/app/venv/bin/python -m pip install"


def source(root: Path, **files: str) -> Source:
    for name, content in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(content)
    return Source("u", "c", root, tuple(sorted(files)))


def steps(made: Recipe) -> list[str]:
    return [step.command for step in made.steps]


def test_requirements_and_server_are_installed(tmp_path: Path) -> None:
    made = recipe(STACK, source(tmp_path, **{"requirements.txt": "flask\n", "app.py": ""}))
    assert steps(made) == ["python3 -I -m venv /app/venv", f"{PIP} -r requirements.txt gunicorn"]
    assert [step.inputs for step in made.steps] == [(), ("requirements.txt",)]
    assert (made.base_image, made.keep) == ("debian-12", ("src", "venv"))
    assert "__pycache__" in made.exclude


@pytest.mark.parametrize("text", ["flask==3 --hash=sha256:00\n", "-e .\n"])
def test_the_server_is_installed_apart_where_it_must(tmp_path: Path, text: str) -> None:
    made = recipe(STACK, source(tmp_path, **{"requirements.txt": text}))
    assert steps(made)[1:] == [f"{PIP} -r requirements.txt", f"{PIP} gunicorn"]


def test_the_build_command_is_taken_apart(tmp_path: Path) -> None:
    stack = STACK.but(
        build_command=f"{PIP} -r requirements/prod.txt && K='a b' /app/venv/bin/python manage.py collectstatic",
        server_package=None,
    )
    made = recipe(stack, source(tmp_path, **{"requirements/prod.txt": "-r base.txt\n", "requirements/base.txt": "x\n"}))
    assert steps(made)[1:] == [
        f"{PIP} -r requirements/prod.txt",
        "K='a b' /app/venv/bin/python manage.py collectstatic",
    ]
    assert made.steps[1].inputs == ("requirements/prod.txt", "requirements/base.txt")
    assert made.steps[2].inputs is None


@pytest.mark.parametrize("command", ["pip install -r requirements.txt", "python -m pip install -r requirements.txt"])
def test_pip_is_the_virtual_environment_s(tmp_path: Path, command: str) -> None:
    made = recipe(STACK.but(build_command=command), source(tmp_path, **{"requirements.txt": ""}))
    assert steps(made)[1] == f"{PIP} -r requirements.txt gunicorn"


def test_a_project_is_installed(tmp_path: Path) -> None:
    made = recipe(STACK, source(tmp_path, **{"pyproject.toml": "[project]\n"}))
    assert steps(made)[1] == f"{PIP} ."
    assert made.steps[1].inputs is None


def test_settings_are_satisfied_while_building_and_only_then(tmp_path: Path) -> None:
    variables = (
        EnvironmentVariable(name="SECRET_KEY", generated=True),
        EnvironmentVariable(name="REDIS_URL"),
        EnvironmentVariable(name="DEBUG", default="0"),
    )
    stack = STACK.but(environment=variables, requires_database=True, database_type="mysql")
    assert recipe(stack, source(tmp_path)).environment == {}
    made = recipe(stack.but(build_command="/app/venv/bin/python manage.py collectstatic"), source(tmp_path))
    url = "mysql://build:build@127.0.0.1:1/build"
    assert made.environment == {"SECRET_KEY": "build", "REDIS_URL": url, "DATABASE_URL": url}
    made = recipe(stack.but(build_command="python x.py", database_type="mariadb"), source(tmp_path))
    assert made.environment["DATABASE_URL"] == url


def test_an_application_may_need_nothing(tmp_path: Path) -> None:
    made = recipe(STACK.but(server_package=None), source(tmp_path, **{"app.py": ""}))
    assert steps(made) == ["python3 -I -m venv /app/venv"]


def test_the_application_s_folder_counts(tmp_path: Path) -> None:
    made = recipe(STACK.but(app_root="web"), source(tmp_path, **{"web/requirements.txt": "flask\n", "x": ""}))
    assert steps(made)[1] == f"{PIP} -r requirements.txt gunicorn"


@pytest.mark.parametrize(("version", "image"), [("3.11", "debian-12"), ("3.11.9", "debian-12"), ("3.13", "debian-13")])
def test_the_base_image_has_the_version(tmp_path: Path, version: str, image: str) -> None:
    assert recipe(STACK.but(runtime_version=version), source(tmp_path)).base_image == image


@pytest.mark.parametrize(
    "stack",
    [
        STACK.but(runtime_version="2.7"),
        STACK.but(runtime_version="3.15"),
        STACK.but(package_manager="poetry", dependencies=("flask",)),
        STACK.but(language="nodejs"),
    ],
)
def test_what_cannot_be_built_is_refused(tmp_path: Path, stack: TechStack) -> None:
    with pytest.raises(AnalysisError) as caught:
        recipe(stack, source(tmp_path, **{"pyproject.toml": ""}))
    assert caught.value.remediation


@pytest.mark.parametrize(
    "text",
    ["-e .\n", "./lib\n", "lib @ file:///app/src/lib\n", "lib-1.0.whl\n", "-r missing.txt\n", "--find-links wheels\n",
     "git+https://host/x@main\n", "x @ git+https://host/x\n", "-r ../outside.txt\n", "-r more.txt\n"],
)  # fmt: skip
def test_requirements_that_more_decides_have_no_inputs(tmp_path: Path, text: str) -> None:
    made = recipe(STACK, source(tmp_path, **{"requirements.txt": f"flask\n{text}", "more.txt": "-e .\n"}))
    assert made.steps[1].inputs is None


@pytest.mark.parametrize(
    ("command", "inputs"),
    [
        (f"{PIP} 'flask>=3' uvicorn[standard]", ()),
        (f"{PIP} --requirement r.txt -c c.txt", ("r.txt", "c.txt")),
        (f"{PIP} -rr.txt", ("r.txt",)),
        (f"{PIP} --requirement=r.txt", ("r.txt",)),
        (f"{PIP} git+https://host/x", None),
        (f"{PIP} .", None),
        (f"{PIP} -e .", None),
    ],
)
def test_the_command_line_decides_too(tmp_path: Path, command: str, inputs: tuple[str, ...] | None) -> None:
    files = {"r.txt": "-r r.txt\nflask  # comment\n", "c.txt": "flask==3\n"}
    made = recipe(STACK.but(build_command=command, server_package=None), source(tmp_path, **files))
    assert made.steps[1].inputs == inputs
