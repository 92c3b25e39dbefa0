"""MariaDB as RDS offers it, and in MySQL's place: an order and a certificate go in, a machine's set-up comes out.

Debian has no MySQL server. Whoever orders one is told what he gets.
"""

from __future__ import annotations

from asyncio import StreamReader, StreamWriter

from autodeploy.local.dataplane import DatabaseOrder, plain
from autodeploy.model import BaseImage

IMAGES: dict[str, BaseImage] = {"10.11": "debian-12", "11.8": "debian-13"}
"""Which base image has which MariaDB."""
MYSQL = "10.11"
"""The version that stands in for MySQL, whatever version of it is ordered."""
PORT = 3306
_CLIENT_SSL = 0x0800  # https://mariadb.com/kb/en/connection/#capabilities

# What a master user may do on RDS, which is all but SUPER and FILE:
# https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/UsingWithRDS.MasterAccounts.html
_MASTER = (
    "SELECT, INSERT, UPDATE, DELETE, CREATE, DROP, RELOAD, PROCESS, REFERENCES, INDEX, ALTER, SHOW DATABASES, "
    "CREATE TEMPORARY TABLES, LOCK TABLES, EXECUTE, REPLICATION SLAVE, REPLICATION CLIENT, CREATE VIEW, SHOW VIEW, "
    "CREATE ROUTINE, ALTER ROUTINE, CREATE USER, EVENT, TRIGGER"
)

# Runs as root on the machine, again and again with the same end.
SETUP = """\
set -eu
conf=/etc/mysql/rds
mkdir -p $conf
cat > $conf/server.crt <<'PEM'
{certificate}PEM
(umask 077; cat > $conf/server.key <<'PEM'
{key}PEM
)
chown mysql: $conf/server.crt $conf/server.key
cat > /etc/mysql/mariadb.conf.d/90-rds.cnf <<CONF
[mariadbd]
bind_address = *
skip_name_resolve
require_secure_transport = ON
ssl_cert = $conf/server.crt
ssl_key = $conf/server.key
tls_version = TLSv1.2,TLSv1.3
innodb_log_file_size = 8M
CONF
tries=0
until systemctl is-system-running 2>/dev/null | grep -qE 'running|degraded|starting'; do
  tries=$((tries + 1)); [ $tries -lt 200 ] || exit 1; sleep 0.1
done
systemctl enable --quiet --now mariadb.service
until mariadb --no-defaults -e 'SELECT 1' >/dev/null 2>&1; do
  tries=$((tries + 1)); [ $tries -lt 300 ] || exit 1; sleep 0.1
done
mariadb --no-defaults <<'SQL'
{sql}SQL
"""

SQL = """\
FLUSH SSL;
CREATE DATABASE IF NOT EXISTS `{database}`;
CREATE USER IF NOT EXISTS {user}@'%';
ALTER USER {user}@'%' IDENTIFIED BY {password};
GRANT {privileges} ON *.* TO {user}@'%' WITH GRANT OPTION;
"""


# MariaDB takes no DROP DATABASE back: a load that is cut is begun again, and a dump is read to its end before.
LOAD = """\
set -euo pipefail
ask="mariadb --no-defaults --default-character-set=utf8mb4"
as_before=$($ask -BN -e "SELECT CONCAT('CHARACTER SET ', default_character_set_name, ' COLLATE ',
  default_collation_name) FROM information_schema.schemata WHERE schema_name = '{database}'")
$ask -BN -e "SELECT CONCAT('KILL ', id, ';') FROM information_schema.processlist WHERE db = '{database}'" \
  | $ask --force 2>/dev/null || true
$ask -e "SET SESSION lock_wait_timeout = 60; DROP DATABASE IF EXISTS \\`{database}\\`;
  CREATE DATABASE \\`{database}\\` $as_before"
gzip -dc | $ask {database}
"""


USERS = "exec mariadb-dump --no-defaults --system=users --insert-ignore"
"""The script that writes the server's users to standard output, with their rights and hashed passwords."""

LOAD_USERS = "exec mariadb --no-defaults --force"
"""The script that makes them of standard input; those that are there already stay as they are."""


def dump(database: str) -> str:
    """Return the script that writes the database's data to standard output."""
    return (
        "set -o pipefail; mariadb-dump --no-defaults --single-transaction --quick --routines --events --triggers "
        f"--hex-blob --default-character-set=utf8mb4 {plain(database)} | gzip -c"
    )


def prove(database: str) -> str:
    """Return the script that reads a dump from standard input to its end, and fails where it is not whole."""
    return "set -o pipefail; gzip -dc | tail -n 1 | grep -q '^-- Dump completed'"


def load(database: str) -> str:
    """Return the script that puts the dump on standard input in the place of all that the database holds."""
    return LOAD.format(database=plain(database))


def version(engine_version: str) -> str:
    """Return the version that serves what was ordered; "" where there is none."""
    wanted = ".".join(engine_version.split(".")[:2])
    return wanted if wanted in IMAGES else ""


def setup(order: DatabaseOrder, certificate: str, key: str) -> str:
    """Return the script; it holds the master password and belongs on standard input."""
    sql = SQL.format(
        user=_literal(order.username),
        password=_literal(order.password),
        database=order.database_name.replace("`", "``"),
        privileges=_MASTER,
    )
    return SETUP.format(certificate=certificate, key=key, sql=sql)


async def offers_tls(reader: StreamReader, writer: StreamWriter) -> bool:
    """Tell whether who answers on PORT is a MariaDB whose greeting offers TLS.

    https://mariadb.com/kb/en/connection/#initial-handshake-packet: protocol 10, version, thread, seed, capabilities.
    """
    header = await reader.readexactly(4)
    greeting = await reader.readexactly(int.from_bytes(header[:3], "little"))
    version_ends = greeting.find(b"\0") + 1
    capabilities = int.from_bytes(greeting[version_ends + 13 : version_ends + 15], "little")
    return greeting[:1] == b"\x0a" and bool(capabilities & _CLIENT_SSL)


def _literal(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", "''") + "'"
