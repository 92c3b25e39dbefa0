"""The local target's machines, for real: Debian and PostgreSQL booted, asked over SSH, rebooted, kept apart, removed."""

from __future__ import annotations

import asyncio
import os
import subprocess
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

import pytest

from autodeploy.adapters.keys import generate
from autodeploy.local.authority import authority
from autodeploy.local.containers import container_engine
from autodeploy.local.dataplane import DatabaseOrder, MachineOrder
from autodeploy.local.local_dataplane import LocalDataPlane
from autodeploy.templating import render

pytestmark = pytest.mark.local

DATABASE = DatabaseOrder(
    identifier="it-db",
    deployment_id="it-one",
    network="vpc-one",
    engine="postgres",
    engine_version="15.8",
    username="dbadmin",
    password='it\'s \\ $HOME "x"',
    database_name="app",
)


class Machine(NamedTuple):
    """A booted machine and the way into it."""

    address: str
    key: Path

    def ssh(self, command: str, stdin: str = "") -> str:
        """Run a command as ubuntu; fail the test with what it printed."""
        options = ["StrictHostKeyChecking=no", "UserKnownHostsFile=/dev/null", "LogLevel=ERROR", "ConnectTimeout=3"]
        options.append("ServerAliveInterval=5")  # a machine that goes down in the middle of a session says nothing more
        words = [word for option in options for word in ("-o", option)]
        line = ["ssh", "-i", str(self.key), *words, f"ubuntu@{self.address}", command]
        done = subprocess.run(line, input=stdin, capture_output=True, text=True, timeout=60, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout.strip()

    def await_boot(self, other_than: str) -> str:
        """Wait for another boot than this one; return its id."""
        for _ in range(100):
            try:
                boot = self.ssh("cat /proc/sys/kernel/random/boot_id")
            except AssertionError:
                boot = other_than
            if boot != other_than:
                return boot
            time.sleep(0.2)
        raise AssertionError("the machine did not come back")


class Lab(NamedTuple):
    """Two deployments on networks of their own; the first has a database."""

    home: Path
    one: Machine
    two: Machine
    database: str


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    home = tmp_path_factory.mktemp("lab")
    private, public = generate()
    key = home / "key"
    key.touch(0o600)
    key.write_text(private)
    user_data = render(
        "host/cloud-config.yaml.j2",
        ssh_public_key=public,
        packages=["nginx-light", "postgresql-client"],
        session_agent="",
    )
    first = MachineOrder(
        instance_id="i-one",
        deployment_id="it-one",
        network="vpc-one",
        image="debian-12",
        public_key=public,
        user_data=user_data,
    )
    second = first.but(instance_id="i-two", deployment_id="it-two", network="vpc-two", user_data="")

    async def boot() -> Lab:
        plane = LocalDataPlane(container_engine(), home, "integration")
        one, two, (database, _) = await asyncio.gather(
            plane.run_instance(first), plane.run_instance(second), plane.run_database(DATABASE)
        )
        assert await plane.run_instance(first) == one
        assert await plane.run_database(DATABASE) == (database, 5432)
        return Lab(home, Machine(one, key), Machine(two, key), database)

    try:
        yield asyncio.run(boot())
    finally:
        asyncio.run(LocalDataPlane(container_engine(), home, "integration").fleet.reset())


def test_cloud_init_and_systemd_are_content(lab: Lab) -> None:
    for machine in (lab.one, lab.two):
        assert "done" in machine.ssh("cloud-init status --wait")
        assert machine.ssh("systemctl is-system-running --wait") == "running"
    assert lab.one.ssh("getent passwd app").endswith("/usr/sbin/nologin")


def test_sudo_is_quick_and_needs_no_password(lab: Lab) -> None:
    started = time.monotonic()
    assert lab.one.ssh("sudo -n id -u") == "0"
    assert time.monotonic() - started < 8  # a name that is looked up in vain takes ten at least
    lab.one.ssh("getent hosts $(hostname)")


def test_a_machine_cannot_change_the_operators_kernel(lab: Lab) -> None:
    before = Path("/proc/sys/kernel/panic").read_text()
    lab.one.ssh("! sudo sh -c 'echo 7 > /proc/sys/kernel/panic' 2>/dev/null")
    assert Path("/proc/sys/kernel/panic").read_text() == before
    lab.one.ssh("sudo sh -c 'echo 1 > /proc/sys/net/ipv4/conf/all/log_martians'")


def test_the_firewall_of_a_machine_is_its_own(lab: Lab) -> None:
    lab.two.ssh("sudo ufw allow 22/tcp && sudo ufw --force enable")
    assert "Status: active" in lab.two.ssh("sudo ufw status")
    lab.two.ssh("sudo ufw --force disable")


def test_a_service_reads_its_encrypted_credential(lab: Lab) -> None:
    lab.one.ssh("printf TOKEN=s3cret | sudo systemd-creds encrypt --with-key=host --name=env - /root/env.cred")
    words = "systemd-run --quiet --wait --pipe -p LoadCredentialEncrypted=env:/root/env.cred -p User=app"
    assert lab.one.ssh(f"sudo {words} sh -c 'cat $CREDENTIALS_DIRECTORY/env'") == "TOKEN=s3cret"


def test_a_reboot_keeps_address_data_and_host_keys(lab: Lab) -> None:
    lab.two.ssh("cloud-init status --wait && echo kept | sudo tee /root/kept && sync")
    keys = lab.two.ssh("cat /etc/ssh/ssh_host_*_key.pub")
    assert keys != lab.one.ssh("cat /etc/ssh/ssh_host_*_key.pub")
    boot = lab.two.ssh("cat /proc/sys/kernel/random/boot_id")
    with suppress(AssertionError):  # the line may be lost before the answer is here
        lab.two.ssh("sudo systemd-run --quiet --timer-property=AccuracySec=100ms --on-active=1 systemctl reboot")
    lab.two.await_boot(boot)
    assert lab.two.ssh("sudo cat /root/kept") == "kept"
    assert lab.two.ssh("cat /etc/ssh/ssh_host_*_key.pub") == keys
    assert lab.two.ssh("systemctl is-system-running --wait") == "running"
    assert lab.two.ssh("sudo journalctl --list-boots --no-pager").count("\n") >= 1


def psql(lab: Lab, mode: str, *commands: str) -> str:
    """Ask the database from the first machine, as its application would."""
    ca = authority(lab.home / "local").read_text()
    lab.one.ssh("cat > /tmp/ca.pem", stdin=ca)
    quoted = DATABASE.password.replace("'", "'\"'\"'")
    asked = " ".join(f'-c "{command}"' for command in commands)
    target = f"host={lab.database} user=dbadmin dbname=app {mode} sslrootcert=/tmp/ca.pem"
    return lab.one.ssh("sh -s", stdin=f"PGPASSWORD='{quoted}' psql -qAtX \"{target}\" {asked}\n")


def test_the_database_speaks_verified_tls_and_its_master_is_no_superuser(lab: Lab) -> None:
    facts = (
        "SHOW server_version",
        "SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()",
        "SELECT rolsuper, rolcreaterole, rolcreatedb FROM pg_roles WHERE rolname = current_user",
    )
    version, tls, role = psql(lab, "sslmode=verify-full channel_binding=require", *facts).splitlines()
    assert version.startswith("15.")
    assert (tls, role) == ("t", "f|t|t")


def test_the_master_makes_a_role_for_an_application(lab: Lab) -> None:
    made = ("CREATE ROLE shop LOGIN PASSWORD 'x'", "GRANT shop TO dbadmin", "CREATE SCHEMA shop AUTHORIZATION shop")
    psql(lab, "sslmode=verify-full", *made)
    assert psql(lab, "sslmode=require", "SELECT count(*) FROM pg_roles WHERE rolname = 'shop'") == "1"


def test_without_tls_the_database_refuses(lab: Lab) -> None:
    with pytest.raises(AssertionError, match="no encryption"):
        psql(lab, "sslmode=disable", "SELECT 1")


def test_two_deployments_do_not_see_each_other(lab: Lab) -> None:
    assert lab.one.address.rpartition(".")[0] != lab.two.address.rpartition(".")[0]
    lab.one.ssh(f"! timeout 2 bash -c 'head -c 4 < /dev/tcp/{lab.two.address}/22' | grep SSH")
    lab.two.ssh(f"! timeout 2 bash -c 'echo > /dev/tcp/{lab.database}/5432' 2>/dev/null")


def test_terminated_is_gone(lab: Lab) -> None:
    async def end() -> list[str]:
        plane = LocalDataPlane(container_engine(), lab.home, "integration")
        for _ in range(2):
            await plane.terminate_instance("i-one")
            await plane.delete_database("it-db")
            await plane.remove_network("vpc-one")
        return [member.name for member in await plane.fleet.members()]

    assert asyncio.run(end()) == ["i-two"]
    assert not (lab.home / "local" / "seeds" / "i-one").exists()
    assert os.access(lab.home / "local" / "rds-ca.pem", os.R_OK)
