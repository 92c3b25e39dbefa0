"""analyze: on sample repositories, through the command line; nothing is built, nothing is kept."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
from fixtures.sources import SAMPLES

from autodeploy.adapters.terminal import printable
from autodeploy.analyser.analysis import OVERRIDES
from autodeploy.cli.app import app
from autodeploy.cli.facts import FACTS
from autodeploy.cli.outcome import run
from tests.unit.cli.conftest import Desk, Shown, Terminal

KEYS = [
    *("url", "commit", "language", "framework", "runtime_version", "version_constraint", "package_manager"),
    *("build_tool", "build_command", "start_command", "server_package", "port", "port_env", "app_root"),
    *("requires_database", "database_type", "services", "system_packages", "environment", "health_check_path"),
    *("is_web_service", "migration_command", "dependencies", "evidence", "unknowns", "warnings", "secrets"),
]


@pytest.fixture
def capsys_run(desk: Desk, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch):
    """Type a command in the real world: git, a folder, no target."""
    monkeypatch.delenv("AUTODEPLOY_TARGET")

    def type_(*arguments: str) -> Shown:
        capsys.readouterr()
        code = run(app, arguments)
        return Shown(code, *capsys.readouterr())

    return type_


def written(folder: Path, **files: str) -> str:
    for name, text in files.items():
        (folder / name.replace("__", ".")).write_text(text)
    return str(folder)


class TestJson:
    def test_has_the_keys_that_are_promised(self, capsys_run) -> None:
        found = capsys_run("analyze", str(SAMPLES / "flask-postgres"), "--json").json
        assert list(found) == KEYS
        assert (found["language"], found["framework"], found["package_manager"]) == ("python", "flask", "pip")
        assert (found["port"], found["port_env"], found["health_check_path"]) == (8000, "PORT", "/health")
        assert (found["requires_database"], found["database_type"]) == (True, "postgresql")
        assert set(found["system_packages"]) == {"build", "run"}
        assert {frozenset(item) for item in found["evidence"]} == {
            frozenset({"fact", "value", "file", "line", "rule", "alternatives", "confidence"})
        }

    def test_of_a_variable(self, capsys_run) -> None:
        found = capsys_run("analyze", str(SAMPLES / "express-postgres"), "--json").json
        (variable,) = [item for item in found["environment"] if item["name"] == "SESSION_SECRET"]
        assert variable.pop("evidence")["file"] == "index.js"
        assert variable == {
            **{"name": "SESSION_SECRET", "required": True, "secret": True, "default": None, "generated": True}
        }

    def test_of_a_worker_there_is_neither_port_nor_page(self, capsys_run) -> None:
        found = capsys_run("analyze", str(SAMPLES / "python-worker"), "--json").json
        assert (found["is_web_service"], found["port"], found["health_check_path"]) == (False, None, None)

    def test_of_a_folder_names_places_as_the_repository_knows_them(self, capsys_run) -> None:
        found = capsys_run("analyze", str(SAMPLES), "--path", "express-postgres", "--json").json
        assert found["app_root"] == "express-postgres"
        assert {item["evidence"]["file"] for item in found["environment"]} == {"express-postgres/index.js"}
        files = {item["file"] for item in found["evidence"]} - {""}
        assert files and all(file.startswith("express-postgres/") for file in files)

    def test_names_committed_secrets_without_their_values(self, capsys_run, tmp_path: Path) -> None:
        (tmp_path / "shop").mkdir()
        value = "q7Rk2mZx9LwT4vBn8YcJ"
        files = {"requirements__txt": "flask==3.0.0\n", "app__py": "import flask\napp = flask.Flask('a')\n"}
        folder = written(tmp_path / "shop", **files, __env=f"MAIL_PASSWORD={value}\n")
        for view in ("--json", "--explain", "--ref=", "--path="):
            shown = capsys_run("analyze", folder, view)
            assert ".env:1" in shown.out and value not in shown.out + shown.err
        assert capsys_run("analyze", folder, "--json").json["secrets"] == [
            {"kind": "value of MAIL_PASSWORD", "file": ".env", "line": 1}
        ]

    def test_is_alone_on_standard_output(self, capsys_run) -> None:
        shown = capsys_run("analyze", str(SAMPLES / "go-plain"), "--json")
        assert shown.out.startswith("{") and "HiveMind DevOps" in shown.err


class TestRefusal:
    def test_of_another_language(self, capsys_run, tmp_path: Path) -> None:
        (tmp_path / "shop").mkdir()
        shown = capsys_run("analyze", written(tmp_path / "shop", Gemfile="gem 'rails'\n"), "--json")
        assert shown.code == 30
        assert shown.json["language"] is None
        assert shown.json["error"]["exit_code"] == 30
        assert "ruby" in shown.json["error"]["message"] and "Gemfile" in shown.json["error"]["message"]
        assert "Error: AnalysisError" in shown.err

    def test_of_a_folder_that_is_not_there(self, capsys_run, tmp_path: Path) -> None:
        shown = capsys_run("analyze", str(tmp_path / "nowhere"), "--json")
        assert (shown.code, shown.json["error"]["type"]) == (20, "SourceError")

    def test_without_json_leaves_standard_output_empty(self, capsys_run, tmp_path: Path) -> None:
        (tmp_path / "shop").mkdir()
        shown = capsys_run("analyze", written(tmp_path / "shop", Gemfile="gem 'rails'\n"))
        assert (shown.code, shown.out) == (30, "")


def test_it_leaves_nothing_behind(capsys_run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path / "tmp"))
    monkeypatch.setattr("tempfile.tempdir", None)
    monkeypatch.setenv("AUTODEPLOY_HOME", str(tmp_path / "home of its own"))
    (tmp_path / "tmp").mkdir()
    assert capsys_run("analyze", str(SAMPLES / "flask-postgres")).code == 0
    assert list((tmp_path / "tmp").iterdir()) == []
    assert not (tmp_path / "home of its own").exists()


def test_in_short(capsys_run) -> None:
    lines = capsys_run("analyze", str(SAMPLES / "express-postgres")).out.splitlines()
    rows = {line[:13].strip(): line[13:] for line in lines}
    assert rows["language"].startswith("nodejs 22.x")
    assert (rows["framework"], rows["port"]) == ("express", "8080, set by PORT")
    assert rows["environment"].startswith("DATABASE_URL: ")


def test_of_a_worker_in_short(capsys_run) -> None:
    text = capsys_run("analyze", str(SAMPLES / "python-worker")).out
    assert "answers      no HTTP: a worker" in text and "health page" not in text


class TestExplain:
    def test_names_place_rule_and_confidence_of_every_fact(self, capsys_run) -> None:
        arguments = ("analyze", str(SAMPLES / "express-postgres"))
        lines = [line.split() for line in capsys_run(*arguments, "--explain").out.splitlines()]
        assert lines[0] == ["Fact", "Value", "Where", "Rule", "Otherwise", "Confidence"]
        told = {line[0] for line in lines[1:]}
        evidence = capsys_run(*arguments, "--json").json["evidence"]
        assert told == {item["fact"] for item in evidence} | {"environment"}

    @pytest.mark.parametrize("width", [40, 80, 119, 120, 200])
    def test_fits_the_terminal(self, desk: Desk, monkeypatch: pytest.MonkeyPatch, width: int) -> None:
        desk.line.world.sample = "express-postgres"
        monkeypatch.setenv("COLUMNS", str(width))
        screen = Terminal()
        monkeypatch.setattr(sys, "stdout", screen)
        assert desk.type("analyze", "https://example.org/shop.git", "--explain").code == 0
        lines = printable.lines(screen.getvalue())
        assert max(len(line) for line in lines) <= width
        assert ("Because" in lines[0]) == (width < 120)


class TestFlags:
    def test_every_fact_has_one_and_every_flag_a_fact(self) -> None:
        assert set(FACTS) == OVERRIDES

    def test_settle_facts_for_analyze_and_deploy_alike(self, desk: Desk) -> None:
        flags = ("--port", "9001", "--framework", "none", "--start-command", "python app.py")
        facts = desk.type("analyze", "https://example.org/guestbook.git", "--json", *flags).json
        stack = desk.deploy(*flags).tech_stack
        assert (facts["port"], facts["framework"], facts["start_command"]) == (9001, None, "python app.py")
        assert (stack.port, stack.framework, stack.start_command) == (9001, None, "python app.py")

    def test_win_over_the_file(self, desk: Desk) -> None:
        Path("autodeploy.toml").write_text('[overrides]\nport = "9001"\nframework = "falcon"\n')
        facts = desk.type("analyze", "https://example.org/guestbook.git", "--json", "--port", "9002").json
        assert (facts["port"], facts["framework"]) == (9002, "falcon")
        rules = {item["fact"]: item["rule"] for item in facts["evidence"]}
        assert (rules["port"], rules["framework"]) == ("--port", "--framework")

    def test_that_are_empty_say_nothing(self, desk: Desk) -> None:
        plain = desk.type("analyze", "https://example.org/guestbook.git", "--json").json
        assert desk.type("analyze", "https://example.org/guestbook.git", "--json", "--port", "").json == plain

    def test_show_in_the_help_of_both(self, desk: Desk) -> None:
        for verb in ("deploy", "analyze"):
            text = desk.type(verb, "--help").out
            assert all(f"--{name.replace('_', '-')}" in text for name in FACTS)


def test_the_same_repository_gives_the_same_json(capsys_run) -> None:
    arguments = ("analyze", str(SAMPLES / "django-postgres"), "--json")
    assert json.loads(capsys_run(*arguments).out) == json.loads(capsys_run(*arguments).out)
