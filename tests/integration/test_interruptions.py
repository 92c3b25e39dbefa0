"""kill -9 and Ctrl-C at every kind of effect: what comes next ends as it should, nothing twice, nothing orphaned."""

from __future__ import annotations

import random
import time
from collections import Counter
from collections.abc import Iterator

import pytest
from integration.guestbook import messages, sign
from interrupted.effects import Point
from interrupted.place import Place
from interrupted.points import DEPLOY, RESTORE, UPDATE, Case, cases, points

pytestmark = pytest.mark.local
SAMPLE_SECONDS = 60.0
ALL = [case for strike in ("KILL", "INT") for case in cases(strike)]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    made = Place(tmp_path_factory.mktemp("struck"))
    try:
        made.begin()
        yield made
    finally:
        done = made.run("local", "reset")
        made.run("local", "down")
        assert done.returncode == 0, done.stderr


@pytest.fixture
def place(home: Place) -> Place:
    """The home, with what is there now as its rest."""
    home.rest()
    return home


def standing(place: Place, sample: str) -> Counter[str]:
    """Return what one undisturbed deployment of a sample has; made once, and taken back."""
    if sample not in place.standing:
        state = place.deployed(f"calm-{sample}", sample=sample)
        place.standing[sample] = place.counted()
        place.destroyed(state["deployment_id"])
    return place.standing[sample]


def check(place: Place, case: Case, name: str) -> None:
    """Strike a deployment, bring it to its end; strike its destruction, bring it to its end."""
    expected = standing(place, case.sample)
    first = place.struck(case.deploy, *place.deploy(name, case.sample))
    state = place.deployed(name, answers=not first.approved(), sample=case.sample)
    assert place.counted() == expected
    place.struck(case.destroy, "destroy", state["deployment_id"], "--yes")
    place.destroyed(state["deployment_id"])


@pytest.mark.nightly
@pytest.mark.parametrize("case", ALL, ids=str)
def test_the_next_deploy_ends_complete_and_the_next_destroy_empty(place: Place, case: Case) -> None:
    check(place, case, f"p{ALL.index(case)}")


@pytest.mark.nightly
@pytest.mark.parametrize("point", [*points("KILL", DEPLOY)[::3], *points("INT", DEPLOY)[::3]], ids=str)
def test_what_was_struck_can_be_destroyed_at_once(place: Place, point: Point) -> None:
    name = f"d{points(point.strike, DEPLOY).index(point)}-{point.strike.lower()}"
    place.struck(point, *place.deploy(name, "fastapi-plain"))
    begun = [state for state in place.json("list") if state["name"] == name]
    for state in begun:
        place.destroyed(state["deployment_id"])
    assert place.counted() == Counter()


@pytest.mark.nightly
@pytest.mark.parametrize("strike", ["KILL", "INT"])
def test_a_deployment_that_is_struck_at_every_effect_in_turn(place: Place, strike: str) -> None:
    """Each run comes one kind of effect further than the one before it, until one ends."""
    expected = standing(place, "fastapi-plain")
    name = f"turns-{strike.lower()}"
    assert in_turns(place, strike, *place.deploy(name, "fastapi-plain")) > 80
    state = place.deployed(name, answers=False)
    assert place.counted() == expected
    assert in_turns(place, strike, "destroy", state["deployment_id"], "--yes") > 20
    place.destroyed(state["deployment_id"])


def in_turns(place: Place, strike: str, *command: str) -> int:
    """Repeat a command that is struck at each kind of effect once, until it ends; return how many there were."""
    seen, approved = place.folder / f"seen-{strike}-{command[0]}", False
    while True:
        ran = place.command(*command, unseen=(strike, str(seen)), answers=not approved)
        approved = approved or ran.approved()
        if ran.code == 0:
            return len(seen.read_text().splitlines())
        assert ran.code == (-9 if strike == "KILL" else 130), ran.said


@pytest.mark.nightly
@pytest.mark.parametrize("strike", ["KILL", "INT"])
def test_an_update_that_is_struck_lets_the_old_release_serve(place: Place, strike: str) -> None:
    name, expected = f"update-{strike.lower()}", standing(place, "fastapi-plain")
    before = place.deployed(name)
    folder = place.folder / "fastapi-plain"
    for number, point in enumerate(points(strike, UPDATE)):
        (folder / "NEWS").write_text(f"{strike} {number}\n")
        place.commit(folder, f"release {number}")
        struck = place.struck(point, *place.deploy(name, "fastapi-plain"))
        old = before["deployment_config"]["release_id"]
        if not any("host.run start switch" in moment for moment in struck.moments):
            assert place.serving(before) == old
        before = place.deployed(name, answers=False)
        assert before["deployment_config"]["release_id"] != old
        assert place.counted() == expected
    place.destroyed(before["deployment_id"])


@pytest.mark.nightly
@pytest.mark.parametrize("strike", ["KILL", "INT"])
def test_a_restore_that_is_struck_is_gone_on_with_by_the_next_deploy(place: Place, strike: str) -> None:
    sample, name = "flask-postgres", f"restore-{strike.lower()}"
    state = place.deployed(name, sample=sample)
    identifier = state["deployment_id"]
    sign(place, identifier, "precious")
    taken = place.json("db", "backup", identifier)["name"]
    expected = without_snapshots(place)
    for number, point in enumerate(points(strike, RESTORE)):
        sign(place, identifier, f"spoilt {number}")
        struck = place.struck(point, "db", "restore", taken, identifier, "--yes")
        assert struck.approved()
        assert place.deployed(name, answers=False, sample=sample)["deployment_id"] == identifier
        assert messages(place, identifier) == ["precious"], point
        assert without_snapshots(place) == expected, point
        # What the database held at last is in the newest snapshot: putting that back proves it, every third time.
        if number % 3 == 0:
            newest = place.json("db", "backups", identifier)[0]["name"]
            place.json("db", "restore", newest, identifier, "--yes")
            assert messages(place, identifier) == [f"spoilt {number}", "precious"]
            place.json("db", "restore", taken, identifier, "--yes")
    place.destroyed(identifier)


def without_snapshots(place: Place) -> Counter[str]:
    """Count what there is, but for the snapshots, of which each restore takes one."""
    return Counter({kind: number for kind, number in place.counted().items() if kind != "DBSnapshots"})


def test_a_random_sample(place: Place, chance: random.Random) -> None:
    drawn, deadline = chance.sample(ALL, len(ALL)), time.monotonic() + SAMPLE_SECONDS
    for number, case in enumerate(drawn):
        print(case)
        place.rest()
        check(place, case, f"sample{number}")
        if time.monotonic() > deadline:
            break
