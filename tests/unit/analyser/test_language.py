"""Languages by their package files, and the folder of the application."""

from __future__ import annotations

import pytest
from fixtures.sources import memory

from autodeploy.analyser import analyse, detect_language
from autodeploy.errors import AnalysisError

APP = "from flask import Flask\napp = Flask('x')\n"
FLASK = {"requirements.txt": "flask", "app.py": APP}


@pytest.mark.parametrize(
    ("file", "language"),
    [("Gemfile", "ruby"), ("Cargo.toml", "rust"), ("pom.xml", "java"),
     ("build.gradle.kts", "java"), ("composer.json", "php"), ("mix.exs", "elixir"), ("shop.csproj", "dotnet")],
)  # fmt: skip
def test_an_unsupported_language_is_named_with_the_file_that_told(file: str, language: str) -> None:
    with pytest.raises(AnalysisError, match=f"unsupported language: {language} .*{file}") as caught:
        analyse(memory({file: "{}", "README.md": ""}))
    assert caught.value.exit_code == 30
    assert str(caught.value).startswith("[HiveMind DevOps] Error: AnalysisError\nMessage: ")


@pytest.mark.parametrize("files", [{}, {"README.md": "hello"}, {"docs/requirements.txt": "sphinx"}])
def test_a_repository_without_an_application_is_refused(files: dict[str, str]) -> None:
    with pytest.raises(AnalysisError) as caught:
        analyse(memory(files))
    assert "--" in caught.value.remediation


def test_the_only_folder_with_a_manifest_is_the_application() -> None:
    files = {"README.md": "", "backend/requirements.txt": "flask", "backend/app.py": APP, "frontend/package.json": "{}"}
    stack = analyse(memory(files))
    assert stack.app_root == "backend"
    assert stack.start_command.endswith(" app:app")
    evidence = {item.fact: item for item in stack.evidence}
    assert evidence["app"].file == "backend/app.py"
    assert evidence["language"].alternatives == ("frontend",)


def test_several_equal_folders_are_a_guess_that_is_said() -> None:
    stack = analyse(memory({f"{name}/{file}": text for name in "ab" for file, text in FLASK.items()}))
    assert stack.app_root == "a"
    (unknown,) = stack.unknowns
    assert (unknown.fact, unknown.choices, unknown.flag) == ("app_root", ("a", "b"), "--path")
    assert {item.confidence for item in stack.evidence if item.fact == "app_root"} == {"likely"}


@pytest.mark.parametrize(
    ("client", "server", "root"),
    [
        ('{"dependencies": {"react": "18"}}', '{"dependencies": {"koa": "2"}, "main": "x.js"}', "server"),
        ("{", '{"dependencies": []}', "server"),
    ],
)
def test_a_front_end_beside_its_server_is_no_question(client: str, server: str, root: str) -> None:
    source = memory({"client/package.json": client, "server/package.json": server, "server/x.js": ""})
    home = detect_language(source)
    assert (home.root, home.unknowns) == (root, ())


def test_a_pyproject_that_only_configures_tools_is_no_manifest() -> None:
    home = detect_language(memory({"pyproject.toml": "[tool.ruff]\n", "api/requirements.txt": "", "api/x.py": ""}))
    assert home.root == "api"


def test_python_wins_over_the_tools_that_stand_beside_it() -> None:
    home = detect_language(memory({"requirements.txt": "flask", "package.json": "{}"}))
    assert (home.language, home.evidence.alternatives) == ("python", ("package.json",))


def test_loose_python_files_are_python() -> None:
    assert analyse(memory({"app.py": APP})).build_command == ""
