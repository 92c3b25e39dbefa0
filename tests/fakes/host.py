"""Host, converger and Outside over the world's machines."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from autodeploy.errors import DeploymentError
from autodeploy.model import CommandResult, InfrastructureSpec, Step, StepResult
from autodeploy.ports import Host, Say
from autodeploy.releaser import EVIDENCE, HOST_FACTS_SCRIPT
from fakes.world import Machine, World


class FakeHost:
    """A connection to one machine; it answers the few scripts that the agents run themselves."""

    def __init__(self, machine: Machine) -> None:
        self.machine: Machine = machine
        self.is_open = True

    def run(self, command: str, stdin: str | None = None, timeout_seconds: int = 120) -> CommandResult:
        if not self.is_open:
            raise DeploymentError("the connection is closed", "Open one.")
        answers: list[tuple[str, Callable[[], str]]] = [
            (re.escape(HOST_FACTS_SCRIPT), self._facts),
            (r"systemctl show -p ActiveState,MainPID app-(\w+)\.service", self._shown),
            (r"echo \$\(readlink /opt/app/current\) \$\(systemctl show -p \S+ app-(\w+)\.service\)", self._worker),
            (r"systemctl stop app-\w+\.service", self._stop),
            (r"systemctl start app-\w+\.service && systemctl is-active app-\w+\.service", self._start),
            (r"tail -n \d+ ", lambda: "".join(self.machine.log.splitlines(True)[-int(command.split()[2]) :])),
        ]
        if command in EVIDENCE.values():
            return self._evidence(command)
        for pattern, answer in answers:
            if re.match(pattern, command):
                return CommandResult(code=0, stdout=answer(), stderr="")
        return CommandResult(code=127, stdout="", stderr=f"unknown: {command}")

    def put(self, path: str, content: bytes | Path, mode: str = "0644") -> None:
        self.machine.applied[path] = str(content)

    def reconnect(self) -> None:
        self.is_open = True

    def close(self) -> None:
        self.is_open = False

    def _evidence(self, command: str) -> CommandResult:
        if command == EVIDENCE["cloud-init.log"]:
            return CommandResult(code=1, stdout="", stderr="no such file")
        return CommandResult(code=0, stdout=f"{command.split(maxsplit=1)[0]} says\n{self.machine.log}", stderr="")

    def _facts(self) -> str:
        told = {"hostname": "h", "boot_id": "b-1", "os": "debian-12", "container": "podman", "client": "10.88.0.1"}
        if self.machine.release:
            told |= {"release": self.machine.release, "port": "8001", "startup": "1400"}
        return "".join(f"{name}={value}\n" for name, value in told.items())

    def _shown(self) -> str:
        running = self.machine.release and not self.machine.stopped
        return f"ActiveState={'active' if running else 'failed'}\nMainPID={4242 if running else 0}\n"

    def _worker(self) -> str:
        if self.machine.is_restless:
            self.machine.restarts += 1
        shown = self._shown().replace("\n", " ").strip()
        return f"releases/{self.machine.release} {shown} NRestarts={self.machine.restarts}\n"

    def _stop(self) -> str:
        self.machine.stopped = True
        return ""

    def _start(self) -> str:
        self.machine.stopped = False
        return "active\n"


class Hands:
    """`connect` and `converge` as wiring hands them to the agents."""

    def __init__(self, world: World) -> None:
        self._world = world

    def connect(self, infrastructure: InfrastructureSpec, say: Say, deadline: float = 180.0) -> Host:
        self._world.happens("connect" if deadline > 100 else "reach")
        if infrastructure.deployment_id not in self._world.stacks:
            raise DeploymentError("nobody answers", "Make the machine first.", recoverable=True)
        return FakeHost(self._world.machines[_name(infrastructure.ec2_instance_id)])

    def converge(
        self, host: Host, steps: Sequence[Step], say: Say, *, keep_going: bool = False
    ) -> tuple[StepResult, ...]:
        assert isinstance(host, FakeHost)
        self._world.happens("converge")
        results = []
        for step in steps:
            result = _mended(host.machine, step)
            if result.status == "failed" and not keep_going:
                raise DeploymentError(f"the step {step.name!r} failed", "Deploy again.", output=result.output)
            results.append(result)
        return tuple(results)


def _name(identifier: str) -> str:
    """Return under which name the world has the machine of an instance's id or address."""
    return identifier.removeprefix("instanceId-of-").removeprefix("publicIp-of-")


def _mended(machine: Machine, step: Step) -> StepResult:
    if step.not_applicable:
        return StepResult(name=step.name, status="not_applicable", observed=step.not_applicable, weight=step.weight)
    if step.name in machine.stubborn:
        return StepResult(name=step.name, status="failed", observed="as before", output="no", weight=step.weight)
    status = "ok" if machine.applied.get(step.name) == step.want else "changed"
    machine.applied[step.name] = step.want
    if step.name == "switch":
        machine.release = step.want.splitlines()[0].removeprefix("releases/")
        machine.stopped = False
    return StepResult.model_validate(
        {"name": step.name, "status": status, "observed": step.want, "weight": step.weight}
    )


class FakeOutside:
    """The balancers' ports lead to the machines; a stopped service is a 502 of the proxy."""

    def __init__(self, world: World) -> None:
        self._world = world

    def get(self, url: str, ca: Path | None, at: str | None = None) -> tuple[int, Mapping[str, str]]:
        self._world.happens("get")
        self._world.asked.append((url, ca, at))
        port = int(re.sub(r".*:(\d+).*", r"\1", at or url))
        deployment = next(name for name in self._world.history if self._world.port(name) == port)
        fleet = [machine for machine in self._world.fleet(deployment) if not machine.is_out]
        machine = fleet[len(self._world.asked) % len(fleet)]  # each in its turn
        if machine.stopped:
            return 502, {}
        return 200, {"x-autodeploy-release": machine.release}

    def open_ports(self, address: str, ports: Sequence[int]) -> tuple[int, ...]:
        self._world.happens("open ports")
        identifier = _name(address)
        plan = self._world.stacks.get(identifier.partition("/")[0])
        closed = {80} if plan and plan.web is None else set()  # a worker has no proxy
        return tuple(port for port in ports if port in self._world.machines[identifier].open_ports - closed)
