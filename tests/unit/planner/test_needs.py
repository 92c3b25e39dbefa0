"""What nobody makes and nobody gave is refused before money is spent; what the code does without is only told."""

from __future__ import annotations

from pathlib import Path

import pytest

from autodeploy.errors import PlanError
from autodeploy.model import DatabaseType, EnvironmentVariable, Evidence, TechStack
from autodeploy.planner import check_needs
from autodeploy.planner.needs import own_database
from autodeploy.settings import Settings

STACK = TechStack(language="python", runtime_version="3.11", build_tool="pip")


def settings(**environment: str) -> Settings:
    return Settings(home=Path("/home/me"), cache=Path("/cache"), environment=environment)


def using(*services: str, **variables: EnvironmentVariable) -> TechStack:
    return STACK.but(services=services, environment=tuple(variables.values()))


def needing(kind: DatabaseType, *variables: str) -> TechStack:
    told = tuple(Evidence(fact="database_variable", value=value) for value in variables)
    return STACK.but(requires_database=True, database_type=kind, evidence=told)


class TestServices:
    @pytest.mark.parametrize(
        ("service", "flag"),
        [
            ("redis", "--env REDIS_URL=…"),
            ("rabbitmq", "--env AMQP_URL=…"),
            ("kafka", "--env KAFKA_BROKERS=…"),
            ("elasticsearch", "--env ELASTICSEARCH_URL=…"),
            ("memcached", "--env MEMCACHED_SERVERS=…"),
            ("minio", "--env MINIO_URL=…"),
        ],
    )
    def test_one_whose_address_no_code_reads_is_refused(self, service: str, flag: str) -> None:
        with pytest.raises(PlanError) as caught:
            check_needs(using(service), settings())
        assert service in caught.value.message
        assert flag in caught.value.remediation and "--services none" in caught.value.remediation

    def test_the_refusal_names_what_the_code_reads(self) -> None:
        stack = using("redis", a=EnvironmentVariable(name="CACHE_REDIS_HOST", required=True))
        with pytest.raises(PlanError) as caught:
            check_needs(stack, settings())
        assert "--env CACHE_REDIS_HOST=…" in caught.value.remediation

    @pytest.mark.parametrize("default", ["redis://localhost:6379/0", "127.0.0.1", "redis", "redis://cache:6379"])
    def test_an_address_that_only_a_developer_has_is_none(self, default: str) -> None:
        stack = using("redis", a=EnvironmentVariable(name="REDIS_URL", default=default))
        with pytest.raises(PlanError):
            check_needs(stack, settings())

    @pytest.mark.parametrize("default", [None, "redis://cache.example.com:6379", "memory://"])
    def test_one_that_the_code_does_without_is_told(self, default: str | None) -> None:
        stack = using("redis", a=EnvironmentVariable(name="REDIS_URL", default=default))
        (warning,) = check_needs(stack, settings())
        assert "redis" in warning and "--env REDIS_URL=…" in warning

    @pytest.mark.parametrize("name", ["REDIS_URL", "REDIS_HOST", "CELERY_BROKER_URL", "REDIS"])
    def test_one_that_is_given_is_well(self, name: str) -> None:
        stack = using("redis", a=EnvironmentVariable(name="REDIS_URL", required=True))
        assert check_needs(stack, settings(**{name: "redis://10.0.0.1"})) == ()

    @pytest.mark.parametrize("name", ["REDIS_PASSWORD", "RABBITMQ_URL"])
    def test_something_else_that_is_given_is_no_address(self, name: str) -> None:
        with pytest.raises(PlanError):
            check_needs(using("redis"), settings(**{name: "x"}))

    def test_none_is_well(self) -> None:
        assert check_needs(STACK, settings()) == ()


class TestDatabases:
    @pytest.mark.parametrize("kind", ["postgresql", "mysql", "mariadb"])
    def test_one_that_is_made(self, kind: DatabaseType) -> None:
        assert check_needs(needing(kind), settings()) == ()

    def test_one_that_nobody_makes(self) -> None:
        with pytest.raises(PlanError, match="mongodb") as caught:
            check_needs(needing("mongodb"), settings())
        assert "--env DATABASE_URL=…" in caught.value.remediation and "MONGODB_URI" in caught.value.remediation

    def test_the_refusal_names_what_the_code_reads(self) -> None:
        with pytest.raises(PlanError) as caught:
            check_needs(needing("mongodb", "DB_NAME=name", "MONGO_CONNECTION_STRING=url"), settings())
        assert caught.value.remediation.endswith("--env MONGO_CONNECTION_STRING=…")

    @pytest.mark.parametrize(
        ("variables", "given"),
        [
            ((), {"MONGODB_URI": "x"}),
            ((), {"MONGO_URL": "x"}),
            ((), {"DATABASE_URL": "x"}),
            (("DB_CONN=url",), {"DB_CONN": "x"}),
            (("DB_HOST=host",), {"DB_HOST": "x"}),
            ((), {"STORE": "mongodb+srv://me:secret@cluster.example.com/app"}),
        ],
    )
    def test_one_that_is_given(self, variables: tuple[str, ...], given: dict[str, str]) -> None:
        stack = needing("mongodb", *variables)
        assert own_database(stack, settings(**given)) == next(iter(given))
        assert check_needs(stack, settings(**given)) == ()

    @pytest.mark.parametrize("given", [{"DB_NAME": "x"}, {"API": "https://example.com"}, {"STORE": "postgres://x"}])
    def test_something_else_that_is_given(self, given: dict[str, str]) -> None:
        assert own_database(needing("mongodb", "DB_NAME=name"), settings(**given)) is None

    def test_without_a_need_nothing_is_looked_for(self) -> None:
        assert own_database(STACK, settings(DATABASE_URL="postgres://x")) is None
