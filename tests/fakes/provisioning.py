"""HiveMind SysEng on a line of fakes, and deployments that stand before and after their plan."""

from __future__ import annotations

from autodeploy.agents.provisioner import HiveMindProvisioner
from autodeploy.errors import InfrastructureError
from autodeploy.model import DeploymentState
from fakes.line import Line


def provisioner(line: Line, **settings: object) -> HiveMindProvisioner:
    """Return the agent of one run."""
    return line.agents(line.settings(**settings)).provisioner


def built(line: Line) -> DeploymentState:
    """Return a deployment that stands before its plan."""
    line.break_at("plan", InfrastructureError("not yet", "Wait."))
    return line.ledger(line.deploy())


def planned(line: Line) -> DeploymentState:
    """Return a deployment whose plan is in its ledger."""
    state = provisioner(line).plan(built(line))
    line.store.save(state)
    return state
