"""What a command line leaves open: the target, the deployment meant, variables, and a confirmed destruction."""

from __future__ import annotations

import io
import sys
from pathlib import Path
from typing import Any

import pytest
from fakes.line import Line
from fixtures.planned import settings

from autodeploy.cli.choices import (
    as_before,
    as_deployed,
    choose_target,
    confirm_by_name,
    environment,
    existing,
    find,
    tags,
)
from autodeploy.errors import ApprovalError, SettingsError, SourceError, StateError
from autodeploy.model import DeploymentState, Request


class Typed(io.StringIO):
    """A terminal on which somebody types."""

    def isatty(self) -> bool:
        return True


@pytest.fixture
def line(tmp_path: Path) -> Line:
    return Line(tmp_path / "home")


def at_a_terminal(monkeypatch: pytest.MonkeyPatch, typed: str) -> io.StringIO:
    shown = Typed()
    monkeypatch.setattr(sys, "stdin", Typed(typed))
    monkeypatch.setattr(sys, "stderr", shown)
    return shown


def test_tags_are_pairs() -> None:
    assert tags([]) == {}
    assert tags(["Team=shop", "Team = ops ", "Empty="]) == {"Team": "ops", "Empty": ""}
    for wrong in ("Team", "=shop", ""):
        with pytest.raises(SettingsError, match="is not of the form KEY=VALUE"):
            tags([wrong])


@pytest.mark.parametrize("chosen", [None, "local"])
def test_sessions_are_not_for_the_local_target(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, chosen: str | None
) -> None:
    monkeypatch.chdir(tmp_path)
    at_a_terminal(monkeypatch, "local\n")
    with pytest.raises(SettingsError, match="the local target has no Systems Manager") as caught:
        choose_target(settings(target=chosen, access="ssm"))
    assert caught.value.exit_code == 10 and "--target aws" in caught.value.remediation
    assert choose_target(settings(target="aws", access="ssm")).access == "ssm"
    assert choose_target(settings(target="local", access="ssh")).access == "ssh"


class TestVariables:
    def test_none(self) -> None:
        assert environment([], None) == {}

    def test_of_a_file(self, tmp_path: Path) -> None:
        file = tmp_path / "env"
        file.write_text("# a comment\n\nA=1\n export B = 'two words' \nC=\"x=y\"\nD=\nE='\n", "utf-8")
        assert environment([], file) == {"A": "1", "B": "two words", "C": "x=y", "D": "", "E": "'"}

    def test_a_flag_wins_and_is_taken_as_it_stands(self, tmp_path: Path) -> None:
        file = tmp_path / "env"
        file.write_text("A=file\nB=file\n")
        assert environment(["A= 'kept' ", "C=a=b"], file) == {"A": " 'kept' ", "B": "file", "C": "a=b"}

    def test_the_port_is_not_a_variable_to_give(self) -> None:
        with pytest.raises(SettingsError, match="PORT is set for the application") as caught:
            environment(["PORT=3"], None)
        assert "--port" in caught.value.remediation

    def test_the_last_flag_wins(self) -> None:
        assert environment(["A=1", "A=2"], None) == {"A": "2"}

    @pytest.mark.parametrize("pair", ["A", "=1", "1A=1", "A-B=1", "Ä=1", "", "A B=1"])
    def test_what_is_no_name_and_value(self, pair: str) -> None:
        with pytest.raises(SettingsError, match=r"is not of the form NAME=VALUE|is not a name for a variable"):
            environment([pair], None)

    def test_a_value_is_never_quoted_in_the_error(self) -> None:
        with pytest.raises(SettingsError) as caught:
            environment(["my-token=hunter2"], None)
        assert "hunter2" not in str(caught.value)

    @pytest.mark.parametrize("content", [None, b"\xff\xfe\x00"])
    def test_a_file_that_cannot_be_read(self, tmp_path: Path, content: bytes | None) -> None:
        file = tmp_path / "env"
        if content is not None:
            file.write_bytes(content)
        with pytest.raises(SettingsError, match="cannot be read"):
            environment([], file)


class TestTarget:
    def test_as_given(self, line: Line) -> None:
        assert choose_target(line.settings(target="aws")).target == "aws"

    def test_without_a_terminal_both_are_named(self, line: Line, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(sys, "stdin", io.StringIO())
        with pytest.raises(SettingsError) as caught:
            choose_target(line.settings(target=None))
        assert caught.value.exit_code == 10
        assert "--target local" in caught.value.remediation
        assert "--target aws" in caught.value.remediation

    def test_is_asked_for_once_and_kept(self, line: Line, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.chdir(tmp_path)
        (tmp_path / "autodeploy.toml").write_text('[environment]\nA = "1"\n')
        shown = at_a_terminal(monkeypatch, "perhaps\nLocal\n")
        assert choose_target(line.settings(target=None)).target == "local"
        assert "kept in autodeploy.toml" in shown.getvalue()
        assert (tmp_path / "autodeploy.toml").read_text() == 'target = "local"\n[environment]\nA = "1"\n'

    def test_a_first_file_is_made(self, line: Line, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.chdir(tmp_path)
        at_a_terminal(monkeypatch, "aws\n")
        choose_target(line.settings(target=None))
        assert (tmp_path / "autodeploy.toml").read_text() == 'target = "aws"\n'


class TestFinding:
    def test_there_is_none(self, line: Line) -> None:
        with pytest.raises(StateError, match="no deployment yet"):
            find(line.store, None)

    def test_the_only_one(self, line: Line) -> None:
        identifier = line.deploy().deployment_id
        for meant in (None, "guestbook", identifier):
            found = find(line.store, meant)
            assert found.deployment_id == identifier

    def test_one_of_several_must_be_named(self, line: Line) -> None:
        made = [line.deploy().deployment_id, line.deploy(name="shop").deployment_id]
        with pytest.raises(StateError, match="2 deployments fit") as caught:
            find(line.store, None)
        assert all(identifier in caught.value.message for identifier in made)
        assert find(line.store, "shop").deployment_id == made[1]

    def test_a_name_that_several_have_leads_to_their_ids(self, line: Line) -> None:
        made = [line.deploy().deployment_id, line.deploy(new=True).deployment_id]
        with pytest.raises(StateError, match="2 deployments fit") as caught:
            find(line.store, "guestbook")
        assert all(identifier in caught.value.message for identifier in made)

    def test_what_is_gone_is_found_by_its_id_or_where_it_is_asked_for(self, line: Line) -> None:
        identifier = line.deploy().deployment_id
        line.conductor().rollback(identifier)
        assert find(line.store, identifier).status == "rolled_back"
        assert find(line.store, None, ended=True).deployment_id == identifier
        with pytest.raises(StateError):
            find(line.store, None)


class TestConfirming:
    def test_a_name_with_yes(self, line: Line) -> None:
        confirm_by_name(line.ledger(line.deploy()), named=True, yes=True)

    @pytest.mark.parametrize("by", ["name", "deployment_id"])
    def test_typed_at_the_terminal(self, line: Line, monkeypatch: pytest.MonkeyPatch, by: str) -> None:
        state = line.ledger(line.deploy())
        shown = at_a_terminal(monkeypatch, f"{getattr(state, by)}\n")
        confirm_by_name(state, named=False, yes=False)
        assert f"This deletes {state.deployment_id} and its data." in shown.getvalue()

    @pytest.mark.parametrize(("typed", "yes"), [("y\n", False), ("guestbook\n", True)])
    def test_anything_else_is_none(self, line: Line, monkeypatch: pytest.MonkeyPatch, typed: str, yes: bool) -> None:
        state = line.ledger(line.deploy())
        at_a_terminal(monkeypatch, typed)
        with pytest.raises(ApprovalError, match="nothing was deleted"):
            confirm_by_name(state, named=False, yes=yes)


class TestFolder:
    def test_becomes_absolute(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.chdir(tmp_path)
        assert existing("./") == str(tmp_path.resolve())

    def test_that_is_not_there_leaves_no_trace(self, tmp_path: Path) -> None:
        (tmp_path / "file").write_text("")
        (tmp_path / "loop").symlink_to("loop")
        for name in ("shpo", "file", "file/below", "loop", "a" * 300):
            with pytest.raises(SourceError, match="there is no folder"):
                existing(str(tmp_path / name))


class TestRole:
    ARN = "arn:aws:iam::555555555555:role/deployer"
    URL = "https://example.org/guestbook.git"

    def deployed(self, line: Line, **request: Any) -> DeploymentState:
        state = line.ledger(line.deploy()).but(target="aws", request=Request(**request))
        line.store.save(state)
        return state

    def test_of_a_deployment_is_used_again_without_a_flag(self, line: Line) -> None:
        state = self.deployed(line, role_arn=self.ARN, profile="work")
        for found in (
            as_deployed(settings(), state),
            as_before(settings(target="aws"), self.URL, line.store),
            as_before(settings(target="aws", name="Guestbook", region=state.region), "./elsewhere", line.store),
        ):
            assert (found.role_arn, found.profile) == (self.ARN, "work")
        other = as_before(settings(target="aws", profile="home"), self.URL, line.store)
        assert (other.role_arn, other.profile) == (self.ARN, "home")

    def test_that_is_given_now_wins_and_an_empty_one_takes_it_back(self, line: Line) -> None:
        state = self.deployed(line, role_arn=self.ARN)
        other = self.ARN.replace("deployer", "other")
        assert as_deployed(settings(role_arn=other), state).role_arn == other
        assert as_deployed(settings(role_arn=other), state.but(target="local")).role_arn == self.ARN
        for given in (other, ""):
            assert as_before(settings(target="aws", role_arn=given), self.URL, line.store).role_arn == given
        assert Request(role_arn="").over(state.request).role_arn is None

    @pytest.mark.parametrize("chosen", [{"new": True}, {"name": "other"}, {"region": "eu-west-9"}, {"target": "local"}])
    def test_of_another_deployment_is_not_taken(self, line: Line, chosen: dict[str, Any]) -> None:
        self.deployed(line, role_arn=self.ARN)
        mine = settings(**{"target": "aws", **chosen})
        assert as_before(mine, self.URL, line.store) == mine

    def test_of_none_leaves_the_credentials_alone(self, line: Line) -> None:
        self.deployed(line, profile="work")
        assert as_before(settings(target="aws"), self.URL, line.store) == settings(target="aws")

    def test_on_the_local_target_is_one_of_its_account(self) -> None:
        with pytest.raises(
            SettingsError, match="the local target's account is 123456789012, and has no role"
        ) as caught:
            choose_target(settings(target="local", role_arn=self.ARN))
        assert caught.value.exit_code == 10 and "Leave --role-arn out" in caught.value.remediation
        for mine in ({"target": "aws", "role_arn": self.ARN}, {"target": "local", "role_arn": ""}):
            assert choose_target(settings(**mine)).role_arn == mine["role_arn"]
        own = self.ARN.replace("555555555555", "123456789012")
        assert choose_target(settings(target="local", role_arn=own)).role_arn == own
