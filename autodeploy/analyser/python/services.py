"""Names the services beside the database, and the workers that are not run. Makes none of them."""

from __future__ import annotations

import re
from collections.abc import Mapping

from autodeploy.analyser.procfile import Process
from autodeploy.analyser.python.code import modules
from autodeploy.analyser.python.manifest import Manifest
from autodeploy.analyser.python.requirements import Dependency
from autodeploy.analyser.services import unmade
from autodeploy.analyser.tree import Tree
from autodeploy.model import Evidence

_PACKAGES = {
    **dict.fromkeys(
        ("redis", "aioredis", "django-redis", "flask-redis", "redis-om", "channels-redis", "rq", "django-rq"), "redis"
    ),
    **dict.fromkeys(("arq", "hiredis", "redis-py-cluster", "fastapi-limiter", "valkey", "django-redis-cache"), "redis"),
    **dict.fromkeys(("pika", "aio-pika", "amqp", "aioamqp", "rabbitmq"), "rabbitmq"),
    **dict.fromkeys(
        ("elasticsearch", "elasticsearch-dsl", "django-elasticsearch-dsl", "elasticsearch8"), "elasticsearch"
    ),
    **dict.fromkeys(("opensearch-py", "opensearch-dsl"), "opensearch"),
    **dict.fromkeys(("kafka-python", "aiokafka", "confluent-kafka", "kafka-python-ng"), "kafka"),
    **dict.fromkeys(("pymemcache", "pylibmc", "python-memcached", "aiomcache"), "memcached"),
    **dict.fromkeys(("cassandra-driver", "aiocassandra", "scylla-driver"), "cassandra"),
    **dict.fromkeys(("neo4j", "neomodel", "py2neo"), "neo4j"),
    **dict.fromkeys(("clickhouse-driver", "clickhouse-connect"), "clickhouse"),
    **dict.fromkeys(("meilisearch", "meilisearch-python-sdk"), "meilisearch"),
    **dict.fromkeys(("qdrant-client",), "qdrant"),
    **dict.fromkeys(("influxdb", "influxdb-client"), "influxdb"),
    **dict.fromkeys(("nats-py",), "nats"),
}
_EXTRAS = {"redis": "redis", "rabbitmq": "rabbitmq", "librabbitmq": "rabbitmq", "hiredis": "redis"}
_WORKERS = {"celery": "Celery", "django-celery-beat": "Celery beat", "rq": "RQ", "django-rq": "RQ", "arq": "arq"}
_WORKERS |= {"dramatiq": "Dramatiq", "huey": "Huey", "django-q2": "Django Q", "saq": "SAQ", "taskiq": "Taskiq"}


def detect_services(
    tree: Tree, manifest: Manifest, processes: Mapping[str, Process]
) -> tuple[tuple[str, ...], list[Evidence], list[str]]:
    """Return the services, why each, and the warnings that go with them."""
    found: dict[str, Dependency] = {}
    # Celery brings amqp, whatever its broker is; a list that pip froze names it.
    brought = {"amqp"} if manifest.find("celery", "kombu") else set()
    for item in (item for item in manifest.dependencies if item.name not in brought):
        for name in (_PACKAGES.get(item.name), *(_EXTRAS.get(extra) for extra in sorted(item.extras))):
            if name:
                found.setdefault(name, item)
    if celery := manifest.find("celery"):
        found.setdefault(_broker(tree, "redis" in found), celery)
    because = [
        Evidence(fact="services", value=name, file=item.file, line=item.line, rule="client-package")
        for name, item in sorted(found.items())
    ]
    warnings = unmade(sorted(found))
    workers = [process for name, process in processes.items() if name not in {"web", "release"}]
    queue = next((title for name, title in _WORKERS.items() if manifest.find(name)), "")
    if queue and not workers:
        warnings.append(f"{queue}'s worker is not run: one process is deployed, the one that answers HTTP")
    return tuple(sorted(found)), because, warnings


def _broker(tree: Tree, speaks_redis: bool) -> str:
    """Return what Celery's broker is: Redis where that alone is spoken of, else RabbitMQ, which is its default."""
    texts = [tree.read(path) for path in (*modules(tree), ".env.example", "docker-compose.yml", "docker-compose.yaml")]
    speaks_amqp = any(re.search(r"amqps?://|pyamqp://", text) for text in texts)
    return "redis" if not speaks_amqp and (speaks_redis or any("redis" in text for text in texts)) else "rabbitmq"
