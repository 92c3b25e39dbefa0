"""How a repository's own tests are run: what is installed for them, and by what command."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from fixtures.sources import memory

from autodeploy.builder import tests as steps_of
from autodeploy.errors import AnalysisError
from autodeploy.model import Evidence, Source, TechStack

PYTHON = TechStack(language="python", runtime_version="3.11", build_tool="pip", package_manager="pip")
NODE = TechStack(language="nodejs", runtime_version="24.x", build_tool="npm", package_manager="npm")
GO = TechStack(language="go", runtime_version="1.24", build_tool="go", package_manager="go")
PACKAGE = json.dumps({"scripts": {"test": "node --test"}})
PIP = "/app/venv/bin/python -m pip install"


@pytest.mark.parametrize(
    ("stack", "texts", "commands"),
    [
        (NODE, {"package.json": PACKAGE, "package-lock.json": "{}"}, ["npm ci --include=dev", "CI=true npm run test"]),
        (NODE, {"package.json": PACKAGE}, ["npm install --include=dev", "CI=true npm run test"]),
        (
            NODE.but(package_manager="pnpm"),
            {"package.json": PACKAGE, "pnpm-lock.yaml": ""},
            ["pnpm install --frozen-lockfile --prod=false", "CI=true pnpm run test"],
        ),
        (GO, {"go.mod": "module x", "a/b_test.go": ""}, ["go test ./..."]),
        (PYTHON, {"tests/test_app.py": ""}, [f"{PIP} pytest", "/app/venv/bin/python -m pytest"]),
        (
            PYTHON,
            {"test_app.py": "", "requirements-dev.txt": "pytest\nhttpx\n"},
            [f"{PIP} -r requirements-dev.txt", "/app/venv/bin/python -m pytest"],
        ),
        (
            PYTHON,
            {
                "tests/test_app.py": "",
                "pyproject.toml": '[project.optional-dependencies]\ntest = ["pytest>=8", "httpx"]\ndocs = ["sphinx"]\n'
                '[dependency-groups]\ndev = ["ruff", {include-group = "x"}]\n'
                '[tool.poetry.group.test.dependencies]\npytest-mock = "^3"\n',
            },
            [f"{PIP} 'pytest>=8' httpx ruff pytest-mock", "/app/venv/bin/python -m pytest"],
        ),
        (
            PYTHON.but(framework="django"),
            {"manage.py": "", "notes/tests.py": "", "pyproject.toml": "not = [toml"},
            ["/app/venv/bin/python manage.py test --noinput"],
        ),
        (
            PYTHON.but(framework="django"),
            {"manage.py": "", "notes/tests.py": "", "requirements/test.txt": "pytest-django\n"},
            [f"{PIP} -r requirements/test.txt", "/app/venv/bin/python -m pytest"],
        ),
    ],
)
def test_the_tests_are_run_as_their_tools_do(stack: TechStack, texts: dict[str, str], commands: list[str]) -> None:
    assert [step.command for step in steps_of(stack, memory(texts))] == commands


@pytest.mark.parametrize(
    ("stack", "texts"),
    [
        (NODE, {"package.json": "{}"}),
        (NODE, {"package.json": "[]"}),
        (NODE, {"package.json": "{"}),
        (NODE, {"package.json": json.dumps({"scripts": {"test": 'echo "Error: no test specified" && exit 1'}})}),
        (GO, {"go.mod": "module x", "main.go": ""}),
        (PYTHON, {"app.py": ""}),
    ],
)
def test_a_repository_without_tests_is_told(stack: TechStack, texts: dict[str, str]) -> None:
    with pytest.raises(AnalysisError, match="no tests to run") as caught:
        steps_of(stack, memory(texts))
    assert "--run-tests" in caught.value.remediation


def test_a_workspace_is_installed_as_a_whole_and_tested_where_the_application_is(tmp_path: Path) -> None:
    (tmp_path / "apps" / "web").mkdir(parents=True)
    (tmp_path / "apps" / "web" / "package.json").write_text(PACKAGE)
    source = Source("u", "0" * 40, tmp_path, ("apps/web/package.json",))
    stack = NODE.but(app_root="apps/web", evidence=(Evidence(fact="install_root", value="."),))
    commands = [step.command for step in steps_of(stack, source)]
    assert commands == ["npm install --include=dev", "cd apps/web && CI=true npm run test"]
