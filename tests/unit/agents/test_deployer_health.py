"""HiveMind Release-Engineer: which answers of the public URL count as the application's."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest
from fakes.host import FakeOutside
from fakes.line import Line
from fakes.world import World

from autodeploy.errors import DeploymentError


@pytest.mark.parametrize(("status", "healthy"), [(101, False), (200, True), (302, True), (499, True), (500, False)])
def test_any_answer_but_a_server_error_is_healthy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, status: int, healthy: bool
) -> None:
    line = Line(tmp_path / "home", World("fastapi-plain"))
    state = line.ledger(line.deploy())
    assert state.deployment_config and state.infrastructure

    def get(self: FakeOutside, url: str, ca: Path | None, at: str | None = None) -> tuple[int, Mapping[str, str]]:
        assert state.deployment_config
        return status, {"x-autodeploy-release": state.deployment_config.release_id}

    monkeypatch.setattr(FakeOutside, "get", get)
    deployer = line.agents(line.settings()).deployer
    if healthy:
        deployer.confirm(state.deployment_config, state.infrastructure)
    else:
        with pytest.raises(DeploymentError, match=f"HTTP {status}"):
            deployer.confirm(state.deployment_config, state.infrastructure)
