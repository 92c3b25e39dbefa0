"""The document's properties of ids, errors and the ledger."""

from __future__ import annotations

import contextlib
import io
import secrets
import tempfile
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from autodeploy.adapters.store import FileStore
from autodeploy.adapters.terminal import PlainTerminal
from autodeploy.agents.agent import HiveMindAgent
from autodeploy.conductor import Agents, HiveMindConductor, Wish
from autodeploy.errors import AgentError, AnalysisError
from autodeploy.ledger import Ledger
from autodeploy.model import CloudFacts, DeploymentState, LogEntry
from autodeploy.naming import new_deployment_id
from tests.properties.generators import agents, deployment_state, errors, log_entries, noun, texts, timestamps, tokens

examples = settings(
    max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)


@contextlib.contextmanager
def fresh_store() -> Iterator[FileStore]:
    with tempfile.TemporaryDirectory() as home:
        yield FileStore(Path(home))


class SteppingClock:
    """A clock that goes on by a second whenever it is read."""

    def __init__(self, start: datetime = datetime(2026, 11, 22, tzinfo=timezone.utc)) -> None:
        self._now = start

    def now(self) -> datetime:
        self._now += timedelta(seconds=1)
        return self._now

    def sleep(self, seconds: float) -> None:
        self._now += timedelta(seconds=seconds)


# Feature: autodeploy-agent, Property 2: Deployment ID Uniqueness
@examples
@given(st.lists(st.tuples(texts, timestamps), min_size=2, max_size=20), st.data())
def test_ids_are_unique_and_belong_in_a_path(requests: list[tuple[str, datetime]], data: st.DataObject) -> None:
    drawn = data.draw(st.lists(tokens, min_size=len(requests), max_size=len(requests), unique=True))
    made = [new_deployment_id(name, now, token) for (name, now), token in zip(requests, drawn, strict=True)]
    assert len(set(made)) == len(made)
    with fresh_store() as store:
        assert all(store.folder(deployment_id).is_dir() for deployment_id in made)


# Feature: autodeploy-agent, Property 32: Error Capture Completeness
@examples
@given(noun(DeploymentState, deployment_id=st.just("a"), status=st.just("analyzing")), errors())
def test_a_captured_error_has_message_and_stack_trace(state: DeploymentState, err: AgentError) -> None:
    with fresh_store() as store:
        ledger = Ledger(store, SteppingClock(), state)
        try:
            raise err
        except AgentError as caught:
            entry = ledger.fail(caught, "analyze")
        assert entry.message == err.message
        assert entry.stack_trace is not None
        assert "Traceback" in entry.stack_trace
        assert type(err).__name__ in entry.stack_trace
        assert entry.error_type == type(err).__name__
        assert entry in store.load("a").errors


# Feature: autodeploy-agent, Property 33: Error Propagation with Context
@examples
@given(errors(), st.booleans(), texts.filter(bool), agents)
def test_an_error_says_which_agent_attempted_what(err: AgentError, told: bool, attempt: str, name: str) -> None:
    class Agent(HiveMindAgent):
        def work(self) -> None:
            with self._attempting(attempt):
                raise err

    Agent.name = name
    expected = (err.agent, err.context) if told else (name, attempt)
    if not told:
        err.context = ""
    with fresh_store() as store:
        silent: Any = SimpleNamespace(say=lambda _: None)
        try:
            Agent(silent, SteppingClock(), store).work()
        except AgentError as caught:
            assert (caught.agent, caught.context) == expected
            lines = str(caught).split("\n")
            assert lines[0] == f"[{expected[0]}] Error: {type(err).__name__}"
            assert f"Context: {' '.join(expected[1].split())}".strip() in str(caught)
        else:
            raise AssertionError("the error was swallowed")


# Feature: autodeploy-agent, Property 35: Error Remediation Presence
@examples
@given(errors())
def test_a_reported_error_says_what_to_do(err: AgentError) -> None:
    lines = str(err).split("\n")
    assert lines[0] == f"[{err.agent}] Error: {type(err).__name__}"
    assert lines[1:] == [
        f"Message: {' '.join(err.message.split())}",  # each of the four is a line
        f"Context: {' '.join(err.context.split())}",
        f"Remediation: {' '.join(err.remediation.split())}",
    ]
    assert lines[3].removeprefix("Remediation: ").strip()


class RecordingStore(FileStore):
    """Remembers what was saved, in order."""

    def __init__(self, home: Path) -> None:
        super().__init__(home)
        self.saved: list[DeploymentState] = []

    def save(self, state: DeploymentState) -> None:
        super().save(state)
        self.saved.append(state)


class EndedAtOnce:
    """An agent of every kind, whose analysis finds nothing."""

    name = "HiveMind DevOps"

    def use_credentials_of(self, url: str) -> None:
        pass

    def keep_answers_with(self, remember: Any) -> None:
        pass

    def keep_environment(self, deployment_id: str) -> None:
        pass

    def analyze(self, state: DeploymentState) -> DeploymentState:
        raise AnalysisError(
            "there is nothing to run", "Name a folder with --path.", agent=self.name, context="Analysing"
        )


def conductor(store: FileStore) -> HiveMindConductor:
    agent: Any = EndedAtOnce()
    facts = CloudFacts(
        target="local", account_id="1", region="us-east-1", zones=("a", "b"), images={}, admin_cidr="127.0.0.1/32"
    )
    cloud: Any = SimpleNamespace(facts=lambda: facts, account_epoch=lambda: "epoch-1")
    everyone = Agents(compiler=agent, provisioner=agent, deployer=agent, sheriff=agent)
    terminal = PlainTerminal(io.StringIO(), io.StringIO())
    wish = Wish(target="local")
    return HiveMindConductor(everyone, cloud, store, terminal, SteppingClock(), wish, lambda: secrets.token_hex(3))


# Feature: autodeploy-agent, Property 37: Initial State Creation
@examples
@given(st.from_regex(r"https://[a-z]{1,9}\.example/[a-z]{1,9}/[A-Za-z0-9_]{1,9}(\.git)?", fullmatch=True), texts)
def test_a_request_begins_as_pending_with_its_url(url: str, description: str) -> None:
    with tempfile.TemporaryDirectory() as home:
        store = RecordingStore(Path(home))
        with contextlib.suppress(AgentError):
            conductor(store).deploy(url, description)
        first = store.saved[0]
        assert first.status == "pending"
        assert first.repo_url == url
        assert first.description == description
        assert {state.deployment_id for state in store.saved} == {first.deployment_id}


# Feature: autodeploy-agent, Property 39: State Persistence Round-Trip
@examples
@given(deployment_state())
def test_saving_and_loading_returns_an_equal_state(state: DeploymentState) -> None:
    with fresh_store() as store:
        store.save(state)
        assert store.load(state.deployment_id) == state
        store.save(store.load(state.deployment_id))
        assert FileStore(store.home).load(state.deployment_id) == state


# Feature: autodeploy-agent, Property 40: State Retrieval Completeness
@examples
@given(deployment_state(full=True))
def test_a_retrieved_state_holds_status_logs_and_all_outputs(state: DeploymentState) -> None:
    with fresh_store() as store:
        store.save(state.but(logs=()))
        for entry in state.logs:
            store.append_log(state.deployment_id, entry)
        found = store.load(state.deployment_id)
    assert found.status == state.status
    assert found.logs == state.logs
    assert found.logs
    for output in ("tech_stack", "build_artifact", "infrastructure", "deployment_config", "security_config"):
        assert getattr(found, output) is not None
        assert getattr(found, output) == getattr(state, output)


# Feature: autodeploy-agent, Property 42: Log Chronological Ordering
@examples
@given(noun(DeploymentState, deployment_id=st.just("a"), logs=log_entries()), log_entries(5))
def test_logs_of_all_agents_are_in_order_of_time(state: DeploymentState, later: tuple[LogEntry, ...]) -> None:
    with fresh_store() as store:
        store.save(state)
        for entry in later:
            store.append_log("a", entry)
        found = store.load("a").logs
    moments = [entry.timestamp for entry in found]
    assert moments == sorted(moments)
    assert sorted(found, key=repr) == sorted(
        (
            LogEntry(**{**dict(entry), "timestamp": entry.timestamp.astimezone(timezone.utc)})
            for entry in (*state.logs, *later)
        ),
        key=repr,
    )
