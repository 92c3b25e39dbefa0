"""The design document's five scenarios, end to end; `--aws-account PROFILE` runs the same bodies on a real account."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from integration.account import Place, aws_place, local_place
from integration.properties import retry_and_rollback_are_offered

pytestmark = pytest.mark.local

BREAKS_ON_THE_HOST = """
import os, http.server

if os.path.exists("/etc/autodeploy"):
    raise SystemExit("this host is not to its liking")
http.server.HTTPServer(("127.0.0.1", int(os.environ["PORT"])), http.server.SimpleHTTPRequestHandler).serve_forever()
"""
# Four starts that fail: more than one attempt of the release bears, fewer than two.
COMES_UP_LATE = """
import os, pathlib, http.server

tries = pathlib.Path(os.environ["HOME"], "tries")
count = int(tries.read_text()) if tries.exists() else 0
tries.write_text(str(count + 1))
if os.path.exists("/etc/autodeploy") and count < 4:
    raise SystemExit(f"not yet, start {count + 1}")
http.server.HTTPServer(("127.0.0.1", int(os.environ["PORT"])), http.server.SimpleHTTPRequestHandler).serve_forever()
"""


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Iterator[Place]:
    profile = request.config.getoption("--aws-account")
    folder = tmp_path_factory.mktemp("scenarios")
    with aws_place(folder, profile) if profile else local_place(folder) as opened:
        yield opened


def script(place: Place, name: str, text: str) -> Path:
    """Make a repository of one Python script, which its Procfile starts."""
    folder = place.world.folder / name
    folder.mkdir()
    (folder / "server.py").write_text(text)
    (folder / "requirements.txt").write_text("")
    (folder / "Procfile").write_text("web: python server.py\n")
    place.world.commit(folder, "begin")
    return folder


def serves(place: Place, state: dict[str, Any]) -> None:
    """Assert that the public URL answers with the release that the ledger names."""
    answer = place.world.curl(state["deployment_id"], path=state["deployment_config"]["health_check_path"])
    assert f"x-autodeploy-release: {state['deployment_config']['release_id']}" in answer.lower()


def test_1_a_simple_express_application(place: Place) -> None:
    state: Any = place.deploy(place.world.repository("express-plain"))
    assert (state["status"], state["tech_stack"]["language"]) == ("complete", "nodejs")
    assert state["plan"]["infra"]["instance_type"] == "t3.small" and state["plan"]["infra"]["database"] is None
    assert state["plan"]["infra"]["tags"]["TestRun"] == "true"
    serves(place, state)
    place.holds(state)
    place.destroy(state["deployment_id"])


def test_2_flask_with_postgresql(place: Place) -> None:
    state: Any = place.deploy(place.world.repository("flask-postgres", "guestbook"))
    assert (state["status"], state["tech_stack"]["database_type"]) == ("complete", "postgresql")
    row = ["--data-urlencode", "name=ada", "--data-urlencode", "message=kept in the database"]
    place.world.curl(state["deployment_id"], *row)
    assert "kept in the database" in place.world.curl(state["deployment_id"])
    place.holds(state)
    place.destroy(state["deployment_id"])


def test_3_go_without_a_database(place: Place) -> None:
    state: Any = place.deploy(place.world.repository("go-plain"))
    assert (state["status"], state["tech_stack"]["language"]) == ("complete", "go")
    assert state["plan"]["infra"]["instance_type"] == "t3.micro"
    serves(place, state)
    place.holds(state)
    place.destroy(state["deployment_id"])


def test_4_rollback_after_a_failed_deployment(place: Place) -> None:
    folder = script(place, "unlucky", BREAKS_ON_THE_HOST)
    done = place.world.run("deploy", str(folder), *place.flags, "--yes", timeout=place.seconds)
    assert done.returncode == 80, done.stderr
    assert "this host is not to its liking" in done.stderr and "Traceback" not in done.stderr
    state: Any = next(state for state in place.world.json("list") if state["name"] == "unlucky")
    identifier = state["deployment_id"]
    retry_and_rollback_are_offered(done.stderr, place.state(identifier), "deploy")
    place.destroy(identifier)
    assert place.state(identifier)["status"] == "rolled_back"


def test_5_transient_failures_are_tried_again(place: Place) -> None:
    folder = script(place, "late", COMES_UP_LATE)
    done = place.world.run("deploy", str(folder), *place.flags, "--yes", timeout=place.seconds)
    assert done.returncode == 0, done.stderr
    assert "again in" in done.stderr
    state: Any = next(state for state in place.world.json("list") if state["name"] == "late")
    assert state["status"] == "complete"
    assert any(
        entry["level"] == "WARNING" and "again in" in entry["message"]
        for entry in place.state(state["deployment_id"])["logs"]
    )
    serves(place, state)
    place.destroy(state["deployment_id"])
