"""A machine that is reached by sessions, hardened over one: SSH from the machine itself works, from outside nothing does.

The agent is stood in for by a program that speaks to sshd from within the machine, as the agent does.
"""

from __future__ import annotations

import os
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest
from fixtures.planned import planned, settings
from fixtures.released import STACK
from integration.machine import Machine, booted

from autodeploy.adapters.aws.sessions import Tunnel
from autodeploy.adapters.outside import OutsideWorld
from autodeploy.adapters.ssh import SshHost
from autodeploy.converger import converge, verify
from autodeploy.errors import DeploymentError
from autodeploy.hardener import controls
from autodeploy.local.machines import KIND
from autodeploy.model import Step

pytestmark = pytest.mark.local

INSTANCE = "it-sessions"
FROM_WITHIN = "exec 3<>/dev/tcp/localhost/22; cat <&3 & cat >&3; kill $!"
OF_ACCESS = ("fail2ban", "ssh-keys-only", "ssh-algorithms", "firewall")
"""The controls that decide who gets in; the others ask the internet, or are as they are by SSH."""


class Closed(Machine):
    """One machine with its key, and the way in from outside."""

    def __init__(self, folder: Path) -> None:
        self.plan = planned(STACK, access="ssm")
        # It boots as one of the local target: the agent's package is not to be had here.
        super().__init__(folder, INSTANCE, "debian-13", planned(STACK))

    def programs(self) -> Path:
        """Return the folder of an `aws` that comes from within the machine."""
        fleet = self.plane.fleet
        name = fleet.container(KIND, INSTANCE)
        session = fleet.engine.command("exec", "--interactive", name, "bash", "-c", FROM_WITHIN)
        folder = self.folder / "bin"
        folder.mkdir()
        (folder / "aws").write_text(f"#!/bin/sh\nexec {shlex.join(session)}\n")
        (folder / "session-manager-plugin").write_text("#!/bin/sh\n")
        for program in folder.iterdir():
            program.chmod(0o755)
        return folder

    def enter(self) -> SshHost:
        return self.connect(way=Tunnel(INSTANCE, "us-east-1"))

    def knock(self) -> SshHost:
        return self.connect(deadline=1)

    def controls(self, host: SshHost) -> tuple[Step, ...]:
        facts = self.facts(host)
        assert facts.client_address in ("127.0.0.1", "::1")
        return tuple(step for step in controls(self.plan, facts, settings()) if step.name in OF_ACCESS)


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Closed]:
    with booted(Closed(tmp_path_factory.mktemp("sessions"))) as made:
        yield made


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
