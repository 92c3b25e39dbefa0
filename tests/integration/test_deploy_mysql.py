"""The main job with MySQL in PostgreSQL's place: deployed, written to, restarted, deployed again, destroyed."""

from __future__ import annotations

import json
from typing import Any

import pytest
from integration.world import World, world

pytestmark = pytest.mark.local


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Any:
    with world(tmp_path_factory.mktemp("mysql")) as made:
        yield made


def rows(place: World, identifier: str) -> list[str]:
    answer = place.curl(identifier, path="/tasks")
    assert " 200" in answer.splitlines()[0], answer
    return [row["title"] for row in json.loads(answer.splitlines()[-1])]


def test_a_flask_application_keeps_its_rows_in_mysql(place: World) -> None:
    repository = place.repository("flask-mysql", "todo")
    deploy = ("deploy", f"file://{repository}", "a list", "--target", "local", "--yes")
    first = place.json(*deploy)
    assert first["status"] == "complete"
    identifier = first["deployment_id"]
    state = place.json("status", identifier)
    assert state["infrastructure"]["database_credentials"]["port"] == 3306
    assert any("MariaDB stands in" in note for note in state["plan"]["notes"])
    assert '"tls":"TLSv1.3"' in place.curl(identifier, path="/health")
    place.curl(identifier, "--data-urlencode", "title=written before the restart ✓")
    assert rows(place, identifier) == ["written before the restart ✓"]
    place.ssh(identifier, "sudo systemctl restart app")
    assert place.eventually(lambda: rows(place, identifier)) == ["written before the restart ✓"]
    place.json(*deploy)
    after = place.json("status", identifier)
    assert after["deployment_config"]["release_id"] == state["deployment_config"]["release_id"]
    assert after["stages"]["provision"] == state["stages"]["provision"]
    assert rows(place, identifier) == ["written before the restart ✓"]
    gone = place.json("destroy", identifier, "--yes")
    assert (gone["status"], gone["remaining"]) == ("rolled_back", [])
