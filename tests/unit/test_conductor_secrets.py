"""The application's variables and all other secrets: asked for in time, kept, and written in one private file only."""

from __future__ import annotations

from pathlib import Path

import pytest
from fakes.line import CERTIFICATE_KEY, SSH_KEY, URL, Line

NEEDS_VARIABLES = """
import os
from flask import Flask
app = Flask(__name__)
app.secret_key = os.environ["SECRET_KEY"]
TOKEN = os.environ["PAYMENT_TOKEN"]

@app.get("/")
def index():
    return "hello"
"""


@pytest.fixture
def line(tmp_path: Path) -> Line:
    return Line(tmp_path / "home")


def needing_variables(line: Line) -> Line:
    line.world.texts["app.py"] = NEEDS_VARIABLES
    return line


class TestSecrets:
    def test_missing_variables_before_anything_is_built(self, line: Line) -> None:
        (entry,) = needing_variables(line).deploy().errors
        assert "PAYMENT_TOKEN (app.py:6)" in entry.message
        assert "--env PAYMENT_TOKEN=…" in entry.remediation
        assert (line.world.builds, line.world.stacks) == (0, {})

    def test_credentials_in_the_address_are_not_kept(self, line: Line) -> None:
        state = line.ledger(line.deploy("https://me:hunter2@example.org/guestbook.git"))
        assert state.repo_url == URL
        assert "hunter2" not in all_texts(line)

    def test_are_kept_over_runs(self, line: Line) -> None:
        needing_variables(line)
        first = line.deploy(environment={"PAYMENT_TOKEN": "s3cret-token"})
        kept = dict(line.store.secrets(first.deployment_id))
        assert kept["env:PAYMENT_TOKEN"] == "s3cret-token"
        assert len(kept["env:SECRET_KEY"]) >= 48
        again = line.deploy()
        assert dict(line.store.secrets(again.deployment_id)) == kept
        assert line.ledger(again).deployment_config == line.ledger(first).deployment_config

    def test_a_given_value_wins_over_the_kept_one(self, line: Line) -> None:
        needing_variables(line)
        first = line.deploy(environment={"PAYMENT_TOKEN": "one"})
        second = line.deploy(environment={"PAYMENT_TOKEN": "two"})
        assert line.store.secrets(second.deployment_id)["env:PAYMENT_TOKEN"] == "two"
        releases = [getattr(r.summary["HiveMind Release-Engineer"], "release_id", None) for r in (first, second)]
        assert len(set(releases)) == 2

    def test_what_was_given_to_a_refused_run_need_not_be_given_again(self, line: Line) -> None:
        needing_variables(line).world.texts["app.py"] += 'OTHER = os.environ["OTHER_TOKEN"]\n'
        assert line.deploy(environment={"PAYMENT_TOKEN": "one"}).status == "failed"
        assert line.deploy(environment={"OTHER_TOKEN": "two"}).status == "complete"

    def test_are_in_one_private_file_and_nowhere_else(self, line: Line) -> None:
        result = needing_variables(line).deploy(environment={"PAYMENT_TOKEN": "s3cret-token"})
        values = [*line.store.secrets(result.deployment_id).values(), "master-password-of-the-database"]
        assert len(values) >= 5
        shown = all_texts(line) + "\n".join(line.ui.lines) + result.to_json()
        for value in (*values, CERTIFICATE_KEY, SSH_KEY):
            assert value not in shown
        assert (line.store.folder(result.deployment_id) / "secrets.json").stat().st_mode & 0o777 == 0o600
        assert (line.store.folder(result.deployment_id) / "id_ed25519").stat().st_mode & 0o777 == 0o600


def all_texts(line: Line) -> str:
    """Return all that the ledgers and their logs say."""
    names = ("state.json", "state.previous.json", "logs.txt")
    return "\n".join(path.read_text() for path in line.home.rglob("*") if path.name in names)
