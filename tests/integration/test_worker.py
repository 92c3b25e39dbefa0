"""A worker through the command line: no port, no balancer, no certificate; it need only stay up."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from integration.world import World, world

pytestmark = pytest.mark.local

FLAGS = ("--target", "local", "--yes")


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Any:
    with world(tmp_path_factory.mktemp("worker")) as made:
        yield made


@pytest.fixture(scope="module")
def repository(place: World) -> Path:
    return place.repository("python-worker")


@pytest.fixture(scope="module")
def identifier(place: World, repository: Path) -> str:
    result: Any = place.json("deploy", str(repository), "a heartbeat", *FLAGS)
    assert (result["status"], result["url"]) == ("complete", None)
    return str(result["deployment_id"])


def beat(place: World, identifier: str) -> str:
    return place.ssh(identifier, "sudo cat /var/lib/app/heartbeat")


def test_it_works_without_a_way_in(place: World, identifier: str) -> None:
    state = place.json("status", identifier)
    assert (state["tech_stack"]["is_web_service"], state["deployment_config"]["app_port"]) == (False, 0)
    assert state["infrastructure"]["load_balancer_dns"] is None and state["infrastructure"]["certificate_arn"] is None
    assert (state["security_config"]["ssl_enabled"], state["security_config"]["open_ports"]) == (False, [22])
    assert not any("balancer" in line["what"].lower() for line in state["plan"]["cost"])
    assert place.ssh(identifier, "sudo ss -Hltn | grep -v ':22 '", check=False) == ""
    assert place.ssh(identifier, "systemctl is-active nginx", check=False) == "inactive\n"
    assert place.run("open", identifier).returncode == 12
    first = beat(place, identifier)
    assert place.eventually(lambda: beat(place, identifier) != first)


def test_a_killed_worker_is_started_again(place: World, identifier: str) -> None:
    place.ssh(identifier, "sudo systemctl kill --signal=KILL app")
    first = beat(place, identifier)
    assert place.eventually(lambda: beat(place, identifier) != first)


def test_a_new_commit_takes_the_place_of_the_old_one(place: World, identifier: str, repository: Path) -> None:
    old = place.json("status", identifier)["deployment_config"]["release_id"]
    main = repository / "heartbeat" / "__main__.py"
    main.write_text(main.read_text().replace("beating every", "now beating every"))
    place.commit(repository, "another word")
    result: Any = place.json("deploy", str(repository), *FLAGS)
    assert (result["status"], result["deployment_id"]) == ("complete", identifier)
    assert place.json("status", identifier)["deployment_config"]["release_id"] != old
    assert "now beating every" in place.run("logs", identifier).stdout
    running = place.ssh(identifier, "systemctl list-units --plain --no-legend --state=active 'app-*.service'")
    assert len(running.splitlines()) == 1 and old not in running


def test_a_worker_that_ends_is_no_service(place: World, repository: Path) -> None:
    (repository / "heartbeat" / "__main__.py").write_text("import schedule\nprint('nothing to do')\n")
    place.commit(repository, "give up")
    done = place.run("deploy", str(repository), *FLAGS)
    assert done.returncode == 45
    assert "the worker ended with exit code 0" in done.stderr and "nothing to do" in done.stderr


def test_it_is_taken_back(place: World, identifier: str) -> None:
    assert place.run("destroy", identifier, "--yes").returncode == 0
    assert place.json("status", identifier)["status"] == "rolled_back"
