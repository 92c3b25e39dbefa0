"""Which database or other server an image, an add-on, an address or a word names; "" where it names none."""

from __future__ import annotations

import re

from autodeploy.model import Evidence

DATABASES = frozenset({"postgresql", "mysql", "mariadb", "mongodb"})
_IMAGES = {
    "postgresql": r"postgres|postgresql|postgis|timescaledb(?:-ha)?|pgvector|ankane-pgvector|edge-postgres",
    "mysql": r"mysql|mysql-server|percona(?:-server)?",
    "mariadb": r"mariadb",
    "mongodb": r"mongo|mongodb|mongodb-community-server|percona-server-mongodb",
    "redis": r"redis|redis-stack(?:-server)?|valkey|keydb|dragonfly",
    "rabbitmq": r"rabbitmq",
    "kafka": r"kafka|cp-kafka|redpanda",
    "nats": r"nats|nats-streaming",
    "elasticsearch": r"elasticsearch|opensearch",
    "memcached": r"memcached",
}
_ADDONS = {
    "postgresql": r"heroku-postgresql|crunchy-?bridge|postgres(?:ql)?|pg",
    "mysql": r"jawsdb|cleardb|mysql",
    "mariadb": r"jawsdb-maria|mariadb",
    "mongodb": r"mongolab|mongohq|ormongo|mongodb|mongo",
    "redis": r"heroku-redis|rediscloud|redistogo|redisgreen|openredis|stackhero-redis|redis|valkey|keyvalue",
    "rabbitmq": r"cloudamqp|rabbitmq-bigwig|stackhero-rabbitmq",
    "kafka": r"heroku-kafka|cloudkarafka|kafka",
    "elasticsearch": r"bonsai|searchbox|foundelasticsearch|opensearch",
    "memcached": r"memcachier|memcachedcloud",
}
_SCHEMES = {
    "postgresql": r"postgres(?:ql)?(?:\+\w+)?|psql|pgsql|postgis|cockroachdb",
    "mysql": r"mysql2?(?:\+\w+)?",
    "mariadb": r"mariadb(?:\+\w+)?",
    "mongodb": r"mongodb(?:\+srv)?",
    "redis": r"rediss?",
    "rabbitmq": r"amqps?",
    "nats": r"nats",
}
_PORTS = {"5432": "postgresql", "3306": "mysql", "27017": "mongodb"}


def of_image(image: str) -> str:
    """Return what a container image serves: registry, namespace, tag and digest say nothing."""
    name = re.sub(r"\$\{\w+:?-([^}]*)\}", r"\1", image).partition("@")[0].rsplit("/", 1)[-1].partition(":")[0]
    return _match(_IMAGES, name.lower())


def of_addon(plan: str) -> str:
    """Return what an add-on or a platform's engine is, as in `heroku-postgresql:mini`."""
    return _match(_ADDONS, plan.partition(":")[0].strip().lower())


def of_address(value: str) -> str:
    """Return what an address, a DSN, a driver's name or a port speaks of."""
    text = value.strip().strip("\"'").lower().removeprefix("jdbc:")
    if "@tcp(" in text:
        return "mysql"
    if re.search(r"\bhost=\S+.*\b(?:user|dbname|sslmode)=", text):
        return "postgresql"
    return _PORTS.get(text) or _match(_SCHEMES, text.partition("://")[0])


def told(name: str, file: str, line: int, rule: str) -> list[Evidence]:
    """Return the fact that `name` is needed: as the database, or as another service; [] for ""."""
    fact = "database_type" if name in DATABASES else "services"
    return [Evidence(fact=fact, value=name, file=file, line=line, rule=rule, confidence="likely")] if name else []


def _match(patterns: dict[str, str], text: str) -> str:
    return next((name for name, pattern in patterns.items() if re.fullmatch(pattern, text)), "")
