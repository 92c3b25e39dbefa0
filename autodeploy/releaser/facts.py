"""The script that asks a host what it is, and the reading of its answer as HostFacts. Never runs it."""

from __future__ import annotations

from autodeploy.errors import DeploymentError
from autodeploy.model import HostFacts

HOST_FACTS_SCRIPT = r"""
echo "hostname=$(hostname)"
# In a container the kernel's boot_id outlives a reboot; the start of its init does not.
echo "boot_id=$(cat /proc/sys/kernel/random/boot_id)-$(cut -d' ' -f22 /proc/1/stat)"
echo "os=$(. /etc/os-release; echo "$ID-$VERSION_ID")"
echo "container=$(systemd-detect-virt --container)"
echo "release=$(basename "$(readlink /opt/app/current)" 2>/dev/null)"
echo "port=$(sed -n 's/^PORT=//p' /opt/app/current/port.env 2>/dev/null)"
echo "startup=$(cat /opt/app/current/startup.ms 2>/dev/null)"
# sudo drops SSH_CLIENT from the environment; an ancestor still has it.
p=$$
while [ "${p:-0}" -gt 1 ]; do
  client=$(tr '\0' '\n' <"/proc/$p/environ" 2>/dev/null | sed -n 's/^SSH_CLIENT=//p' | cut -d' ' -f1)
  [ -n "$client" ] && break
  p=$(sed -n 's/^PPid:[[:space:]]*//p' "/proc/$p/status")
done
echo "client=$client"
"""
"""Prints `name=value` lines; run as root over SSH."""


def host_facts(output: str) -> HostFacts:
    """Return what HOST_FACTS_SCRIPT printed as facts; raise DeploymentError when it is not an answer."""
    said = dict(line.split("=", 1) for line in output.splitlines() if "=" in line)
    if not said.get("boot_id"):
        raise DeploymentError(
            "the host did not say what it is",
            "Check that the instance runs Debian 12 or 13 with systemd, then run the same command again.",
            recoverable=True,
            agent="HiveMind Release-Engineer",
            context="Asking the host for its facts",
            output=output[-2000:],
        )
    port, startup = said.get("port", ""), said.get("startup", "")
    return HostFacts(
        hostname=said.get("hostname", ""),
        boot_id=said["boot_id"],
        os=said.get("os", ""),
        is_container=said.get("container", "none") not in {"", "none"},
        current_release=said.get("release") or None,
        current_port=int(port) if port.isdigit() else None,
        startup_seconds=int(startup) / 1000 if startup.isdigit() else None,
        client_address=said.get("client", ""),
    )
