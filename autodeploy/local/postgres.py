"""PostgreSQL as RDS offers it: an order and a certificate go in, the script that sets a booted machine up comes out."""

from __future__ import annotations

from asyncio import StreamReader, StreamWriter

from autodeploy.local.dataplane import DatabaseOrder, plain
from autodeploy.model import BaseImage

IMAGES: dict[str, BaseImage] = {"15": "debian-12", "17": "debian-13"}
"""Which base image has which PostgreSQL."""
PORT = 5432
SSL_REQUEST = b"\x00\x00\x00\x08\x04\xd2\x16\x2f"  # https://www.postgresql.org/docs/15/protocol-message-formats.html

# Runs as root on the machine, again and again with the same end. As on RDS the master may make
# roles and databases but is no superuser, and a connection without TLS is refused.
SETUP = """\
set -eu
version={version}
conf=/etc/postgresql/$version/main
if ! [ -d $conf ]; then
  pg_createcluster $version main --encoding=UTF8 --locale=C.UTF-8 >/dev/null
fi
cat > $conf/server.crt <<'PEM'
{certificate}PEM
(umask 077; cat > $conf/server.key <<'PEM'
{key}PEM
)
chown postgres: $conf/server.crt $conf/server.key
mkdir -p $conf/conf.d
cat > $conf/conf.d/rds.conf <<CONF
listen_addresses = '*'
ssl = on
ssl_cert_file = '$conf/server.crt'
ssl_key_file = '$conf/server.key'
ssl_min_protocol_version = 'TLSv1.2'
password_encryption = 'scram-sha-256'
CONF
cat > $conf/pg_hba.conf <<'CONF'
local   all postgres           peer
hostssl all all      0.0.0.0/0 scram-sha-256
CONF
tries=0
until systemctl is-system-running 2>/dev/null | grep -qE 'running|degraded|starting'; do
  tries=$((tries + 1)); [ $tries -lt 200 ] || exit 1; sleep 0.1
done
systemctl enable --quiet --now postgresql@$version-main.service
systemctl reload postgresql@$version-main.service
until su postgres -c 'psql -qAtc "select 1"' >/dev/null 2>&1; do
  tries=$((tries + 1)); [ $tries -lt 300 ] || exit 1; sleep 0.1
done
cat > /run/setup.sql <<'SQL'
{sql}SQL
su postgres -c 'psql -q -v ON_ERROR_STOP=1' < /run/setup.sql
rm /run/setup.sql
"""

SQL = """\
SELECT 'CREATE ROLE rds_superuser NOLOGIN'
  WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'rds_superuser')\\gexec
GRANT pg_monitor, pg_signal_backend TO rds_superuser;
SELECT format('CREATE ROLE %I', {user}) WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = {user})\\gexec
SELECT format('ALTER ROLE %I LOGIN CREATEROLE CREATEDB PASSWORD %L', {user}, {password})\\gexec
SELECT format('GRANT rds_superuser TO %I', {user})\\gexec
SELECT format('CREATE DATABASE %I OWNER %I', {database}, {user})
  WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = {database})\\gexec
"""


# One transaction: whoever looks, and whatever ends it, sees the old rows or the new ones. PostgreSQL's own schemas
# stay; `public` is made again as `initdb` makes it, which is what a dump counts on.
CLEAR = """\
SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid();
SELECT lo_unlink(oid) FROM pg_largeobject_metadata;
DO $$
DECLARE each name;
BEGIN
  FOR each IN SELECT nspname FROM pg_namespace WHERE nspname !~ '^pg_' AND nspname <> 'information_schema' LOOP
    EXECUTE format('DROP SCHEMA %I CASCADE', each);
  END LOOP;
END $$;
CREATE SCHEMA public AUTHORIZATION pg_database_owner;
GRANT USAGE ON SCHEMA public TO PUBLIC;
"""

LOAD = """\
set -eu
umask 077
cd /var/tmp
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cat > "$folder/clear.sql" <<'SQL'
{clear}SQL
chown -R postgres: "$folder"
su postgres -c "pg_restore --file=$folder/data.sql"
su postgres -c "psql -X -q -v ON_ERROR_STOP=1 --single-transaction --dbname={database} \
  --file=$folder/clear.sql --file=$folder/data.sql"
"""


USERS = "cd / && exec su postgres -c 'pg_dumpall --roles-only'"
"""The script that writes the server's roles to standard output, with their rights and hashed passwords."""

LOAD_USERS = "cd / && exec su postgres -c 'psql -X -q 2>/dev/null'"
"""The script that makes them of standard input; those that are there already are changed."""


def dump(database: str) -> str:
    """Return the script that writes the database's data to standard output."""
    return f"cd / && exec su postgres -c 'pg_dump --format=custom --dbname={plain(database)}'"


def prove(database: str) -> str:
    """Return the script that reads a dump from standard input to its end, and fails where it cannot be read."""
    return "cd / && exec su postgres -c 'pg_restore --file=/dev/null'"


def load(database: str) -> str:
    """Return the script that puts the dump on standard input in the place of all that the database holds."""
    return LOAD.format(clear=CLEAR, database=plain(database))


def version(engine_version: str) -> str:
    """Return the version that serves what was ordered; "" where there is none."""
    major = engine_version.partition(".")[0]
    return major if major in IMAGES else ""


def setup(order: DatabaseOrder, certificate: str, key: str) -> str:
    """Return the script; it holds the master password and belongs on standard input."""
    names = {"user": order.username, "password": order.password, "database": order.database_name}
    sql = SQL.format(**{name: _literal(text) for name, text in names.items()})
    return SETUP.format(version=version(order.engine_version), certificate=certificate, key=key, sql=sql)


async def offers_tls(reader: StreamReader, writer: StreamWriter) -> bool:
    """Tell whether who answers on PORT is a PostgreSQL that goes over to TLS when asked."""
    writer.write(SSL_REQUEST)
    return await reader.readexactly(1) == b"S"


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
