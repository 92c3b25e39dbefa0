"""A database and the application's technology in; the address its driver takes, and the variables that tell it, out.

Every server here speaks TLS only, and drivers differ in how an address tells them so: each gets what it understands.
"""

from __future__ import annotations

from urllib.parse import quote

from pydantic import Field

from autodeploy.model import DATABASE_CA_PATH, DatabaseEngine, Noun, TechStack
from autodeploy.model.techstack import Language

GO_DSN = "go-sql-driver"
"""The `database_url_scheme` of an application that hands DATABASE_URL to Go's MySQL driver, which takes no URL."""


class DatabaseAccess(Noun):
    """A database server, its bootstrap user, and the application's own role. `ca_pem` verifies the server."""

    engine: DatabaseEngine = "postgres"
    host: str
    port: int
    name: str
    master_username: str = Field(repr=False)
    master_password: str = Field(repr=False)
    app_password: str = Field(repr=False)
    ca_pem: str = Field(repr=False)
    app_username: str = "app"


def database_variables(stack: TechStack, database: DatabaseAccess) -> dict[str, str]:
    """Return the variables that lead to the database: the conventional ones, and those the application reads."""
    parts = {
        "url": database_url(stack, database),
        "host": database.host,
        "port": str(database.port),
        "name": database.name,
        "user": database.app_username,
        "password": database.app_password,
        "engine": _engine(stack, database),
        "ssl": "true",
        "ca": DATABASE_CA_PATH,
        "sslmode": "verify-full" if stack.language == "go" else "require",
    }
    read = (evidence.value.partition("=") for evidence in stack.evidence if evidence.fact == "database_variable")
    named = {name: parts[part] for name, _, part in read if part in parts}
    return {"DATABASE_URL": parts["url"], **trust_variables(stack.language, database.engine), **named}


def trust_variables(language: Language, engine: DatabaseEngine) -> dict[str, str]:
    """Return the variables by which drivers find the CA: what cannot be said in an address, or need not be.

    libpq, asyncpg and Go's drivers for PostgreSQL read PGSSLROOTCERT. No driver for MySQL reads a variable:
    MYSQL_SSL_CA is for the application's own code. Node.js and Go add to what they trust anyway; `pg` takes from
    PGSSLMODE that it has to use TLS where it is given no address but parts (https://node-postgres.com/features/ssl).
    """
    told = {"PGSSLROOTCERT" if engine == "postgres" else "MYSQL_SSL_CA": DATABASE_CA_PATH}
    if language == "nodejs":
        told["NODE_EXTRA_CA_CERTS"] = DATABASE_CA_PATH
        told |= {"PGSSLMODE": "require"} if engine == "postgres" else {}
    if language == "go":
        told["SSL_CERT_DIR"] = f"/etc/ssl/certs:{DATABASE_CA_PATH.rpartition('/')[0]}"
    return told


def database_url(stack: TechStack, database: DatabaseAccess) -> str:
    """Return the application's DATABASE_URL, in the form that its driver takes."""
    told = next((item.value for item in stack.evidence if item.fact == "database_url_scheme"), None)
    if database.engine == "postgres":
        scheme = told or "postgresql"  # SQLAlchemy refuses `postgres://`
        return _url(scheme, database, _postgres_option(stack, scheme))
    scheme = told or (GO_DSN if stack.language == "go" else "mysql")
    if scheme == GO_DSN:
        # https://github.com/go-sql-driver/mysql#dsn-data-source-name; a password may hold any character.
        server = f"{database.app_username}:{database.app_password}@tcp({database.host}:{database.port})"
        return f"{server}/{database.name}?{_mysql_options(stack, scheme)}"
    return _url(scheme, database, _mysql_options(stack, scheme))


def _postgres_option(stack: TechStack, scheme: str) -> str:
    """Return `sslmode=require`, which libpq (psycopg), asyncpg and dj-database-url understand alike.

    libpq makes it verify-ca when PGSSLROOTCERT names a CA, as it does here. SQLAlchemy's asyncpg dialect alone calls
    the option `ssl` (https://docs.sqlalchemy.org/en/20/dialects/postgresql.html). Go's drivers verify in full.
    """
    if stack.language == "go":
        return "sslmode=verify-full"
    return f"{'ssl' if scheme.endswith('+asyncpg') else 'sslmode'}=require"


def _mysql_options(stack: TechStack, scheme: str) -> str:
    """Return the options by which who reads the address turns TLS on; a reader refuses the options of another."""
    uses = set(stack.dependencies)
    if stack.language == "go":
        return "parseTime=true&tls=true"
    if stack.language == "nodejs":
        if uses & {"prisma", "@prisma/client"}:  # https://www.prisma.io/docs/orm/overview/databases/mysql
            return f"sslaccept=strict&sslcert={DATABASE_CA_PATH}"
        if "sequelize" in uses:  # takes an address's options for text alone; its dialectOptions have to say `ssl`
            return ""
        if "mariadb" in uses and not uses & {"mysql", "mysql2"}:
            return "ssl=true"
        return "ssl=" + quote('{"rejectUnauthorized":true}')
    if "+" not in scheme and "dj-database-url" in uses:
        return f"ssl-ca={DATABASE_CA_PATH}"
    if "+" not in scheme and "django-environ" in uses:  # hands every option to the driver; none of text names a CA
        return "ssl_mode=REQUIRED"
    if scheme.endswith("+aiomysql"):  # takes an SSL context, from code alone
        return ""
    return f"ssl_ca={DATABASE_CA_PATH}"


def _url(scheme: str, database: DatabaseAccess, options: str) -> str:
    password = quote(database.app_password, safe="")
    address = f"{scheme}://{database.app_username}:{password}@{database.host}:{database.port}/{database.name}"
    return f"{address}?{options}" if options else address


def _engine(stack: TechStack, database: DatabaseAccess) -> str:
    """Return the engine's name as Django spells it, or as others do."""
    spelled = "postgresql" if database.engine == "postgres" else "mysql"
    if stack.framework == "django":
        return f"django.db.backends.{spelled}"
    return "postgres" if spelled == "postgresql" and stack.language == "nodejs" else spelled
