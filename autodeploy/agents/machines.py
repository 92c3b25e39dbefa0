"""A deployment's machines, one after the other: each as if it were alone, named in what is said and in what fails.

What is said of the only machine names none. Never decides what is done on one.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import closing
from typing import Protocol, TypeVar

from autodeploy.errors import AgentError, DeploymentError
from autodeploy.model import InfrastructureSpec, Machine, Step, StepResult
from autodeploy.ports import Clock, Cloud, Host, Say
from autodeploy.releaser import HOST_FACTS_SCRIPT, host_facts

T = TypeVar("T")
Work = Callable[[Machine, InfrastructureSpec], T]
"""Takes a machine, and the infrastructure as if it had no other."""

ROTATION_SECONDS = 90.0
"""How long a balancer may take to find a machine healthy again: some checks and their interval, with room."""

LOOK_SECONDS = 10.0
"""How long a machine may take to say what it runs, once another one has failed."""


class Connect(Protocol):
    """Opens a deployment's machine over SSH, waiting at most `deadline` seconds."""

    def __call__(self, infrastructure: InfrastructureSpec, say: Say, deadline: float = 180.0) -> Host: ...


class Converge(Protocol):
    """Makes a host agree with steps; the converger."""

    def __call__(
        self, host: Host, steps: Sequence[Step], say: Say, *, keep_going: bool = False
    ) -> tuple[StepResult, ...]: ...


def one_by_one(infrastructure: InfrastructureSpec, say: Say, work: Work[T]) -> tuple[T, ...]:
    """Do the work on one machine after another and return what came of each; the first that fails ends it."""
    machines, done = infrastructure.machines, []
    for number, machine in enumerate(machines, 1):
        if len(machines) > 1:
            say(f"machine {machine.name} at {machine.public_ip}, {number} of {len(machines)}")
        try:
            done.append(work(machine, infrastructure.alone(machine)))
        except AgentError as err:
            err.message = f"{of(machine, infrastructure)}{err.message}"
            raise
    return tuple(done)


def of(machine: Machine, infrastructure: InfrastructureSpec) -> str:
    """Return what names one machine of several in front of what is said of it; "" where it is the only one."""
    return f"{machine.name}: " if infrastructure.more_machines else ""


def is_in_rotation(machine: Machine, cloud: Cloud, deployment_id: str) -> bool:
    """Say whether the balancer finds the machine healthy now."""
    return _healthy(_health(machine, cloud, deployment_id))


def await_rotation(machine: Machine, cloud: Cloud, clock: Clock, deployment_id: str) -> None:
    """Return when the balancer finds the machine healthy; raise DeploymentError."""
    deadline = clock.now().timestamp() + ROTATION_SECONDS
    while True:
        lines = _health(machine, cloud, deployment_id)
        if _healthy(lines):
            return
        if clock.now().timestamp() > deadline:
            raise DeploymentError(
                f"the balancer does not find it healthy: {'; '.join(lines) or 'it is no target of it'}",
                "Look at the application's log (autodeploy logs), then deploy again.",
                recoverable=True,
                context="Waiting for the balancer",
            )
        clock.sleep(1.0)


def _health(machine: Machine, cloud: Cloud, deployment_id: str) -> list[str]:
    return [line for line in cloud.target_health(deployment_id) if _is_of(line, machine)]


def _healthy(lines: Sequence[str]) -> bool:
    return any(line.split()[1:] == ["healthy"] for line in lines)


def _is_of(line: str, machine: Machine) -> bool:
    return line.partition(":")[0] in (machine.instance_id, machine.public_ip, machine.private_ip)


def running(infrastructure: InfrastructureSpec, connect: Connect, say: Say) -> str:
    """Return, as a sentence, which machine runs which release; "" where there is only one machine."""
    if not infrastructure.more_machines:
        return ""
    told = [
        f"{machine.name} {_release(infrastructure.alone(machine), connect, say)}" for machine in infrastructure.machines
    ]
    return f"Now {', '.join(told)}."


def _release(alone: InfrastructureSpec, connect: Connect, say: Say) -> str:
    try:
        with closing(connect(alone, say, LOOK_SECONDS)) as host:
            release = host_facts(host.run(HOST_FACTS_SCRIPT).stdout).current_release
    except AgentError:  # it must not hide why the release failed
        return "does not answer"
    return f"runs release {release}" if release else "runs none"
