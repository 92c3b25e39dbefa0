"""A MariaDB of the local target, as MySQL too: TLS only, a master without SUPER, the application's own role, its rows."""

from __future__ import annotations

import asyncio
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest
from fixtures.released import ARTIFACT, STACK
from integration.machine import Machine, booted

from autodeploy.adapters.ssh import SshHost
from autodeploy.converger import converge
from autodeploy.local.authority import authority
from autodeploy.local.dataplane import DatabaseOrder
from autodeploy.local.local_dataplane import LocalDataPlane
from autodeploy.local.records import Records
from autodeploy.local.snapshots import DatabaseSnapshots
from autodeploy.model import CommandResult
from autodeploy.releaser import DatabaseAccess, Release, environment, release
from autodeploy.releaser.database import database_steps
from autodeploy.releaser.software import folders_step

pytestmark = pytest.mark.local

ON_MYSQL = STACK.but(database_type="mysql")
MASTER = 'it\'s \\ $HOME "x"'
DATABASE = DatabaseOrder(
    identifier="it-mysql",
    deployment_id="it-mysql",
    network="vpc-it-mysql",
    engine="mysql",
    engine_version="8.0.41",
    username="dbadmin",
    password=MASTER,
    database_name="app",
)
CA = "/etc/autodeploy/database-ca.pem"


class Lab(Machine):
    """A machine beside a database, and what releases of an application need of it."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, DATABASE.deployment_id)

    async def boot(self, plane: LocalDataPlane) -> None:
        _, (self.database, self.port) = await asyncio.gather(super().boot(plane), plane.run_database(DATABASE))

    def release(self, password: str = "p@ss/w'ord\\") -> Release:
        access = DatabaseAccess(
            engine="mysql",
            host=self.database,
            port=self.port,
            name="app",
            master_username="dbadmin",
            master_password=MASTER,
            app_password=password,
            ca_pem=authority(self.folder / "local").read_text(),
        )
        return release(ARTIFACT, ON_MYSQL, environment(ON_MYSQL, {}, {}, access), "seal", access)

    def converge(self, host: SshHost, new: Release) -> list[str]:
        steps = (folders_step(), *database_steps(new))
        return [result.status for result in converge(host, steps, lambda _: None)]

    def ask(self, host: SshHost, user: str, password: str, sql: str, tls: str = f"--ssl-ca={CA}") -> CommandResult:
        said = f"--host={self.database} --user={user} {tls} --ssl-verify-server-cert --batch"
        said += " --skip-column-names --default-character-set=utf8mb4"
        said = said if tls != "--skip-ssl" else said.replace(" --ssl-verify-server-cert", "")
        command = f"MYSQL_PWD={shlex.quote(password)} mariadb --no-defaults {said} app --execute={shlex.quote(sql)}"
        return host.run(command)


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    with booted(Lab(tmp_path_factory.mktemp("mysql"))) as made:
        yield made


@pytest.fixture
def host(lab: Lab) -> Iterator[SshHost]:
    opened = lab.connect()
    yield opened
    opened.close()


def test_the_role_is_made_once_and_anew_for_another_password(lab: Lab, host: SshHost) -> None:
    assert set(lab.converge(host, lab.release())) == {"changed"}
    assert set(lab.converge(host, lab.release())) == {"ok"}
    again = lab.converge(host, lab.release("an\"other' $HOME"))
    assert again[-2:] == ["changed", "changed"]  # what it logs in with, and the role
    assert lab.ask(host, "app", "p@ss/w'ord\\", "SELECT 1").code != 0
    assert set(lab.converge(host, lab.release())) >= {"changed"}


def test_the_application_rules_its_database_and_nothing_else(lab: Lab, host: SshHost) -> None:
    made = "CREATE TABLE rows_ (name VARCHAR(9)); INSERT INTO rows_ VALUES ('naïve 🙂'); SELECT * FROM rows_; DROP TABLE rows_"
    answer = lab.ask(host, "app", "p@ss/w'ord\\", made)
    assert (answer.stdout.strip(), answer.stderr) == ("naïve 🙂", "")
    for sql in ("CREATE DATABASE other", "CREATE USER other", "SELECT * FROM mysql.user", "DROP USER dbadmin"):
        assert "denied" in lab.ask(host, "app", "p@ss/w'ord\\", sql).stderr, sql


def test_the_server_is_verified_and_speaks_tls_only(lab: Lab, host: SshHost) -> None:
    facts = lab.ask(host, "dbadmin", MASTER, "SHOW STATUS LIKE 'Ssl_version'; SELECT @@require_secure_transport")
    assert facts.stdout.split() == ["Ssl_version", "TLSv1.3", "1"]
    assert "denied" in lab.ask(host, "dbadmin", MASTER, "SELECT 1", "--skip-ssl").stderr
    wrong = lab.ask(host, "dbadmin", MASTER, "SELECT 1", "--ssl-ca=/etc/ssl/certs/ca-certificates.crt")
    assert wrong.code != 0 and "certificate" in wrong.stderr


def test_the_master_makes_users_and_databases_and_is_not_super(lab: Lab, host: SshHost) -> None:
    made = "CREATE USER shop IDENTIFIED BY 'x'; CREATE DATABASE shop; GRANT SELECT ON shop.* TO shop; DROP USER shop"
    assert lab.ask(host, "dbadmin", MASTER, f"{made}; DROP DATABASE shop").code == 0
    for sql in ("SET GLOBAL require_secure_transport = OFF", "GRANT SUPER ON *.* TO dbadmin", "SHUTDOWN"):
        assert "denied" in lab.ask(host, "dbadmin", MASTER, sql).stderr, sql
    grants = lab.ask(host, "dbadmin", MASTER, "SHOW GRANTS").stdout
    assert "SUPER" not in grants and "FILE" not in grants and "ALL PRIVILEGES" not in grants


def test_rows_survive_a_database_that_stopped_and_the_same_order_finds_it(lab: Lab, host: SshHost) -> None:
    password = "p@ss/w'ord\\"
    assert lab.ask(host, "app", password, "CREATE TABLE kept (n INT); INSERT INTO kept VALUES (7)").code == 0

    async def again() -> tuple[str, int]:
        fleet = lab.plane.fleet
        await fleet.stop(fleet.container("database", DATABASE.identifier))
        return await lab.plane.run_database(DATABASE)

    assert asyncio.run(again()) == (lab.database, 3306)
    assert lab.ask(host, "app", password, "SELECT n FROM kept").stdout.strip() == "7"
    assert set(lab.converge(host, lab.release())) == {"ok"}


def test_a_database_that_is_made_from_a_snapshot_has_its_rows_and_its_users(lab: Lab, host: SshHost) -> None:
    password, snapshots = "p@ss/w'ord\\", DatabaseSnapshots(lambda: lab.plane.fleet, Records(lab.folder).snapshots)
    made = "CREATE TABLE words (w VARCHAR(20)); INSERT INTO words VALUES ('naïve 🙂');"
    trigger = "CREATE TRIGGER upper_ BEFORE INSERT ON words FOR EACH ROW SET NEW.w = UPPER(NEW.w)"
    assert lab.ask(host, "app", password, f"{made} {trigger}").code == 0
    snapshots.keep("one", DATABASE.identifier, "mysql", "app")
    assert lab.ask(host, "app", password, "DROP TABLE words; CREATE TABLE later (n INT)").code == 0
    order = DATABASE.but(identifier="it-mysql-2", password="another master", snapshot="one")
    lab.database, _ = asyncio.run(lab.plane.run_database(order))
    answer = lab.ask(
        host, "app", password, "INSERT INTO words VALUES ('more'); SELECT w FROM words; SHOW TABLES LIKE 'later'"
    )
    assert answer.stdout.splitlines() == ["naïve 🙂", "MORE"]
    assert lab.ask(host, "app", password, "SELECT @@character_set_database").stdout.strip() == "utf8mb4"
    assert lab.ask(host, "dbadmin", "another master", "SELECT 1").code == 0
    assert "denied" in lab.ask(host, "dbadmin", MASTER, "SELECT 1").stderr
    # Again it is found as it is: what was written since stays.
    assert asyncio.run(lab.plane.run_database(order))[0] == lab.database
    assert lab.ask(host, "app", password, "SELECT count(*) FROM words").stdout.strip() == "2"
