"""What agents share: a voice that ends in the ledger, and a name in every error that passes."""

from __future__ import annotations

from pathlib import Path

import pytest
from fakes.memory import MemoryStore
from fakes.person import BEGINNING, FakeClock, FakeUI

from autodeploy.agents.agent import HiveMindAgent
from autodeploy.errors import BuildError, StateError
from autodeploy.model import DeploymentState, LogEntry


class Singer(HiveMindAgent):
    """An agent that only says."""

    name = "HiveMind Choir"

    def sing(self, state: DeploymentState, *lines: str) -> DeploymentState:
        with self._working_on(state), self._attempting("Singing"):
            for line in lines:
                if line == "cough":
                    raise BuildError("a cough", "Drink.")
                self.say(line)
            return self._logged(state, commit="sung")


@pytest.fixture
def store(tmp_path: Path) -> MemoryStore:
    return MemoryStore(tmp_path)


@pytest.fixture
def singer(store: MemoryStore) -> Singer:
    return Singer(FakeUI(), FakeClock(), store)


def begun(store: MemoryStore) -> DeploymentState:
    state = DeploymentState(
        deployment_id="a", status="pending", repo_url="u", description="", created_at=BEGINNING, updated_at=BEGINNING
    )
    store.save(state)
    return state


def test_what_is_said_is_in_the_ledger_at_once_and_once(singer: Singer, store: MemoryStore) -> None:
    after = singer.sing(begun(store), "do", "re")
    assert [(entry.agent, entry.level, entry.message) for entry in after.logs] == [
        ("HiveMind Choir", "INFO", "do"),
        ("HiveMind Choir", "INFO", "re"),
    ]
    assert after.commit == "sung"
    assert store.load("a").logs == after.logs
    store.save(after)
    assert store.load("a").logs == after.logs


def test_what_was_said_before_an_error_is_in_the_ledger(singer: Singer, store: MemoryStore) -> None:
    with pytest.raises(BuildError) as caught:
        singer.sing(begun(store), "do", "cough")
    assert (caught.value.agent, caught.value.context) == ("HiveMind Choir", "Singing")
    assert [entry.message for entry in store.load("a").logs] == ["do"]


def test_a_line_that_cannot_be_written_now_comes_with_the_ledger(store: MemoryStore) -> None:
    class Full(MemoryStore):
        def append_log(self, deployment_id: str, entry: LogEntry) -> None:
            raise StateError("the disk is full", "Free some space.")

    full = Full(store.folder("a").parent)
    after = Singer(FakeUI(), FakeClock(), full).sing(begun(full), "do", "re")
    full.save(after)
    assert [entry.message for entry in full.load("a").logs] == ["do", "re"]


def test_a_second_song_does_not_repeat_the_first(singer: Singer, store: MemoryStore) -> None:
    after = singer.sing(singer.sing(begun(store), "do"), "re")
    assert [entry.message for entry in after.logs] == ["do", "re"]


def test_between_deployments_it_speaks_to_nobodys_ledger(singer: Singer, store: MemoryStore) -> None:
    begun(store)
    singer.say("hm", "WARNING")
    assert store.load("a").logs == ()
