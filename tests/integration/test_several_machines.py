"""On the local target, through the command line: two machines behind the balancer, released in turn, one taken away."""

from __future__ import annotations

import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from integration.world import World, world

pytestmark = pytest.mark.local


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Any:
    with world(tmp_path_factory.mktemp("several")) as made:
        yield made


def deploy(place: World, repository: Path, *flags: str) -> Any:
    return place.json("deploy", f"file://{repository}", "items", "--target", "local", "--yes", *flags)


def release_on(place: World, identifier: str, machine: int) -> str:
    """Return the release that a machine's own proxy names."""
    answer = place.ssh(identifier, "curl -si http://127.0.0.1/", machine=machine)
    return next(line.split()[1] for line in answer.splitlines() if line.lower().startswith("x-autodeploy-release"))


def asked(place: World, identifier: str, mark: str) -> list[int]:
    """Return how many of the requests with this mark each of two machines has answered."""
    count = f"sudo cat /var/log/nginx/access.log | grep -c {mark}"
    return [int(place.ssh(identifier, count, check=False, machine=machine)) for machine in (1, 2)]


class Visitor:
    """Somebody who asks the public URL, its certificate verified."""

    def __init__(self, place: World, identifier: str) -> None:
        ca = place.home / "deployments" / identifier / "ca.pem"
        self.url = place.json("status", identifier)["deployment_config"]["url"]
        self.command = ["curl", "-s", "--max-time", "10", "--cacert", str(ca), "-o", "/dev/null", "-w", "%{http_code}"]

    def ask(self, path: str = "/") -> str:
        """Return the status that came; 000 for none."""
        command = [*self.command, self.url + path]
        return subprocess.run(command, capture_output=True, text=True, check=False, timeout=30).stdout

    @contextmanager
    def busy(self) -> Iterator[list[str]]:
        """Ask one time after the other until the block ends; give the statuses that came."""
        seen, over = list[str](), threading.Event()

        def visit() -> None:
            while not over.wait(0.1):
                seen.append(self.ask())

        thread = threading.Thread(target=visit)
        thread.start()
        try:
            yield seen
        finally:
            over.set()
            thread.join()


def test_two_machines_serve_are_released_in_turn_and_one_can_go(place: World) -> None:
    repository = place.repository("fastapi-plain", "items")
    made = deploy(place, repository, "--instances", "2")
    identifier = made["deployment_id"]
    state = place.json("status", identifier)
    first = state["deployment_config"]["release_id"]
    assert [more["name"] for more in state["infrastructure"]["more_machines"]] == ["app-2"]
    assert state["security_config"]["security_score"] >= 80
    findings = [finding["name"] for finding in state["security_config"]["findings"]]
    assert {name.partition(": ")[0] for name in findings} == {"app", "app-2"}

    visitor = Visitor(place, identifier)
    assert {visitor.ask("/?before") for _ in range(6)} == {"404"}  # it has no such page
    assert asked(place, identifier, "before") == [3, 3]

    main = next(path for path in repository.rglob("*.py") if "FastAPI(" in path.read_text())
    main.write_text(f"{main.read_text()}\n# second\n")
    place.commit(repository, "second")
    with visitor.busy() as seen:
        deploy(place, repository)
    second = place.json("status", identifier)["deployment_config"]["release_id"]
    assert second != first
    assert [release_on(place, identifier, machine) for machine in (1, 2)] == [second, second]
    assert len(seen) > 5 and set(seen) == {"404"}, "nobody was turned away"

    place.ssh(identifier, "sudo systemctl stop app nginx", machine=2)

    def others_go_on() -> bool:
        return {visitor.ask() for _ in range(6)} == {"404"}

    assert place.eventually(others_go_on, 40)

    kept = place.json("status", identifier)["infrastructure"]["ec2_instance_id"]
    fewer = deploy(place, repository, "--instances", "1")
    state = place.json("status", identifier)
    assert (fewer["status"], state["infrastructure"]["ec2_instance_id"]) == ("complete", kept)
    assert "more_machines" not in state["infrastructure"]
    assert second in place.curl(identifier).lower()

    gone = place.json("destroy", identifier, "--yes")
    assert (gone["status"], gone["remaining"], gone["left"]) == ("rolled_back", [], [])
    assert place.json("local", "status")["machines"] == []
