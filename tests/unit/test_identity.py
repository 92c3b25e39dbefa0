"""Which deployment a wish means, where names are alike, and what is read to find it."""

from __future__ import annotations

from pathlib import Path

from fakes.line import URL, Line

from autodeploy.identity import living
from autodeploy.model.repository import RepositoryUrl


def test_a_name_is_not_the_beginning_of_another(tmp_path: Path) -> None:
    line = Line(tmp_path / "home")
    made = {name: line.deploy(name=name).deployment_id for name in ("shop-500", "shop", "Shop 5", "s" * 40)}
    assert len(set(made.values())) == len(made)
    for name, identifier in made.items():
        assert line.deploy(name=name).deployment_id == identifier
    assert line.deploy(name="sho").deployment_id not in made.values()


def test_only_what_lives_and_is_of_the_target_is_found(tmp_path: Path) -> None:
    line = Line(tmp_path / "home")
    gone = line.deploy().deployment_id
    line.conductor().rollback(gone)
    target, url = line.world.facts.target, RepositoryUrl.parse(URL)
    assert living(line.store, target, None, url) == []
    first = line.deploy().deployment_id
    line.clock.sleep(1)
    second = line.deploy(new=True).deployment_id
    assert [state.deployment_id for state in living(line.store, target, None, url)] == [second, first]
    assert living(line.store, target, "other", url) == []
    assert living(line.store, "aws" if target == "local" else "local", None, url) == []


def test_a_ledger_of_another_name_is_not_opened(tmp_path: Path) -> None:
    line = Line(tmp_path / "home")
    identifier, other = (line.deploy(name=name).deployment_id for name in ("shop", "wiki"))
    file = line.store.folder(other) / "state.json"
    ledger = file.read_text()
    file.unlink()
    file.write_text(ledger.replace('"name": "wiki"', '"name": "shop"'))
    assert [state.deployment_id for state in line.store.list("shop")] == [identifier]
