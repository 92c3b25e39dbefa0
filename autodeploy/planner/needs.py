"""What an application needs beside itself: what is made for it, what somebody has to give, and what refuses it."""

from __future__ import annotations

import re
from collections.abc import Iterator

from autodeploy.model import EnvironmentVariable, TechStack
from autodeploy.planner.refusals import refusal
from autodeploy.planner.sizing import engine_of
from autodeploy.settings import Settings

OWN_DATABASE = re.compile(r"^(DATABASE|DB|MONGO|MONGODB|MONGOLAB|POSTGRES|POSTGRESQL|MYSQL|MARIADB)_?(URL|URI)$")
_SCHEMES = {
    "postgresql": r"postgres(ql)?(\+\w+)?://",
    "mysql": r"(mysql2?|mariadb)(\+\w+)?://",
    "mariadb": r"(mysql2?|mariadb)(\+\w+)?://",
    "mongodb": r"mongodb(\+srv)?://",
}
_ADDRESS_PARTS = frozenset({"url", "host"})

_SERVICES = {
    "redis": (
        "REDIS_URL",
        r"REDIS|VALKEY|CELERY|BROKER|CACHE_(URL|HOST|LOCATION)|RESULT_BACKEND|BULL|QUEUE_(URL|HOST)",
    ),
    "celery": ("CELERY_BROKER_URL", r"CELERY|BROKER|REDIS|AMQP|RABBIT"),
    "rabbitmq": ("AMQP_URL", r"AMQP|RABBIT|BROKER"),
    "kafka": ("KAFKA_BROKERS", r"KAFKA|BROKER|BOOTSTRAP_SERVERS"),
    "nats": ("NATS_URL", r"NATS"),
    "elasticsearch": ("ELASTICSEARCH_URL", r"ELASTIC|^ES_|BONSAI|SEARCHBOX"),
    "opensearch": ("OPENSEARCH_URL", r"OPENSEARCH|ELASTIC"),
    "memcached": ("MEMCACHED_SERVERS", r"MEMCACHE|CACHE_(URL|HOST|LOCATION)"),
}
"""By service: the variable that most of its clients' documentation names, and what variables of it look like."""

_ADDRESS = re.compile(r"URL|URI|HOST|SERVER|BROKER|ADDR|ENDPOINT|DSN|NODES|LOCATION|BACKEND|CONNECTION|^[A-Z]+$")
_HERE = re.compile(r"localhost|127\.0\.0\.1|::1|^[a-z][a-z0-9_-]*$|://([^@/]*@)?[a-z0-9_-]+(:\d+)?(/|$)", re.IGNORECASE)
"""An address that only a developer's machine or a compose file's network knows."""


def own_database(stack: TechStack, settings: Settings) -> str | None:
    """Return the variable that gives the application's own database, None where AutoDeploy is to make it."""
    if not stack.requires_database:
        return None
    read = (evidence.value.partition("=") for evidence in stack.evidence if evidence.fact == "database_variable")
    named = {name for name, _, part in read if part in _ADDRESS_PARTS}
    scheme = re.compile(_SCHEMES[stack.database_type or "postgresql"])
    return next(
        (
            name
            for name, value in sorted(settings.environment.items())
            if name in named or OWN_DATABASE.match(name) or scheme.match(value)
        ),
        None,
    )


def check_needs(stack: TechStack, settings: Settings) -> tuple[str, ...]:
    """Return what to warn of; raise PlanError for a database or a service that nobody makes and nobody gave."""
    if stack.requires_database and not own_database(stack, settings):
        check_engine(stack)
    return tuple(_services(stack, settings))


def check_engine(stack: TechStack) -> None:
    """Raise PlanError for a database that no target offers."""
    kind = stack.database_type or "postgresql"
    if engine_of(kind) is None:
        read = next(_read_addresses(stack), "")
        flag = f"--env {read}=…" if read else "--env DATABASE_URL=… (or MONGODB_URI, as the application reads)"
        raise refusal(
            f"the application needs {kind}, for which there is no managed database here",
            f"Make one elsewhere and give its address: {flag}",
        )


def _read_addresses(stack: TechStack) -> Iterator[str]:
    """Yield the variables that the code reads the database's address from."""
    for evidence in stack.evidence:
        name, _, part = evidence.value.partition("=")
        if evidence.fact == "database_variable" and part == "url":
            yield name


def _services(stack: TechStack, settings: Settings) -> Iterator[str]:
    for service in stack.services:
        usual, pattern = _SERVICES.get(service, (f"{service.upper()}_URL", re.escape(service.upper())))
        is_of_it = re.compile(pattern).search
        if any(is_of_it(name.upper()) and _ADDRESS.search(name.upper()) for name in settings.environment):
            continue
        names = {item.name.upper(): item for item in stack.environment}
        addresses = [item for name, item in names.items() if is_of_it(name) and _ADDRESS.search(name)]
        wanted = next((item for item in addresses if _is_needed(item)), None)
        if addresses and wanted is None:
            yield f"{service} is not made; without --env {addresses[0].name}=… the application goes without it"
            continue
        name = wanted.name if wanted else usual
        raise refusal(
            f"the application uses {service}, which is not made here, and no address of one was given",
            f"Give it: --env {name}=… (or, where the application runs without it: --services none)",
        )


def _is_needed(variable: EnvironmentVariable) -> bool:
    """Tell whether the code cannot do without the variable's value, or falls back to what no server has."""
    return variable.required or bool(variable.default and _HERE.search(variable.default))
