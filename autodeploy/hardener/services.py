"""No service runs that the application and its keeping do not need."""

from __future__ import annotations

from autodeploy.model import Step

_REFERENCE = "CIS Debian Linux 12 Benchmark 2.1 (Configure Server Services)"

_LEGACY = (
    "telnet.socket",
    "inetd.service",
    "openbsd-inetd.service",
    "xinetd.service",
    "vsftpd.service",
    "proftpd.service",
    "pure-ftpd.service",
    "tftpd-hpa.service",
    "rsh.socket",
    "rlogin.socket",
    "rexec.socket",
    "rpcbind.service",
    "rpcbind.socket",
    "nfs-server.service",
    "smbd.service",
    "nis.service",
    "slapd.service",
    "snmpd.service",
    "avahi-daemon.service",
    "avahi-daemon.socket",
    "cups.service",
    "cups.socket",
    "exim4.service",
    "bluetooth.service",
    # It only delays a shutdown while an upgrade runs; apt-daily-upgrade.service waits by itself.
    "unattended-upgrades.service",
)

_KNOWN = (
    r"ssh|cron|dbus|nginx|fail2ban|rsyslog|chrony|chronyd|polkit|haveged|irqbalance|amazon-(ssm|cloudwatch)-agent|"
    r"networking|ifup@.*|user@.*|.*getty@?.*|systemd-.*|cloud-.*|app-.*|autodeploy-.*|apt-daily.*|unattended-upgrades"
)


def steps() -> tuple[Step, ...]:
    """Return the controls of services."""
    names = " ".join(_LEGACY)
    active = f"systemctl list-units --plain --no-legend --state=active {names} | cut -d' ' -f1"
    return (
        Step(
            name="legacy-services",
            why="turn off telnet, FTP, RPC and other services that are not needed",
            observe=f"{active}; systemctl list-unit-files --no-legend --state=enabled {names} | cut -d' ' -f1",
            want="",
            fix=f"""\
for unit in {names}; do
  systemctl cat "$unit" >/dev/null 2>&1 || continue
  systemctl disable --now --quiet "$unit"
done
""",
            weight=5,
            reference=_REFERENCE,
        ),
        Step(
            name="expected-services",
            why="check that only expected services run",
            observe=(
                "systemctl list-units --plain --no-legend --type=service --state=running | cut -d' ' -f1 "
                f"| grep -vE '^({_KNOWN})\\.service$'"
            ),
            want="",
            weight=5,
            reference=_REFERENCE,
        ),
    )
