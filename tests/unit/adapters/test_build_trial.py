"""The trial: what the container is ordered, what its answers become; and boot.py itself on real processes."""

from __future__ import annotations

import json
import socket
import sys
from pathlib import Path
from typing import cast

import pytest
from unit.adapters.fake_container_engine import FakeEngine

from autodeploy.adapters.build import ContainerBuilder, Limits, boot, trial, watching
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
        ({"outcome": "silent", "sockets": ["[::1]:8123"]}, "listens on [::1]:8123 only", "bind to 127.0.0.1"),
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


SERVER = (
    "import http.server as h, os, sys\n"
    "class H(h.BaseHTTPRequestHandler):\n"
    "  def do_GET(self):\n"
    "    self.send_response({status}); self.end_headers()\n"
    "h.HTTPServer(('127.0.0.1', {port}), H).serve_forever()\n"
)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Booted:
    """boot.boot on this machine, in a folder that stands for /app."""

    def __init__(self, root: Path) -> None:
        (root / "src").mkdir(parents=True)
        self.root = root
        self.port = free_port()

    def boot(self, program: str, **order: object) -> dict[str, object]:
        (self.root / "src" / "app.py").write_text(program)
        given = {
            "start": f"{sys.executable} app.py", "migrate": None, "environment": {}, "port": self.port, "paths": ["/"],
            "elsewhere": True, "web": True, "seconds": 5, "settle": 0.3, "patience": 0.5, **order,
        }  # fmt: skip
        return boot.boot(given, [], str(self.root))


@pytest.fixture
def booted(tmp_path: Path) -> Booted:
    return Booted(tmp_path / "app")


@pytest.mark.parametrize("status", [200, 302, 404])
def test_any_answer_below_500_is_up(booted: Booted, status: int) -> None:
    result = booted.boot(SERVER.format(status=status, port=booted.port))
    assert (result["outcome"], result["status"]) == ("answered", status)


@pytest.mark.parametrize("status", [101, 500, 503])
def test_what_is_no_answer_or_a_server_error_is_not_up(booted: Booted, status: int) -> None:
    result = booted.boot(SERVER.format(status=status, port=booted.port))
    assert (result["outcome"], result["status"]) == ("unwell", status)


@pytest.mark.parametrize("before", ["true && ", "cd .; "])
def test_a_compound_command_starts(booted: Booted, before: str) -> None:
    program = SERVER.format(status=200, port=booted.port)
    assert booted.boot(program, start=f"{before}{sys.executable} app.py")["outcome"] == "answered"


def test_the_venv_is_on_the_path_whatever_is_given(booted: Booted) -> None:
    (booted.root / "venv" / "bin").mkdir(parents=True)
    (booted.root / "venv" / "bin" / "tool").write_text("#!/bin/sh\necho found; exit 3\n")
    (booted.root / "venv" / "bin" / "tool").chmod(0o755)
    result = booted.boot("", start="tool", environment={"PATH": "/usr/bin:/bin"})
    assert result["lines"] == ["found"]


def test_an_application_that_ends_is_told_at_once(booted: Booted) -> None:
    result = booted.boot("print('why'); raise SystemExit(3)")
    assert (result["outcome"], result["code"], result["lines"]) == ("exited", 3, ["why"])


def test_another_port_is_asked_when_the_expected_one_stays_silent(booted: Booted) -> None:
    other = free_port()
    result = booted.boot(SERVER.format(status=200, port=other))
    assert (result["outcome"], result["port"], result["status"]) == ("answered", other, 200)
    assert result["sockets"] == [f"127.0.0.1:{other}"]
    kept = booted.boot(SERVER.format(status=200, port=other), elsewhere=False)
    assert (kept["outcome"], kept["sockets"]) == ("silent", [f"127.0.0.1:{other}"])


PAGES = (
    "import http.server as h\n"
    "class H(h.BaseHTTPRequestHandler):\n"
    "  def do_GET(self):\n"
    "    self.send_response({pages}.get(self.path, 404)); self.end_headers()\n"
    "h.HTTPServer(('127.0.0.1', {port}), H).serve_forever()\n"
)


@pytest.mark.parametrize(
    ("pages", "path", "status"),
    [
        ({"/b": 200}, "/b", 200),
        ({"/a": 401, "/b": 404, "/": 302}, "/", 302),
        ({"/a": 403, "/b": 500}, "/a", 403),
        ({"/a": 204, "/b": 200}, "/a", 204),
    ],
)
def test_the_first_page_that_answers_well_is_taken(
    booted: Booted, pages: dict[str, int], path: str, status: int
) -> None:
    result = booted.boot(PAGES.format(pages=pages, port=booted.port), paths=["/a", "/b", "/"])
    assert (result["outcome"], result["path"], result["status"]) == ("answered", path, status)


def test_a_socket_that_no_proxy_finds_is_told(booted: Booted) -> None:
    program = f"import socket, time; s = socket.create_server(('127.0.0.7', {booted.port})); time.sleep(60)"
    result = booted.boot(program, seconds=2)
    assert (result["outcome"], result["sockets"]) == ("silent", [f"127.0.0.7:{booted.port}"])


def test_a_worker_that_answers_http_is_none(booted: Booted) -> None:
    program = SERVER.format(status=200, port=booted.port)
    result = booted.boot(program, web=False, port=0)
    assert (result["outcome"], result["port"]) == ("answered", booted.port)
    assert booted.boot(program, web=False, port=0, elsewhere=False)["outcome"] == "running"


def test_the_kernel_s_table_is_read(tmp_path: Path) -> None:
    rest = "00000000:00000000 00:00000000 00000000 0 0"
    rows = [
        "  sl  local_address",
        f"0: 0100007F:1F40 00000000:0000 0A {rest} 7",
        f"1: 0100007F:1F41 0100007F:9 01 {rest} 8",
    ]
    rows.append(f"2: 00000000000000000000000001000000:0BB8 0:0 0A {rest} 9")
    rows.append(f"3: 0000000000000000FFFF00000100007F:0050 0:0 0A {rest} 10")
    (tmp_path / "tcp").write_text("\n".join(rows))
    assert watching.sockets((str(tmp_path / "tcp"), str(tmp_path / "gone"))) == {
        ("127.0.0.1", 8000): "7", ("::1", 3000): "9", ("127.0.0.1", 80): "10",
    }  # fmt: skip


def test_what_runs_in_the_container_is_one_program_of_the_standard_library() -> None:
    text = trial.program()
    compile(text, "boot", "exec")
    assert "autodeploy." not in text.replace("/etc/autodeploy", "")
    assert text.rstrip().endswith("main()")


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


def test_a_worker_that_stays_is_running(booted: Booted) -> None:
    assert booted.boot("import time; time.sleep(60)", web=False)["outcome"] == "running"


def test_a_failing_migration_ends_the_trial(booted: Booted) -> None:
    result = booted.boot("", migrate="echo no table; exit 4")
    assert (result["outcome"], result["code"], result["lines"]) == ("migration", 4, ["no table"])


def test_an_endless_migration_ends(booted: Booted) -> None:
    assert booted.boot("", migrate="sleep 60", seconds=0.2)["code"] == -1


def test_the_environment_is_the_order_s_alone(booted: Booted, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_PROFILE", "x")
    result = booted.boot("import os; print(sorted(os.environ))", migrate="true", environment={"KEY": "x"})
    names = str(result["lines"])
    assert "'KEY'" in names
    assert "AWS" not in names


def test_rights_are_given_up() -> None:
    assert "--no-new-privs" in boot.as_user(10001)
