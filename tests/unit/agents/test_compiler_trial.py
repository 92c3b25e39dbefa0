"""HiveMind DevOps: the trial is given the environment that the application will have on its host."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest
from fakes.line import DESCRIPTION, URL, Line
from fakes.source import FakeBuilder
from fakes.world import World

from autodeploy.model import BuildArtifact, DeploymentState, TechStack
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
    ) -> str:
        seen.update(environment)
        return "HTTP 200"

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
    given = line.deploy(environment={"MONGODB_URI": "mongodb://db.example.com/app"})
    assert given.status == "complete"
    plan = line.ledger(given).plan
    assert plan is not None and plan.infra.database is None
