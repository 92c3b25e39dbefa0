"""Another type for several machines: one takes it after the other, so that somebody always answers.

AWS stops a machine for it. Never touches a machine that is made anew or goes, nor anything but the type.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from autodeploy.agents.machines import await_rotation, is_in_rotation, one_by_one
from autodeploy.model import DeploymentState, InfraPlan, InfrastructureSpec, Machine
from autodeploy.ports import Clock, Cloud, Say

MACHINE = "aws:ec2/instance:Instance"


class Turns(NamedTuple):
    """`infra` is what stands, with the new type and nothing else; `urns` are by the machine's name."""

    infra: InfraPlan
    urns: dict[str, str]


def resize(
    state: DeploymentState, apply: Callable[[InfraPlan, str], None], cloud: Cloud, clock: Clock, say: Say
) -> bool:
    """Do what was approved of it, by `apply` of a plan to one URN; say whether there was anything to do.

    Each machine must serve before one that serves is stopped; where none does, nothing is waited for.
    """
    wanted, spec = _turns(state), state.infrastructure
    if wanted is None or spec is None:
        return False

    def turn(machine: Machine, alone: InfrastructureSpec) -> None:
        if machine.name in wanted.urns:
            apply(wanted.infra, wanted.urns[machine.name])
            cloud.await_instance(machine.instance_id, say)
            later = spec.machines[spec.machines.index(machine) + 1 :]
            if any(is_in_rotation(each, cloud, spec.deployment_id) for each in later):
                await_rotation(machine, cloud, clock, spec.deployment_id)

    say(f"making the machines {wanted.infra.instance_type}, one after the other")
    one_by_one(spec, say, turn)
    return True


def _turns(state: DeploymentState) -> Turns | None:
    """Return who takes turns; None where one machine alone is stopped, or none, or no balancer asks them."""
    before, approved = state.standing, state.approval
    if before is None or before.web is None or approved is None or state.plan is None:
        return None
    wanted = state.plan.infra.instance_type
    updated = {
        urn.rpartition("::")[2]: urn
        for urn, operation in approved.operations.items()
        if operation == "update" and MACHINE in urn
    }
    if before.instance_type == wanted or len(updated) < 2:
        return None
    return Turns(before.but(instance_type=wanted), updated)
