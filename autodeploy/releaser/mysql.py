"""DatabaseAccess in; the login of MySQL and MariaDB and the step that makes the application's own role out."""

from __future__ import annotations

import shlex

from autodeploy.model import DATABASE_CA_PATH, Step
from autodeploy.releaser.access import DatabaseAccess
from autodeploy.releaser.sealing import identifier

# Named one by one: for ALL the master would have to hold what RDS does not give him. The way a password is verified
# (mysql_native_password, caching_sha2_password) is the server's own: all drivers know their server's default.
# RDS makes a MariaDB's database in latin1, which cannot hold every text.
_ROLE_SQL = """\
CREATE DATABASE IF NOT EXISTS `{name}`;
ALTER DATABASE `{name}` CHARACTER SET utf8mb4;
CREATE USER IF NOT EXISTS '{role}'@'%' IDENTIFIED BY {password};
ALTER USER '{role}'@'%' IDENTIFIED BY {password};
GRANT SELECT, INSERT, UPDATE, DELETE, CREATE, DROP, REFERENCES, INDEX, ALTER, CREATE TEMPORARY TABLES, LOCK TABLES,
  EXECUTE, CREATE VIEW, SHOW VIEW, CREATE ROUTINE, ALTER ROUTINE, EVENT, TRIGGER ON `{name}`.* TO '{role}'@'%';
"""
_SEEN = """\
SELECT CURRENT_USER(), @@character_set_database, COUNT(*) FROM information_schema.schema_privileges \
WHERE table_schema = DATABASE() AND privilege_type IN ('CREATE', 'TRIGGER')"""


def login(database: DatabaseAccess) -> str:
    """Return the assignment, for a shell, by which the client logs in as the application's role."""
    return f"export MYSQL_PWD={shlex.quote(database.app_password)}\n"


def role_step(database: DatabaseAccess, logged_in: str) -> Step:
    """Return the step that makes the role; `logged_in` is the shell command that sets its login.

    The application's password goes to the server over TLS: MySQL takes no verifier made elsewhere.
    """
    role, name = identifier(database.app_username), identifier(database.name)
    sql = _ROLE_SQL.format(role=role, name=name, password=_literal(database.app_password))
    as_role = client(database, role, name)
    return Step(
        name="database-role",
        why="make the application's own database role",
        observe=f'{logged_in}; {as_role} --batch --skip-column-names --execute "{_SEEN}"',
        want=f"{role}@%\tutf8mb4\t2",
        fix=(
            "IFS= read -r MYSQL_PWD\nexport MYSQL_PWD\n"
            f"exec {client(database, database.master_username, 'information_schema')}\n"
        ),
        stdin=f"{database.master_password}\n{sql}",
        timeout_seconds=60,
    )


def client(database: DatabaseAccess, user: str, name: str) -> str:
    """Return the command of MariaDB's client, which speaks to MySQL too; its password is in MYSQL_PWD.

    The other variables and files that it would read are left out: the line alone says where it goes.
    """
    options = {
        "host": database.host,
        "port": str(database.port),
        "user": user,
        "protocol": "tcp",
        "connect-timeout": "8",
        "default-character-set": "utf8mb4",
        "ssl-ca": DATABASE_CA_PATH,
    }
    said = " ".join(f"--{option}={shlex.quote(value)}" for option, value in options.items())
    return f"mariadb --no-defaults {said} --ssl-verify-server-cert {name}"


def _literal(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", "''") + "'"
