"""A machine that is reached by sessions, hardened over one: SSH from the machine itself works, from outside nothing does.

The agent is stood in for by a program that speaks to sshd from within the machine, as the agent does.
"""

from __future__ import annotations

import asyncio
import os
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest
from fixtures.planned import planned, settings
from fixtures.released import STACK

from autodeploy.adapters.aws.sessions import Tunnel
from autodeploy.adapters.keys import generate
from autodeploy.adapters.outside import OutsideWorld
from autodeploy.adapters.ssh import SshHost, connect
from autodeploy.converger import converge, verify
from autodeploy.errors import DeploymentError
from autodeploy.hardener import controls
from autodeploy.local.containers import container_engine
from autodeploy.local.dataplane import MachineOrder
from autodeploy.local.local_dataplane import LocalDataPlane
from autodeploy.local.machines import KIND
from autodeploy.model import Step
from autodeploy.releaser import HOST_FACTS_SCRIPT, host_facts

pytestmark = pytest.mark.local

INSTANCE = "it-sessions"
FROM_WITHIN = "exec 3<>/dev/tcp/localhost/22; cat <&3 & cat >&3; kill $!"
OF_ACCESS = ("fail2ban", "ssh-keys-only", "ssh-algorithms", "firewall")
"""The controls that decide who gets in; the others ask the internet, or are as they are by SSH."""


class Closed:
    """One machine with its key, and the way in from outside."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.engine = container_engine()
        self.plane = LocalDataPlane(self.engine, folder, "sessions-epoch")
        private, self.public = generate()
        self.key = folder / "key"
        self.key.touch(0o600)
        self.key.write_text(private)
        self.plan = planned(STACK, access="ssm")

    async def boot(self) -> None:
        # Of the local target: the agent's package is not to be had here.
        data = planned(STACK).infra.user_data.replace(self.plan.infra.ssh_public_key, self.public.strip())
        order = MachineOrder(
            instance_id=INSTANCE,
            deployment_id=INSTANCE,
            network="vpc-sessions",
            image="debian-13",
            public_key=self.public,
            user_data=data,
        )
        self.address = await self.plane.run_instance(order)

    async def remove(self) -> None:
        await self.plane.terminate_instance(INSTANCE)
        await self.plane.remove_network("vpc-sessions")

    def programs(self) -> Path:
        """Return the folder of an `aws` that comes from within the machine."""
        name = self.plane.fleet.container(KIND, INSTANCE)
        session = self.engine.command("exec", "--interactive", name, "bash", "-c", FROM_WITHIN)
        folder = self.folder / "bin"
        folder.mkdir()
        (folder / "aws").write_text(f"#!/bin/sh\nexec {shlex.join(session)}\n")
        (folder / "session-manager-plugin").write_text("#!/bin/sh\n")
        for program in folder.iterdir():
            program.chmod(0o755)
        return folder

    def enter(self, deadline: float = 60) -> SshHost:
        return self._connect(INSTANCE, deadline, Tunnel(INSTANCE, "us-east-1"))

    def knock(self) -> SshHost:
        return self._connect(self.address, 1, None)

    def _connect(self, address: str, deadline: float, way: Tunnel | None) -> SshHost:
        pinned = self.folder / "known_hosts"
        return connect(address, key_path=self.key, known_hosts=pinned, say=print, deadline=deadline, way=way)

    def controls(self, host: SshHost) -> tuple[Step, ...]:
        facts = host_facts(host.run(HOST_FACTS_SCRIPT).stdout)
        assert facts.client_address in ("127.0.0.1", "::1")
        return tuple(step for step in controls(self.plan, facts, settings()) if step.name in OF_ACCESS)


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Closed]:
    made = Closed(tmp_path_factory.mktemp("sessions"))
    try:
        asyncio.run(made.boot())
        yield made
    finally:
        asyncio.run(made.remove())


def test_a_machine_is_closed_from_outside_and_entered_by_a_session(
    machine: Closed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", f"{machine.programs()}:{os.environ['PATH']}")
    host = machine.enter()  # it has a minute for it; who knocks then has none
    machine.knock().close()
    wanted = machine.controls(host)
    assert [step.name for step in wanted] == list(OF_ACCESS)
    results = converge(host, wanted, print)
    assert {result.status for result in results} <= {"ok", "changed"}
    assert OutsideWorld().open_ports(machine.address, [22]) == ()
    with pytest.raises(DeploymentError, match="no SSH connection"):
        machine.knock()
    host.reconnect()
    assert host.run("echo within").stdout == "within\n"
    assert {result.status for result in verify(host, wanted)} == {"ok"}
    assert "22" not in host.run("ufw status | grep ALLOW").stdout
    host.close()
