"""HiveMind DevOps: the trial is given the environment that the application will have on its host."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest
from fakes.line import DESCRIPTION, URL, Line
from fakes.source import FakeBuilder
from fakes.world import World

from autodeploy.model import (
    BuildArtifact,
    DeploymentState,
    Evidence,
    Recipe,
    Sighting,
    Source,
    TechStack,
    Unknown,
    corrected,
)
from autodeploy.ports import Say

ID = "guestbook-20261122-000001"
DJANGO = """
import os
DATABASES = {"default": {
    "ENGINE": "django.db.backends.postgresql", "HOST": os.environ["DB_HOST"], "PORT": os.environ["DB_PORT"],
    "NAME": os.environ["DB_NAME"], "USER": os.environ["DB_USER"], "PASSWORD": os.environ["DB_PASSWORD"],
}}
ALLOWED_HOSTS = os.environ["ALLOWED_HOSTS"].split(",")
SECRET_KEY = os.environ["SECRET_KEY"]
ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"
INSTALLED_APPS = ["notes"]
"""
ASYNC = """
import os
from fastapi import FastAPI
from sqlalchemy.ext.asyncio import create_async_engine
app = FastAPI()
engine = create_async_engine(os.environ["DATABASE_URL"])
@app.get("/health")
async def health():
    return {}
"""


@pytest.fixture
def tried(monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """What the builder is given for the trial."""
    seen: dict[str, str] = {}

    def trial(
        self: FakeBuilder, artifact: BuildArtifact, stack: TechStack, environment: Mapping[str, str], say: Say
    ) -> Sighting:
        seen.update(environment)
        return Sighting(outcome="answered", port=stack.port, path=stack.health_check_path, status=200)

    monkeypatch.setattr(FakeBuilder, "trial", trial)
    return seen


def compile_(line: Line) -> DeploymentState:
    now = line.clock.now()
    state = DeploymentState(
        deployment_id=ID, status="pending", repo_url=URL, description=DESCRIPTION, created_at=now, updated_at=now
    )
    line.store.save(state)
    return line.agents(line.settings(environment={"DB_HOST": "db.example.com"})).compiler.run(state)


def test_a_django_application_that_reads_the_parts(tmp_path: Path, tried: dict[str, str]) -> None:
    line = Line(tmp_path / "home", World("django-postgres"))
    line.world.texts = {"config/settings.py": DJANGO}
    compile_(line)
    named = {name: tried[name] for name in ("DB_HOST", "DB_PORT", "DB_NAME", "DB_USER", "DB_PASSWORD", "ALLOWED_HOSTS")}
    assert named == {
        "DB_HOST": "127.0.0.1",
        "DB_PORT": "5432",
        "DB_NAME": "app",
        "DB_USER": "app",
        "DB_PASSWORD": "scratch",
        "ALLOWED_HOSTS": "localhost,127.0.0.1",
    }
    assert len(tried["SECRET_KEY"]) > 40


def test_an_asynchronous_driver(tmp_path: Path, tried: dict[str, str]) -> None:
    line = Line(tmp_path / "home", World("fastapi-plain"))
    line.world.texts = {"requirements.txt": "fastapi\nuvicorn\nsqlalchemy\nasyncpg\n", "app/main.py": ASYNC}
    compile_(line)
    assert tried["DATABASE_URL"].startswith("postgresql+asyncpg://app:scratch@127.0.0.1:5432/app?")


def test_a_database_that_nobody_has_is_refused_before_anything_is_built(tmp_path: Path) -> None:
    line = Line(tmp_path / "home", World("flask-postgres"))
    line.world.texts = {"requirements.txt": "flask\npymongo\ngunicorn\n"}
    result = line.deploy()
    assert (result.status, line.ledger(result).failed_stage) == ("failed", "analyze")
    assert "needs mongodb" in result.errors[-1].message
    assert "--env DATABASE_URL" in result.errors[-1].remediation
    assert line.ledger(result).build_artifact is None
    given = line.deploy(environment={"DATABASE_URL": "mongodb://db.example.com/app"})
    assert given.status == "complete"
    plan = line.ledger(given).plan
    assert plan is not None and plan.infra.database is None


SEEN = Sighting(outcome="answered", port=5555, path="/ping", status=200)


def sees(monkeypatch: pytest.MonkeyPatch, sighting: Sighting) -> None:
    monkeypatch.setattr(FakeBuilder, "trial", lambda *_: sighting)


def test_a_wrong_guess_is_corrected_by_what_was_seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sees(monkeypatch, SEEN)
    line = Line(tmp_path / "home", World("flask-factory"))
    result = line.deploy()
    state = line.ledger(result)
    assert state.tech_stack is not None and state.plan is not None
    found = (state.tech_stack.port, state.tech_stack.port_env, state.tech_stack.health_check_path)
    assert found == (5555, None, "/ping")
    assert {item.fact for item in state.tech_stack.evidence if item.rule == "trial"} >= {"port", "health_check_path"}
    assert state.plan.infra.web is not None and state.plan.infra.web.health_check_path == "/ping"
    builds = line.world.builds
    again = line.deploy()
    assert line.world.builds == builds
    assert line.ledger(again).tech_stack == state.tech_stack
    assert line.ledger(again).plan == state.plan


STACK = TechStack(language="go", runtime_version="1.24", build_tool="go", port=8080)


@pytest.mark.parametrize(
    ("stack", "seen", "fields"),
    [
        (STACK, Sighting(outcome="answered", port=8080, path="/", status=200), {}),
        (STACK, Sighting(outcome="running"), {"is_web_service": False, "port": 0, "port_env": None}),
        (STACK.but(is_web_service=False, port=0, port_env=None), Sighting(outcome="running"), {}),
        (
            STACK.but(is_web_service=False, port=0, port_env=None),
            Sighting(outcome="answered", port=9000, path="/", status=404),
            {"is_web_service": True, "port": 9000},
        ),
    ],
)
def test_what_was_seen_takes_the_place_of_what_was_guessed(
    stack: TechStack, seen: Sighting, fields: dict[str, object]
) -> None:
    right = corrected(stack, seen)
    assert right.but(evidence=()) == stack.but(**fields)
    assert {(item.fact, item.rule) for item in right.evidence} == {(fact, "trial") for fact in fields}
    assert corrected(right, seen) == right


def test_evidence_and_question_of_a_corrected_fact_are_replaced() -> None:
    stack = STACK.but(
        evidence=(Evidence(fact="port", value="8080", rule="default", confidence="default"),),
        unknowns=(Unknown(fact="port", message="which?", choices=("8080", "9000")), Unknown(fact="app", message="x")),
    )
    right = corrected(stack, Sighting(outcome="answered", port=9000, path="/", status=200))
    [port] = [item for item in right.evidence if item.fact == "port"]
    assert (port.value, port.alternatives, port.confidence) == ("9000", ("8080",), "certain")
    assert [unknown.fact for unknown in right.unknowns] == ["app"]


def test_the_repository_s_tests_are_run_where_they_are_wanted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    commands: list[str] = []
    build = FakeBuilder.build

    def seen(
        self: FakeBuilder, source: Source, stack: TechStack, recipe: Recipe, into: Path, say: Say
    ) -> BuildArtifact:
        commands.extend(step.command for step in recipe.tests)
        return build(self, source, stack, recipe, into, say)

    monkeypatch.setattr(FakeBuilder, "build", seen)
    line = Line(tmp_path / "home", World("flask-factory"))
    line.world.texts = {"test_app.py": "def test_it(): ..."}
    assert line.deploy().status == "complete" and commands == []
    assert line.deploy(run_tests=True).status == "complete"
    assert commands[-1] == "/app/venv/bin/python -m pytest"
