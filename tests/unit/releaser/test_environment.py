"""The application's environment: what goes in, what a shell reads of it, what is shown of it."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import pytest
from fixtures.released import DATABASE, MYSQL, STACK
from hypothesis import given, settings
from hypothesis import strategies as st

from autodeploy.errors import SettingsError
from autodeploy.model import EnvironmentVariable, Evidence, scratch_database
from autodeploy.releaser import DatabaseAccess, environment, masked_environment, trial_environment
from autodeploy.releaser.environment import asked_as, environment_text

URL = "postgresql://app:p%40ss%2Fw%27ord-secret@db.example.internal:5432/app?sslmode=require"


def test_the_database_is_told_by_its_url_and_its_authority() -> None:
    assert environment(STACK, {"MODE": "live"}, {}, DATABASE) == {
        "DATABASE_URL": URL,
        "MODE": "live",
        "PGSSLROOTCERT": "/etc/autodeploy/database-ca.pem",
    }


def test_parts_of_the_url_are_given_to_who_reads_them() -> None:
    read = (
        "DB_HOST=host",
        "POSTGRES_USER=user",
        "DBPASS=password",
        "DB_PORT=port",
        "NAME=name",
        "DSN=url",
        "TLS=ssl",
        "X=other",
    )
    stack = STACK.but(evidence=tuple(Evidence(fact="database_variable", value=value) for value in read))
    values = environment(stack, {}, {}, DATABASE)
    names = ("DB_HOST", "POSTGRES_USER", "DBPASS", "DB_PORT", "NAME", "DSN", "TLS", "X")
    password = DATABASE.app_password
    assert [values.get(name) for name in names] == [
        "db.example.internal",
        "app",
        password,
        "5432",
        "app",
        URL,
        "true",
        None,
    ]


def test_engine_and_authority_are_told_to_who_reads_them() -> None:
    read = tuple(Evidence(fact="database_variable", value=value) for value in ("DB_ENGINE=engine", "DB_CA=ca"))
    seen = [
        environment(STACK.but(evidence=read, language=language, framework=framework), {}, {}, database)
        for language, framework, database in (
            ("python", "django", DATABASE), ("python", "django", MYSQL), ("python", None, DATABASE),
            ("nodejs", None, DATABASE), ("nodejs", None, MYSQL.but(engine="mariadb")),
        )
    ]  # fmt: skip
    assert [values["DB_ENGINE"] for values in seen] == [
        "django.db.backends.postgresql", "django.db.backends.mysql", "postgresql", "postgres", "mysql",
    ]  # fmt: skip
    assert {values["DB_CA"] for values in seen} == {CA}


CA = "/etc/autodeploy/database-ca.pem"
JSON = "ssl=%7B%22rejectUnauthorized%22%3Atrue%7D"


@pytest.mark.parametrize(
    ("language", "uses", "scheme", "url"),
    [
        ("python", "pymysql", None, f"mysql://{{at}}/app?ssl_ca={CA}"),
        ("python", "mysqlclient sqlalchemy", None, f"mysql://{{at}}/app?ssl_ca={CA}"),
        ("python", "pymysql sqlalchemy", "mysql+pymysql", f"mysql+pymysql://{{at}}/app?ssl_ca={CA}"),
        ("python", "aiomysql sqlalchemy", "mysql+aiomysql", "mysql+aiomysql://{at}/app"),
        ("python", "django mysqlclient dj-database-url", None, f"mysql://{{at}}/app?ssl-ca={CA}"),
        ("python", "django mysqlclient django-environ", None, "mysql://{at}/app?ssl_mode=REQUIRED"),
        ("nodejs", "express mysql2", None, f"mysql://{{at}}/app?{JSON}"),
        ("nodejs", "mysql2 sequelize", None, "mysql://{at}/app"),
        ("nodejs", "mariadb", "mariadb", "mariadb://{at}/app?ssl=true"),
        ("nodejs", "@prisma/client", None, f"mysql://{{at}}/app?sslaccept=strict&sslcert={CA}"),
        ("go", "", None, "app:p@ss/w'ord-secret@tcp(db.example.internal:3306)/app?parseTime=true&tls=true"),
        ("go", "", "go-sql-driver", "app:p@ss/w'ord-secret@tcp(db.example.internal:3306)/app?parseTime=true&tls=true"),
        ("go", "", "mysql", "mysql://{at}/app?parseTime=true&tls=true"),
    ],
)
def test_the_address_turns_tls_on_as_its_reader_understands_it(
    language: Any, uses: str, scheme: str | None, url: str
) -> None:
    told = (Evidence(fact="database_url_scheme", value=scheme),) if scheme else ()
    stack = STACK.but(language=language, dependencies=tuple(uses.split()), evidence=told, database_type="mysql")
    at = "app:p%40ss%2Fw%27ord-secret@db.example.internal:3306"
    assert environment(stack, {}, {}, MYSQL)["DATABASE_URL"] == url.replace("{at}", at)


NODE = {"NODE_ENV": "production", "NODE_EXTRA_CA_CERTS": CA}


@pytest.mark.parametrize(
    ("language", "database", "trusted"),
    [
        ("python", DATABASE, {"PGSSLROOTCERT": CA}),
        ("python", MYSQL, {"MYSQL_SSL_CA": CA}),
        ("nodejs", DATABASE, {"PGSSLROOTCERT": CA, "PGSSLMODE": "require", **NODE}),
        ("nodejs", MYSQL, {"MYSQL_SSL_CA": CA, **NODE}),
        ("go", DATABASE, {"PGSSLROOTCERT": CA, "SSL_CERT_DIR": "/etc/ssl/certs:/etc/autodeploy"}),
        ("go", MYSQL, {"MYSQL_SSL_CA": CA, "SSL_CERT_DIR": "/etc/ssl/certs:/etc/autodeploy"}),
    ],
)
def test_the_authority_is_told_by_the_variables_that_drivers_read(
    language: Any, database: DatabaseAccess, trusted: dict[str, str]
) -> None:
    stack = STACK.but(language=language)
    values = environment(stack, {}, {}, database)
    assert {name: value for name, value in values.items() if name != "DATABASE_URL"} == trusted
    assert {name for name, value in masked_environment(stack, values).items() if value != "<secret>"} == set(trusted)


def test_the_scheme_follows_the_driver() -> None:
    stack = STACK.but(evidence=(Evidence(fact="database_url_scheme", value="postgresql+asyncpg"),))
    expected = URL.replace("postgresql://", "postgresql+asyncpg://").replace("sslmode=", "ssl=")
    assert environment(stack, {}, {}, DATABASE)["DATABASE_URL"] == expected


def test_nodes_mode_may_be_given() -> None:
    assert environment(STACK.but(language="nodejs"), {"NODE_ENV": "staging"}, {}) == {"NODE_ENV": "staging"}


def test_allowed_hosts_are_told_to_who_reads_them() -> None:
    stack = STACK.but(evidence=(Evidence(fact="allowed_hosts_variable", value="HOSTS"),))
    assert environment(stack, {}, {}, hosts=("localhost", "shop.example")) == {"HOSTS": "localhost,shop.example"}
    assert environment(stack, {"HOSTS": "mine"}, {}, hosts=("localhost",)) == {"HOSTS": "mine"}


@pytest.mark.parametrize(("separator", "told"), [(" ", "localhost shop.example"), (",", "localhost,shop.example")])
def test_allowed_hosts_stand_as_the_application_takes_them_apart(separator: str, told: str) -> None:
    stack = STACK.but(evidence=hosts_read(separator))
    assert environment(stack, {}, {}, hosts=("localhost", "shop.example")) == {"HOSTS": told}
    assert asked_as(stack, {"HOSTS": told}) == "localhost"


def test_one_allowed_host_is_the_public_one_and_health_is_asked_under_it() -> None:
    stack = STACK.but(evidence=hosts_read(""))
    values = environment(stack, {}, {}, hosts=("localhost", "127.0.0.1", "lb.example", "shop.example"))
    assert values == {"HOSTS": "shop.example"}
    assert asked_as(stack, values) == "shop.example"
    assert asked_as(stack, environment(stack, {"HOSTS": "mine.example"}, {})) == "mine.example"
    assert asked_as(stack, {"HOSTS": "x; deny all"}) == asked_as(stack, {}) == "localhost"
    # A trial has no public name, whatever is given.
    assert trial_environment(stack, {"HOSTS": "mine.example"}, None) == {"HOSTS": "localhost"}


def hosts_read(separator: str) -> tuple[Evidence, ...]:
    told = {"allowed_hosts_variable": "HOSTS", "allowed_hosts_separator": separator}
    return tuple(Evidence(fact=fact, value=value) for fact, value in told.items())


def test_a_trial_gives_what_the_host_gives() -> None:
    read = ("DB_HOST=host", "DB_PORT=port", "DB_NAME=name", "DB_USER=user", "DB_PASSWORD=password")
    facts = [Evidence(fact="database_variable", value=value) for value in read]
    facts += [
        Evidence(fact="database_url_scheme", value="postgresql+asyncpg"),
        Evidence(fact="allowed_hosts_variable", value="HOSTS"),
    ]
    stack = STACK.but(evidence=tuple(facts))
    scratch = scratch_database(stack)
    assert scratch
    # A database elsewhere is out of a trial's reach.
    seen = trial_environment(stack, {"MODE": "live", "DB_HOST": "db.example.com"}, scratch)
    assert set(seen) == set(environment(stack, {"MODE": "live"}, {}, DATABASE, ("localhost",)))
    assert (seen["DB_HOST"], seen["DB_PORT"], seen["HOSTS"]) == ("127.0.0.1", "5432", "localhost,127.0.0.1")
    assert seen["DATABASE_URL"] == "postgresql+asyncpg://app:scratch@127.0.0.1:5432/app?ssl=require"
    assert seen["MODE"] == "live"


def test_without_a_stand_in_a_trial_has_what_was_given() -> None:
    stack = STACK.but(database_type="mongodb")
    assert scratch_database(stack) is None
    given_values = {"DATABASE_URL": "mongodb://db.example.com/app", "PORT": "1"}
    assert trial_environment(stack, given_values, None) == {"DATABASE_URL": "mongodb://db.example.com/app"}


@pytest.mark.parametrize("kind", ["mysql", "mariadb"])
def test_a_trial_on_mysql_leads_to_the_mariadb_beside_it(kind: Any) -> None:
    stack = STACK.but(database_type=kind)
    seen = trial_environment(stack, {}, scratch_database(stack))
    assert seen == {"DATABASE_URL": f"mysql://app:scratch@127.0.0.1:3306/app?ssl_ca={CA}", "MYSQL_SSL_CA": CA}


def test_what_is_given_wins_and_the_port_is_never_fixed() -> None:
    stack = STACK.but(port_env="APP_PORT")
    given_values = {"SECRET_KEY": "mine", "PORT": "1", "APP_PORT": "2", "DATABASE_URL": "sqlite://"}
    values = environment(stack, given_values, {"SECRET_KEY": "made", "SALT": "made"}, DATABASE)
    assert (values["SECRET_KEY"], values["SALT"], values["DATABASE_URL"]) == ("mine", "made", "sqlite://")
    assert not {"PORT", "APP_PORT"} & set(values)


def test_a_missing_value_names_the_flag() -> None:
    wanted = (
        EnvironmentVariable(name="API_TOKEN", required=True),
        EnvironmentVariable(name="PORT", required=True),
        EnvironmentVariable(name="HAS_DEFAULT", required=True, default="x"),
    )
    with pytest.raises(SettingsError, match="needs API_TOKEN") as caught:
        environment(STACK.but(environment=wanted), {}, {})
    assert "--env" in caught.value.remediation


@pytest.mark.parametrize("name", ["1A", "A-B", "A B", "A\n", ""])
def test_a_name_that_no_shell_takes_is_refused(name: str) -> None:
    with pytest.raises(SettingsError, match="not a name"):
        environment(STACK, {name: "x"}, {})


def test_only_what_is_known_to_be_harmless_is_shown() -> None:
    stack = STACK.but(
        environment=(
            EnvironmentVariable(name="MODE"),
            EnvironmentVariable(name="API_TOKEN"),
            EnvironmentVariable(name="SALT", generated=True),
            EnvironmentVariable(name="PIN", secret=True),
        )
    )
    values = {"MODE": "live", "API_TOKEN": "a", "SALT": "b", "PIN": "c", "DATABASE_URL": URL, "UNKNOWN": "d"}
    shown = masked_environment(stack, values)
    assert shown.pop("MODE") == "live"
    assert set(shown.values()) == {"<secret>"}


names = st.from_regex(r"X_[A-Za-z0-9_]{1,8}", fullmatch=True)
values = st.text(st.characters(blacklist_categories=("Cs",), blacklist_characters="\0"), max_size=40)


@settings(max_examples=100, deadline=None)
@given(st.dictionaries(names, values, max_size=4))
def test_a_shell_reads_back_every_value(environment: dict[str, str]) -> None:
    show = f"{sys.executable} -c 'import json, os; print(json.dumps(dict(os.environ)))'"
    script = f"set -a\n{environment_text(environment)}set +a\n{show}"
    done = subprocess.run(["sh", "-s"], input=script, capture_output=True, text=True, check=True, encoding="utf-8")
    read = {name: value for name, value in json.loads(done.stdout).items() if name.startswith("X_")}
    assert read == environment


def test_go_s_drivers_verify_postgresql_in_full() -> None:
    told = (
        Evidence(fact="database_url_scheme", value="postgres"),
        Evidence(fact="database_variable", value="DB_SSLMODE=sslmode"),
    )
    values = environment(STACK.but(language="go", evidence=told), {}, {}, DATABASE)
    assert values["DATABASE_URL"].startswith("postgres://app:")
    assert values["DATABASE_URL"].endswith("?sslmode=verify-full")
    assert values["DB_SSLMODE"] == "verify-full"
    assert environment(STACK.but(evidence=told), {}, {}, DATABASE)["DB_SSLMODE"] == "require"
