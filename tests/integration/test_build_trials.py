"""Real trials and tests of small applications: what is seen corrects what was guessed, what fails is told."""

from __future__ import annotations

import pytest
from integration.building import BARE, World

from autodeploy import builder
from autodeploy.adapters.git import GitRepo
from autodeploy.builder import recipe
from autodeploy.errors import BuildError, TrialError
from autodeploy.model import Evidence, corrected

pytestmark = pytest.mark.local

ELSEWHERE = """
import http.server as h
class Pages(h.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200 if self.path == "/" else 404)
        self.end_headers()
h.HTTPServer(("", 5005), Pages).serve_forever()
"""


def test_an_application_that_does_not_boot_is_told(world: World) -> None:
    artifact = world.build(world.write(**{"app.py": "raise KeyError('SECRET_KEY')"}), BARE)
    with pytest.raises(TrialError, match="exit code 1 before it answered on port 8000: it needs SECRET_KEY") as caught:
        world.trial(artifact, BARE)
    assert caught.value.exit_code == 45
    assert caught.value.remediation == "Give what it misses: --env SECRET_KEY=…"


def test_port_and_page_are_seen_where_they_are(world: World) -> None:
    artifact = world.build(world.write(**{"app.py": ELSEWHERE}), BARE)
    guess = BARE.but(health_check_path="/healthz")
    seen = world.builder.trial(artifact, guess, {}, world.said.append)
    assert (seen.outcome, seen.port, seen.path, seen.status) == ("answered", 5005, "/", 200)
    assert (seen.sockets, seen.answers) == (("0.0.0.0:5005",), {"/healthz": 404, "/": 200})
    right = corrected(guess, seen)
    assert str(world.builder.trial(artifact, right, {}, world.said.append)).startswith("HTTP 200 on /")
    told = guess.but(evidence=(Evidence(fact="port", value="8000", rule="--port"),))
    with pytest.raises(TrialError, match=r"it listens on 0\.0\.0\.0:5005 instead"):
        world.trial(artifact, told)


def test_nothing_of_the_tests_enters_the_archive_and_a_failing_one_stops(world: World) -> None:
    check = (
        "import os, pathlib\ndef test_it():\n    pathlib.Path('left').touch()\n    assert os.getcwd() == '/app/src'\n"
    )
    root = world.write(**{"app.py": "", "test_app.py": check})
    plain = world.build(root, BARE)
    source = GitRepo(world.folder / "cache").checkout(str(root), None, ".", world.folder / "into")
    tested = recipe(BARE, source).but(tests=builder.tests(BARE, source))
    artifact = world.builder.build(source, BARE, tested, world.folder / "out", world.said.append)
    assert "Running the tests" in world.said
    assert artifact.checksum == plain.checksum
    root = world.write(**{"app.py": "", "test_app.py": "def test_it():\n    assert 1 == 2\n"})
    source = GitRepo(world.folder / "cache").checkout(str(root), None, ".", world.folder / "into")
    with pytest.raises(BuildError, match="pytest failed with exit code 1") as caught:
        world.builder.build(source, BARE, tested, world.folder / "out", world.said.append)
    assert "assert 1 == 2" in caught.value.output
    assert caught.value.context == "Running the tests for Python application"
