"""The document's properties of orchestration, on the real line with its real agents over a world in memory."""

from __future__ import annotations

import contextlib
import itertools
import tempfile
from collections.abc import Iterator
from pathlib import Path

from fakes.line import BREAKS, Line
from fakes.memory import MemoryStore
from fakes.world import World
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from autodeploy.errors import AgentError
from autodeploy.model import ENDS, STAGES, TRANSITIONS, DeploymentState, Stage
from tests.properties.generators import errors, texts

examples = settings(
    max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)
OWNERS: dict[Stage, str] = {
    "analyze": "HiveMind DevOps",
    "build": "HiveMind DevOps",
    "plan": "HiveMind SysEng",
    "provision": "HiveMind SysEng",
    "deploy": "HiveMind Release-Engineer",
    "harden": "HiveMind SecOps",
}

urls = st.from_regex(r"https://[a-z]{1,9}\.example/[a-z]{1,9}/[A-Za-z0-9_]{1,9}(\.git)?", fullmatch=True)
samples = st.sampled_from(["flask-postgres", "fastapi-plain"])
stages = st.sampled_from(STAGES)
commits = st.text("0123456789abcdef", min_size=40, max_size=40)
faults = st.one_of(errors(), st.builds(RuntimeError, texts))
versions = st.lists(st.none() | st.tuples(stages, errors()), min_size=1, max_size=3)
"""Some runs of `deploy` one after another: None goes well, else a stage meets an error."""


class Kept(MemoryStore):
    """Says of one deployment what it looked like whenever it was saved."""

    def of(self, deployment_id: str) -> list[DeploymentState]:
        return self.versions[deployment_id]


@contextlib.contextmanager
def fresh_line(sample: str = "fastapi-plain", commit: str = "a" * 40) -> Iterator[Line]:
    with tempfile.TemporaryDirectory() as folder:
        world = World(sample)
        world.commit = commit
        yield Line(Path(folder), world, Kept(Path(folder)))


def legal(saved: list[DeploymentState]) -> bool:
    """Say whether every change of status is one of the table's."""
    pairs = [(one.status, next_.status) for one, next_ in itertools.pairwise(saved)]
    return all(before == after or after in TRANSITIONS[before] for before, after in pairs)


# Feature: autodeploy-agent, Property 3: Orchestration State Transition
@examples
@given(urls, texts, samples, st.none() | stages, errors())
def test_from_pending_it_goes_to_analyzing(
    url: str, description: str, sample: str, broken: Stage | None, err: AgentError
) -> None:
    with fresh_line(sample) as line:
        if broken:
            line.break_at(broken, err)
        saved = line.store.of(line.deploy(url, description).deployment_id)
        statuses = [state.status for state in saved]
        assert statuses[0] == "pending"
        assert next(status for status in statuses if status != "pending") == "analyzing"
        assert legal(saved)


# Feature: autodeploy-agent, Property 4: Agent State Propagation
@examples
@given(urls, texts, samples, commits)
def test_every_agent_is_given_the_state_as_the_one_before_left_it(
    url: str, description: str, sample: str, commit: str
) -> None:
    with fresh_line(sample, commit) as line:
        conductor = line.conductor()
        received: list[tuple[DeploymentState, DeploymentState]] = []

        class Witness:
            """Stands before an agent, and keeps what it is given together with what the ledger says just then."""

            def __init__(self, agent: object) -> None:
                self._agent = agent

            def __getattr__(self, name: str) -> object:
                found = getattr(self._agent, name)
                if name not in ("analyze", "build", "plan", "run", "preview"):
                    return found

                def given(state: DeploymentState) -> object:
                    if name != "preview":  # it is asked about a plan that is not in the ledger yet
                        received.append((state, line.store.load(state.deployment_id)))
                    return found(state)

                return given

        conductor._agents = type(conductor._agents)(*(Witness(agent) for agent in conductor._agents))  # type: ignore[arg-type]
        assert conductor.deploy(url, description).status == "complete"
        assert len(received) == len(STAGES)
        for state, ledger in received:
            assert state.but(logs=()) == ledger.but(logs=())
            assert set(state.logs) <= set(ledger.logs)
            assert DeploymentState.model_validate_json(state.to_json()) == state
        filled = ("tech_stack", "build_artifact", "plan", "infrastructure", "deployment_config")
        for position, (state, _) in enumerate(received):
            assert [getattr(state, name) is not None for name in filled] == [position > n for n in range(len(filled))]


# Feature: autodeploy-agent, Property 5: Successful Completion Reporting
@examples
@given(urls, texts, samples, commits)
def test_a_success_is_summed_up_with_the_outputs_of_all_agents(
    url: str, description: str, sample: str, commit: str
) -> None:
    with fresh_line(sample, commit) as line:
        result = line.deploy(url, description)
        state = line.ledger(result)
        assert (result.status, result.errors) == ("complete", ())
        assert result.summary == {
            "HiveMind DevOps": {"tech_stack": state.tech_stack, "build_artifact": state.build_artifact},
            "HiveMind SysEng": state.infrastructure,
            "HiveMind Release-Engineer": state.deployment_config,
            "HiveMind SecOps": state.security_config,
        }
        outputs = (state.tech_stack, state.build_artifact, *list(result.summary.values())[1:])
        assert all(output is not None for output in outputs)
        assert result.url == (state.deployment_config and state.deployment_config.url)


# Feature: autodeploy-agent, Property 6: Failure Status Update
@examples
@given(samples, stages, faults)
@example("fastapi-plain", "build", RuntimeError(""))
def test_whatever_fails_the_status_is_failed_and_the_error_reported(sample: str, stage: Stage, err: Exception) -> None:
    with fresh_line(sample) as line:
        line.break_at(stage, err)
        result = line.deploy()
        state = line.ledger(result)
        # What never served is taken back after its hardening failed; failed it has been all the same.
        assert result.status == state.status == ("rolled_back" if stage == "harden" else "failed")
        assert "failed" in [saved.status for saved in line.store.of(result.deployment_id)]
        assert state.failed_stage == stage
        (entry,) = result.errors
        if isinstance(err, AgentError):
            assert (entry.error_type, entry.message) == (type(err).__name__, err.message)
            assert entry.remediation.startswith(err.remediation)
        else:
            assert entry.message == f"RuntimeError: {err}"
        assert entry.agent
        assert entry.remediation
        assert entry.context
        assert "Traceback" in (entry.stack_trace or "")


# Feature: autodeploy-agent, Property 34: State Update on Error
@examples
@given(versions)
def test_every_error_of_every_run_is_in_the_errors_of_the_state(runs: list[tuple[Stage, AgentError] | None]) -> None:
    with fresh_line() as line:
        expected: list[str] = []
        for run in runs:
            if run:
                # A stage that is proven by its digest would not meet its error: each run brings a commit of its own.
                stage, err = ("build", run[1]) if run[0] in ("plan", "provision") else run
                line.break_at(stage, err)
                expected.append(err.message)
            line.world.commit = f"{len(expected):040x}"
            result = line.deploy(keep=True)
            assert [entry.message for entry in line.ledger(result).errors] == expected
            assert (result.status == "failed") == bool(run)
        assert legal(line.store.of(result.deployment_id))


# Feature: autodeploy-agent, Property 36: Deployment Recovery Options
@examples
@given(samples, st.sampled_from(["after up", "await instance", "converge", "connect", "open ports"]), errors())
def test_after_infrastructure_both_retry_and_rollback_are_offered_and_work(
    sample: str, operation: str, err: AgentError
) -> None:
    with fresh_line(sample) as line:
        line.world.broken[operation].append(err)
        result = line.deploy(keep=True)
        identifier = result.deployment_id
        assert result.status == "failed"
        assert identifier in line.world.stacks
        stage = line.ledger(result).failed_stage
        assert stage is not None
        assert result.options == (
            f"autodeploy retry {identifier} --stage {stage}",
            f"autodeploy destroy {identifier}",
        )
        assert line.conductor().retry_stage(identifier, stage).status == "complete"
        assert line.conductor().rollback(identifier).status == "rolled_back"
        assert line.world.stacks == {}


# Feature: autodeploy-agent, Property 36: Deployment Recovery Options
@examples
@given(samples, stages, faults)
def test_of_what_served_before_both_are_offered_after_any_failure(sample: str, stage: Stage, err: Exception) -> None:
    with fresh_line(sample) as line:
        line.deploy()
        line.world.commit = "b" * 40
        operation = "get" if stage == "provision" else BREAKS[stage]  # an update has nothing to provision
        line.world.broken[operation] += [err] * 500
        result = line.deploy(instance_type="t3.medium" if stage == "plan" else None)
        assert result.status == "failed"
        assert [option.split()[1] for option in result.options] == ["retry", "destroy"]
        assert all(result.deployment_id in option for option in result.options)
        line.world.broken.clear()
        assert line.conductor().rollback(result.deployment_id).status == "rolled_back"


# Feature: autodeploy-agent, Property 38: Agent Execution Logging
@examples
@given(samples, st.none() | stages, errors())
def test_every_agent_that_worked_has_spoken_in_the_ledger(sample: str, broken: Stage | None, err: AgentError) -> None:
    with fresh_line(sample) as line:
        if broken:
            line.break_at(broken, err)
        state = line.ledger(line.deploy())
        ended = STAGES[: STAGES.index(broken)] if broken else STAGES
        # To plan is to compute; what SysEng does to the account is in "provision".
        spoke = {OWNERS[stage] for stage in ended if stage != "plan"}
        assert spoke <= {entry.agent for entry in state.logs}
        assert all(entry.message and entry.timestamp.tzinfo for entry in state.logs)
        moments = [entry.timestamp for entry in state.logs]
        assert moments == sorted(moments)
        assert len(set(state.logs)) == len(state.logs)


# Feature: autodeploy-agent, Property 41: Completion Timestamp Recording
@examples
@given(samples, versions, st.booleans())
def test_a_run_that_ended_has_its_time_and_its_final_status(
    sample: str, runs: list[tuple[Stage, AgentError] | None], destroyed: bool
) -> None:
    with fresh_line(sample) as line:
        for run in runs:
            if run:
                line.world.broken[BREAKS[run[0]]] = [run[1]]
            begun = line.clock.now()
            result = line.deploy()
            state = line.ledger(result)
            assert state.status == result.status in ENDS
            assert state.completed_at is not None
            assert begun < state.completed_at < line.clock.now()
        line.world.broken.clear()  # a run that had nothing to provision has not met its error
        if destroyed:
            line.conductor().rollback(result.deployment_id)
            state = line.ledger(result)
            assert (state.status, state.completed_at is not None) == ("rolled_back", True)
        saved = line.store.of(result.deployment_id)
        assert all((state.completed_at is not None) == (state.status in ENDS) for state in saved)
