"""What an application needs beside itself, over the whole line: refused before a build, given once, left by a trial."""

from __future__ import annotations

from pathlib import Path

import pytest
from fakes.line import Line
from fakes.world import World

from autodeploy.errors import TrialError

REDIS = {
    "requirements.txt": "flask\nredis\ngunicorn\n",
    "app.py": "import os\nimport redis\nfrom flask import Flask\napp = Flask(__name__)\n"
    "store = redis.from_url(os.environ['REDIS_URL'])\n@app.get('/health')\ndef health():\n    return 'ok'\n",
}


@pytest.fixture
def line(tmp_path: Path) -> Line:
    line = Line(tmp_path / "home", World("flask-postgres"))
    line.world.texts = dict(REDIS)
    return line


def test_a_server_that_nobody_gave_is_refused_before_anything_is_built(line: Line) -> None:
    result = line.deploy()
    assert (result.status, line.ledger(result).failed_stage, line.world.builds) == ("failed", "analyze", 0)
    assert "redis" in result.errors[-1].message and "--env REDIS_URL=…" in result.errors[-1].remediation


def test_an_address_is_given_once(line: Line) -> None:
    assert line.deploy(environment={"REDIS_URL": "redis://cache.example.net"}).status == "complete"
    assert line.deploy().status == "complete"


def test_a_flag_says_that_it_does_without(line: Line) -> None:
    line.world.texts["app.py"] = REDIS["app.py"].replace("os.environ['REDIS_URL']", "'redis://'")
    assert line.deploy(overrides={"services": "none"}).status == "complete"


def test_one_that_the_code_does_without_is_told(line: Line) -> None:
    line.world.texts["app.py"] = REDIS["app.py"].replace("os.environ['REDIS_URL']", "os.environ.get('REDIS_URL')")
    result = line.deploy()
    assert result.status == "complete"
    assert any("redis is not made" in text for text in line.ui.lines)
    plan = line.ledger(result).plan
    assert plan is not None and any("redis is not made" in note for note in plan.notes)


def test_a_trial_that_misses_its_server_is_left_to_the_host(line: Line) -> None:
    line.world.broken["trial"].append(
        TrialError("it ended with exit code 1", "Read its last lines.", output="ConnectionError: Connection refused")
    )
    result = line.deploy(environment={"REDIS_URL": "redis://cache.example.net"})
    assert result.status == "complete"
    assert any("shows nothing without redis" in text for text in line.ui.lines)


@pytest.mark.parametrize("texts", [REDIS, {}])
def test_any_other_failure_of_a_trial_stops_the_line(line: Line, texts: dict[str, str]) -> None:
    line.world.texts = texts
    output = "SyntaxError: invalid syntax" if texts else "could not connect: Connection refused"
    line.world.broken["trial"].append(TrialError("it ended with exit code 1", "Read its last lines.", output=output))
    result = line.deploy(environment={"REDIS_URL": "redis://cache.example.net"})
    assert (result.status, line.ledger(result).failed_stage) == ("failed", "build")


def test_a_version_that_nobody_has_is_refused_before_anything_is_built(line: Line) -> None:
    line.world.texts = {".python-version": "2.7\n"}
    result = line.deploy()
    assert (result.status, line.ledger(result).failed_stage, line.world.builds) == ("failed", "analyze", 0)
    assert "2.7" in result.errors[-1].message
    assert result.errors[-1].error_type in {"AnalysisError", "PlanError"}


def test_a_committed_secret_is_told_before_anything_is_built(line: Line) -> None:
    line.world.texts = {".env": "MAIL_PASSWORD=q7Rk2mZx9LwT4vBn8YcJ\n"}
    result = line.deploy()
    told = [number for number, text in enumerate(line.ui.lines) if ".env:1 (value of MAIL_PASSWORD)" in text]
    assert told and told[0] < line.ui.lines.index("done: Analysing the repository")
    assert "q7Rk2mZx9LwT4vBn8YcJ" not in line.ledger(result).to_json()
