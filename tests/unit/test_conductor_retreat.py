"""What happens after a failure on the host: the dossier, and what is taken back, over a world of fakes."""

from __future__ import annotations

from pathlib import Path

import pytest
from fakes.line import Line

from autodeploy.errors import AgentError, DeploymentError, HardeningError, InfrastructureError, StateError
from autodeploy.releaser import EVIDENCE

FAILED = HardeningError("port 3000 is open to the outside", "Bind it to 127.0.0.1.")


@pytest.fixture
def line(tmp_path: Path) -> Line:
    return Line(tmp_path / "home")


def dossier(line: Line, identifier: str) -> dict[str, str]:
    folder = line.store.folder(identifier) / "dossier"
    return {path.name: path.read_text() for path in folder.iterdir()} if folder.is_dir() else {}


class TestAfterAFailedHardening:
    def test_what_never_served_is_taken_back_and_its_dossier_stays(self, line: Line) -> None:
        line.break_at("harden", FAILED)
        result = line.deploy()
        state = line.ledger(result)
        assert (result.status, state.status, result.url) == ("rolled_back", "rolled_back", None)
        assert state.completed_at is not None
        assert line.world.stacks == {}
        assert dict(line.store.secrets(result.deployment_id)) == {}
        kept = dossier(line, result.deployment_id)
        assert {*EVIDENCE, "console.txt", "balancer.txt", "errors.txt", "contents.txt"} == set(kept)
        assert kept["balancer.txt"].endswith(": healthy")
        assert kept["cloud-init.log"] == "\n[status 1] no such file"
        assert FAILED.message in kept["errors.txt"]
        (entry,) = result.errors
        assert (entry.message, entry.error_type) == (FAILED.message, "HardeningError")
        assert entry.remediation == (
            f"{FAILED.remediation} What was seen of it is in {line.store.folder(state.deployment_id) / 'dossier'}."
        )

    def test_the_next_deploy_begins_another(self, line: Line) -> None:
        line.break_at("harden", FAILED)
        first = line.deploy()
        second = line.deploy()
        assert second.status == "complete"
        assert second.deployment_id != first.deployment_id

    def test_what_is_to_be_kept_stands(self, line: Line) -> None:
        line.break_at("harden", FAILED)
        result = line.deploy(keep=True)
        assert result.status == "failed"
        assert result.deployment_id in line.world.stacks
        assert [option.split()[1] for option in result.options] == ["retry", "destroy"]
        assert dossier(line, result.deployment_id)

    def test_what_served_before_goes_on_serving(self, line: Line) -> None:
        line.deploy()
        line.world.commit = "b" * 40
        line.break_at("harden", FAILED)
        result = line.deploy()
        assert result.status == "failed"
        assert result.deployment_id in line.world.stacks
        assert not line.world.machines[result.deployment_id].stopped
        assert [option.split()[1] for option in result.options] == ["retry", "destroy"]

    def test_an_interrupt_takes_nothing_back(self, line: Line) -> None:
        line.break_at("harden", KeyboardInterrupt())
        result = line.deploy()
        assert result.status == "failed"
        assert result.deployment_id in line.world.stacks

    @pytest.mark.parametrize("stopped", [InfrastructureError("in the way", "Again."), KeyboardInterrupt()])
    def test_what_cannot_be_taken_back_says_both(self, line: Line, stopped: BaseException) -> None:
        line.break_at("harden", FAILED)
        line.world.broken["destroy"].append(stopped)
        result = line.deploy()
        assert result.status == "failed"
        assert result.errors[0].message == FAILED.message
        assert len(result.errors) == 2
        assert any(option.startswith("autodeploy destroy") for option in result.options)
        assert line.conductor().rollback(result.deployment_id).status == "rolled_back"

    def test_what_is_left_of_it_is_named(self, line: Line) -> None:
        line.break_at("harden", FAILED)
        line.world.undeletable = ("vpc-1",)
        result = line.deploy()
        assert (result.status, result.errors[-1].message) == ("failed", "not everything could be deleted: vpc-1")


class TestTheDossier:
    def test_is_written_after_a_failed_release_and_takes_nothing_back(self, line: Line) -> None:
        line.break_at("deploy", DeploymentError("it does not start", "Read its log."))
        result = line.deploy()
        assert result.status == "failed"
        assert result.deployment_id in line.world.stacks
        assert "three" in dossier(line, result.deployment_id)["app.log"]
        assert "What was seen of it is in" in result.errors[-1].remediation

    def test_is_written_before_a_failed_deployment_is_destroyed(self, line: Line) -> None:
        line.world.broken["after up"].append(InfrastructureError("the line was lost", "Again."))
        line.deploy()
        line.break_at("deploy", DeploymentError("no", "Mend it."))
        identifier = line.deploy().deployment_id
        line.world.machines[identifier].log = "a later word\n"
        line.conductor().rollback(identifier)
        assert "a later word" in dossier(line, identifier)["app.log"]

    def test_is_not_written_of_what_serves(self, line: Line) -> None:
        identifier = line.deploy().deployment_id
        line.conductor().rollback(identifier)
        assert dossier(line, identifier) == {}

    def test_keeps_no_secret(self, line: Line) -> None:
        line.break_at("deploy", DeploymentError("no", "Mend it."))
        identifier = line.deploy(environment={"API_KEY": "k-123456", "PIN": "42"}).deployment_id
        line.world.machines[identifier].log = "API_KEY=k-123456 PIN=42\nusing k-123456\n"
        line.break_at("deploy", DeploymentError("no", "Mend it."))
        line.deploy()
        for text in dossier(line, identifier).values():
            assert "k-123456" not in text
            assert "=42" not in text

    @pytest.mark.parametrize(
        ("source", "missing"),
        [("reach", "what the host says"), ("console", "console.txt"), ("target health", "balancer")],
    )
    def test_names_what_could_not_be_had_and_goes_on(self, line: Line, source: str, missing: str) -> None:
        line.break_at("harden", FAILED)
        line.world.broken[source].append(AgentError("no answer", "Wait."))
        result = line.deploy()
        assert result.status == "rolled_back"
        assert f"{missing}" in dossier(line, result.deployment_id)["contents.txt"]
        assert "could not be had: no answer" in dossier(line, result.deployment_id)["contents.txt"]

    def test_that_cannot_be_written_stops_nothing(self, line: Line, monkeypatch: pytest.MonkeyPatch) -> None:
        def full(deployment_id: str, name: str, text: str) -> Path:
            if name.startswith("dossier/"):
                raise StateError("no space left on device", "Make room.")
            return type(line.store).write(line.store, deployment_id, name, text)  # type: ignore[no-any-return]

        monkeypatch.setattr(line.store, "write", full)
        line.break_at("harden", FAILED)
        result = line.deploy()
        assert result.status == "rolled_back"
        assert result.errors[-1].remediation == FAILED.remediation
        assert "it could not be kept: no space left on device" in line.ui.lines
