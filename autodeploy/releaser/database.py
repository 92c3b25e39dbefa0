"""Release in; the steps that make the application's own database role out. The master password only bootstraps."""

from __future__ import annotations

from autodeploy.model import DATABASE_CA_PATH, DatabasePlan, InfrastructureSpec, Step, Upload
from autodeploy.releaser import mysql, postgres
from autodeploy.releaser.access import DatabaseAccess
from autodeploy.releaser.release import Release, sealed
from autodeploy.releaser.sealing import decryption, sealing_step

CREDENTIAL_PATH = "/etc/autodeploy/database.cred"


def session(made: DatabasePlan, infrastructure: InfrastructureSpec) -> str:
    """Return the script, for root on the host, that opens a session of the application's role over verified TLS.

    The role's password comes from the host's own credential; what is typed is kept in no file.
    """
    if made.engine == "postgres":
        return f"{_logged_in()}; export PSQL_HISTORY=/dev/null; exec psql"
    credentials = infrastructure.database_credentials
    access = DatabaseAccess(
        engine=made.engine,
        host=infrastructure.database_endpoint or "",
        port=credentials.port if credentials else made.port,
        name=made.database_name,
        master_username="",
        master_password="",
        app_password="",
        ca_pem="",
    )
    client = mysql.client(access, access.app_username, access.name)
    return f"{_logged_in()}; export MYSQL_HISTFILE=/dev/null; exec {client}"


def _logged_in() -> str:
    return f'eval "$({decryption(CREDENTIAL_PATH, "database")})" || exit'


def database_steps(release: Release) -> tuple[Step, ...]:
    """Return the steps that let the application into its database; () when it has none."""
    database = release.database
    if database is None:
        return ()
    logged_in = _logged_in()
    if database.engine == "postgres":
        login, role = postgres.login(database), postgres.role_step(database, release.seal, logged_in)
    else:
        login, role = mysql.login(database), mysql.role_step(database, logged_in)
    digest = sealed(release.seal, login)
    certificate = Upload(path=DATABASE_CA_PATH, content=database.ca_pem)
    return (
        Step(
            name="database-ca",
            why="install the CA that the database's certificate is verified with",
            observe=certificate.observation,
            want=certificate.wanted,
            uploads=(certificate,),
            fix="true",
        ),
        sealing_step(
            "database-credential",
            "encrypt what the application's database role logs in with",
            CREDENTIAL_PATH,
            "database",
            login,
            digest,
        ),
        # Seen with an older login the role is not the wanted one, though that login may still be good.
        role.but(observe=f"cat {CREDENTIAL_PATH}.digest; {role.observe}", want=f"{digest}\n{role.want}"),
    )
