"""boot.py, which runs inside the trial's container, on real processes of this machine."""

from __future__ import annotations

import os
import socket
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import pytest
from fixtures.ports import free_port

from autodeploy.adapters.build import boot, trial, watching

SERVER = (
    "import http.server as h, os, sys\n"
    "class H(h.BaseHTTPRequestHandler):\n"
    "  def do_GET(self):\n"
    "    self.send_response({status}); self.end_headers()\n"
    "h.HTTPServer(('127.0.0.1', {port}), H).serve_forever()\n"
)


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
            "elsewhere": True, "web": True, "seconds": 20, "settle": 0.3, "patience": 0.5, **order,
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
    other = free_port(other_than=booted.port)
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


def test_an_application_on_the_ipv6_loopback_alone_is_found(booted: Booted) -> None:
    server = SERVER.replace(
        "h.HTTPServer(('127.0.0.1'", "import socket\nh.HTTPServer.address_family = socket.AF_INET6\nh.HTTPServer(('::1'"
    )
    result = booted.boot(server.format(status=200, port=booted.port))
    assert (result["outcome"], result["port"]) == ("answered", booted.port)
    assert booted.boot(server.format(status=200, port=booted.port), port=9)["port"] == booted.port


def test_a_socket_that_no_proxy_finds_is_told(booted: Booted) -> None:
    program = f"import socket, time; s = socket.create_server(('127.0.0.7', {booted.port})); time.sleep(60)"
    result = booted.boot(program)
    assert (result["outcome"], result["sockets"]) == ("silent", [f"127.0.0.7:{booted.port}"])


def test_what_somebody_else_has_closed_meanwhile_is_not_the_application_s(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    application = watching.Application([], "sleep 60", dict(os.environ), str(tmp_path))
    listener = socket.create_server(("127.0.0.1", 0))
    address = listener.getsockname()

    def others(pid: int) -> frozenset[str]:
        listener.close()
        return frozenset()  # nobody has it any more

    try:
        monkeypatch.setattr(watching, "others", others)
        assert address not in application.sockets()
    finally:
        application.end()


def test_a_worker_that_answers_http_is_none(booted: Booted, monkeypatch: pytest.MonkeyPatch) -> None:
    program = SERVER.format(status=200, port=booted.port)
    tried = time.monotonic()

    def settled() -> float:
        """Let a worker's time to settle pass when it listens, however long a busy machine takes to start it."""
        listens = ("127.0.0.1", booted.port) in watching.sockets()
        return 1.0 if listens or time.monotonic() - tried > 60 else 0.0

    with monkeypatch.context() as slow:
        slow.setattr(watching, "time", SimpleNamespace(monotonic=settled, sleep=time.sleep))
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
