"""HiveMind DevOps: a checkout becomes a TechStack, that becomes an artifact that was seen to boot."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from fakes.line import DESCRIPTION, URL, Line
from fakes.world import World
from fixtures.sources import SAMPLES

from autodeploy.agents.choices import environment_of
from autodeploy.agents.compiler import HiveMindCompiler
from autodeploy.errors import AnalysisError, BuildError, SourceError, TrialError
from autodeploy.model import DeploymentState, TechStack

ID = "guestbook-20261122-000001"


@pytest.fixture
def line(tmp_path: Path) -> Line:
    return Line(tmp_path / "home")


def compiler(line: Line, **settings: object) -> HiveMindCompiler:
    return line.agents(line.settings(**settings)).compiler


def begun(line: Line, **fields: object) -> DeploymentState:
    now = line.clock.now()
    state = DeploymentState.model_validate(
        {
            "deployment_id": ID,
            "status": "pending",
            "repo_url": URL,
            "description": DESCRIPTION,
            "created_at": now,
            "updated_at": now,
            "name": "guestbook",
            **fields,
        }
    )
    line.store.save(state)
    return state


class TestAnalysing:
    @pytest.mark.parametrize("sample", ["flask-postgres", "fastapi-plain", "django-postgres", "flask-factory"])
    def test_finds_what_the_sample_is(self, tmp_path: Path, sample: str) -> None:
        line = Line(tmp_path / "home", World(sample))
        found = compiler(line).analyze_repository(URL, str(tmp_path / "source"))
        expected = TechStack.model_validate(json.loads((SAMPLES / sample / "techstack.json").read_text()))
        assert found == expected

    def test_says_what_it_found(self, line: Line, tmp_path: Path) -> None:
        compiler(line).analyze_repository(URL, str(tmp_path / "source"))
        assert line.ui.lines == [
            f"commit {'a' * 12}, 4 files",
            "python 3.11, flask, postgresql",
            "starts with: /app/venv/bin/gunicorn --bind 127.0.0.1:$PORT app:app",
        ]

    def test_an_override_wins(self, line: Line, tmp_path: Path) -> None:
        chosen = compiler(line, overrides={"start_command": "python app.py", "port": "9000"})
        found = chosen.analyze_repository(URL, str(tmp_path / "source"))
        assert (found.start_command, found.port) == ("python app.py", 9000)

    def test_names_the_repository_without_its_credentials_when_it_fails(self, line: Line, tmp_path: Path) -> None:
        line.break_at("analyze", SourceError("no access", "Give a token."))
        with pytest.raises(SourceError) as caught:
            compiler(line).analyze_repository("https://me:hunter2@example.org/guestbook.git", str(tmp_path / "source"))
        assert caught.value.context == f"Analysing {URL}"
        assert caught.value.agent == "HiveMind DevOps"

    def test_keeps_the_context_that_an_error_brought(self, line: Line, tmp_path: Path) -> None:
        line.break_at("analyze", SourceError("no access", "Give a token.", agent="Git", context="Cloning"))
        with pytest.raises(SourceError) as caught:
            compiler(line).analyze_repository(URL, str(tmp_path / "source"))
        assert (caught.value.agent, caught.value.context) == ("Git", "Cloning")

    def test_an_unsupported_language(self, line: Line, tmp_path: Path) -> None:
        line.world.texts = {"requirements.txt": "", "app.py": "print('no web framework at all')\n"}
        with pytest.raises(AnalysisError) as caught:
            compiler(line).analyze_repository(URL, str(tmp_path / "source"))
        assert caught.value.remediation


class TestBuilding:
    def test_leaves_an_archive_beside_the_checkout(self, line: Line, tmp_path: Path) -> None:
        agent = compiler(line)
        stack = agent.analyze_repository(URL, str(tmp_path / "source"))
        artifact = agent.build_application(stack, str(tmp_path / "source"))
        assert artifact.path == str(tmp_path / "artifacts" / "app.tar.zst")
        assert Path(artifact.path).stat().st_size == artifact.size_bytes
        assert artifact.commit == "a" * 40
        assert artifact.start_command == stack.start_command

    def test_a_failing_build_is_told_with_its_language(self, line: Line, tmp_path: Path) -> None:
        agent = compiler(line)
        stack = agent.analyze_repository(URL, str(tmp_path / "source"))
        line.break_at("build", BuildError("pip failed", "Correct it."))
        with pytest.raises(BuildError) as caught:
            agent.build_application(stack, str(tmp_path / "source"))
        assert caught.value.context == "Building the python application"


class TestRunning:
    def test_returns_the_state_with_stack_commit_artifact_and_logs(self, line: Line) -> None:
        before = begun(line)
        after = compiler(line).run(before)
        assert after.tech_stack and after.build_artifact
        assert after.commit == after.build_artifact.commit == "a" * 40
        assert after.but(tech_stack=None, build_artifact=None, commit="", logs=()) == before
        assert [entry.message for entry in after.logs][-1] == "trial: HTTP 200 on /health after 0.1 s"
        assert line.store.load(ID).logs == after.logs

    def test_an_artifact_that_does_not_boot(self, line: Line) -> None:
        agent = compiler(line)
        state = agent.analyze(begun(line))
        line.world.broken["trial"].append(TrialError("it listens to nothing", "Mend it."))
        with pytest.raises(TrialError) as caught:
            agent.build(state)
        assert caught.value.agent == "HiveMind DevOps"

    def test_a_later_run_builds_what_was_checked_out(self, line: Line) -> None:
        state = compiler(line).analyze(begun(line))
        line.world.commit = "b" * 40
        artifact = compiler(line).build(state).build_artifact
        assert artifact and artifact.commit == "a" * 40

    def test_clones_with_the_credentials_that_were_typed(self, line: Line) -> None:
        agent = compiler(line)
        typed = "https://me:hunter2@example.org/guestbook.git"
        agent.use_credentials_of(typed)
        state = agent.analyze(begun(line))
        assert state.repo_url == URL
        assert "hunter2" not in state.to_json()

    def test_the_environment_of_an_application_is_its_own_variables(self, line: Line) -> None:
        line.store.save_secrets(ID, {"env:B": "2", "env:A": "1", "seal": "x", "certificateKey": "y"})
        assert environment_of(line.store, ID) == {"A": "1", "B": "2"}
