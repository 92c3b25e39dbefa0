"""Backups and last snapshots over a world of fakes: what is kept, and what is begun again."""

from __future__ import annotations

from pathlib import Path

import pytest
from fakes.account import FakeCloud
from fakes.line import Line
from fakes.snapshots import FakeSnapshots
from fakes.world import World

from autodeploy.agents import backups
from autodeploy.entering import session_to
from autodeploy.errors import InfrastructureError, Interrupted, LockedError, StateError
from autodeploy.model import DeploymentState
from autodeploy.safekeeping import Safekeeping, way_in


@pytest.fixture
def line(tmp_path: Path) -> Line:
    return Line(tmp_path / "home")


@pytest.fixture
def state(line: Line) -> DeploymentState:
    return line.ledger(line.deploy())


def keeper(line: Line) -> Safekeeping:
    return Safekeeping(FakeCloud(line.world, line.bundle), line.ui, line.clock, line.store)


def rows(line: Line, state: DeploymentState, now: str | None = None) -> str:
    """Return what the deployment's database holds; with `now`, write that first."""
    name = f"{state.deployment_id}-db"
    line.world.databases[name] = now or line.world.databases[name]
    return line.world.databases[name]


class TestBackup:
    def test_keeps_what_the_database_holds_under_a_fresh_name(self, line: Line, state: DeploymentState) -> None:
        rows(line, state, "one")
        first = keeper(line).backup(state.deployment_id)
        rows(line, state, "two")
        second = keeper(line).backup(state.deployment_id)
        assert first.name.startswith(f"{state.deployment_id}-backup-2026") and first.name != second.name
        assert [line.world.kept[each.name] for each in (first, second)] == ["one", "two"]
        assert [each.name for each in keeper(line).snapshots(state.deployment_id)] == [second.name, first.name]
        said = [entry.message for entry in line.store.load(state.deployment_id).logs]
        assert f"snapshot {second.name}: whole and verified, of 20 GB" in said

    def test_of_a_deployment_without_a_database(self, tmp_path: Path) -> None:
        line = Line(tmp_path, World("fastapi-plain"))
        state = line.ledger(line.deploy())
        with pytest.raises(StateError, match="no database of its own"):
            keeper(line).backup(state.deployment_id)

    def test_of_a_database_that_stands_no_more(self, line: Line, state: DeploymentState) -> None:
        line.world.databases.clear()
        with pytest.raises(StateError, match="stands in the account"):
            keeper(line).backup(state.deployment_id)

    def test_of_a_deployment_that_is_rolled_back_or_whose_account_is_gone(
        self, line: Line, state: DeploymentState
    ) -> None:
        line.world.epoch = "epoch-2"
        with pytest.raises(StateError, match="emulated account that ended"):
            keeper(line).backup(state.deployment_id)
        line.world.epoch = "epoch-1"
        line.conductor().rollback(state.deployment_id)
        with pytest.raises(StateError, match="rolled back") as caught:
            keeper(line).backup(state.deployment_id)
        assert caught.value.remediation.endswith(f"autodeploy db backups {state.deployment_id}")

    def test_of_a_deployment_that_somebody_works_on(self, line: Line, state: DeploymentState) -> None:
        with line.store.lock(state.deployment_id, "deploy"), pytest.raises(LockedError):
            keeper(line).backup(state.deployment_id)
        assert line.world.snapshots == {}


class TestDelete:
    def test_only_the_deployments_own(self, line: Line, state: DeploymentState) -> None:
        taken = keeper(line).backup(state.deployment_id)
        with pytest.raises(StateError, match="has no snapshot another"):
            keeper(line).delete(state.deployment_id, "another")
        keeper(line).delete(state.deployment_id, taken.name)
        assert keeper(line).snapshots(state.deployment_id) == []

    def test_after_the_destruction_too(self, line: Line, state: DeploymentState) -> None:
        (kept,) = line.conductor().rollback(state.deployment_id).snapshots
        keeper(line).delete(state.deployment_id, kept)
        assert line.world.snapshots == {}


class TestLastSnapshot:
    def test_is_named_by_the_result_and_the_ledger(self, line: Line, state: DeploymentState) -> None:
        result = line.conductor().rollback(state.deployment_id)
        (name,) = line.world.snapshots
        assert (result.snapshots, result.message) == (
            (name,),
            f"Nothing is left but the snapshot {name} (free of charge).",
        )
        assert line.store.load(state.deployment_id).final_snapshot == name

    @pytest.mark.parametrize("at", ["after snapshot", "after up", "destroy", "after destroy"])
    @pytest.mark.parametrize("end", [InfrastructureError("throttled", "Wait."), KeyboardInterrupt()])
    def test_a_destruction_that_is_begun_again_takes_no_second_one(
        self, line: Line, state: DeploymentState, at: str, end: BaseException
    ) -> None:
        line.world.broken[at].append(end)
        with pytest.raises((InfrastructureError, Interrupted)):
            line.conductor().rollback(state.deployment_id)
        line.clock.sleep(60)
        result = line.conductor().rollback(state.deployment_id)
        assert (result.status, result.snapshots) == ("rolled_back", tuple(line.world.snapshots))
        assert [each.name for each in result.kept] == list(result.snapshots)
        assert len(line.world.snapshots) == 1

    @pytest.mark.parametrize("seconds", [1, 24 * 3600])
    def test_what_was_written_before_a_destruction_is_begun_again_is_in_the_last_one(
        self, line: Line, state: DeploymentState, seconds: int
    ) -> None:
        """A machine that starts again meanwhile starts the service, too."""
        line.world.broken["destroy"].append(InfrastructureError("throttled", "Wait."))
        with pytest.raises(InfrastructureError):
            line.conductor().rollback(state.deployment_id)
        line.clock.sleep(seconds)
        rows(line, state, "written since")
        result = line.conductor().rollback(state.deployment_id)
        assert [line.world.kept[name] for name in result.snapshots] == ["written since"]

    def test_what_was_written_after_a_broken_off_destruction_is_in_the_last_one(
        self, line: Line, state: DeploymentState
    ) -> None:
        line.world.broken["after snapshot"].append(InfrastructureError("throttled", "Wait."))
        with pytest.raises(InfrastructureError):
            line.conductor().rollback(state.deployment_id)
        line.clock.sleep(60)
        assert line.deploy().status == "complete"
        assert line.store.load(state.deployment_id).final_snapshot is None
        rows(line, state, "newer")
        result = line.conductor().rollback(state.deployment_id)
        assert [line.world.kept[name] for name in result.snapshots] == ["newer", "rows"]

    def test_each_of_several_databases_has_one(self, line: Line, state: DeploymentState) -> None:
        class Two(FakeSnapshots):
            def databases(self, deployment_id: str, named: str) -> list[str]:
                return [f"{deployment_id}-db", "replaced-db"]

        line.world.databases["replaced-db"] = "older rows"
        backups.keep_last(state.but(final_snapshot="last"), Two(line.world), line.clock, (), lambda _: None)
        own = f"last-{state.deployment_id}-db"
        assert line.world.kept == {own: "rows", "last-replaced-db": "older rows"}


class TestGivenUp:
    """What is replaced with --allow-data-loss is copied first where it can be, and goes in any case."""

    def test_is_copied_where_that_is_possible(self, line: Line, state: DeploymentState) -> None:
        said: list[str] = []
        backups.keep_given_up(state, FakeSnapshots(line.world), line.clock, said.append)
        ((name, kept),) = line.world.kept.items()
        assert (kept, said) == ("rows", [f"what is given up is in the snapshot {name}"])

    def test_that_cannot_be_copied_is_said(self, line: Line, state: DeploymentState) -> None:
        line.world.broken["snapshot"].append(InfrastructureError("the database is stopped", "Start it."))
        said: list[str] = []
        backups.keep_given_up(state, FakeSnapshots(line.world), line.clock, said.append)
        assert said == ["what is given up could not be kept in a snapshot: the database is stopped"]


class TestWayIn:
    def test_leads_over_the_machine_as_the_applications_role(self, line: Line, state: DeploymentState) -> None:
        *ssh, script = way_in(state, session_to)
        assert ssh[:4] == ["ssh", "-t", "-i", str(line.store.folder(state.deployment_id) / "id_ed25519")]
        assert ssh[-1] == f"ubuntu@publicIp-of-{state.deployment_id}"
        assert "StrictHostKeyChecking=yes" in ssh and any(word.startswith("UserKnownHostsFile=/") for word in ssh)
        assert script.startswith("sudo -n sh -c") and "exec psql" in script and "systemd-creds decrypt" in script

    def test_leads_through_a_session_where_no_port_is_open(self, state: DeploymentState) -> None:
        assert state.infrastructure
        closed = state.but(
            infrastructure=state.infrastructure.but(access="ssm"), request=state.request.but(profile="work")
        )
        *ssh, host, script = way_in(closed, session_to)
        assert (host, script) == (f"ubuntu@{state.infrastructure.ec2_instance_id}", way_in(state, session_to)[-1])
        (proxy,) = [word for word in ssh if word.startswith("ProxyCommand=")]
        assert proxy.startswith("ProxyCommand=aws ssm start-session --profile work --region us-east-1 --target ")
        assert proxy.endswith("--document-name AWS-StartSSHSession --parameters portNumber=22")

    def test_leads_through_a_session_as_the_role_that_is_remembered(self, state: DeploymentState) -> None:
        assert state.infrastructure
        role_arn = "arn:aws:iam::123456789012:role/deployer"
        closed = state.but(
            infrastructure=state.infrastructure.but(access="ssm"), request=state.request.but(role_arn=role_arn)
        )
        (proxy,) = [word for word in way_in(closed, session_to) if word.startswith("ProxyCommand=")]
        assert f"--role-arn {role_arn} --region us-east-1 -- aws ssm start-session --region us-east-1" in proxy

    def test_to_mysql_verifies_the_server(self, state: DeploymentState) -> None:
        assert state.plan and state.plan.infra.database
        database = state.plan.infra.database.but(engine="mysql", port=3306)
        on_mysql = state.but(plan=state.plan.but(infra=state.plan.infra.but(database=database)))
        script = way_in(on_mysql, session_to)[-1]
        assert "exec mariadb --no-defaults --host=10.0.2.9" in script and "--user=app" in script
        assert "--ssl-verify-server-cert" in script and "--ssl-ca=" in script

    def test_of_what_has_no_database(self, state: DeploymentState) -> None:
        with pytest.raises(StateError, match="no database of its own"):
            way_in(state.but(infrastructure=None), session_to)
