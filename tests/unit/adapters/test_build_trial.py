"""The trial: what the container is ordered, what its answers become."""

from __future__ import annotations

import json
from pathlib import Path
from typing import cast

import pytest
from unit.adapters.fake_container_engine import FakeEngine

from autodeploy.adapters.build import ContainerBuilder, Limits
from autodeploy.errors import LocalTargetError, TrialError
from autodeploy.model import BuildArtifact, Evidence, TechStack

STACK = TechStack(
    language="python", runtime_version="3.11", build_tool="pip", start_command="gunicorn app:app", port=8123,
    port_env="WEB_PORT", framework="flask", health_check_path="/up", requires_database=True, database_type="postgresql",
    migration_command="flask db upgrade",
)  # fmt: skip


class World:
    """A builder on a fake engine, and an artifact."""

    def __init__(self, folder: Path) -> None:
        self.engine = FakeEngine(folder / "engine")
        self.said: list[str] = []
        self.builder = ContainerBuilder(
            self.engine.command,
            lambda kind, base, names, _: "-".join((kind, base, *names)),
            folder / "cache",
        )
        (folder / "archive").write_bytes(b"archive")
        self.artifact = BuildArtifact(
            path=str(folder / "archive"), type="archive", size_bytes=7, checksum="", build_command="",
            build_duration_seconds=0,
        )  # fmt: skip

    def trial(self, stack: TechStack = STACK, **result: object) -> str:
        result.setdefault("seconds", 0.1)
        if "outcome" in result:
            self.engine.play(out=json.dumps({"lines": [], **result}))
        return str(self.builder.trial(self.artifact, stack, {"KEY": "s3cret"}, self.said.append))

    @property
    def order(self) -> dict[str, object]:
        return dict(json.loads(self.engine.stdin.partition(b"\n")[0]))


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def test_an_answer_is_reported(world: World) -> None:
    assert world.trial(outcome="answered", status=200, path="/up", seconds=0.8) == "HTTP 200 on /up after 0.8 s"
    assert world.engine.stdin.endswith(b"\narchive")
    assert world.order["environment"] == {"PORT": "8123", "WEB_PORT": "8123", "KEY": "s3cret"}
    assert world.order["database"] == {
        "engine": "postgres", "host": "127.0.0.1", "port": 5432, "name": "app", "username": "app", "password": "scratch",
        "ca_path": "/etc/autodeploy/database-ca.pem",
    }  # fmt: skip
    assert (world.order["start"], world.order["migrate"]) == ("gunicorn app:app", "flask db upgrade")
    assert (world.order["port"], world.order["paths"]) == (8123, ["/up", "/"])


def test_there_is_no_network_and_no_secret_on_the_command_line(world: World) -> None:
    world.trial(outcome="answered", status=200, seconds=0.8)
    text = " ".join(world.engine.words)
    assert "--network none" in text
    assert "s3cret" not in text
    assert "postgres-debian-12" in world.engine.words
    assert "--volume" not in world.engine.words


def test_without_a_database_the_server_s_own_image_does(world: World) -> None:
    world.trial(STACK.but(requires_database=False), outcome="answered", status=404, seconds=0.1)
    assert "machine-debian-12" in world.engine.words
    assert world.order["database"] is None
    assert world.order["migrate"] == "flask db upgrade"


@pytest.mark.parametrize(
    ("kind", "said"), [("mysql", "MariaDB of its own in the place of MySQL"), ("mariadb", "MariaDB")]
)
def test_mysql_and_mariadb_are_tried_beside_a_mariadb_and_told_so(world: World, kind: str, said: str) -> None:
    world.trial(STACK.but(database_type=kind), outcome="answered", status=200, seconds=0.1)
    database = world.order["database"]
    assert isinstance(database, dict)
    assert (database["engine"], database["port"], world.order["migrate"]) == ("mariadb", 3306, "flask db upgrade")
    assert "mariadb-debian-12" in world.engine.words
    assert any(line.endswith(said + (" of its own" if kind == "mariadb" else "")) for line in world.said)


def test_a_foreign_database_has_no_stand_in(world: World) -> None:
    world.trial(STACK.but(database_type="mongodb", port_env=None), outcome="answered", status=200, seconds=0.1)
    assert (world.order["database"], world.order["migrate"]) == (None, None)


def test_a_driver_without_tls_is_told_what_it_lacks(world: World) -> None:
    lines = ["pymysql.err.OperationalError: (1045, \"Access denied for user 'app'@'127.0.0.1' (using password: YES)\")"]
    with pytest.raises(TrialError) as caught:
        world.trial(STACK.but(database_type="mysql"), outcome="unwell", status=500, path="/up", lines=lines)
    assert "TLS" in caught.value.remediation and "MYSQL_SSL_CA" in caught.value.remediation


def test_a_worker_need_only_run(world: World) -> None:
    worker = STACK.but(is_web_service=False, port=0, port_env=None)
    assert world.trial(worker, outcome="running", seconds=5.0) == "still running after 5.0 s"
    assert "PORT" not in cast(dict[str, str], world.order["environment"])


def test_a_worker_that_ends_is_told_that_it_must_not(world: World) -> None:
    with pytest.raises(TrialError, match=r"the worker ended with exit code 0 after 0\.3 s") as caught:
        world.trial(STACK.but(is_web_service=False), outcome="exited", code=0, seconds=0.3, lines=["done"])
    assert "--start-command" in caught.value.remediation and "--port" in caught.value.remediation


@pytest.mark.parametrize(
    ("result", "message", "remediation"),
    [
        ({"outcome": "exited", "code": 3}, "exit code 3 before it answered on port 8123", "--start-command"),
        ({"outcome": "silent", "sockets": []}, "did not answer on port 8123 within 60 s", "127.0.0.1:$PORT"),
        ({"outcome": "silent", "sockets": ["[::1]:5000"]}, "it listens on [::1]:5000 instead", "--port"),
        ({"outcome": "silent", "sockets": ["10.0.0.7:8123"]}, "listens on 10.0.0.7:8123 only", "bind to 127.0.0.1"),
        ({"outcome": "silent", "sockets": ["0.0.0.0:8123"]}, "answers no HTTP there", "plain HTTP"),
        ({"outcome": "unwell", "status": 500, "path": "/up"}, "answers /up with HTTP 500", "--health-check-path"),
        ({"outcome": "migration", "code": 1}, "migration failed with exit code 1: flask db upgrade", "migration"),
    ],
)
def test_a_failure_brings_the_last_lines(
    world: World, result: dict[str, object], message: str, remediation: str
) -> None:
    lines = [f"line {number}" for number in range(60)]
    with pytest.raises(TrialError) as caught:
        world.trial(lines=lines, **result)
    assert message in caught.value.message
    assert remediation in caught.value.remediation
    assert caught.value.output.splitlines() == lines[-40:]
    assert caught.value.exit_code == 45


@pytest.mark.parametrize(
    ("language", "database", "line", "example"),
    [
        ("nodejs", "postgresql", 'error: no pg_hba.conf entry for host "127.0.0.1", no encryption', "ssl: true"),
        ("python", "mysql", "Access denied for user 'app'@'127.0.0.1'", 'os.environ["MYSQL_SSL_CA"]'),
        ("nodejs", "mariadb", "insecure transport are prohibited", "process.env.MYSQL_SSL_CA"),
        ("go", "mysql", "insecure transport are prohibited", "Let it use TLS, or take DATABASE_URL"),
    ],
)
def test_a_connection_without_tls_is_told(world: World, language: str, database: str, line: str, example: str) -> None:
    stack = STACK.but(language=language, database_type=database)
    with pytest.raises(TrialError) as caught:
        world.trial(stack, outcome="exited", code=1, seconds=0.3, lines=[line])
    assert "did not use TLS" in caught.value.message
    assert example in caught.value.remediation


def test_a_failing_engine_is_no_trial_error(world: World) -> None:
    world.engine.play(lines=["no such image"], code=125)
    with pytest.raises(LocalTargetError, match="no such image"):
        world.trial()


def test_a_trial_ends_in_time(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("autodeploy.adapters.build.trial._START_OVER", 1)
    world.builder._limits = Limits(trial_seconds=0)
    world.engine.play(hangs=True, lines=["waiting"])
    with pytest.raises(TrialError) as caught:
        world.trial()
    assert "waiting" in caught.value.output


@pytest.mark.parametrize(
    ("evidence", "framework", "seen"),
    [
        ((), None, "still running after 60.0 s"),
        ((), "flask", None),
        ((Evidence(fact="is_web_service", value="true"),), None, None),
        ((Evidence(fact="port", value="8000", rule="--port"),), None, None),
    ],
)
def test_what_listens_nowhere_is_a_worker_unless_something_speaks_for_the_web(
    world: World, evidence: tuple[Evidence, ...], framework: str | None, seen: str | None
) -> None:
    stack = STACK.but(evidence=evidence, framework=framework)
    if seen:
        assert world.trial(stack, outcome="silent", sockets=[], seconds=60.0) == seen
    else:
        with pytest.raises(TrialError):
            world.trial(stack, outcome="silent", sockets=[], seconds=60.0)


def test_known_pages_are_asked_unless_a_person_named_one(world: World) -> None:
    known = Evidence(fact="health_check_path", value="/up", alternatives=("/a", "/users/<id>", "/b/:id", "/c"))
    world.trial(STACK.but(evidence=(known,)), outcome="answered", status=200, seconds=0.1)
    assert world.order["paths"] == ["/up", "/a", "/c", "/"]
    world.trial(STACK.but(evidence=(known.but(rule="--health-check-path"),)), outcome="answered", status=200)
    assert world.order["paths"] == ["/up"]


def test_a_missing_variable_is_asked_for(world: World) -> None:
    lines = ["Traceback", "KeyError: 'STRIPE_KEY'", "KeyError: 'KEY'"]
    with pytest.raises(TrialError, match="it needs STRIPE_KEY") as caught:
        world.trial(outcome="exited", code=1, seconds=0.2, lines=lines)
    assert caught.value.remediation == "Give what it misses: --env STRIPE_KEY=…"
