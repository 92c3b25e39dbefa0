"""Three languages by no database, PostgreSQL and MySQL: each is deployed, killed, rebooted and taken back.

`make test` runs one of the nine, drawn by chance.
`make test-nightly` runs all.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Any, NamedTuple

import pytest
from integration.account import Place, local_place

KEPT = "kept-through-kill-and-reboot"


class Cell(NamedTuple):
    """A sample, what is written to it by curl, where it is read back, and what must be found there."""

    sample: str
    write: tuple[str, tuple[str, ...]] | None = None
    read: str = "/"
    found: str = KEPT


def form(**fields: str) -> tuple[str, ...]:
    """Return the arguments with which curl posts a form."""
    return tuple(word for name, value in fields.items() for word in ("--data-urlencode", f"{name}={value}"))


JSON = ("--header", "Content-Type: application/json", "--data")
CELLS = {
    ("python", "none"): Cell("fastapi-plain"),
    ("python", "postgresql"): Cell("flask-postgres", ("/", form(name="ada", message=KEPT))),
    ("python", "mysql"): Cell("flask-mysql", ("/", form(title=KEPT)), "/tasks"),
    ("nodejs", "none"): Cell("express-plain"),
    ("nodejs", "postgresql"): Cell(
        "express-postgres", ("/entries", (*JSON, f'{{"name": "ada", "message": "{KEPT}"}}')), "/entries"
    ),
    ("nodejs", "mysql"): Cell("express-mysql", (f"/counters/{KEPT}", form()), f"/counters/{KEPT}", '"value":1'),
    ("go", "none"): Cell("go-plain"),
    ("go", "postgresql"): Cell("go-postgres", ("/visit", form(name=KEPT))),
    ("go", "mysql"): Cell("go-mysql", ("/api/notes", (*JSON, f'{{"text": "{KEPT}"}}')), "/api/notes"),
}


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    with local_place(tmp_path_factory.mktemp("matrix")) as opened:
        yield opened


@pytest.mark.nightly
@pytest.mark.parametrize(("language", "database"), list(CELLS))
def test_it_serves_through_kill_and_reboot_and_leaves_nothing(place: Place, language: str, database: str) -> None:
    live_and_end(place, language, database)


@pytest.mark.local
def test_one_of_the_nine_drawn_by_chance(place: Place, chance: random.Random) -> None:
    cell = chance.choice(list(CELLS))
    print(cell)
    live_and_end(place, *cell)


def live_and_end(place: Place, language: str, database: str) -> None:
    """Take one cell through its whole life."""
    cell = CELLS[language, database]
    state: Any = place.deploy(place.world.repository(cell.sample))
    identifier = state["deployment_id"]
    assert state["status"] == "complete"
    assert state["tech_stack"]["language"] == language
    assert (state["tech_stack"]["database_type"] or "none") == database
    if cell.write:
        place.world.curl(identifier, "--request", "POST", *cell.write[1], path=cell.write[0])
    serves(place, state, cell)
    place.holds(state)

    world = place.world
    process = main_process(place, identifier)
    world.ssh(identifier, f"sudo kill -9 {process}")
    world.eventually(lambda: main_process(place, identifier) not in (process, "0"))
    world.eventually(lambda: serves(place, state, cell))

    boot = world.ssh(identifier, "cat /proc/sys/kernel/random/boot_id")
    world.ssh(identifier, "sudo systemctl reboot", check=False)
    world.eventually(
        lambda: world.ssh(identifier, "cat /proc/sys/kernel/random/boot_id", check=False) not in ("", boot), 60
    )
    world.eventually(lambda: serves(place, state, cell), 60)

    place.destroy(identifier)
    listed = world.json("local", "status")
    assert not [text for kind in ("machines", "databases", "leftovers") for text in listed[kind] if identifier in text]


def main_process(place: Place, identifier: str) -> str:
    """Return the process id of the application."""
    return place.world.ssh(identifier, "systemctl show -p MainPID --value app").strip()


def serves(place: Place, state: dict[str, Any], cell: Cell) -> bool:
    """Assert that the release answers, with what was written where it has a database."""
    path = cell.read if cell.write else state["deployment_config"]["health_check_path"]
    answer = place.world.curl(state["deployment_id"], path=path)
    assert f"x-autodeploy-release: {state['deployment_config']['release_id']}" in answer.lower()
    assert " 200" in answer.splitlines()[0]
    assert not cell.write or cell.found in answer
    return True
