"""DatabaseAccess in; PostgreSQL's login and the step that makes the application's own role out."""

from __future__ import annotations

import base64
import hashlib
import hmac
import shlex

from autodeploy.model import DATABASE_CA_PATH, Step
from autodeploy.releaser.access import DatabaseAccess
from autodeploy.releaser.sealing import identifier

# From PostgreSQL 16 on, who makes a role may administer it and no more: giving it away takes SET, which this GRANT
# brings (https://www.postgresql.org/docs/16/role-membership.html). A grant that is there already is only noted.
_ROLE_SQL = """\
SELECT format('CREATE ROLE %I', '{role}') WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '{role}') \\gexec
ALTER ROLE "{role}" WITH LOGIN PASSWORD '{verifier}';
GRANT "{role}" TO CURRENT_USER;
SELECT format('CREATE DATABASE %I', '{name}')
  WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = '{name}') \\gexec
ALTER DATABASE "{name}" OWNER TO "{role}";
\\connect "{name}"
GRANT ALL ON SCHEMA public TO "{role}";
"""


def login(database: DatabaseAccess) -> str:
    """Return the assignments, for a shell, by which psql logs in as the application's role."""
    return _libpq(database, database.app_username, database.app_password)


def role_step(database: DatabaseAccess, seal: str, logged_in: str) -> Step:
    """Return the step that makes the role; `logged_in` is the shell command that sets its login."""
    role, name = identifier(database.app_username), identifier(database.name)
    # The salt follows from the seal: the same input gives the same step.
    salt = hmac.new(seal.encode(), b"scram salt", hashlib.sha256).digest()[:16]
    sql = _ROLE_SQL.format(role=role, name=name, verifier=verifier(database.app_password, salt))
    settings = _libpq(database, database.master_username, "")
    return Step(
        name="database-role",
        why="make the application's own database role",
        observe=f"{logged_in}; psql -XAtc \"SELECT current_user, has_schema_privilege('public', 'CREATE')\"",
        want=f"{role}|t",
        fix=f"{settings}IFS= read -r PGPASSWORD\nexport PGPASSWORD\nexec psql -X -q -v ON_ERROR_STOP=1\n",
        stdin=f"{database.master_password}\n{sql}",
        timeout_seconds=60,
    )


def verifier(password: str, salt: bytes) -> str:
    """Return PostgreSQL's SCRAM-SHA-256 verifier (RFC 7677), so that the server is never told the password."""
    salted = hashlib.pbkdf2_hmac("sha256", password.encode(), salt, 4096)
    stored = hashlib.sha256(hmac.new(salted, b"Client Key", hashlib.sha256).digest()).digest()
    server = hmac.new(salted, b"Server Key", hashlib.sha256).digest()
    encoded = [base64.b64encode(part).decode() for part in (salt, stored, server)]
    return f"SCRAM-SHA-256$4096:{encoded[0]}${encoded[1]}:{encoded[2]}"


def _libpq(database: DatabaseAccess, user: str, password: str) -> str:
    values = {
        "PGHOST": database.host,
        "PGPORT": str(database.port),
        "PGDATABASE": database.name,
        "PGUSER": user,
        "PGSSLMODE": "verify-full",
        "PGSSLROOTCERT": DATABASE_CA_PATH,
        "PGCONNECT_TIMEOUT": "8",
    }
    if password:
        values["PGPASSWORD"] = password
    return "".join(f"export {name}={shlex.quote(value)}\n" for name, value in values.items())
