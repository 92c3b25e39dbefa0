"""RDS instances of the local target: an order goes in, a PostgreSQL machine that speaks only TLS comes out."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from autodeploy.errors import LocalTargetError
from autodeploy.local.authority import server_certificate
from autodeploy.local.containers import AGENT
from autodeploy.local.dataplane import DatabaseOrder
from autodeploy.local.fleet import Fleet, await_answer
from autodeploy.local.images import ensure_image
from autodeploy.local.machines import INIT
from autodeploy.local.recipes import POSTGRES_IMAGES

KIND = "database"
PORT = 5432
BOOT_SECONDS = 60.0
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


class Databases:
    """The database instances of one home."""

    def __init__(self, fleet: Fleet, say: Callable[[str], None]) -> None:
        self.fleet = fleet
        self.say = say

    async def run(self, order: DatabaseOrder) -> tuple[str, int]:
        """Boot a database machine, return address and port; the same order again finds the same machine."""
        version = supported_version(order.engine, order.engine_version)
        address = await self.fleet.resume(KIND, order.identifier)
        if address is None:
            image = await asyncio.to_thread(ensure_image, "database", POSTGRES_IMAGES[version], self.say)
            volumes = ("--volume", "/var/log/journal")
            address = await self.fleet.start(
                KIND, order.identifier, order.deployment_id, order.network, image, volumes, INIT
            )
        certificate, key = await asyncio.to_thread(server_certificate, self.fleet.home / "local", address)
        script = SETUP.format(version=version, certificate=certificate, key=key, sql=_sql(order))
        name = self.fleet.container(KIND, order.identifier)
        await self.fleet.engine.run("exec", "--interactive", name, "sh", "-s", stdin=script, timeout=BOOT_SECONDS)
        if not await await_answer(address, PORT, SSL_REQUEST, b"S", BOOT_SECONDS):
            raise LocalTargetError(
                f"the database {order.identifier} at {address} accepts no TLS connection after {BOOT_SECONDS:g} s",
                "See `autodeploy local status`; `autodeploy local reset` starts with an empty account.",
                True,
                agent=AGENT,
                context="Booting a database of the local target",
            )
        return address, PORT

    async def delete(self, identifier: str) -> None:
        """Remove the database machine with its data; not there counts as done."""
        await self.fleet.remove(KIND, identifier)


def supported_version(engine: str, engine_version: str) -> str:
    """Return the major version of PostgreSQL; raise LocalTargetError for what the local target does not have."""
    major = engine_version.partition(".")[0]
    if engine == "postgres" and major in POSTGRES_IMAGES:
        return major
    raise LocalTargetError(
        f"the local target has no database engine {engine} {engine_version}".rstrip(),
        f"Here there is postgres {' and '.join(POSTGRES_IMAGES)}; use --target aws for other engines.",
        agent=AGENT,
        context="Booting a database of the local target",
    )


def _sql(order: DatabaseOrder) -> str:
    return SQL.format(
        user=_literal(order.username), password=_literal(order.password), database=_literal(order.database_name)
    )


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
