"""What stands, and whose credentials are used, in; the host out, entered over SSH by its address or by a session."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from autodeploy.adapters.ssh import Way
    from autodeploy.model import InfrastructureSpec
    from autodeploy.ports import Host, Say

SESSIONS_PATIENCE = 2
"""How much longer than SSH a session may take: two programs and a service of AWS's stand in its way, and the agent is
installed last at the first boot."""


def connect(
    infrastructure: InfrastructureSpec,
    say: Say,
    deadline: float = 180.0,
    *,
    region: str = "",
    profile: str | None = None,
    role_arn: str | None = None,
) -> Host:
    """Open the deployment's machine; wait for its sshd at most `deadline` seconds, for a session twice as long."""
    from autodeploy.adapters.ssh import connect as open_ssh

    key, way = Path(infrastructure.ssh_private_key_path), _way(infrastructure, region, profile, role_arn)
    return open_ssh(
        infrastructure.ec2_instance_id if way else infrastructure.ec2_public_ip,
        key_path=key,
        known_hosts=key.with_name("known_hosts"),
        say=say,
        deadline=deadline * (SESSIONS_PATIENCE if way else 1),
        way=way,
    )


def _way(infrastructure: InfrastructureSpec, region: str, profile: str | None, role_arn: str | None) -> Way | None:
    if infrastructure.access == "ssh":
        return None
    from autodeploy.adapters.aws.sessions import Tunnel

    return Tunnel(infrastructure.ec2_instance_id, region, profile, role_arn)


def session_to(instance_id: str, region: str, profile: str | None, role_arn: str | None) -> Sequence[str]:
    """Return the command that carries a session to a machine's sshd over its standard input and output."""
    from autodeploy.adapters.aws.sessions import command

    return command(instance_id, region, profile, role_arn)
