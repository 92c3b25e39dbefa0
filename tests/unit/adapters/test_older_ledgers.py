"""Ledgers that an older version wrote: they load, what was approved stays approved, an upgrade applies at most once."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
from fakes.line import URL, Line
from fakes.person import FakeUI

from autodeploy.adapters.store import FileStore
from autodeploy.approval import covers
from autodeploy.errors import InfrastructureError
from autodeploy.model import DatabasePlan, DeploymentState, InfraPlan, Preview, ResourceChange

LEDGERS = Path(__file__).parents[2] / "fixtures" / "ledgers"
"""Written by the version of 2026-11-25 that still had DatabasePlan.final_snapshot_identifier."""
RETIRED = "final_snapshot_identifier"


def opened(home: Path, text: str) -> DeploymentState:
    folder = FileStore(home).folder(json.loads(text)["deployment_id"])
    (folder / "state.json").write_text(text)
    return FileStore(home).load(folder.name)


def aged(written: dict[str, Any]) -> dict[str, Any]:
    """Return a ledger of today as the older version wrote it."""
    for plan in (written["plan"]["infra"], written["standing"]):
        if plan:
            plan["database"][RETIRED] = None
    if written["approval"]:
        written["approval"]["infra"] = sealed(written["plan"]["infra"])
    return written


def sealed(plan: dict[str, Any]) -> str:
    text = json.dumps(plan, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


def grown_old(line: Line, deployment_id: str) -> None:
    path = line.store.folder(deployment_id) / "state.json"
    path.write_text(json.dumps(aged(json.loads(path.read_text())), indent=2))


class Silent(FakeUI):
    """Somebody who is not asked, and would not know what to say."""

    def confirm(self, question: str) -> bool:
        raise AssertionError(question)


@pytest.mark.parametrize("name", ["complete", "approved"])
def test_an_old_ledger_loads_and_is_written_without_what_is_retired(tmp_path: Path, name: str) -> None:
    text = (LEDGERS / f"{name}.json").read_text()
    assert RETIRED in text
    state = opened(tmp_path, text)
    assert state.plan and state.plan.infra.database
    assert (state.plan.infra.database.engine, state.plan.infra.database.storage_gb) == ("postgres", 20)
    FileStore(tmp_path).save(state)
    assert RETIRED not in (tmp_path / "deployments" / state.deployment_id / "state.json").read_text()
    assert FileStore(tmp_path).survey() == ([state.but(logs=())], [])


def test_what_was_applied_is_still_what_is_planned(tmp_path: Path) -> None:
    state = opened(tmp_path, (LEDGERS / "complete.json").read_text())
    assert state.plan and state.standing
    assert state.standing.digest() == state.plan.infra.digest()


def test_an_old_approval_is_of_the_same_plan(tmp_path: Path) -> None:
    text = (LEDGERS / "approved.json").read_text()
    written = json.loads(text)
    assert written["approval"]["infra"] == sealed(written["plan"]["infra"])
    state = opened(tmp_path, text)
    assert state.plan and state.approval
    changes = [
        ResourceChange(urn=urn, type="aws:x:Y", name="y", operation="create") for urn in state.approval.operations
    ]
    assert covers(state.approval, state.plan, Preview(changes=tuple(changes)))
    more = ResourceChange(urn="urn:else", type="aws:x:Y", name="y", operation="create")
    assert not covers(state.approval, state.plan, Preview(changes=(*changes, more)))


def test_an_approval_of_another_plan_stays_one_of_another_plan(tmp_path: Path) -> None:
    written = json.loads((LEDGERS / "approved.json").read_text())
    written["approval"]["infra"] = "0" * 64
    state = opened(tmp_path, json.dumps(written))
    assert state.approval and state.approval.infra == "0" * 64


def test_the_config_of_an_old_stack_is_read(tmp_path: Path) -> None:
    written = json.loads((LEDGERS / "complete.json").read_text())["plan"]["infra"]
    written["database"][RETIRED] = "guestbook-final-1"
    assert InfraPlan.model_validate_json(json.dumps(written)).database == DatabasePlan(
        engine="postgres", engine_version="15"
    )
    written["database"]["never_heard_of"] = 1
    with pytest.raises(ValueError, match="never_heard_of"):
        InfraPlan.model_validate_json(json.dumps(written))


def test_an_unchanged_deploy_after_the_upgrade_applies_nothing_and_is_quiet_from_then_on(tmp_path: Path) -> None:
    line = Line(tmp_path / "home")
    identifier = line.deploy().deployment_id
    grown_old(line, identifier)
    line.ui = Silent()
    history = len(line.world.history[identifier])
    assert line.deploy(yes=False).status == "complete"
    after = line.store.load(identifier)
    assert len(line.world.history[identifier]) <= history + 1
    assert not [text for text in line.ui.lines if text.startswith("plan:")]
    assert line.deploy(yes=False).deployment_id == identifier
    assert line.store.load(identifier).stages["provision"] == after.stages["provision"]
    assert len(line.world.history[identifier]) <= history + 1


def test_what_was_approved_before_the_upgrade_is_applied_after_it_without_a_question(tmp_path: Path) -> None:
    line = Line(tmp_path / "home")
    line.break_at("provision", InfrastructureError("the line was lost", "Again."))
    identifier = line.deploy().deployment_id
    grown_old(line, identifier)
    line.ui = Silent()
    again = line.deploy(URL, yes=False)
    assert (again.deployment_id, again.status) == (identifier, "complete")
    assert any("approved before" in text for text in line.ui.lines)
